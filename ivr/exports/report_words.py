"""The Dutch words of the report page: names of questions, answers, outcomes and reasons."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from html import escape

from ivr.survey.forms import GRADE_OF, find_question
from ivr.survey.questionnaire import Questionnaire
from ivr.survey.scoring import PROVINCE, comma

SATISFACTION: Mapping[str, str] = {
    "zeer_tevreden": "Zeer tevreden",
    "tevreden": "Tevreden",
    "ontevreden": "Ontevreden",
    "zeer_ontevreden": "Zeer ontevreden",
    "geen_mening": "Geen mening",
}
"""The scale as the reports print it; the questionnaires ask it in simpler words."""
OUTCOMES: Mapping[str, str] = {
    "gehaald": "gehaald",
    "gehaald_na_correctie": "gehaald na correctie",
    "niet_gehaald": "niet gehaald",
    "niet_te_bepalen": "niet te bepalen",
}
REASONS: Mapping[str, str] = {
    "not_sampled": "Niet in de steekproef getrokken",
    "self_referred": "Zelfmelder, krijgt alleen de cliëntvragenlijst",
    "undeliverable": "Uitnodiging kwam niet aan",
    "not_invited": "Niet gebeld en niet uitgenodigd",
    "duplicate": "Staat er dubbel in",
    "missing_clientnummer": "Geen clientnummer",
    "missing_dienst": "Geen dienst",
    "unknown_service": "Onbekende dienst",
    "obsolete_service": "Dienst 12 bestaat niet meer",
    "bad_questionnaire": "Onbekende vragenlijst",
    "missing_leerprofiel": "Geen leerprofiel",
    "bad_leerprofiel": "Leerprofiel klopt niet",
    "missing_einddatum_traject": "Geen einddatum van het traject",
    "bad_date": "Datum klopt niet",
    "outside_period": "Traject eindigde buiten de meetperiode",
    "missing_contact": "Op geen enkele manier te bereiken",
    "not_diallable": "Telefoonnummer dat niet gebeld mag worden",
    "bad_phone": "Telefoonnummer klopt niet",
    "missing_opdrachtgevernummer": "Geen opdrachtgevernummer",
    "missing_email": "Geen e-mailadres",
    "bad_email": "E-mailadres klopt niet",
    "zelfmelder": "Is zelf de cliënt",
}
COUNTED_OUT: Mapping[str, str] = {
    "buiten_netto": "Buiten de netto steekproef",
    "geweigerd": "Regel geweigerd bij het aanleveren",
}


def question_words(forms: Mapping[str, Questionnaire], id: str) -> str:
    """The short name of a question."""
    if id == PROVINCE:
        return "Provincie"
    found = next((one for form in forms.values() if (one := find_question(form, id))), None)
    if found is None:
        return id
    # A provider with both questionnaires has two grades in one figure.
    return f"{found.label} (inburgering)" if id == GRADE_OF["inburgering"] else found.label


def answer_words(forms: Mapping[str, Questionnaire], id: str, code: str) -> str:
    """An answer as it is printed."""
    if code in SATISFACTION:
        return SATISFACTION[code]
    if id == PROVINCE:
        return code[:1].upper() + code[1:]
    found = next((one for form in forms.values() if (one := find_question(form, id))), None)
    options = found.options if found else ()
    return next((option.text for option in options if option.code == code), code.replace("_", " "))


def in_print(value: Decimal | None) -> str:
    """With a decimal comma; a dash for what is withheld."""
    return "–" if value is None else comma(value)


def html(text: str) -> str:
    """Text that can do no harm in a page."""
    return escape(text)
