"""The figures of the report page: each a chart with its numbers in a table, numbered as `figuren.csv` numbers them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from ivr.exports import report_charts
from ivr.exports.report_words import SATISFACTION, answer_words, in_print, question_words
from ivr.exports.report_words import html as _t
from ivr.exports.scores import MEAN, Scores, Shown
from ivr.survey.questionnaire import Questionnaire

Forms = Mapping[str, Questionnaire]


def figures(one: Scores, group: str, title: str, forms: Forms, minimum_n: int) -> str:
    """A chapter of figures; nothing where no question was answered. group: client or commissioner."""
    rows = [row for row in one.figures if row.group == group]
    if not rows:
        return ""
    legend = (
        '<ul class="legend"><li><i style="background:#0b5d4b"></i>deze dienstverlener</li>'
        '<li><i class="tick"></i>alle deelnemers samen, deze meegeteld</li></ul>'
    )
    text = f"<h2>{_t(title)}</h2>{legend}"
    for number, found in groupby(rows, key=lambda row: row.figure):
        figure = list(found)
        text += f"<figure><figcaption>Figuur {_t(number)} {_t(_title(figure, forms))}</figcaption>"
        text += "".join(_drawn(figure, forms, minimum_n)) + "</figure>"
    return text


def _title(rows: Sequence[Shown], forms: Forms) -> str:
    """A figure of a series is called by its question."""
    questions = {row.question for row in rows}
    if len(questions) == 1 and "vraag voor vraag" in rows[0].title.lower():
        return question_words(forms, rows[0].question)
    return rows[0].title


def _drawn(rows: Sequence[Shown], forms: Forms, minimum_n: int) -> Iterator[str]:
    by_question: dict[str, list[Shown]] = defaultdict(list)
    for row in rows:
        by_question[row.question].append(row)
    small = [id for id, found in by_question.items() if found[0].n < minimum_n]
    shown = {id: found for id, found in by_question.items() if id not in small}
    if shown and rows[0].answer == MEAN:
        yield _means(shown, forms)
    elif shown and all({row.answer for row in found} >= set(SATISFACTION) for found in shown.values()):
        yield _satisfaction(shown, forms)
    else:
        for id, found in shown.items():
            if len(shown) > 1:
                yield f"<h4>{_t(question_words(forms, id))}</h4>"
            is_grade = [row.answer for row in found] == [str(grade) for grade in range(1, 11)]
            if is_grade:
                yield report_charts.columns(
                    [row.answer for row in found], [row.percent for row in found], [row.benchmark for row in found]
                )
            yield _answers(found, forms, with_bars=not is_grade)
    for id in small:
        name = _t(question_words(forms, id))
        yield f"<p class='soft'>{name}: te weinig antwoorden om te tonen (n = {by_question[id][0].n}).</p>"


def _means(shown: Mapping[str, Sequence[Shown]], forms: Forms) -> str:
    lines = ""
    for id, (row, *_) in shown.items():
        low, high = (0, 31) if id.endswith("FREQ") else (1, 10)
        chart = report_charts.scale(row.mean, row.benchmark_mean, low, high)
        lines += (
            f'<tr><th scope="row">{_t(question_words(forms, id))}</th><td>{chart}</td>'
            f'<td class="n">{in_print(row.mean)}</td>'
            f'<td class="n">{in_print(row.benchmark_mean)}</td><td class="n">{row.n}</td></tr>'
        )
    return _numbers("", ("Gemiddelde", "Alle deelnemers", "n"), lines)


def _satisfaction(shown: Mapping[str, Sequence[Shown]], forms: Forms) -> str:
    legend = "".join(
        f'<li><i style="background:{shade}"></i>{_t(name.lower())}</li>'
        for shade, name in zip(report_charts.SHADES, SATISFACTION.values(), strict=True)
    )
    text = f'<ul class="legend">{legend}<li>dunne balk: alle deelnemers</li></ul>'
    lines = ""
    for id, found in shown.items():
        at = {row.answer: row for row in found}
        rows = [at[code] for code in SATISFACTION]
        chart = report_charts.stacked([row.percent for row in rows], [row.benchmark for row in rows])
        name = _t(question_words(forms, id))
        text += f'<div class="aspect" aria-hidden="true"><span>{name}</span>{chart}</div>'
        cells = "".join(f'<td class="n">{in_print(row.percent)} ({in_print(row.benchmark)})</td>' for row in rows)
        lines += f'<tr><th scope="row">{name}</th>{cells}<td class="n">{rows[0].n}</td></tr>'
    heads = "".join(f'<th scope="col" class="n">{_t(name)}</th>' for name in SATISFACTION.values())
    return (
        f'{text}<div class="scroll"><table><caption>In procenten; tussen haakjes alle deelnemers</caption><thead><tr>'
        f'<th scope="col">Onderdeel</th>{heads}<th scope="col" class="n">n</th></tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _answers(found: Sequence[Shown], forms: Forms, *, with_bars: bool) -> str:
    lines = ""
    for row in found:
        chart = f"<td>{report_charts.bar(row.percent, row.benchmark)}</td>" if with_bars else ""
        lines += (
            f'<tr><th scope="row">{_t(answer_words(forms, row.question, row.answer))}</th>{chart}'
            f'<td class="n">{row.count}</td>'
            f'<td class="n">{in_print(row.percent)}</td><td class="n">{in_print(row.benchmark)}</td></tr>'
        )
    heads = ("Aantal", "%", "Alle deelnemers, %")
    return _numbers(f"n = {found[0].n}", heads, lines, with_bars=with_bars)


def _numbers(caption: str, heads: Sequence[str], lines: str, *, with_bars: bool = True) -> str:
    chart = "<td></td>" if with_bars else ""
    columns = "".join(f'<th scope="col" class="n">{_t(head)}</th>' for head in heads)
    above = f"<caption>{_t(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll"><table>{above}<thead><tr><th scope="col">Antwoord</th>{chart}{columns}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )
