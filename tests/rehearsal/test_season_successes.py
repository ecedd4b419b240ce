"""For which cell an interview counts, by what the person heard."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivr.catalogue import load_catalogue
from ivr.rehearsal.faults import Rates
from ivr.rehearsal.hearing import Ear, read_questionnaires
from ivr.rehearsal.season_figures import Rules
from ivr.rehearsal.season_lists import Listed
from ivr.rehearsal.season_people import SeasonPeople
from ivr.rehearsal.season_successes import successes_of
from ivr.speech.script import spoken_values, texts_for

CONFIG = Path(__file__).resolve().parents[2] / "config"
CATALOGUE = load_catalogue(CONFIG)
NUMBER = "+31610000001"
NAMES = ("Taalbrug Zuid", "Werkplein Zuid", "Werkplein Noord")


def _heard(provider: str) -> str:
    """The name that a person hears in the first question of the call."""
    values = spoken_values(provider=provider, minutes=5, help_number="0881234567", web_address="b.nl")
    prompts = texts_for(CATALOGUE.questionnaires["inburgering"], CATALOGUE.phrases, values)
    text = next(prompt.text for prompt in prompts if prompt.id == "INB_VOLGT")
    return Ear(read_questionnaires(CONFIG)).understand("", text).provider


def _cells(heard: str | None) -> list[tuple[str, str]]:
    """The cells of the successes of one usable interview, by somebody whose number is on all lists."""
    rules = Rules(CONFIG)
    answers = {aspect["id"]: aspect["options"][0]["code"] for aspect in rules.aspects["inburgering"]}
    people = SeasonPeople(CONFIG, seed=1, rates=Rates())
    people.calls.append(
        {
            "number": NUMBER, "call_sid": "CA1", "attempt_id": "a1", "provider": heard, "surprises": [],
            "started": "2026-11-23T09:00:00+00:00", "ended_at": "2026-11-23T09:05:00+00:00",
            "answers": answers | {"INB_ZIEK": "ja"}, "uncertain": {},
        }
    )  # fmt: skip
    clients = [Listed(name, f"C{rank}", None, "ja", True, "inburgering", 11) for rank, name in enumerate(NAMES)]
    return [(success.provider, success.track) for success in successes_of(people, rules, {NUMBER: clients}, {})]


@pytest.mark.parametrize("provider", NAMES)
def test_who_is_client_of_several_providers_counts_for_the_one_that_the_call_named(provider):
    assert _cells(_heard(provider)) == [(provider, "inburgering")]


@pytest.mark.parametrize("heard", [None, "werkplein", "werkplein oost"])
def test_an_interview_about_nobody_they_know_counts_for_no_cell_and_so_is_seen(heard):
    assert _cells(heard) == [("", "")]
