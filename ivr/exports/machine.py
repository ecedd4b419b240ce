"""The machine files: every answer in the long form, every interview in the wide form, every call.

One walk over two ordered cursors writes `responses.csv` and `interviews.csv` together, so a million interviews
need no more memory than ten. Nothing here names a person: interviews and cases are known by random ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from ivr.exports.files import Outbox
from ivr.store import Session, reading
from ivr.store.reading import SampleRow
from ivr.survey.questionnaire import Questionnaire

RESPONSES = (
    "interview_id", "provider", "period_from", "period_to", "group", "service", "questionnaire",
    "questionnaire_version", "mode", "question", "value", "answered_at",
)  # fmt: skip
INTERVIEWS = (
    "interview_id", "provider", "period_from", "period_to", "group", "service", "questionnaire",
    "questionnaire_version", "mode", "started_at", "ended_at", "disposition", "usable", "successful",
)  # fmt: skip
ATTEMPTS = (
    "attempt_id", "case_id", "provider", "period_from", "period_to", "number_in_case", "planned_at", "placed_at",
    "ended_at", "outcome", "aapor", "duration_seconds",
)  # fmt: skip


SUPERSEDED = ("interview_id", "counted_interview_id")

_END: tuple[str, str, str, str, str] = ("~", "", "", "", "")
"""After the last answer: sorts behind every id, which is hexadecimal."""

_TO_QUOTE = re.compile(r'[",\r\n]')


class _Cells(dict[object, str]):
    """A value as it stands in a machine file, remembered: codes, dates and names come by the million.

    The csv module would look at every character of every cell again; this halves the time of the two large files.
    """

    def __missing__(self, value: object) -> str:
        text = "" if value is None else str(value)
        if _TO_QUOTE.search(text):
            text = '"' + text.replace('"', '""') + '"'
        if len(self) < 100_000:
            self[value] = text
        return text


def question_columns(forms: Mapping[str, Questionnaire], found: Iterable[str]) -> list[str]:
    """One column per question id over all questionnaires, in their order; then ids that only the answers know."""
    known = list(dict.fromkeys(question.id for form in forms.values() for question in form.questions))
    return known + sorted(set(found) - set(known))


def write_answers(
    session: Session,
    outbox: Outbox,
    samples: Sequence[SampleRow],
    sample_ids: list[int] | None,
    columns: Sequence[str],
    since: datetime | None,
) -> None:
    """Write `responses.csv` and `interviews.csv`. `sample_ids` None means all of the store."""
    cells = _Cells()
    heads = {id: ",".join(cells[part] for part in head) for id, head in _heads(samples).items()}
    place = {question: index for index, question in enumerate(columns)}
    empty = [""] * len(columns)
    answers = reading.stream_responses(session, sample_ids, since)
    id_of_answer, question, value, mode, answered_at = next(answers, _END)
    interviews = 0
    responses = 0
    with (
        (outbox.path / "responses.csv").open("w", encoding="utf-8", newline="", buffering=1 << 20) as long_file,
        (outbox.path / "interviews.csv").open("w", encoding="utf-8", newline="", buffering=1 << 20) as wide_file,
    ):
        long_file.write(",".join(RESPONSES) + "\n")
        wide_file.write(",".join([*INTERVIEWS, *(cells[column] for column in columns)]) + "\n")
        for row in reading.stream_interviews(session, sample_ids, since):
            id = row[0]
            head = f"{id},{heads[row[1]]},{','.join([cells[part] for part in row[2:6]])}"
            values = empty.copy()
            lines: list[str] = []
            while id_of_answer < id:  # an answer of an interview that is left out
                id_of_answer, question, value, mode, answered_at = next(answers, _END)
            while id_of_answer == id:
                text = cells[value]
                lines.append(f"{head},{cells[mode]},{cells[question]},{text},{answered_at}\n")
                values[place[question]] = text
                id_of_answer, question, value, mode, answered_at = next(answers, _END)
            long_file.writelines(lines)
            _, _, _, _, _, _, by, started_at, ended_at, disposition, usable, successful = row
            wide_file.write(
                f"{head},{cells[by]},{started_at},{ended_at or ''},{cells[disposition]},{usable},{successful},"
                f"{','.join(values)}\n"
            )
            responses += len(lines)
            interviews += 1
    outbox.done("responses.csv", responses)
    outbox.done("interviews.csv", interviews)


def attempt_rows(
    session: Session,
    samples: Sequence[SampleRow],
    sample_ids: list[int] | None,
    aapor: Mapping[str, str],
    since: datetime | None,
) -> Iterator[tuple]:
    """The rows of `attempts.csv`. `aapor`: outcome → AAPOR code; empty while a call has no outcome yet."""
    heads = _heads(samples)
    for id, case_id, sample_id, number, planned, placed, ended, outcome, seconds in reading.stream_attempts(
        session, sample_ids, since
    ):
        code = aapor.get(outcome, "")
        yield (id, case_id, *heads[sample_id], number, planned, placed, ended, outcome, code, seconds)


def _heads(samples: Sequence[SampleRow]) -> dict[int, tuple[str, str, str]]:
    return {one.id: (one.provider, one.period_from.isoformat(), one.period_to.isoformat()) for one in samples}
