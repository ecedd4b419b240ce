"""Routes, purchases, and the first moment of a call."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from ivr.survey.eligibility import first_call_at, may_be_bought, route_of
from ivr.survey.sample import Client

NOW = datetime(2026, 10, 5, 7, 0, tzinfo=UTC)
BASE = Client("1", 11, "inburgering", phones=("+31612345678",), learning_profile=1)


@pytest.mark.parametrize("profile", [1, 2])
def test_inburgering_profiles_1_and_2_are_called(profile: int) -> None:
    assert route_of(replace(BASE, learning_profile=profile)) == "telephone"


@pytest.mark.parametrize(
    "client",
    [
        replace(BASE, learning_profile=3),
        replace(BASE, service=5, learning_profile=None),
        replace(BASE, phones=()),
        replace(BASE, consent="nee"),
    ],
)
def test_all_others_go_the_regular_way(client: Client) -> None:
    assert route_of(client) == "regular"


def test_an_order_calls_only_those_it_may() -> None:
    other = replace(BASE, learning_profile=4)
    assert may_be_bought(other, None)
    assert may_be_bought(other, [11])
    assert not may_be_bought(other, [5, 9])
    assert not may_be_bought(replace(other, consent="nee"), None)
    assert not may_be_bought(replace(other, phones=()), None)
    assert not may_be_bought(BASE, None)  # called already, without being bought


def test_nobody_is_called_unannounced_or_against_their_will() -> None:
    assert first_call_at(None, None, NOW, 2) is None
    assert first_call_at("nee", date(2026, 9, 1), NOW, 2) is None


def test_consent_needs_no_announcement() -> None:
    assert first_call_at("ja", None, NOW, 2) == NOW


def test_an_announced_person_is_called_after_the_days_in_amsterdam() -> None:
    assert first_call_at(None, date(2026, 9, 28), NOW, 2) == datetime(2026, 9, 29, 22, 0, tzinfo=UTC)
    assert first_call_at(None, date(2026, 10, 23), NOW, 2) == datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    assert first_call_at(None, date(2026, 10, 24), NOW, 2) == datetime(2026, 10, 25, 23, 0, tzinfo=UTC)
