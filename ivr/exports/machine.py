"""The machine files: every answer in the long form, every interview in the wide form, every call.

One walk over two ordered cursors writes `responses.csv` and `interviews.csv` together, so a million interviews
need no more memory than ten. Nothing here names a person: interviews and cases are known by random ids.
"""

from __future__ import annotations

import csv
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
    heads = _heads(samples)
    place = {question: index for index, question in enumerate(columns)}
    empty = [""] * len(columns)
    answers = reading.stream_responses(session, sample_ids, since)
    answer = next(answers, None)
    interviews = 0
    responses = 0
    with (
        (outbox.path / "responses.csv").open("w", encoding="utf-8", newline="") as long_file,
        (outbox.path / "interviews.csv").open("w", encoding="utf-8", newline="") as wide_file,
    ):
        long = csv.writer(long_file, lineterminator="\n").writerow
        wide = csv.writer(wide_file, lineterminator="\n").writerow
        long(RESPONSES)
        wide((*INTERVIEWS, *columns))
        for row in reading.stream_interviews(session, sample_ids, since):
            id, sample_id, group, service, questionnaire, version, _mode, *_ = row
            head = (id, *heads[sample_id], group, service, questionnaire, version)
            values = empty.copy()
            while answer is not None and answer[0] < id:  # an answer of an interview that is left out
                answer = next(answers, None)
            while answer is not None and answer[0] == id:
                _, question, value, mode, answered_at = answer
                long((*head, mode, question, value, answered_at))
                values[place[question]] = value
                responses += 1
                answer = next(answers, None)
            wide((*head, *row[6:], *values))
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
