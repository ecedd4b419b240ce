"""The code book: every column of every file, every question with its codes and labels, in Dutch.

Decides the words in which the files are explained; the questions explain themselves through the questionnaires.
A value without a label (a grade, a count) is described by its range. What is written as missing here is what the
statistics packages are told to leave out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ivr.survey.forms import MISSING, find_question
from ivr.survey.questionnaire import Questionnaire

HEADER = ("file", "column", "questionnaire", "questionnaire_version", "value", "label", "is_missing", "description")

MISSING_LABELS: Mapping[str, str] = {
    "weet_niet": "Weet ik niet of geen mening",
    "niet_begrepen": "Vraag niet begrepen, ook niet na langzaam herhalen",
    "geen_antwoord": "Geen antwoord gegeven",
}
MODES: Mapping[str, str] = {
    "telephone": "Telefonisch, computer",
    "telephone_human": "Telefonisch, door een mens",
    "web": "Internet",
    "email": "E-mail",
    "post": "Post",
}
GROUPS: Mapping[str, str] = {"client": "Cliënt", "commissioner": "Opdrachtgever"}
ENDINGS: Mapping[str, str] = {
    "complete": "Bruikbaar en helemaal ingevuld",
    "partial": "Bruikbaar, niet helemaal ingevuld",
    "unusable": "Te weinig vragen over de dienstverlening beantwoord",
    "break_off": "Afgebroken voordat het bruikbaar was",
}
COLUMNS: Mapping[str, str] = {
    "interview_id": "Willekeurig kenmerk van één ingevulde vragenlijst; zegt niets over de persoon",
    "counted_interview_id": "De eerder bruikbare vragenlijst van deze persoon, die meetelt; de andere is bewaard en "
    "telt in geen enkel cijfer mee",
    "attempt_id": "Willekeurig kenmerk van één telefoongesprek",
    "case_id": "Volgnummer van een persoon binnen deze gegevens; niet het clientnummer",
    "provider": "Naam van de dienstverlener",
    "period_from": "Eerste dag van de meetperiode (jjjj-mm-dd)",
    "period_to": "Laatste dag van de meetperiode (jjjj-mm-dd)",
    "group": "Wie antwoordt",
    "service": "Dienst, codes 1-13; leeg bij opdrachtgevers",
    "questionnaire": "Vragenlijst",
    "questionnaire_version": "Versie van de vragenlijst",
    "mode": "Hoe het antwoord is gegeven",
    "question": "Kenmerk van de vraag; ook de kolom in interviews.csv",
    "value": "Antwoord: een code, of een getal met een punt",
    "answered_at": "Moment van het antwoord, UTC, hele seconden (2026-03-31T12:00:00Z)",
    "started_at": "Begin van het invullen, UTC, hele seconden; bij andere wijzen dan de telefoon: het eerste antwoord",
    "ended_at": "Einde van het invullen, UTC, hele seconden; leeg als het nog loopt",
    "disposition": "Hoe het invullen eindigde; leeg als het nog loopt",
    "usable": "1 = bruikbaar: minstens de helft van de getoonde vragen over de dienstverlening inhoudelijk beantwoord",
    "successful": "1 = telt mee voor het afgesproken aantal telefonische interviews",
    "number_in_case": "Hoeveelste keer deze persoon werd gebeld",
    "planned_at": "Moment waarop het gesprek werd gepland, UTC, hele seconden",
    "placed_at": "Moment waarop het gesprek werd geplaatst, UTC, hele seconden",
    "outcome": "Wat er van het gesprek kwam; leeg zolang dat niet bekend is. Een gesprek dat zeker niet is geplaatst, "
    "staat niet in het bestand, een proefgesprek evenmin",
    "aapor": "AAPOR-code van de uitkomst",
    "duration_seconds": "Duur van het gesprek in seconden, vanaf het opnemen",
}


def rows(
    headers: Mapping[str, Sequence[str]],
    forms: Mapping[str, Questionnaire],
    questions: Sequence[str],
    services: Mapping[int, str],
    outcomes: Mapping[str, tuple[str, str]],
) -> Iterator[tuple]:
    """The rows of `codebook.csv`.

    headers: machine file → its fixed columns. questions: the question columns of `interviews.csv`.
    services: code → label. outcomes: code → (label, AAPOR code).
    """
    labels: dict[str, Mapping[str, str]] = {
        "group": GROUPS,
        "mode": MODES,
        "disposition": ENDINGS,
        "questionnaire": {form.id: form.title for form in forms.values()},
        "service": {str(code): label for code, label in services.items()},
        "outcome": {code: label for code, (label, _) in outcomes.items() if label},
    }
    for file, columns in headers.items():
        for column in columns:
            yield (file, column, "", "", "", "", "", COLUMNS[column])
            for value, label in labels.get(column, {}).items():
                yield (file, column, "", "", value, label, 0, "")
    for id in questions:
        for form in forms.values():
            yield from _question(form, id)


def _question(form: Questionnaire, id: str) -> Iterator[tuple]:
    question = find_question(form, id)
    if question is None:
        return
    head = ("interviews.csv", id, form.id, form.version)
    aspect = " (dienstverleningsaspect)" if question.is_aspect else ""
    yield (*head, "", question.label, "", question.text + aspect)
    for option in question.options:
        yield (*head, option.code, option.text, int(option.is_missing), "")
    if question.kind != "single":
        yield (*head, f"{question.minimum}-{question.maximum}", "Getal", 0, "")
    given = {option.code for option in question.options}
    for code in MISSING_LABELS:
        if code in MISSING and code not in given:
            yield (*head, code, MISSING_LABELS[code], 1, "")
