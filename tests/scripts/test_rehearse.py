"""`ivr rehearse`: a small season on real parts, with faults, twice the same; a yardstick that sees what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivr.rehearsal.calls import Call, Target
from ivr.rehearsal.faults import Rates
from ivr.rehearsal.season import make_district, start_of
from ivr.rehearsal.season_count import WRONG, Kept, Leavings, Rules, count, merge
from ivr.rehearsal.season_happenings import Steering
from ivr.rehearsal.season_people import SeasonPeople
from ivr.settings import ROOT
from scripts import rehearse
from scripts.rehearse_voice import estimate, silent_wav

CONFIG = ROOT / "config"
START = start_of(5)
"""A Monday in a fortnight without a holiday."""


@pytest.fixture(autouse=True)
def _small_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds, not minutes: the first two providers with a dozen clients each."""
    whole = rehearse.make_district

    def small(*arguments):
        district = whole(*arguments)
        for provider in district.providers:
            provider.rows = provider.rows[:24]
            known = {row["clientnummer"] for row in provider.rows}
            provider.listed = [entry for entry in provider.listed if entry[1].respondent in known]
        clients = {(client.provider, client.respondent) for each in district.providers for _, client in each.listed}
        # Whoever is not on a list that short cannot ring in, answer or withdraw.
        happenings = [
            each
            for each in district.happenings
            if isinstance(each, Steering) or (each.client.provider, each.client.respondent) in clients
        ]
        return replace(district, happenings=happenings)

    monkeypatch.setattr(rehearse, "make_district", small)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    """Run the command; its exit code and its document."""

    def run_it(*arguments: str) -> tuple[int, dict]:
        with pytest.raises(SystemExit) as left:
            rehearse.rehearse.main([*arguments, "--processes", "1", "--json"])
        return int(left.value.code or 0), json.loads(capsys.readouterr().out)

    return run_it


@pytest.mark.timeout(600)  # some ten seconds of work, on a machine that may be busy with other things
def test_a_season_with_faults_goes_wrong_nowhere_and_is_the_same_twice(run, monkeypatch):
    monkeypatch.setenv("IVR_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/must-not-be-touched")
    arguments = ("--providers", "2", "--seed", "5", "--faults", "0.1")
    code, document = run(*arguments)
    assert code == 0
    assert {figure: document[figure] for figure in WRONG} == dict.fromkeys(WRONG, 0)
    assert document["calls"] > 30
    assert document["successful"] > 0
    assert sum(document["faults_done"].values()) > 30
    assert {cell["track"] for cell in document["cells"]} == {"inburgering", "purchased"}
    _, again = run(*arguments)
    for each in (document, again):
        del each["wall_seconds"], each["peak_memory_mb"]
    assert again == document


def test_faults_and_speeds_that_do_not_exist_are_wrong_usage():
    for arguments in (["--faults", "2"], ["--faults", "rain=0.1"], ["--speed", "fast"], ["--start", "monday"]):
        assert CliRunner().invoke(rehearse.rehearse, ["--providers", "1", *arguments]).exit_code == 2


# -- the yardstick ----------------------------------------------------------------------------------------------------


class _World:
    """A district, its people, and calls that never were, to be judged."""

    def __init__(self) -> None:
        self.district = make_district(5, 0, range(2), START)
        self.rules = Rules(CONFIG)
        self.people = SeasonPeople(CONFIG, seed=5, rates=Rates())
        # Told in time, alone on the telephone.
        listed = self.district.listed()
        self.number, (self.client,) = next(
            (number, clients)
            for number, clients in listed.items()
            if len(clients) == 1 and clients[0].may_be_called(START.date()) and clients[0].provider == "Taalhuis Noord"
        )
        self.calls: list[Call] = []
        self.interviews: list[Kept] = []
        self.cells: list[dict] = []

    def call(self, moment: datetime, answers: dict[str, str] | None = None, number: str | None = None) -> Call:
        at, sid = moment.timestamp(), f"CA{len(self.calls)}"
        number = number or self.number
        call = Call(sid, "AC", number, "+31850000000", Target(), at, started_at=at, ended_at=at + 60)
        call.status = "completed"
        self.calls.append(call)
        self.people.calls.append(
            {
                "number": number, "call_sid": sid, "attempt_id": f"a{len(self.calls)}", "provider": None,
                "started": moment.astimezone(UTC).isoformat(), "answers": answers or {}, "uncertain": {},
                "ended_at": datetime.fromtimestamp(at + 60, UTC).isoformat(), "surprises": [],
            }
        )  # fmt: skip
        return call

    def kept(self, *answers: tuple[str, str], attempts: tuple[str, ...] = ("a1",)) -> None:
        self.interviews.append(Kept(self.client.provider, self.client.respondent, attempts, answers))

    def figures(self, set_back: float = 0.0, **left: int) -> dict[str, int]:
        leavings = Leavings(self.interviews, self.cells, left.get("stuck", 0), left.get("slots", 0))
        judged = self.district, self.rules, self.calls, self.people, leavings, left.get("busy", 0)
        document = merge([count(*judged, set_back=set_back)])
        return {figure: document[figure] for figure in WRONG if document[figure]}


@pytest.fixture
def world() -> _World:
    return _World()


def _usable(rules: Rules) -> dict[str, str]:
    answers = {aspect["id"]: aspect["options"][0]["code"] for aspect in rules.aspects["inburgering"]}
    return answers | {"INB_ZIEK": "ja"}


MORNING = START.replace(hour=10)


def test_a_good_call_is_nothing_wrong(world):
    world.call(MORNING, {"INB_LES": "altijd"})
    world.kept(("INB_LES", "altijd"))
    assert world.figures() == {}


def test_calls_at_night_on_holidays_too_soon_and_too_many_are_seen(world):
    world.call(MORNING)
    world.call(MORNING.replace(hour=12))
    world.call(MORNING.replace(hour=16))
    world.call(MORNING.replace(hour=21))
    found = world.figures()
    assert found == {"calls_outside_window": 1, "calls_too_soon": 1, "calls_too_many": 2}


def test_a_clock_that_was_set_back_brings_two_calls_that_much_nearer_and_no_more(world):
    first = world.call(MORNING)
    world.call(datetime.fromtimestamp(first.ended_at, UTC) + timedelta(hours=3, seconds=-4))
    assert world.figures() == {"calls_too_soon": 1}
    assert world.figures(set_back=2.5) == {"calls_too_soon": 1}
    assert world.figures(set_back=3.5) == {}


def test_a_call_on_a_holiday_is_seen(world):
    world.client = replace(world.client, consent="ja")
    world.district.providers[0].listed = [(world.number, world.client)]
    world.call(datetime(2026, 12, 25, 11, tzinfo=UTC))
    assert world.figures() == {"calls_on_holidays": 1}


def test_calls_to_who_was_not_told_or_has_refused_are_seen(world):
    world.call(MORNING, number="+31699999999")
    world.people.never_again[world.number] = MORNING.timestamp() - 1
    world.call(MORNING)
    assert world.figures() == {"unannounced_called": 1, "opted_out_called": 1}


def test_answers_lost_doubled_and_misplaced_are_seen(world):
    world.call(MORNING, {"INB_LES": "altijd", "INB_ANTW": "altijd", "INB_OEF": "altijd"})
    world.kept(("INB_LES", "altijd"), ("INB_ANTW", "nooit"), ("INB_ANTW", "nooit"), ("INB_SCHOOL", "altijd"))
    assert world.figures() == {"answers_lost": 1, "answers_doubled": 1, "answers_misplaced": 2}


def test_answers_of_a_call_without_an_interview_are_lost(world):
    world.call(MORNING, {"INB_LES": "altijd", "INB_ANTW": "altijd"})
    assert world.figures() == {"answers_lost": 2}


def test_an_answer_that_lies_with_somebody_else_is_misplaced(world):
    world.call(MORNING, {"INB_LES": "altijd"})
    world.interviews.append(Kept(world.client.provider, "somebody else", ("a1",), (("INB_LES", "altijd"),)))
    assert world.figures() == {"answers_misplaced": 1}


def test_an_interview_too_many_is_an_overshoot_and_a_call_after_it_is_double(world):
    answers = _usable(world.rules)
    world.rules.target = 0
    world.call(MORNING, answers)
    world.kept(*answers.items())
    world.cells = [{"provider": "Taalhuis Noord", "track": "inburgering", "successful": 1, "state": "filled"}]
    world.call(MORNING.replace(hour=15))
    assert world.figures() == {"overshoot": 1, "double_calls": 1}


def test_a_success_that_the_house_does_not_count_is_seen(world):
    answers = _usable(world.rules)
    world.call(MORNING, answers)
    world.kept(*answers.items())
    assert world.figures() == {"successes_miscounted": 1}


def test_what_is_left_over_is_seen(world):
    cell = {"provider": "Taalhuis Noord", "track": "inburgering", "successful": 0, "state": "open"}
    world.cells = [cell | {"people_left": 0, "attempts": 4}]
    assert world.figures(stuck=2, slots=1, busy=3) == {
        "stuck_attempts": 2,
        "leaked_slots": 1,
        "double_calls": 3,
        "unfinished_cells": 1,
    }


def test_a_list_that_was_never_announced_is_nothing_left_over_and_one_with_people_is(world):
    cell = {"provider": "Taalhuis Noord", "track": "inburgering", "successful": 0, "state": "open", "attempts": 0}
    world.cells = [cell | {"people_left": 0}]
    assert world.figures() == {}
    world.cells = [cell | {"people_left": 1}]
    assert world.figures() == {"unfinished_cells": 1}


def test_a_target_that_was_lowered_holds_for_calls_that_began_later_and_for_no_other(world):
    answers = _usable(world.rules)
    cell = (world.client.provider, world.client.track)
    world.cells = [{"provider": cell[0], "track": cell[1], "successful": 1, "state": "closed"}]
    world.call(MORNING, answers)
    world.kept(*answers.items())
    doings = world.district.doings
    doings.targets[cell] = [(MORNING.timestamp() + 10, 0)]
    assert world.figures() == {}
    doings.targets[cell] = [(MORNING.timestamp() - 10, 0)]
    assert world.figures() == {"overshoot": 1}
    doings.targets[cell].append((MORNING.timestamp() + 30, 5))
    assert world.figures() == {}


def test_a_call_for_a_paused_cell_or_after_another_answer_or_a_withdrawal_is_seen(world):
    world.call(MORNING)
    doings, at = world.district.doings, MORNING.timestamp()
    doings.stops[world.client.provider, world.client.track] = [[at - 60, at + 60]]
    assert world.figures() == {"stopped_called": 1}
    doings.stops.clear()
    doings.answered[world.number] = at + 1
    assert world.figures() == {}
    doings.answered[world.number] = doings.withdrawn[world.number] = at - 1
    assert world.figures() == {"answered_called": 1, "withdrawn_called": 1}


def test_a_withdrawn_interview_counts_no_more_and_its_answers_are_missed_by_nobody(world):
    world.call(MORNING, _usable(world.rules))
    world.district.doings.withdrawn[world.number] = MORNING.timestamp() + 3600
    assert world.figures() == {}


def test_whoever_rings_us_may_do_so_on_a_sunday(world):
    call = world.call(MORNING.replace(day=MORNING.day + 6, hour=22))
    call.direction = "inbound"
    assert world.figures() == {}


def test_a_season_tells_which_days_off_and_clock_changes_it_lay_over(world):
    world.call(datetime(2025, 3, 28, 10, tzinfo=UTC))
    world.call(datetime(2025, 5, 6, 10, tzinfo=UTC))
    found = count(world.district, world.rules, world.calls, world.people, Leavings([], [], 0, 0), 0)
    met = merge([found])
    assert {"2025-04-21", "2025-04-26", "2025-05-05"} <= set(met["holidays_met"])
    assert met["clock_changes_met"] == 1


def test_usable_by_the_files_means_every_shown_aspect_and_half_of_them_with_content():
    rules = Rules(CONFIG)
    whole = _usable(rules)
    assert rules.is_usable("inburgering", whole)
    shown = [aspect["id"] for aspect in rules.aspects["inburgering"]]
    silent = whole | dict.fromkeys(shown[: len(shown) // 2], "geen_antwoord")
    assert rules.is_usable("inburgering", silent)
    assert not rules.is_usable("inburgering", silent | dict.fromkeys(shown[: len(shown) // 2 + 1], "weet_niet"))
    assert not rules.is_usable("inburgering", {id: value for id, value in whole.items() if id != shown[-1]})
    assert rules.is_usable(
        "inburgering", {id: v for id, v in whole.items() if id != "INB_ZIEK_WAT"} | {"INB_ZIEK": "nee"}
    )


# -- silent prompts ---------------------------------------------------------------------------------------------------


def test_a_silent_prompt_lasts_as_long_as_its_text_takes_and_is_never_another_ones():
    from ivr.rehearsal.sounds import wav_seconds
    from ivr.speech.script import PromptText

    text = PromptText("greeting", False, (("Goedendag. Dit is een computer.", 0.3),))
    slow = PromptText("greeting", True, text.segments)
    assert 1.5 < estimate(text) < estimate(slow) < 4
    assert wav_seconds(silent_wav(2.4, "a")) == pytest.approx(2.4)
    assert silent_wav(2.4, "a") != silent_wav(2.4, "b")


def test_nothing_of_a_rehearsal_is_left_behind(run, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code, _ = run("--providers", "1", "--seed", "3")
    assert code == 0
    assert list(Path(tmp_path).iterdir()) == []
