"""The machine files: every answer in the long form, every interview in the wide form, every call.

One walk over two ordered cursors writes `responses.csv` and `interviews.csv` together, so a million interviews
need no more memory than ten. Nothing here names a person: interviews and cases are known by random ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TextIO

from ivr.exports.files import Outbox
from ivr.store import Session, reading
from ivr.store.reading import JOINT, SampleRow
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

_END = ("~", "", "", "", "")
"""After the last answers: sorts behind every id, which is hexadecimal."""

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


class _Rows:
    """Turns the joined answers of an interview into the end of its wide row. Interviews that answered the same
    questions share a template, so that a row costs one formatting and not a look-up per answer."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._place = {question: index for index, question in enumerate(columns)}
        self._empty = "," * max(len(columns) - 1, 0)
        self._templates: dict[str, tuple[str, tuple[int, ...]]] = {}

    def wide(self, questions: str, values: Sequence[str]) -> str:
        if not values:
            return self._empty
        template, order = self._templates.get(questions) or self._learn(questions)
        if len(order) != len(values):
            raise ValueError(f"{len(values)} values for {len(order)} questions")
        return template % tuple([values[index] for index in order])

    def _learn(self, questions: str) -> tuple[str, tuple[int, ...]]:
        places = [self._place[question] for question in questions.split(JOINT)]
        cells = [""] * len(self._place)
        for place in places:
            cells[place] = "%s"
        found = ",".join(cells), tuple(sorted(range(len(places)), key=places.__getitem__))
        if len(self._templates) < 10_000:
            self._templates[questions] = found
        return found


def write_answers(
    session: Session,
    outbox: Outbox,
    samples: Sequence[SampleRow],
    sample_ids: list[int] | None,
    columns: Sequence[str],
    since: datetime | None,
    *,
    with_long: bool = True,
) -> None:
    """Write `interviews.csv`, and `responses.csv` unless only the wide form is wanted (a sixth of the bytes).
    `sample_ids` None means all of the store."""
    cells = _Cells()
    heads = {id: ",".join(cells[part] for part in head) for id, head in _heads(samples).items()}
    rows = _Rows(columns)
    answers = reading.stream_responses(session, sample_ids, since, with_moments=with_long)
    answered, questions, values, modes, moments = next(answers, _END)
    interviews = 0
    responses = 0
    with ExitStack() as files:
        long_file = files.enter_context(_open(outbox.path / "responses.csv")) if with_long else None
        wide_file = files.enter_context(_open(outbox.path / "interviews.csv"))
        if long_file is not None:
            long_file.write(",".join(RESPONSES) + "\n")
        wide_file.write(",".join([*INTERVIEWS, *(cells[column] for column in columns)]) + "\n")
        for row in reading.stream_interviews(session, sample_ids, since):
            id = row[0]
            head = f"{id},{heads[row[1]]},{','.join([cells[part] for part in row[2:6]])}"
            given: Sequence[str] = ()
            while answered < id:  # answers of an interview that is left out
                answered, questions, values, modes, moments = next(answers, _END)
            if answered == id:
                given = values.split(JOINT)
                if _TO_QUOTE.search(values):
                    given = [cells[value] for value in given]
                if long_file is not None:
                    parts = zip(modes.split(JOINT), questions.split(JOINT), given, moments.split(JOINT), strict=True)
                    # Whole seconds: what stands behind the nineteenth character is cut off.
                    lines = [f"{head},{mode},{question},{value},{at:.19}Z\n" for mode, question, value, at in parts]
                    long_file.writelines(lines)
                    responses += len(lines)
            _, _, _, _, _, _, by, started_at, ended_at, disposition, usable, successful = row
            wide_file.write(
                f"{head},{cells[by]},{started_at},{ended_at or ''},{cells[disposition]},{usable},{successful},"
                f"{rows.wide(questions, given)}\n"
            )
            interviews += 1
    if with_long:
        outbox.done("responses.csv", responses)
    outbox.done("interviews.csv", interviews)


def _open(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="", buffering=1 << 20)


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
