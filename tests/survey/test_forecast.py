"""The forecast, held to the synthetic population: its interval has the truth in it about four times in five."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.rehearsal.people import Habits, mood_of, person_for
from ivr.survey.forecast import PRIOR, Progress, chances, forecast

MAX = 6
HABITS = Habits()
NEVER_FULL = 10_000


def course(number: int, dice: random.Random) -> list[str]:
    """What becomes of somebody of the synthetic population, call by call: waits, succeeds or leaves."""
    person = person_for(f"+316{number:08d}", 7, HABITS)
    steps: list[str] = []
    hung_up = broke_off = 0
    while len(steps) < MAX:
        step = "waits"
        if not person.is_in_service:
            step = "leaves"
        elif dice.random() < person.answer_probability:
            mood = mood_of(person, HABITS, dice)
            if mood == "takes_part":
                ends = dice.random() < HABITS.breaks_off_first + 9 * HABITS.breaks_off_next
                broke_off += ends
                step = "succeeds" if not ends else "leaves" if broke_off == 2 else "waits"
            elif mood == "hangs_up":
                hung_up += 1
                step = "leaves" if hung_up == 2 else "waits"
            elif mood in ("refuses", "never_again", "wrong_person", "no_dutch"):
                step = "leaves"
        steps.append(step)
        if step != "waits":
            return steps
    steps[-1] = "leaves"
    return steps


def halfway(courses: list[list[str]], calls: list[int]) -> list[Progress]:
    """The cell when each person has had at most so many calls."""
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for steps, made in zip(courses, calls, strict=True):
        made = min(made, len(steps))
        counts[made][steps[made - 1] if made else "waits"] += 1
    return [
        Progress(made, count["succeeds"], count["leaves"], count["waits"]) for made, count in sorted(counts.items())
    ]


def a_cell(seed: int) -> tuple[list[Progress], int, int]:
    """A cell of 20-140 people somewhere in its fieldwork; its successes so far, and at the end."""
    dice = random.Random(f"cell/{seed}")
    courses = [course(seed * 1000 + n, dice) for n in range(dice.randint(20, 140))]
    depth = dice.uniform(0, 4)
    calls = [min(MAX, int(depth + dice.random())) for _ in courses]
    progress = halfway(courses, calls)
    return progress, sum(row.succeeded for row in progress), sum(steps[-1] == "succeeds" for steps in courses)


def test_the_interval_holds_the_truth_about_four_times_in_five() -> None:
    inside = below = above = 0
    for seed in range(500):
        progress, so_far, end = a_cell(seed)
        seen = forecast(NEVER_FULL, so_far, progress, MAX)
        inside += seen.low <= end <= seen.high
        below += end < seen.low
        above += end > seen.high
    assert 0.75 <= inside / 500 <= 0.87, (inside, below, above)
    assert abs(below - above) <= 60, "it errs to neither side"


def test_the_prior_is_that_of_the_synthetic_population() -> None:
    dice = random.Random(3)
    courses = [course(n, dice) for n in range(4000)]
    for k, (s, x) in enumerate(PRIOR[:MAX], start=1):
        at = [steps for steps in courses if len(steps) >= k]
        assert sum(steps[k - 1] == "succeeds" for steps in at) / len(at) == pytest.approx(s, abs=0.025)
        if k < MAX:
            assert sum(steps[k - 1] == "leaves" for steps in at) / len(at) == pytest.approx(x, abs=0.025)


def test_enough_more_numbers_would_do() -> None:
    progress = [Progress(0, waiting=30)]
    short = forecast(25, 0, progress, MAX)
    assert short.high < 25
    assert short.more_numbers is not None
    assert 20 < short.more_numbers < 120
    enough = [Progress(0, waiting=30 + short.more_numbers)]
    assert forecast(25, 0, enough, MAX).low == 25
    assert forecast(25, 0, enough, MAX).more_numbers == 0
    one_less = [Progress(0, waiting=29 + short.more_numbers)]
    assert forecast(25, 0, one_less, MAX).more_numbers == 1


def test_a_hopeless_cell_gets_no_advice() -> None:
    assert forecast(5000, 0, [], MAX).more_numbers is None


def test_full_when_the_pace_says_so() -> None:
    now = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
    seen = forecast(25, 15, [Progress(0, waiting=300)], MAX, now=now, recent=10, recent_days=5)
    assert seen.full_at == now + timedelta(days=5)
    assert forecast(25, 15, [Progress(0, waiting=3)], MAX, now=now, recent=10, recent_days=5).full_at is None


def test_own_people_outweigh_the_prior() -> None:
    assert chances([Progress(1, succeeded=900, left=100)], MAX)[0] > 0.85
    assert chances([Progress(1, succeeded=0, left=1000)], MAX)[0] < 0.05


def progress_rows() -> st.SearchStrategy[list[Progress]]:
    count = st.integers(0, 300)
    return st.lists(st.builds(Progress, st.integers(0, 8), count, count, count, count), max_size=9)


@given(target=st.integers(0, 400), successful=st.integers(0, 400), rows=progress_rows())
def test_a_forecast_lies_between_what_is_done_and_what_can_be(
    target: int, successful: int, rows: list[Progress]
) -> None:
    seen = forecast(target, successful, rows, MAX)
    assert min(target, successful) <= seen.low <= seen.expected <= seen.high <= target
    assert seen.high <= successful + sum(row.waiting for row in rows)
