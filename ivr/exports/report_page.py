"""`ivr report`: one provider's report of one meetperiode as a page that stands alone, Dutch, to look at or to print.

The structure of the published reports: front page (grade, how satisfied, what scores relatively well), response,
table 1.1, the figures against all participants, commissioners. For staff, to check the fieldwork before the pipeline
prints. Shows nothing that the files of an export hide, and says so where a group is too small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

from ivr.errors import NotFoundError
from ivr.exports import fieldwork_file, report_charts, scores
from ivr.exports.fieldwork_file import Measure
from ivr.exports.report_figures import figures
from ivr.exports.report_style import STYLE
from ivr.exports.report_words import (
    COUNTED_OUT,
    OUTCOMES,
    REASONS,
    SATISFACTION,
    in_print,
    question_words,
)
from ivr.exports.report_words import html as _t
from ivr.exports.scores import Scores
from ivr.store import Database, reading
from ivr.store.samples import name_key
from ivr.survey.dutch import written_out
from ivr.survey.forms import forms_of
from ivr.survey.questionnaire import Questionnaire
from ivr.survey.scoring import Provinces, percentage, rules_from_mapping

if TYPE_CHECKING:
    from ivr.catalogue import Catalogue

Forms = Mapping[str, Questionnaire]


def render(database: Database, catalogue: Catalogue, provider: str, period: tuple[date, date] | None) -> str:
    """The page; of the latest meetperiode when none is named. NotFoundError when there is no such list."""
    rules = rules_from_mapping(catalogue.scoring)
    forms = forms_of(catalogue.questionnaires)
    with database.read() as session:
        reading.begin_snapshot(session)
        samples = reading.find_samples(session, period=period, provider_key=name_key(provider))
        if not samples:
            when = "" if period is None else f" in {period[0]}/{period[1]}"
            raise NotFoundError(f"No list of {provider!r}{when} is known; spell it as at `ivr sample import`.")
        provinces = Provinces(catalogue.scoring.get("provincies", {}))
        found = scores.compute(session, rules, provinces, forms, catalogue.services, samples[-1:])
        measures = fieldwork_file.compute(session, rules, catalogue.outcomes, found)[0][1]
    labels = {code: outcome.label for code, outcome in catalogue.outcomes.items()}
    return page(found[0], measures, forms, labels, rules.minimum_n)


def page(one: Scores, measures: Sequence[Measure], forms: Forms, outcomes: Mapping[str, str], minimum_n: int) -> str:
    """The whole document. outcomes: code → Dutch label of an outcome of a call."""
    body = "".join(
        [
            _front(one, forms),
            _response(one, measures, outcomes),
            _table(one),
            figures(one, "client", "3. De uitkomsten van de cliënten", forms, minimum_n),
            _commissioners(one, forms, minimum_n),
            f'<h2>Verantwoording</h2><p class="note">{_t(one.disclaimer)}</p><p>Niemand mag op grond van dit rapport '
            "worden benaderd. Percentages zijn half naar boven afgerond en tellen daarom niet altijd op tot 100.</p>",
        ]
    )
    title = f"Klanttevredenheid {one.sample.provider}, {_days(one)}"
    return (
        '<!doctype html>\n<html lang="nl"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width,initial-scale=1"><title>{_t(title)}</title><style>{STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>\n"
    )


def _front(one: Scores, forms: Forms) -> str:
    total = next((row for row in one.table if row.group == "clienten" and row.code is None), None)
    norm = one.norm[-1] if one.norm else None
    grade = total.grade_text if total else "–"
    basis = f"{total.completed} van {total.net} cliënten, respons {in_print(total.response)}%" if total else ""
    points = "".join(f"<li>{_t(question_words(forms, id))}</li>" for id in one.points)
    good = f"<ul>{points}</ul>" if points else "<p>Geen onderdeel steekt boven het gemiddelde van alle deelnemers uit, "
    good += "" if points else "of er zijn te weinig antwoorden om dat te zeggen.</p>"
    outcome = f"<p>Norm {in_print(norm.norm)}: {OUTCOMES[norm.outcome]}.</p>" if norm else ""
    publish = ""
    if total:
        publish = f"<p>Publicatie: {'ja' if total.is_published else 'nee, de respons is te laag'}.</p>"
    return (
        f'<section class="front"><p class="soft">Klanttevredenheidsonderzoek · concept ter controle</p>'
        f"<h1>{_t(one.sample.provider)}</h1><p>Meetperiode {_days(one)}</p>"
        f'<div class="heads"><div class="grade">Rapportcijfer<b>{_t(grade)}</b>{_t(basis)}</div>'
        f'<div class="card"><h2>Hoe tevreden zijn cliënten?</h2>{_split(one)}{outcome}{publish}</div></div>'
        f'<div class="card"><h2>Scoort relatief goed op</h2>{good}</div>'
        f'<p class="note">{_t(one.disclaimer)}</p></section>'
    )


def _split(one: Scores) -> str:
    """All answers on the scale of satisfaction together, over every aspect that may be shown."""
    counts: dict[str, int] = dict.fromkeys(SATISFACTION, 0)
    for row in one.aspects:
        if row.answer in counts and row.count is not None:
            counts[row.answer] += row.count
    total = sum(counts.values())
    if not total:
        return _grade_split(one)
    shares = [percentage(count, total) for count in counts.values()]
    words = ", ".join(
        f"{in_print(share)}% {SATISFACTION[code].lower()}" for code, share in zip(counts, shares, strict=True)
    )
    return f"{report_charts.stacked(shares, [])}<p>{_t(words)} ({total} antwoorden over alle aspecten samen).</p>"


def _grade_split(one: Scores) -> str:
    """Where satisfaction was not asked (inburgering): how the grades split."""
    rows = [row for row in one.figures if row.question == "INB_CIJFER" and row.count is not None]
    total = sum(row.count or 0 for row in rows)
    if not total:
        return "<p>Te weinig antwoorden om te tonen.</p>"
    bounds = {"een 8 of hoger": range(8, 11), "een 6 of 7": range(6, 8), "een 5 of lager": range(1, 6)}
    counts = [sum(row.count or 0 for row in rows if int(row.answer) in span) for span in bounds.values()]
    shares = [percentage(count, total) for count in counts]
    words = ", ".join(f"{in_print(share)}% geeft {name}" for name, share in zip(bounds, shares, strict=True))
    return f"{report_charts.stacked([shares[0], shares[1], None, shares[2]], [])}<p>{_t(words)} ({total} cijfers).</p>"


def _response(one: Scores, measures: Sequence[Measure], outcomes: Mapping[str, str]) -> str:
    rows: list[tuple[str, str]] = []
    for row in one.table:
        if row.code is None:
            who = "Cliënten" if row.group == "clienten" else "Opdrachtgevers"
            rows.append((f"{who}: netto steekproef", str(row.net)))
            rows.append((f"{who}: ingevuld", f"{row.completed} ({in_print(row.response)}%)"))
    for one_measure in measures:
        if one_measure.measure in COUNTED_OUT:
            reason = REASONS.get(one_measure.key, outcomes.get(one_measure.key, one_measure.key.replace("_", " ")))
            rows.append((f"{COUNTED_OUT[one_measure.measure]}: {reason.lower()}", _value(one_measure)))
    text = f"<h2>1. Respons</h2>{_pairs('Respons', rows)}"
    names = {"inburgering": "Inburgering", "telefoonoptie": "Telefoonoptie", "telefonisch": "Samen"}
    for group, found in groupby((one for one in measures if one.group in names), key=lambda one: one.group):
        lines = [(_measure_words(measure, outcomes), _value(measure)) for measure in found]
        text += _pairs(f"Telefonisch veldwerk: {names[group]}", lines)
    return text


def _measure_words(one: Measure, outcomes: Mapping[str, str]) -> str:
    known = {
        "clienten": "Cliënten in het veldwerk", "interviews": "Geslaagde interviews", "gesprekken": "Gesprekken",
        "gesprekken_per_geslaagd": "Gesprekken per geslaagd interview",
    }  # fmt: skip
    if one.measure == "aapor":
        return f"AAPOR {one.key} (%)"
    label = outcomes.get(one.key) or one.key.replace("_", " ")
    if one.measure == "gesprekken_naar_uitkomst":
        return f"Gesprekken met uitkomst: {label}"
    if one.measure == "clienten_naar_stand":
        return f"Cliënten met stand: {label}"
    return known.get(one.measure, one.measure)


def _value(one: Measure) -> str:
    if one.value is None:
        return "–"
    return in_print(one.value) if isinstance(one.value, Decimal) else str(one.value)


def _pairs(caption: str, rows: Sequence[tuple[str, str]]) -> str:
    lines = "".join(f'<tr><th scope="row">{_t(name)}</th><td class="n">{_t(value)}</td></tr>' for name, value in rows)
    return f"<table><caption>{_t(caption)}</caption><tbody>{lines}</tbody></table>" if lines else ""


def _table(one: Scores) -> str:
    lines = ""
    for row in one.table:
        kind = ' class="total"' if row.code is None else ""
        cells = (str(row.net), str(row.completed), f"{in_print(row.response)}", row.grade_text)
        numbers = "".join(f'<td class="n">{_t(cell)}</td>' for cell in cells)
        published = "ja" if row.is_published else "nee"
        lines += f'<tr{kind}><th scope="row">{_t(row.service)}</th>{numbers}<td>{published}</td></tr>'
    heads = "".join(
        f'<th scope="col" class="n">{head}</th>'
        for head in ("Netto steekproef", "Ingevuld", "Respons (%)", "Rapportcijfer")
    )
    return (
        '<h2>2. Rapportcijfer en respons per dienst</h2><div class="scroll"><table><caption>Tabel 1.1</caption>'
        f'<thead><tr><th scope="col">Dienst</th>{heads}<th scope="col">Publicatie</th></tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
        "<p class='soft'>* Van één persoon, of zonder geldig cijfer, wordt geen rapportcijfer gegeven.</p>"
    )


def _commissioners(one: Scores, forms: Forms, minimum_n: int) -> str:
    title = "4. De uitkomsten van de opdrachtgevers"
    if not any(row.group == "opdrachtgevers" for row in one.table):
        return f"<h2>{title}</h2><p>Uitgenodigde opdrachtgevers: geen. Respons: 0%.</p>"
    found = figures(one, "commissioner", title, forms, minimum_n)
    return found or f"<h2>{title}</h2><p>Geen van de uitgenodigde opdrachtgevers heeft geantwoord.</p>"


def _days(one: Scores) -> str:
    return f"{written_out(one.sample.period_from)} t/m {written_out(one.sample.period_to)}"
