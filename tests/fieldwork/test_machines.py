"""Voicemail is hung up on, twice in silence; a key that was pressed is the better proof of a person."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from fieldwork_world import World, catalogue

from ivr.fieldwork import machines
from ivr.store import Database, tables
from ivr.survey import interview as engine
from ivr.survey.turn import Keypress

SILENT = catalogue().fieldwork.silent_voicemails


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


def met(world: World, answered_by: str, **values: object) -> str:
    """A call that is up, with this verdict; gives the attempt."""
    world.person(world.cell())
    id = world.call()
    with world.database.write() as session:
        session.execute(
            sa.update(tables.attempts).where(tables.attempts.c.id == id).values(answered_by=answered_by, **values)
        )
    return id


def hang_up(world: World) -> list[str]:
    machines.hang_up_on(world.database, catalogue(), world.carrier)
    return world.carrier.ended


@pytest.mark.parametrize("verdict", ["machine_start", "machine_end_beep", "fax"])
def test_a_machine_is_hung_up_on(world: World, verdict: str) -> None:
    id = met(world, verdict)
    assert hang_up(world) == [world.attempt(id).call_sid]


@pytest.mark.parametrize("verdict", ["human", "unknown"])
def test_a_person_is_not(world: World, verdict: str) -> None:
    met(world, verdict)
    assert hang_up(world) == []


def test_whoever_pressed_a_key_is_a_person_whatever_the_verdict(world: World) -> None:
    questionnaire = catalogue().questionnaires["inburgering"]
    state, _ = engine.begin(questionnaire, engine.Occasion(service=11))
    state, _ = engine.advance(questionnaire, state, Keypress("7"))
    met(world, "machine_start", dialogue=engine.dump(state), turn=1)
    assert hang_up(world) == []


def test_the_machine_that_is_to_hear_who_called_is_not_hung_up_on(world: World) -> None:
    id = met(world, "machine_start")
    one = dict(world.attempt(id)._mapping)
    for number in range(SILENT):
        past = {"id": f"past{number}", "number_in_case": 90 + number, "state": "closed", "outcome": "answering_machine"}
        with world.database.write() as session:
            session.execute(sa.insert(tables.attempts).values(one | past | {"call_sid": None, "holds_slot": False}))
    assert hang_up(world) == []


def test_a_carrier_that_cannot_be_asked_stops_nothing(world: World) -> None:
    from ivr.errors import CarrierUnknownError

    def away(call_sid: str) -> None:
        raise CarrierUnknownError("away")

    met(world, "machine_start")
    world.carrier.end = away  # a carrier that is away, in the world's own stand-in
    assert machines.hang_up_on(world.database, catalogue(), world.carrier) == 0


def test_the_rules_say_how_often_in_silence(world: World) -> None:
    id = met(world, "machine_start")
    always = replace(catalogue(), fieldwork=replace(catalogue().fieldwork, silent_voicemails=0))
    assert machines.hang_up_on(world.database, always, world.carrier) == 0, "the first machine hears it"
    assert world.attempt(id).state == "placed"


def test_a_machine_whose_state_is_damaged_keeps_no_other_on_the_line(world: World) -> None:
    damaged = met(world, "machine_start", turn=1)
    world.clock.forward(seconds=2)
    whole = met(world, "machine_start")
    sids = [world.attempt(id).call_sid for id in (damaged, whole)]
    with world.database.write() as session:
        session.execute(sa.text("UPDATE attempts SET dialogue = '{' WHERE id = :id"), {"id": damaged})
    assert sorted(hang_up(world)) == sorted(sids)
