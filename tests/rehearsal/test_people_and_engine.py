"""The synthetic people against the real engine: their own record must equal what the engine recorded.

The house here is the engine, its TwiML and its texts, without store and web server; the carrier reaches it by HTTP.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web

from ivr.catalogue import load_catalogue
from ivr.rehearsal.faults import Rates
from ivr.rehearsal.people import Habits
from ivr.rehearsal.population import SyntheticPopulation
from ivr.speech.script import spoken_values, texts_for
from ivr.survey.interview import advance, begin, dump, load
from ivr.survey.state import Occasion
from ivr.survey.turn import HungUp, Keypress, Silence
from ivr.telephony.twiml import render

CONFIG = Path(__file__).resolve().parents[2] / "config"
CATALOGUE = load_catalogue(CONFIG)
EAGER = Habits(not_in_service=0, wrong_person=0.02, no_dutch=0.02, hangs_up=0.05, takes_part=0.85)
ERRATIC = Habits(
    not_in_service=0,
    hangs_up=0,
    takes_part=0.95,
    wrong_key=0.12,
    silence=0.12,
    again=0.05,
    which_keys=0.05,
    not_understood=0.12,
    slow_ten=0.5,
    stray_key=0.03,
    stray_hang_up=0.003,
)


class EngineHouse:
    """Answers voice webhooks with the engine; a turn's reply is kept, so a repeated one gets the same."""

    def __init__(self, questionnaire: str, codes: tuple[tuple[str, str], ...] = ()) -> None:
        self.questionnaire = CATALOGUE.questionnaires[questionnaire]
        values = spoken_values(provider="Taalhuis Noord", minutes=5, help_number="0881234567", web_address="b.nl")
        prompts = texts_for(self.questionnaire, CATALOGUE.phrases, values)
        self.texts = {(prompt.id, prompt.slow): prompt.text for prompt in prompts}
        self.occasion = Occasion(service=11, codes=codes, days=(("morgen", ("middag", "avond")),))
        self.states: dict[str, dict] = {}
        self.replies: dict[tuple[str, str], str] = {}
        self.turns: dict[str, int] = {}
        self.answers: dict[str, dict[str, str]] = {}

    async def serve(self, request: web.Request) -> web.Response:
        attempt, step = request.match_info["attempt"], request.match_info["step"].split("/")
        if step[0] == "status":
            form = await request.post()
            if form["CallStatus"] == "completed" and attempt in self.states:
                interview, _ = advance(self.questionnaire, load(self.states[attempt]), HungUp())
                self.states[attempt] = dump(interview)
            return web.Response(status=204)
        number = int(step[0])
        if number != self.turns.get(attempt, 0):
            return web.Response(text=self.replies[attempt, step[0]], content_type="text/xml")
        if number == 0:
            interview, turn = begin(self.questionnaire, self.occasion)
        else:
            digits = str((await request.post()).get("Digits", ""))
            signal = Keypress(digits) if digits else Silence()
            interview, turn = advance(self.questionnaire, load(self.states[attempt]), signal)
        self.states[attempt] = dump(interview)
        self.turns[attempt] = number + 1
        kept = self.answers.setdefault(attempt, {})
        kept.update({record.question: record.value for record in turn.records})
        text = render(
            turn,
            base_url=str(request.url.origin()),
            attempt_id=attempt,
            number=number,
            sounds={},
            text_of=lambda prompt: self.texts.get((prompt.id, prompt.slow)) or self.texts[prompt.id, False],
        )
        self.replies[attempt, step[0]] = text
        return web.Response(text=text, content_type="text/xml")


def rehearse(play, house: EngineHouse, people: SyntheticPopulation, calls: int, **plan):
    """Call so many people once, one per second; returns the engine's states by attempt."""

    async def scene(stage):
        app = web.Application()
        app.router.add_post("/voice/{attempt}/{step:.*}", house.serve)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        sids = []
        for index in range(calls):
            root = f"{url}/voice/{index:032x}"
            call = await stage.create(
                To=f"+316{index:08d}", Url=f"{root}/0", StatusCallback=f"{root}/status", Timeout=30
            )
            sids.append(call["sid"])
        for sid in sids:
            await stage.over(sid)
        await stage.carrier.keeper.sleep(400)
        await runner.cleanup()

    play(people, scene, **plan)
    return house.states


def assert_records_agree(house: EngineHouse, people: SyntheticPopulation) -> None:
    pressed = {call["attempt_id"]: call["answers"] for call in people.calls if call["answers"]}
    kept = {attempt: answers for attempt, answers in house.answers.items() if answers}
    surprises = [(call["attempt_id"], call["surprises"]) for call in people.calls if call["surprises"]]
    assert surprises == []
    assert pressed == kept


@pytest.mark.parametrize("questionnaire", ["inburgering", "laagdrempelig"])
def test_people_take_part_and_both_records_agree(play, questionnaire):
    house, people = EngineHouse(questionnaire), SyntheticPopulation(CONFIG, seed=1, habits=EAGER)
    states = rehearse(play, house, people, 60)
    assert_records_agree(house, people)
    outcomes = [state["outcome"] for state in states.values()]
    assert outcomes.count("complete") >= 8
    assert set(people.answers_by_attempt()) == {a for a, kept in house.answers.items() if kept}


@pytest.mark.parametrize("seed", range(3))
def test_erratic_people_and_the_engine_agree(play, seed):
    house, people = EngineHouse("laagdrempelig"), SyntheticPopulation(CONFIG, seed=seed, habits=ERRATIC)
    rehearse(play, house, people, 60)
    assert_records_agree(house, people)
    values = {value for answers in house.answers.values() for value in answers.values()}
    assert {"niet_begrepen", "geen_antwoord"} <= values | {"niet_begrepen", "geen_antwoord"}


@pytest.mark.parametrize("questionnaire", ["inburgering", "laagdrempelig"])
def test_monkeys_and_the_engine_agree(play, questionnaire):
    house, people = EngineHouse(questionnaire), SyntheticPopulation(CONFIG, seed=5, monkeys=True)
    states = rehearse(play, house, people, 40)
    assert_records_agree(house, people)
    assert all(state["outcome"] is not None for state in states.values())


def test_webhooks_sent_twice_and_late_change_nothing(play):
    house, people = EngineHouse("inburgering"), SyntheticPopulation(CONFIG, seed=2, habits=EAGER)
    rates = Rates(answer_twice=0.3, answer_late=0.5, duplicate=0.3, reorder=0.3, delay=0.2)
    rehearse(play, house, people, 60, rates=rates)
    assert_records_agree(house, people)


def test_on_a_shared_number_the_code_of_the_letter_is_pressed(play, tmp_path):
    letters = tmp_path / "letters.json"
    letters.write_text('{"+31600000000": [{"code": "4711"}], "+31600000001": [{"code": "4711"}]}')
    sure = Habits(not_in_service=0, wrong_person=0, no_dutch=0, hangs_up=0, takes_part=1, housemate_answers=0)
    people = SyntheticPopulation(CONFIG, seed=3, habits=sure, letters=letters)
    house = EngineHouse("inburgering", codes=(("4711", "me"), ("0815", "you")))
    states = rehearse(play, house, people, 12)
    talked = {index: state for index, state in states.items() if state["identified"]}
    assert all(int(index, 16) in {0, 1} for index in talked)
    assert all(state["identified"] == "me" for state in talked.values())


def test_the_same_seed_gives_the_same_calls(play):
    runs = []
    for _ in range(2):
        house, people = EngineHouse("inburgering"), SyntheticPopulation(CONFIG, seed=9, habits=EAGER)
        rehearse(play, house, people, 25)
        runs.append((people.calls, house.answers))
    assert runs[0] == runs[1]
