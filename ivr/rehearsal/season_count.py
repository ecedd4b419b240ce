"""Counts what went right and wrong in a district, by what the carrier did, the people pressed and the lists said.

The yardstick is never the house: calls are the carrier's, answers and refusals the people's own record, targets and
announcements the season's lists. What the house kept (`Kept`) is only what is judged. That an interview counts is
worked out here once more from the questionnaire files and the answers that people know they gave.
"""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ivr.rehearsal.calls import Call
from ivr.rehearsal.season import District, Listed
from ivr.rehearsal.season_hours import AMSTERDAM, is_holiday, is_in_window
from ivr.rehearsal.season_people import SeasonPeople

WRONG = (
    "overshoot", "double_calls", "calls_outside_window", "calls_on_holidays", "opted_out_called", "unannounced_called",
    "answers_lost", "answers_doubled", "answers_misplaced", "stuck_attempts", "leaked_slots",
    "calls_too_soon", "calls_too_many", "successes_miscounted", "unfinished_cells", "surprises",
)  # fmt: skip
"""Figures that must be 0, those of the interface first."""

NO_ANSWER = frozenset({"weet_niet", "niet_begrepen", "geen_antwoord"})
SPACING = timedelta(minutes=180) - timedelta(seconds=1)
"""Between the end of a ring and the next call; a second for what a clock rounds."""
MOST_A_DAY = 2
_RANG = frozenset({"completed", "no-answer"})


@dataclass(frozen=True, slots=True)
class Kept:
    """An interview as the house kept it: whose it is, by which attempts, and each (question, value), also twice."""

    provider: str
    respondent: str
    attempts: tuple[str, ...]
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Leavings:
    """The end state of a house: its interviews, `ivr fieldwork status`, and what should be over and is not."""

    interviews: Sequence[Kept]
    cells: Sequence[Mapping[str, Any]]
    stuck_attempts: int
    leaked_slots: int


@dataclass(slots=True)
class Figures:
    """Everything that is counted in one district; districts add up."""

    counts: Counter[str] = field(default_factory=Counter)
    days: float = 0.0
    cells: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """What was wrong, in words without a number or an answer, for who has to find it."""

    def note(self, figure: str, what: str, times: int = 1) -> None:
        self.counts[figure] += times
        self.wrong.append(f"{figure}: {what}")


class Rules:
    """What the questionnaire files say: the aspects in their order and what shows them; the target of rule 3."""

    def __init__(self, config_dir: Path) -> None:
        self.aspects: dict[str, list[Mapping[str, Any]]] = {}
        self.study_of: dict[str, str] = {}
        for path in sorted((config_dir / "questionnaires").glob("*.toml")):
            data = tomllib.loads(path.read_text(encoding="utf-8"))
            self.aspects[data["id"]] = [each for each in data["questions"] if each.get("aspect")]
            self.study_of |= {each["id"]: data["id"] for each in data["questions"]}
        quota = tomllib.loads((config_dir / "fieldwork.toml").read_text(encoding="utf-8"))["quota"]
        self.target: int = quota["inburgering_target"]

    def is_usable(self, study: str, answers: Mapping[str, str]) -> bool:
        """Whether every aspect that these answers show was answered or passed over, and half of them with content."""
        shown: list[str] = []
        for aspect in self.aspects[study]:
            condition = aspect.get("condition")
            if condition is not None:
                if condition["question"] not in answers:
                    return False
                if answers[condition["question"]] not in condition["in"]:
                    continue
            shown.append(aspect["id"])
        if not shown or any(id not in answers for id in shown):
            return False
        return 2 * sum(answers[id] not in NO_ANSWER for id in shown) >= len(shown)


def count(
    district: District,
    rules: Rules,
    calls: Sequence[Call],
    people: SeasonPeople,
    left: Leavings,
    overlaps: int,
    *,
    set_back: float = 0.0,
) -> Figures:
    """All figures of a district. calls: all that the carrier made. overlaps: those it saw to a busy telephone.

    set_back: so many seconds the clock of everybody was set back, in all; so much nearer two calls may seem.
    """
    found = Figures()
    listed = district.listed()
    found.counts["calls"] = len(calls)
    _judge_moments(found, calls)
    _judge_permission(found, district, listed, calls, people)
    _judge_pace(found, calls, SPACING.total_seconds() - set_back)
    whose = {attempt: kept.respondent for kept in left.interviews for attempt in kept.attempts}
    successes = _successes(people, rules, listed, whose)
    _judge_successes(found, district, rules, successes, left.cells)
    _judge_repeats(found, calls, listed, successes)
    if overlaps:
        found.note("double_calls", f"{overlaps} to a telephone that was in a call", overlaps)
    _judge_answers(found, people, listed, left.interviews)
    for figure in ("stuck_attempts", "leaked_slots"):
        if times := getattr(left, figure):
            found.note(figure, f"{times} at the end", times)
    for cell in left.cells:
        if cell["state"] == "open":
            found.note("unfinished_cells", f"{cell['provider']} {cell['track']}")
    for record in people.calls:
        for surprise in record["surprises"]:
            found.note("surprises", f"{record['call_sid']}: {surprise}")
    found.cells = [dict(cell) for cell in left.cells]
    begun = [call.started_at for call in calls if call.started_at is not None]
    if begun:
        found.days = (max(call.ended_at or 0.0 for call in calls) - min(begun)) / 86400
    return found


# -- when and whom ----------------------------------------------------------------------------------------------------


def _began(call: Call) -> datetime:
    return datetime.fromtimestamp(call.created_at if call.started_at is None else call.started_at, UTC)


def _judge_moments(found: Figures, calls: Sequence[Call]) -> None:
    for call in calls:
        moment = _began(call)
        if is_holiday(moment):
            found.note("calls_on_holidays", f"{call.sid} at {moment.isoformat()}")
        if not is_in_window(moment):
            found.note("calls_outside_window", f"{call.sid} at {moment.isoformat()}")


def _judge_permission(
    found: Figures, district: District, listed: Mapping[str, list[Listed]], calls: Sequence[Call], people: SeasonPeople
) -> None:
    refused = dict(people.never_again)
    for refusal in district.refusals:
        moment = (district.start + timedelta(days=refusal.after_days)).timestamp()
        refused[refusal.number] = min(moment, refused.get(refusal.number, moment))
    for call in calls:
        if call.created_at > refused.get(call.to, float("inf")):
            found.note("opted_out_called", call.sid)
        day = _began(call).astimezone(AMSTERDAM).date()
        if not any(client.may_be_called(day) for client in listed.get(call.to, ())):
            found.note("unannounced_called", call.sid)


def _judge_pace(found: Figures, calls: Sequence[Call], apart: float) -> None:
    """Two rings a day at most, three hours apart, whatever the callbacks said. Busy is no ring."""
    rings: defaultdict[str, list[Call]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: call.created_at):
        earlier = rings[call.to]
        if earlier and call.created_at < (earlier[-1].ended_at or 0.0) + apart:
            found.note("calls_too_soon", f"{earlier[-1].sid} and {call.sid}")
        if call.status in _RANG:
            earlier.append(call)
    for number_rings in rings.values():
        days = Counter(_began(call).astimezone(AMSTERDAM).date() for call in number_rings)
        for times in days.values():
            if times > MOST_A_DAY:
                found.note("calls_too_many", f"{times} on a day, the last {number_rings[-1].sid}", times - MOST_A_DAY)


# -- successes --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Success:
    provider: str
    track: str
    number: str
    ended_at: float


def _heard_provider(record: Mapping[str, Any], listed: Sequence[Listed]) -> str:
    """Which provider a call was about: the only one with this number, or the one that was named in the call."""
    names = sorted({client.provider for client in listed})
    if len(names) == 1:
        return names[0]
    heard = str(record["provider"] or "").replace(" ", "").lower()
    return next((name for name in names if name.replace(" ", "").lower() == heard), "")


def _track(clients: Sequence[Listed], respondent: str | None) -> str:
    """The cell that these people of one number and provider count for; `respondent` decides where they differ."""
    tracks = {client.track for client in clients}
    if len(tracks) > 1:
        tracks = {client.track for client in clients if client.respondent == respondent} or tracks
    return min(tracks, default="")


def _successes(
    people: SeasonPeople, rules: Rules, listed: Mapping[str, list[Listed]], whose: Mapping[str, str]
) -> list[_Success]:
    """The usable interviews as the people know them: answers of one number about one provider, call after call."""
    given: defaultdict[tuple[str, str, str], dict[str, str]] = defaultdict(dict)
    done: dict[tuple[str, str, str], _Success] = {}
    for record in sorted(people.calls, key=lambda record: (record["started"], record["call_sid"])):
        answers = record["answers"]
        if not answers:
            continue
        study = rules.study_of[next(iter(answers))]
        clients = listed.get(record["number"], ())
        provider = _heard_provider(record, clients)
        key = (provider, study, record["number"])
        given[key].update(answers)
        if key not in done and rules.is_usable(study, given[key]):
            ended = datetime.fromisoformat(record["ended_at"]).timestamp()
            own = [client for client in clients if client.provider == provider and client.is_for_phone]
            track = _track(own, whose.get(record["attempt_id"]))
            done[key] = _Success(provider, track, record["number"], ended)
    return list(done.values())


def _judge_successes(
    found: Figures,
    district: District,
    rules: Rules,
    successes: Sequence[_Success],
    cells: Sequence[Mapping[str, Any]],
) -> None:
    won = Counter((success.provider, success.track) for success in successes)
    bought = {each.name: each.purchase.interviews for each in district.providers if each.purchase is not None}
    found.counts["successful"] = won.total()
    for (provider, track), times in sorted(won.items()):
        target = rules.target if track == "inburgering" else bought.get(provider, 0)
        if times > target:
            found.note("overshoot", f"{provider} {track}: {times} of {target}", times - target)
    shown = Counter({(cell["provider"], cell["track"]): cell["successful"] for cell in cells})
    for key in sorted(set(won) | set(shown)):
        if won[key] != shown[key]:
            found.note("successes_miscounted", f"{key}: {won[key]}, the house says {shown[key]}")


def _judge_repeats(
    found: Figures, calls: Sequence[Call], listed: Mapping[str, list[Listed]], successes: Sequence[_Success]
) -> None:
    """Somebody who has a telephone alone and gave an interview is not called for it again."""
    done_at = {success.number: success.ended_at for success in successes}
    for call in calls:
        if len(listed.get(call.to, ())) == 1 and call.created_at > done_at.get(call.to, float("inf")):
            found.note("double_calls", f"{call.sid} after an interview")


# -- answers ----------------------------------------------------------------------------------------------------------


def _judge_answers(
    found: Figures, people: SeasonPeople, listed: Mapping[str, list[Listed]], interviews: Sequence[Kept]
) -> None:
    records = {record["attempt_id"]: record for record in people.calls}
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


def merge(parts: Sequence[Figures]) -> dict[str, Any]:
    """The document of `ivr rehearse --json` but for time and memory."""
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)
    calls, successful = counts["calls"], counts["successful"]
    return {
        "successful": successful,
        **{figure: counts[figure] for figure in WRONG},
        "calls": calls,
        "webhooks": counts["webhooks"],
        "attempts_per_success": round(calls / successful, 2) if successful else 0.0,
        "days_needed": round(max((part.days for part in parts), default=0.0), 2),
        "clients": counts["clients"],
        "people_by_phone": counts["people_by_phone"],
        "faults_done": {name[6:]: counts[name] for name in sorted(counts) if name.startswith("fault ")},
        "cells": [cell for part in parts for cell in part.cells],
    }
