"""Not taking part, and taking part later: the two menus of the greeting's keys 3 and 2.

Decides what is offered and what silence means there. The calendar is not known here: which days and parts of
days can be kept comes with the occasion.
"""

from __future__ import annotations

from ivr.survey.ending import end, end_later
from ivr.survey.keypad import TRIES
from ivr.survey.state import Interview, Occasion, Reply, ask, changed, enter, key_of, listen, menu_again, misses, say
from ivr.survey.turn import Day, Part, Signal, Wish

DAYS: tuple[Day, ...] = ("vanavond", "morgen", "zaterdag", "volgende_week")
"""In the order of their keys, 1-4."""
PARTS: tuple[Part, ...] = ("ochtend", "middag", "avond")
"""In the order of their keys, 1-3."""
COMBINATIONS: tuple[tuple[Day, Part], ...] = tuple(
    (day, part) for day in DAYS for part in PARTS if day != "vanavond" or part == "avond"
)
"""What can be read back; each has a phrase `later_<day>_<part>`."""

CHANGES = 2
"""So often somebody may change their mind at a read-back or confirmation."""


def offered_days(occasion: Occasion) -> tuple[Day, ...]:
    return tuple(day for day in DAYS if offered_parts(occasion, day))


def offered_parts(occasion: Occasion, day: Day) -> tuple[Part, ...]:
    possible = {part for name, parts in occasion.days if name == day for part in parts}
    return tuple(part for part in PARTS if part in possible and (day, part) in COMBINATIONS)


def start_refusing(interview: Interview) -> Reply:
    return enter(interview, "not_taking_part"), ask(say("not_taking_part"))


def on_not_taking_part(interview: Interview, signal: Signal) -> Reply:
    """Silence and wrong keys mean: not this time. Nobody has to find a key to be left alone."""
    interview, heard = listen(interview, signal, "1234")
    if heard in ("again", "keys"):
        return menu_again(interview, heard, ("not_taking_part",))
    if heard != "key" or key_of(signal) == "1":
        return end(interview, "refusal")
    if key_of(signal) == "2":
        return enter(interview, "never_check", rounds=interview.rounds), ask(say("never_check"))
    return end(interview, "wrong_person" if key_of(signal) == "3" else "language_problem")


def on_never_check(interview: Interview, signal: Signal) -> Reply:
    """`never again` must be meant; not confirmed it is an ordinary no."""
    interview, heard = listen(interview, signal, "12")
    if heard == "key" and key_of(signal) == "1":
        return end(interview, "never_call_again")
    if heard == "key":
        if interview.rounds + 1 >= CHANGES:
            return end(interview, "refusal")
        again = enter(interview, "not_taking_part", rounds=interview.rounds + 1)
        return again, ask(say("not_taking_part"))
    if interview.silences >= 2 or misses(interview) >= TRIES:
        return end(interview, "refusal")
    return menu_again(interview, heard, ("never_check",))


def start_later(interview: Interview, *first: str, rounds: int = 0) -> Reply:
    """Offer the days that are left; with none, promise any later time."""
    days = offered_days(interview.occasion)
    if not days:
        return end_later(interview, Wish(), *first)
    interview = enter(interview, "later_day", wish=None, rounds=rounds)
    return interview, ask(say(*_day_menu(interview)), announces=say(*first))


def _day_menu(interview: Interview) -> tuple[str, ...]:
    return ("later_day", *(f"later_{day}" for day in offered_days(interview.occasion)))


def on_later_day(interview: Interview, signal: Signal) -> Reply:
    days = offered_days(interview.occasion)
    interview, heard = listen(interview, signal, "".join(str(DAYS.index(day) + 1) for day in days))
    if heard in ("again", "keys"):
        return menu_again(interview, heard, _day_menu(interview))
    if heard != "key":
        return end_later(interview, Wish())
    day = DAYS[int(key_of(signal)) - 1]
    parts = offered_parts(interview.occasion, day)
    if len(parts) == 1:
        return _read_back(interview, Wish(day, parts[0]))
    interview = enter(interview, "later_part", wish=Wish(day), rounds=interview.rounds)
    return interview, ask(say(*_part_menu(interview, day)))


def _part_menu(interview: Interview, day: Day) -> tuple[str, ...]:
    return ("later_part", *(f"later_{part}" for part in offered_parts(interview.occasion, day)))


def on_later_part(interview: Interview, signal: Signal) -> Reply:
    assert interview.wish is not None
    assert interview.wish.day is not None
    day = interview.wish.day
    parts = offered_parts(interview.occasion, day)
    interview, heard = listen(interview, signal, "".join(str(PARTS.index(part) + 1) for part in parts))
    if heard in ("again", "keys"):
        return menu_again(interview, heard, _part_menu(interview, day))
    if heard != "key":
        return end_later(interview, Wish())
    return _read_back(interview, Wish(day, PARTS[int(key_of(signal)) - 1]))


def _read_back(interview: Interview, wish: Wish) -> Reply:
    interview = enter(interview, "later_check", wish=wish, rounds=interview.rounds)
    return interview, ask(say(*_check_prompts(wish)))


def _check_prompts(wish: Wish) -> tuple[str, ...]:
    return (f"later_{wish.day}_{wish.part}", "later_check")


def on_later_check(interview: Interview, signal: Signal) -> Reply:
    assert interview.wish is not None
    interview, heard = listen(interview, signal, "12")
    wish = interview.wish or Wish()
    if heard in ("again", "keys"):
        return menu_again(interview, heard, _check_prompts(wish))
    if heard == "key" and key_of(signal) == "1":
        return end_later(interview, wish)
    if heard == "key" and interview.rounds + 1 < CHANGES:
        return start_later(changed(interview, wish=None), rounds=interview.rounds + 1)
    return end_later(interview, Wish())
