"""The successful interviews of a season, as the people know them: worked out once more from the questionnaire files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ivr.rehearsal.calls import Call
from ivr.rehearsal.season import District
from ivr.rehearsal.season_figures import Figures, Rules
from ivr.rehearsal.season_lists import Listed
from ivr.rehearsal.season_people import SeasonPeople

_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Success:
    """A usable interview. began_at, ended_at: of the call that made it usable, epoch seconds."""

    provider: str
    track: str
    number: str
    began_at: float
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


def successes_of(
    people: SeasonPeople, rules: Rules, listed: Mapping[str, list[Listed]], whose: Mapping[str, str]
) -> list[Success]:
    """The usable interviews as the people know them: answers of one number about one provider, call after call."""
    given: defaultdict[tuple[str, str, str], dict[str, str]] = defaultdict(dict)
    done: dict[tuple[str, str, str], Success] = {}
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
            began = datetime.fromisoformat(record["started"]).timestamp()
            done[key] = Success(provider, track, record["number"], began, ended)
    return list(done.values())


def judge_successes(
    found: Figures,
    district: District,
    rules: Rules,
    successes: Sequence[Success],
    cells: Sequence[Mapping[str, Any]],
) -> None:
    """Never more than the target that stood while the call ran; and the house counts what people know they gave."""
    doings = district.doings
    bought = {each.name: each.purchase.interviews for each in district.providers if each.purchase is not None}
    by_cell: defaultdict[tuple[str, str], list[Success]] = defaultdict(list)
    for success in sorted(successes, key=lambda success: success.ended_at):
        by_cell[success.provider, success.track].append(success)
    won: Counter[tuple[str, str]] = Counter()
    for cell, mine in sorted(by_cell.items()):
        ordered = rules.target if cell[1] == "inburgering" else bought.get(cell[0], 0)
        for success in mine:
            standing = sum(
                other.ended_at <= success.ended_at < doings.withdrawn.get(other.number, _NEVER) for other in mine
            )
            target = doings.target(cell, ordered, success.began_at, success.ended_at)
            if standing > target:
                found.note("overshoot", f"{cell[0]} {cell[1]}: {standing} of {target}")
        won[cell] = sum(success.number not in doings.withdrawn for success in mine)
    found.counts["successful"] = won.total()
    shown = Counter({(cell["provider"], cell["track"]): cell["successful"] for cell in cells})
    for key in sorted(set(won) | set(shown)):
        if won[key] != shown[key]:
            found.note("successes_miscounted", f"{key}: {won[key]}, the house says {shown[key]}")


def judge_repeats(
    found: Figures, calls: Sequence[Call], listed: Mapping[str, list[Listed]], successes: Sequence[Success]
) -> None:
    """Somebody who has a telephone alone and gave an interview is not called for it again."""
    done_at = {success.number: success.ended_at for success in successes}
    for call in calls:
        if len(listed.get(call.to, ())) == 1 and call.created_at > done_at.get(call.to, float("inf")):
            found.note("double_calls", f"{call.sid} after an interview")
