"""When somebody may be called, and called again.

Decides the moment of the next call from the calls so far and the rules (`fieldwork_rules.py`).
Which days and hours are open is the calendar's (`ivr/almanac.py`, passed in); who goes first and how many are
called is decided in `fieldwork/planning.py`; what a call came to in `disposition.py`.

Local time exists only here and on screens: moments come in and go out as aware UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from ivr.survey.disposition import Outcome
from ivr.survey.fieldwork_rules import FieldworkRules
from ivr.survey.turn import Wish

ZONE = ZoneInfo("Europe/Amsterdam")

Part = Literal["ochtend", "middag", "avond", "zaterdag"]
PARTS: tuple[Part, ...] = ("ochtend", "middag", "avond", "zaterdag")
"""Parts over which attempts rotate; a Saturday is one part."""


class OpenHours(Protocol):
    """What this module asks of the calendar."""

    def is_open(self, moment: datetime) -> bool: ...

    def next_open(self, moment: datetime) -> datetime: ...

    def window_end(self, moment: datetime) -> datetime: ...

    def day_part(self, moment: datetime) -> Part: ...


@dataclass(frozen=True, slots=True)
class Call:
    """One earlier call to a case: when it began and ended, what it came to, whether a telephone rang."""

    at: datetime
    ended_at: datetime
    outcome: Outcome
    rang: bool
    wish: Wish | None = None


def next_call(
    history: Sequence[Call], rules: FieldworkRules, calendar: OpenHours, now: datetime, *, other_number: bool = False
) -> datetime | None:
    """When this case is called next; None when it never is. Always inside an open window, never before `now`.

    history: oldest first. other_number: the case has a further number that has not proved dead or wrong.
    """
    if not history:
        return calendar.next_open(now)
    last = history[-1]
    if gives_up(history, rules, other_number=other_number):
        return None
    earliest = max(now, last.ended_at + timedelta(minutes=last.outcome.delay_minutes))
    earliest = max(earliest, _rested(history, rules, calendar, earliest))
    if last.outcome.next == "appointment":
        return _settle(history, rules, calendar, wished(last.wish, rules, calendar, last.at, earliest))
    if last.outcome.next == "another_day":
        earliest = max(earliest, _next_midnight(last.at))
    if owed := _owed(history, rules, calendar):
        # Also after a busy line: six tries in one morning would be no evening and no Saturday.
        return _first_in(owed, history, rules, calendar, earliest, days=21)
    if last.outcome.next == "resume" or last.outcome.code in {"technical", "busy"}:
        return _settle(history, rules, calendar, earliest)
    return _spread(history, rules, calendar, earliest)


def gives_up(history: Sequence[Call], rules: FieldworkRules, *, other_number: bool = False) -> bool:
    """Whether nobody calls any more after these calls."""
    if not history:
        return False
    last = history[-1].outcome
    if last.next == "none" or (last.next == "other_number" and not other_number):
        return True
    alike = sum(call.outcome.code == last.code for call in history)
    used = sum(call.outcome.counts_as_attempt for call in history)
    return used >= rules.max_attempts or (last.repeats > 0 and alike >= last.repeats)


def final_disposition(history: Sequence[Call]) -> str:
    """The disposition of a case that is given up: a final outcome, what a person last did, or attempts_used_up.

    Somebody who hung up, broke off or asked to be called later was reached: those dispositions say more than
    `attempts_used_up`, and a refusal is final long before this.
    """
    last = history[-1].outcome
    if last.is_final:
        return last.code
    reached = [call.outcome.code for call in history if call.outcome.group == "R"]
    return reached[-1] if reached else "attempts_used_up"


def wished(wish: Wish | None, rules: FieldworkRules, calendar: OpenHours, at: datetime, earliest: datetime) -> datetime:
    """The open moment, not before `earliest`, that best keeps what somebody asked for at `at`.

    No wish: any later moment. A day or part that has gone by or is closed: the next open moment after it.
    """
    if wish is None or (wish.day is None and wish.part is None):
        return calendar.next_open(earliest)
    today = at.astimezone(ZONE).date()
    part = wish.part
    if wish.day == "vanavond":
        days, part = [today], "avond"
    elif wish.day == "morgen":
        days = [today + timedelta(days=1)]
    elif wish.day == "zaterdag":
        days = [today + timedelta(days=(5 - today.weekday()) % 7 or 7)]
    elif wish.day == "volgende_week":
        monday = today + timedelta(days=7 - today.weekday())
        days = [monday + timedelta(days=n) for n in range(6)]
    else:
        days = [today + timedelta(days=n) for n in range(8)]
    for day in days:
        begins, ends = part_of_day(part, day, rules)
        moment = calendar.next_open(max(begins, earliest))
        if moment < ends:
            return moment
    return calendar.next_open(max(part_of_day(None, days[0], rules)[0], earliest))


def part_of_day(part: str | None, day: date, rules: FieldworkRules) -> tuple[datetime, datetime]:
    """When a part of this local day begins and ends (aware); None: the whole day."""
    midnight, next_midnight = _local(day, time.min), _local(day + timedelta(days=1), time.min)
    middag, avond = _local(day, rules.middag_begins), _local(day, rules.avond_begins)
    spans = {"ochtend": (midnight, middag), "middag": (middag, avond), "avond": (avond, next_midnight)}
    return spans.get(part or "", (midnight, next_midnight))


def local_date(moment: datetime) -> date:
    """The day in Amsterdam."""
    return moment.astimezone(ZONE).date()


def _local(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=ZONE).astimezone(ZoneInfo("UTC"))


def _next_midnight(moment: datetime) -> datetime:
    return _local(local_date(moment) + timedelta(days=1), time.min)


def _rested(history: Sequence[Call], rules: FieldworkRules, calendar: OpenHours, earliest: datetime) -> datetime:
    """Not within the spacing of a call that rang, and not on a day that had its calls."""
    rang = [call for call in history if call.rang]
    if not rang:
        return earliest
    moment = max(earliest, rang[-1].ended_at + timedelta(minutes=rules.spacing_minutes))
    while True:
        moment = calendar.next_open(moment)
        if sum(local_date(call.at) == local_date(moment) for call in rang) < rules.max_per_day:
            return moment
        moment = _next_midnight(moment)


def _settle(history: Sequence[Call], rules: FieldworkRules, calendar: OpenHours, moment: datetime) -> datetime:
    return _rested(history, rules, calendar, calendar.next_open(moment))


def _owed(history: Sequence[Call], rules: FieldworkRules, calendar: OpenHours) -> set[Part]:
    """The parts without which nobody is given up, once there are no more attempts left than such parts.

    An attempt that met a busy line was an attempt in its part of the day, though nothing rang.
    """
    tried = {calendar.day_part(call.at) for call in history if call.rang or call.outcome.counts_as_attempt}
    needed: dict[Part, bool] = {"avond": rules.needs_evening, "zaterdag": rules.needs_saturday}
    owed: set[Part] = {part for part, is_needed in needed.items() if is_needed and part not in tried}
    left = rules.max_attempts - sum(call.outcome.counts_as_attempt for call in history)
    return owed if left <= len(owed) else set()


def _spread(history: Sequence[Call], rules: FieldworkRules, calendar: OpenHours, earliest: datetime) -> datetime:
    """The first open moment in a part of the day that was tried least."""
    tried = [calendar.day_part(call.at) for call in history if call.rang]
    fewest = min(tried.count(part) for part in PARTS)
    return _first_in({p for p in PARTS if tried.count(p) == fewest}, history, rules, calendar, earliest, days=8)


def _first_in(
    parts: set[Part], history: Sequence[Call], rules: FieldworkRules, calendar: OpenHours, earliest: datetime, days: int
) -> datetime:
    first = _settle(history, rules, calendar, earliest)
    moment = first
    while moment < first + timedelta(days=days):
        if calendar.day_part(moment) in parts:
            return moment
        day = local_date(moment)
        bounds = (_local(day, rules.middag_begins), _local(day, rules.avond_begins), _next_midnight(moment))
        moment = _settle(history, rules, calendar, next(bound for bound in bounds if bound > moment))
    return first
