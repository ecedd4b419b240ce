"""Whether the house kept the answers that people know they gave, each once and with the right person."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ivr.rehearsal.season_figures import Figures, Kept
from ivr.rehearsal.season_lists import Listed
from ivr.rehearsal.season_people import SeasonPeople


def judge_answers(
    found: Figures,
    people: SeasonPeople,
    listed: Mapping[str, list[Listed]],
    interviews: Sequence[Kept],
    withdrawn: Mapping[str, float],
) -> None:
    """Nothing lost, doubled or somebody else's. withdrawn: the numbers of those whose answers were to be erased."""
    records = {record["attempt_id"]: record for record in people.calls if record["number"] not in withdrawn}
    placed: set[str] = set()
    for interview in interviews:
        mine = [records[id] for id in interview.attempts if id in records]
        placed |= {record["attempt_id"] for record in mine}
        _judge_interview(found, interview, sorted(mine, key=lambda record: record["started"]), people, listed)
    for id, record in records.items():
        if record["answers"] and id not in placed:
            found.note("answers_lost", f"attempt {id} has no interview", len(record["answers"]))
    for what, times in _twice(interviews):
        found.note("answers_doubled", what, times)


def _judge_interview(
    found: Figures,
    interview: Kept,
    records: Sequence[Mapping[str, Any]],
    people: SeasonPeople,
    listed: Mapping[str, list[Listed]],
) -> None:
    given: dict[str, str] = {}
    unsure: defaultdict[str, set[str]] = defaultdict(set)
    for record in records:
        given.update(record["answers"])
        for question, value in record["uncertain"].items():
            unsure[question].add(value)
    kept = dict(interview.answers)
    name = f"interview of attempts {', '.join(interview.attempts)}"
    for question, value in given.items():
        if question not in kept:
            found.note("answers_lost", f"{name}: {question}")
        elif kept[question] != value and kept[question] not in unsure[question]:
            found.note("answers_misplaced", f"{name}: {question} is not what was pressed")
    for question in kept:
        if question not in given and kept[question] not in unsure[question]:
            found.note("answers_misplaced", f"{name}: {question} was not answered")
    for record in records:
        if kept and not _is_theirs(interview, record["number"], people, listed):
            found.note("answers_misplaced", f"{name}: somebody else's", len(kept))


def _is_theirs(interview: Kept, number: str, people: SeasonPeople, listed: Mapping[str, list[Listed]]) -> bool:
    """Whether the one who pressed the keys is the one whose answers these are said to be."""
    mine = [client for client in listed.get(number, ()) if client.provider == interview.provider]
    if interview.respondent not in {client.respondent for client in mine}:
        return False
    if len(mine) == 1:
        return True
    return people.who_answers(number) == (interview.provider, interview.respondent)


def _twice(interviews: Iterable[Kept]) -> Iterator[tuple[str, int]]:
    """Answers that one person has more than once, within an interview or over several."""
    times: Counter[tuple[str, str, str]] = Counter()
    for interview in interviews:
        for question, _ in interview.answers:
            times[interview.provider, interview.respondent, question] += 1
    for (provider, respondent, question), number in times.items():
        if number > 1:
            yield f"{provider} {respondent} {question}", number - 1
