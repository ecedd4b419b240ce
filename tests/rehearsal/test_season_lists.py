"""The season's lists and hours: the shares they are drawn with, and that the same seed makes the same season."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import pytest

from ivr.rehearsal.season import DISTRICT, STARTS, districts_of, make_district, start_of
from ivr.rehearsal.season_hours import easter_sunday, holidays, is_holiday, is_in_window
from ivr.rehearsal.season_lists import Listed, provider_name
from ivr.survey.phone import read_phone

START = start_of(0)


@pytest.fixture(scope="module")
def district():
    return make_district(7, 0, range(DISTRICT), START)


def test_the_same_seed_makes_the_same_lists(district):
    assert make_district(7, 0, range(DISTRICT), START) == district
    assert make_district(8, 0, range(DISTRICT), START).providers != district.providers


def test_every_provider_lies_in_exactly_one_district():
    numbers = [number for part in districts_of(123) for number in part]
    assert numbers == list(range(123))


def test_no_two_providers_have_one_name():
    names = [provider_name(number) for number in range(3000)]
    assert len(set(names)) == len(names)
    assert not any(character.isdigit() for name in names for character in name)


def test_a_third_teaches_and_sizes_lie_within_the_bounds(district):
    assert all(1 <= len(provider.rows) <= 800 * 1.1 for provider in district.providers)
    teaching = sum(any(row["dienst"] == "11" for row in provider.rows) for provider in district.providers)
    assert 0.15 < teaching / DISTRICT < 0.6


def test_the_first_provider_can_fill_its_cell_and_the_second_has_bought(district):
    first, second = district.providers[:2]
    assert sum(row["leerprofiel"] in {"1", "2"} for row in first.rows) > 80
    assert second.purchase is not None


def test_the_lists_hold_faults_families_and_double_clients(district):
    rows = [row for provider in district.providers for row in provider.rows]
    bad = sum(isinstance(read_phone(row["telefoon"]), str) is False for row in rows)
    assert 0.03 < bad / len(rows) < 0.1
    sharers = Counter(len(clients) for clients in district.listed().values())
    assert sharers[2] > 10
    assert any(len({client.provider for client in clients}) > 1 for clients in district.listed().values())


def test_whoever_is_listed_stands_on_the_list_with_a_number_that_can_be_read(district):
    for provider in district.providers[:10]:
        written = {(row["clientnummer"], read_phone(row["telefoon"])) for row in provider.rows}
        written |= {(row["clientnummer"], read_phone(row["telefoon2"])) for row in provider.rows if "telefoon2" in row}
        assert {(client.respondent, number) for number, client in provider.listed} <= written


@pytest.mark.parametrize(
    ("told", "consent", "is_for_phone", "may"),
    [
        (date(2026, 4, 18), "", True, True),
        (date(2026, 4, 19), "", True, False),
        (date(2026, 3, 21), "", True, True),
        (date(2026, 3, 20), "", True, False),
        (None, "ja", True, True),
        (None, "", True, False),
        (date(2026, 4, 10), "nee", True, False),
        (date(2026, 4, 10), "ja", False, False),
    ],
)
def test_who_was_told_two_to_thirty_days_before_may_be_called(told, consent, is_for_phone, may):
    assert Listed("A", "1", told, consent, is_for_phone).may_be_called(date(2026, 4, 20)) is may


def test_the_yardstick_knows_the_days_off():
    assert easter_sunday(2026) == date(2026, 4, 5)
    assert easter_sunday(2025) == date(2025, 4, 20)
    assert date(2025, 4, 26) in holidays(2025)
    assert date(2026, 5, 14) in holidays(2026)
    assert is_holiday(datetime(2026, 5, 5, 10, tzinfo=UTC))
    assert not is_holiday(datetime(2026, 5, 6, 10, tzinfo=UTC))


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (datetime(2026, 10, 23, 18, 29, tzinfo=UTC), True),
        (datetime(2026, 10, 23, 18, 31, tzinfo=UTC), False),
        (datetime(2026, 10, 24, 8, 0, tzinfo=UTC), True),  # Saturday, summer time still
        (datetime(2026, 10, 26, 7, 59, tzinfo=UTC), False),  # the clock went back: nine is eight UTC now
        (datetime(2026, 10, 26, 8, 0, tzinfo=UTC), True),
        (datetime(2026, 10, 25, 12, 0, tzinfo=UTC), False),  # Sunday
        (datetime(2026, 5, 4, 16, 30, tzinfo=UTC), False),  # Dodenherdenking after six
        (datetime(2026, 12, 24, 16, 30, tzinfo=UTC), False),
    ],
)
def test_the_yardstick_knows_the_hours_across_the_clock_change(moment, is_open):
    assert is_in_window(moment) is is_open


def test_seasons_begin_on_mondays():
    assert all(day.weekday() == 0 for day in STARTS)
