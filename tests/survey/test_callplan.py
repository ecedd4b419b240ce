"""When somebody is called again: always in an open window, rested, spread, and not for ever."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ivr.almanac import Calendar
from ivr.errors import ConfigurationError
from ivr.settings import ROOT
from ivr.survey import callplan
from ivr.survey.callplan import ZONE, Call, final_disposition, local_date, next_call, wished
from ivr.survey.disposition import outcomes_from_mapping
from ivr.survey.fieldwork_rules import rules_from_mapping
from ivr.survey.turn import Wish

DATA = tomllib.loads((ROOT / "config" / "fieldwork.toml").read_text("utf-8"))
RULES = rules_from_mapping(DATA)
OUTCOMES = outcomes_from_mapping(tomllib.loads((ROOT / "config" / "outcomes.toml").read_text("utf-8")))
CALENDAR = Calendar(RULES)
RANG = {"no_answer", "answering_machine", "no_interaction", "hung_up_introduction", "appointment", "break_off"}
CALLED_AGAIN = sorted(code for code, row in OUTCOMES.items() if not row.is_final and code != "fresh")

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
moments = st.integers(0, 7 * 365 * 24 * 3600).map(lambda seconds: BEGIN + timedelta(seconds=seconds))
wishes = st.builds(
    Wish,
    day=st.sampled_from([None, "vanavond", "morgen", "zaterdag", "volgende_week"]),
    part=st.sampled_from([None, "ochtend", "middag", "avond"]),
)


def local(text: str) -> datetime:
    """A moment in Amsterdam."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def call(at: datetime, code: str, wish: Wish | None = None) -> Call:
    return Call(at, at + timedelta(minutes=2), OUTCOMES[code], rang=code in RANG, wish=wish)


@settings(max_examples=150, deadline=None)
@given(begin=moments, codes=st.lists(st.sampled_from(CALLED_AGAIN), max_size=12), wish=wishes)
def test_every_call_of_every_case_keeps_the_rules(begin: datetime, codes: list[str], wish: Wish) -> None:
    history: list[Call] = []
    now = begin
    for code in codes:
        moment = next_call(history, RULES, CALENDAR, now)
        if moment is None:
            break
        assert moment >= now
        assert CALENDAR.is_open(moment)
        rang = [earlier for earlier in history if earlier.rang]
        if rang:
            assert moment - rang[-1].at >= timedelta(hours=3)
        assert sum(local_date(earlier.at) == local_date(moment) for earlier in rang) < RULES.max_per_day
        if history:
            assert moment - history[-1].ended_at >= timedelta(minutes=history[-1].outcome.delay_minutes)
        history.append(call(moment, code, wish))
        now = history[-1].ended_at
    assert sum(earlier.outcome.counts_as_attempt for earlier in history) <= RULES.max_attempts


@settings(max_examples=80, deadline=None)
@given(
    begin=moments, codes=st.lists(st.sampled_from(["no_answer", "busy", "answering_machine", "technical"]), max_size=8)
)
@example(begin=BEGIN, codes=["busy"] * 5)
@example(begin=BEGIN, codes=["no_answer", "no_answer"] + ["busy"] * 3)
def test_nobody_is_given_up_before_an_evening_and_a_saturday(begin: datetime, codes: list[str]) -> None:
    history: list[Call] = []
    now = begin
    while (moment := next_call(history, RULES, CALENDAR, now)) is not None:
        history.append(call(moment, codes[len(history)] if len(history) < len(codes) else "busy"))
        now = history[-1].ended_at
    tried = [earlier for earlier in history if earlier.outcome.counts_as_attempt]
    assert len(tried) == 6
    assert {"avond", "zaterdag"} <= {CALENDAR.day_part(earlier.at) for earlier in tried}
    assert final_disposition(history) == "attempts_used_up"


def test_attempts_rotate_over_the_parts_of_the_day() -> None:
    history: list[Call] = []
    now: datetime = local("2026-09-14T09:00")
    for _ in range(4):
        moment = next_call(history, RULES, CALENDAR, now)
        assert moment is not None
        history.append(call(moment, "no_answer"))
        now = history[-1].ended_at
    assert sorted(CALENDAR.day_part(earlier.at) for earlier in history) == ["avond", "middag", "ochtend", "zaterdag"]


def test_busy_is_tried_again_after_half_an_hour() -> None:
    at = local("2026-09-14T10:00")
    assert next_call([call(at, "busy")], RULES, CALENDAR, at) == at + timedelta(minutes=32)


@pytest.mark.parametrize("code", sorted(code for code, row in OUTCOMES.items() if row.next == "none"))
def test_final_outcome_is_followed_by_no_call(code: str) -> None:
    at = local("2026-09-14T10:00")
    assert next_call([call(at, code)], RULES, CALENDAR, at, other_number=True) is None
    assert final_disposition([call(at, code)]) == code


def test_broken_off_interview_is_resumed_once_and_not_within_a_day() -> None:
    at = local("2026-09-14T10:00")
    first = call(at, "break_off")
    moment = next_call([first], RULES, CALENDAR, at)
    assert moment == first.ended_at + timedelta(days=1)
    history = [first, call(moment, "break_off")]
    assert next_call(history, RULES, CALENDAR, moment) is None
    assert final_disposition(history) == "break_off"


def test_somebody_who_hung_up_is_not_filed_as_never_reached() -> None:
    at = local("2026-09-14T10:00")
    history = [call(at, "hung_up_introduction")] + [call(at, "no_answer")] * 5
    assert next_call(history, RULES, CALENDAR, at) is None
    assert final_disposition(history) == "hung_up_introduction"


@pytest.mark.parametrize(
    ("at", "wish", "moment"),
    [
        ("2026-09-14T11:00", Wish("vanavond"), "2026-09-14T18:00"),
        ("2026-09-14T11:00", Wish("morgen", "ochtend"), "2026-09-15T09:00"),
        ("2026-09-14T11:00", Wish("morgen", "middag"), "2026-09-15T12:00"),
        ("2026-09-14T11:00", Wish("zaterdag", "middag"), "2026-09-19T12:00"),
        ("2026-09-14T11:00", Wish("zaterdag", "avond"), "2026-09-19T10:00"),  # no evenings, but that day
        ("2026-09-19T11:00", Wish("morgen", "ochtend"), "2026-09-21T09:00"),  # a Sunday
        ("2026-09-19T11:00", Wish("zaterdag", "ochtend"), "2026-09-26T10:00"),  # the next one
        ("2026-09-16T11:00", Wish("volgende_week", "avond"), "2026-09-21T18:00"),
        ("2026-04-24T11:00", Wish("volgende_week", "ochtend"), "2026-04-28T09:00"),  # Monday is Koningsdag
        ("2026-10-23T11:00", Wish("volgende_week", "avond"), "2026-10-26T18:00"),  # over the end of summer time
    ],
)
def test_wish_becomes_the_moment_that_keeps_it(at: str, wish: Wish, moment: str) -> None:
    asked = local(at)
    assert wished(wish, RULES, CALENDAR, asked, asked + timedelta(hours=3)) == local(moment)


@settings(max_examples=150, deadline=None)
@given(at=moments, wish=wishes)
def test_wished_moment_is_open_and_not_too_early(at: datetime, wish: Wish) -> None:
    earliest = at + timedelta(hours=3)
    moment = wished(wish, RULES, CALENDAR, at, earliest)
    assert CALENDAR.is_open(moment)
    assert moment >= earliest


@settings(max_examples=100, deadline=None)
@given(at=moments)
def test_what_is_offered_for_an_appointment_can_be_kept(at: datetime) -> None:
    for day, parts in CALENDAR.offered_days(at):
        for part in parts:
            wish = Wish(day, part)  # type: ignore[arg-type]
            moment = wished(wish, RULES, CALENDAR, at, at + timedelta(hours=3))
            begins, ends = callplan.part_of_day(part, local_date(moment), RULES)
            assert begins <= moment < ends
            if day in {"vanavond", "morgen"}:
                assert (local_date(moment) - local_date(at)).days == (day == "morgen")


@pytest.mark.parametrize(
    ("at", "offered"),
    [
        ("2026-06-11T19:20", ["morgen", "zaterdag", "volgende_week"]),  # a Thursday
        ("2026-06-12T20:20", ["morgen", "volgende_week"]),  # on a Friday "morgen" is Saturday
        ("2026-06-13T10:30", ["volgende_week"]),  # on a Saturday "zaterdag" could be today
        ("2026-06-14T12:00", ["morgen", "zaterdag", "volgende_week"]),  # a Sunday: somebody rings in
    ],
)
def test_one_day_is_never_offered_under_two_names(at: str, offered: list[str]) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=ZONE)
    assert [day for day, _ in CALENDAR.offered_days(moment)] == offered


@pytest.mark.parametrize("day", [date(2026, 3, 28), date(2026, 3, 30), date(2026, 10, 24), date(2026, 10, 26)])
def test_window_opens_at_nine_in_amsterdam_on_both_sides_of_a_clock_change(day: date) -> None:
    start, end = CALENDAR.spans(day)[0]
    opens = time(10) if day.weekday() == 5 else time(9)
    closes = time(16) if day.weekday() == 5 else time(20, 30)
    assert (start.astimezone(ZONE).time(), end.astimezone(ZONE).time()) == (opens, closes)


@pytest.mark.parametrize(
    "closed",
    [
        "2026-04-27T12:00",  # Koningsdag
        "2025-04-26T12:00",  # Koningsdag on the 26th
        "2027-05-06T12:00",  # Hemelvaart
        "2025-05-05T12:00",  # Bevrijdingsdag, lustrum
        "2030-05-04T18:01",  # Dodenherdenking (a Saturday)
        "2026-05-04T18:01",
        "2026-12-05T17:01",
        "2026-12-24T17:01",
        "2026-12-31T17:01",
        "2026-03-20T12:00",  # Suikerfeest
        "2026-05-27T12:00",  # Offerfeest
        "2026-03-04T18:30",  # sunset in Ramadan
    ],
)
def test_quiet_time_is_closed(closed: str) -> None:
    assert not CALENDAR.is_open(local(closed))


@pytest.mark.parametrize(
    "opened", ["2026-05-04T17:59", "2026-12-24T16:59", "2026-03-04T12:00", "2026-03-04T19:30", "2026-04-28T09:00"]
)
def test_time_beside_a_quiet_time_is_open(opened: str) -> None:
    assert CALENDAR.is_open(local(opened))


def test_bevrijdingsdag_can_be_kept_in_lustrum_years_only() -> None:
    rules = rules_from_mapping(DATA | {"quiet": DATA["quiet"] | {"bevrijdingsdag": "lustrum"}})
    calendar = Calendar(rules)
    assert calendar.is_open(local("2026-05-05T12:00"))
    assert not calendar.is_open(local("2025-05-05T12:00"))


@settings(max_examples=150, deadline=None)
@given(at=moments)
def test_calendar_agrees_with_itself(at: datetime) -> None:
    opens = CALENDAR.next_open(at)
    assert opens >= at
    assert CALENDAR.is_open(opens)
    assert (opens == at) == CALENDAR.is_open(at)
    closes = CALENDAR.window_end(at)
    assert closes > opens
    assert not CALENDAR.is_open(closes)
    assert CALENDAR.is_open(closes - timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("windows", {day: [] for day in DATA["windows"]}),
        ("windows", DATA["windows"] | {"monday": [[time(20), time(9)]]}),
        ("attempts", DATA["attempts"] | {"max": 0}),
        ("money", DATA["money"] | {"subsidy_share": "1.5"}),
        ("announcement", {"min_days": 31, "max_days": 30}),
        ("quota", {}),
    ],
)
def test_impossible_rules_are_refused_with_their_name(part: str, change: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=r"fieldwork\.toml"):
        rules_from_mapping(DATA | {part: change})
