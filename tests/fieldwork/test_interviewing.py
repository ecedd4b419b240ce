"""Webhooks of a running call, on a real database: each turn counts once, whatever the network does with it."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.errors import NotFoundError
from ivr.fieldwork import interviewing
from ivr.store import Database, tables
from ivr.survey.turn import Silence, Turn
from tests.fieldwork.voiced_order import CALENDAR, CATALOGUE, INBURGERING, NOON, TO_FIRST_QUESTION, VoicedOrder


@pytest.fixture
def order(sqlite_database: Database) -> VoicedOrder:
    return VoicedOrder(sqlite_database)


@pytest.fixture
def any_order(database: Database) -> VoicedOrder:
    """On SQLite and on PostgreSQL: for what the database itself must hold."""
    return VoicedOrder(database)


def one(rows: list[dict[str, object]]) -> dict[str, object]:
    assert len(rows) == 1
    return rows[0]


def test_a_whole_call_keeps_every_answer_and_counts_once(any_order: VoicedOrder) -> None:
    case_id = any_order.person()
    line = any_order.call(case_id)
    line.to_the_end()
    assert set(any_order.responses()) == set(INBURGERING)
    assert any_order.responses()["INB_CIJFER"] == "7"
    interview = one(any_order.rows(tables.interviews))
    assert (interview["case_id"], interview["mode"], interview["disposition"]) == (case_id, "telephone", "complete")
    assert interview["usable"]
    assert interview["successful"]
    assert interview["version"] == CATALOGUE.questionnaires["inburgering"].version
    cell = one(any_order.rows(tables.cells))
    assert (cell["successful"], cell["in_flight"]) == (1, 0)
    attempt = one(any_order.rows(tables.attempts))
    assert (attempt["state"], attempt["call_sid"]) == ("placed", line.call_sid)
    assert attempt["interview_id"] == interview["id"]
    assert one(any_order.rows(tables.questionnaires))["version"] == interview["version"]


def test_a_purchased_interview_is_asked_in_the_low_threshold_words_and_billed(database: Database) -> None:
    order = VoicedOrder(database, track="purchased", target=2)
    order.call(order.person(service=5)).to_the_end()
    assert one(order.rows(tables.interviews))["questionnaire"] == "laagdrempelig"
    assert len(order.rows(tables.ledger)) == 1


def test_an_interview_counts_at_the_moment_it_becomes_usable_and_not_before(order: VoicedOrder) -> None:
    line = order.call(order.person())
    line.press(*TO_FIRST_QUESTION)
    assert one(order.rows(tables.interviews))["disposition"] is None
    seen_uncounted = False
    for _ in range(30):
        cell, interview = one(order.rows(tables.cells)), one(order.rows(tables.interviews))
        assert bool(cell["successful"]) == bool(interview["usable"])
        if interview["usable"]:
            assert interview["usable_at"] == line.now
            break
        seen_uncounted = True
        asked = line.replies[-1].turn.asks[-1].id
        line.press(INBURGERING.get(asked, "1"))
    else:
        raise AssertionError("never usable")
    assert seen_uncounted
    assert line.replies[-1].turn.awaits is not None


def test_nothing_is_an_interview_before_the_first_question(order: VoicedOrder) -> None:
    order.call(order.person()).press("1", "1")
    assert order.rows(tables.interviews) == []


def test_a_webhook_that_comes_twice_gets_the_same_reply_and_changes_nothing(any_order: VoicedOrder) -> None:
    line = any_order.call(any_order.person())
    line.send(0)
    line.press(*TO_FIRST_QUESTION, "1", "1")
    for reply in list(line.replies):
        before = any_order.everything()
        again = line.send(reply.number, "4")
        assert again == reply
        assert any_order.everything() == before


def test_the_same_webhook_eight_times_at_once_is_one_turn(any_order: VoicedOrder) -> None:
    line = any_order.call(any_order.person())
    with ThreadPoolExecutor(8) as carriers:
        for turn, key in enumerate([None, "1", "1", "1", "1", "2"]):
            replies = list(carriers.map(lambda _, turn=turn, key=key: line.send(turn, key), range(8)))
            assert all(reply == replies[0] for reply in replies)
    assert any_order.responses() == {"INB_VOLGT": "ja", "INB_LES": "vaak"}
    assert one(any_order.rows(tables.attempts))["turn"] == 5
    assert len(any_order.rows(tables.turns)) == 6
    assert len(any_order.rows(tables.interviews)) == 1


def test_an_old_turn_with_other_keys_never_changes_an_answer(order: VoicedOrder) -> None:
    line = order.call(order.person())
    line.press(*TO_FIRST_QUESTION, "1", "1")
    kept = order.responses()
    for turn in range(line.replies[-1].number + 1):
        line.send(turn, "3")
        line.send(turn)
    assert order.responses() == kept


@pytest.mark.parametrize("ahead", [2, 3, 50, 9999])
def test_a_turn_from_the_future_hears_the_present_again(order: VoicedOrder, ahead: int) -> None:
    line = order.call(order.person())
    present = line.press(*TO_FIRST_QUESTION)
    before = order.everything()
    assert line.send(present.number + ahead, "1") == present
    assert order.everything() == before


def test_a_late_first_webhook_begins_the_call_whatever_turn_it_names(order: VoicedOrder) -> None:
    reply = order.call(order.person()).send(3, "1")
    assert reply.number == 0
    assert reply.turn.asks[-1].id == "greeting_menu"


def test_after_the_end_the_last_words_are_said_again_and_nothing_is_kept(order: VoicedOrder) -> None:
    line = order.call(order.person())
    last = line.to_the_end()
    before = order.everything()
    assert line.send(last.number + 1, "1") == last
    assert order.everything() == before


def test_silence_after_the_call_was_closed_is_hung_up_and_an_old_turn_hears_its_reply(order: VoicedOrder) -> None:
    line = order.call(order.person())
    last = line.press(*TO_FIRST_QUESTION, "1")
    order.hang_up(line)
    before = order.everything()
    assert line.send(last.number + 1).turn == Turn()
    assert line.send(last.number + 2, "1").turn == Turn()
    assert line.send(last.number, "1") == last
    assert order.everything() == before


def test_a_call_that_was_never_placed_is_hung_up(order: VoicedOrder) -> None:
    line = order.call(order.person(), state="void")
    assert line.send(0).turn == Turn()


def test_another_calls_webhook_is_hung_up_and_changes_nothing(order: VoicedOrder) -> None:
    line = order.call(order.person())
    line.press(*TO_FIRST_QUESTION)
    before = order.everything()
    assert line.send(4, "1", call_sid="CA" + "9" * 32).turn == Turn()
    assert line.send(0, call_sid="CA" + "9" * 32).turn == Turn()
    assert order.everything() == before


def test_an_attempt_that_does_not_exist_is_refused(order: VoicedOrder) -> None:
    line = order.call(order.person())
    line.attempt_id = "f" * 32
    with pytest.raises(NotFoundError):
        line.send(0)


def test_a_call_that_was_thought_lost_takes_a_slot_again(order: VoicedOrder) -> None:
    line = order.call(order.person(), state="unknown")
    assert line.send(0).turn.asks[-1].id == "greeting_menu"
    assert one(order.rows(tables.cells))["in_flight"] == 1


def test_a_call_that_was_thought_lost_and_finds_no_room_says_goodbye(sqlite_database: Database) -> None:
    order = VoicedOrder(sqlite_database, target=1)
    line = order.call(order.person(), state="unknown")
    other = order.call(order.person("hash-2"), phone="hash-2")
    reply = line.send(0)
    assert reply.turn.awaits is None
    assert [prompt.id for prompt in reply.turn.announces] == [interviewing.GOODBYE_UNKNOWN]
    assert line.send(0) == reply
    assert line.send(1, "1") == reply
    other.to_the_end()
    cell = one(order.rows(tables.cells))
    assert (cell["successful"], cell["in_flight"]) == (1, 0)


def test_a_full_cell_never_stops_a_running_interview(sqlite_database: Database) -> None:
    order = VoicedOrder(sqlite_database, target=2)
    first, second = order.call(order.person()), order.call(order.person("hash-2"), phone="hash-2")
    first.press(*TO_FIRST_QUESTION)
    second.to_the_end()
    first.to_the_end()
    assert [row["disposition"] for row in order.rows(tables.interviews)] == ["complete", "complete"]
    assert one(order.rows(tables.cells))["successful"] == 2


def test_never_again_is_kept_at_once(any_order: VoicedOrder) -> None:
    any_order.call(any_order.person()).press("3", "2", "1")
    assert one(any_order.rows(tables.opt_outs))["phone_hash"] == "hash-1"


def test_silence_on_a_machine_is_hung_up_and_a_key_proves_a_person(order: VoicedOrder) -> None:
    line = order.call(order.person(), answered_by="machine_start")
    line.send(0)
    assert line.send(1).turn == Turn()
    assert line.send(1, "1").turn.asks[-1].id == "right_person"


@pytest.mark.parametrize(("met", "heard"), [(0, []), (1, []), (2, ["voicemail"]), (3, [])])
def test_the_third_machine_hears_once_who_called(order: VoicedOrder, met: int, heard: list[str]) -> None:
    case_id = order.person()
    for _ in range(met):
        order.hang_up(order.call(case_id, outcome="answering_machine"))
    line = order.call(case_id, answered_by="machine_end_beep")
    line.send(0)
    reply = line.send(1)
    assert [prompt.id for prompt in reply.turn.announces] == heard
    assert reply.turn.awaits is None
    assert line.send(1).turn == reply.turn


def test_a_test_call_leaves_no_trace_in_the_cell(order: VoicedOrder) -> None:
    before = one(order.rows(tables.cells))
    line = order.call(order.person(), state="unknown", is_test=True)
    with order.database.write() as session:
        session.execute(sa.update(tables.attempts).values(state="placed", call_sid=line.call_sid))
    line.to_the_end()
    assert order.rows(tables.interviews) == []
    assert one(order.rows(tables.cells)) == before


def test_a_reply_is_kept_without_the_answers_it_brought(order: VoicedOrder) -> None:
    order.call(order.person()).to_the_end()
    assert all(row["reply"]["turn"]["records"] == [] for row in order.rows(tables.turns))
    assert {row["signal"] for row in order.rows(tables.turns)} == {"begin", "key"}


def test_an_order_is_asked_in_the_version_that_it_has_audio_for(order: VoicedOrder) -> None:
    order.call(order.person()).press(*TO_FIRST_QUESTION)
    newer = replace(CATALOGUE.questionnaires["inburgering"], version=7)
    catalogue = replace(CATALOGUE, questionnaires={**CATALOGUE.questionnaires, "inburgering": newer})
    line = order.call(order.person("hash-2"), phone="hash-2")
    reply = interviewing.answer(order.database, catalogue, CALENDAR, line.attempt_id, 0, Silence(), line.call_sid, NOON)
    assert reply.version == 1


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_repeats_and_strays_change_nothing(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A call with doubled, late and early webhooks keeps exactly what it keeps without them, the quick way or not."""
    noise = random.Random(seed)
    kept = []
    for is_noisy, is_quick in ((False, False), (False, True), (True, True)):
        keys = random.Random(seed + 1)
        database = Database(f"sqlite:///{tmp_path_factory.mktemp('noise') / 'toets.db'}")
        with database.write() as session:
            tables.metadata.create_all(session)
        order = VoicedOrder(database, quick=is_quick)
        line = order.call(order.person())
        reply = line.send(0)
        for _ in range(40):
            if reply.turn.awaits is None:
                break
            key = keys.choice(["1", "1", "1", "2", "3", "0", "*", "#", "9", None])
            if is_noisy and noise.random() < 0.4:
                line.send(noise.choice([0, reply.number, max(0, reply.number - 1), reply.number + 2]), "4")
            number = reply.number + 1
            reply = line.send(number, key)
            if is_noisy and noise.random() < 0.4:
                assert line.send(number, noise.choice(["1", "5", None])) == reply
        states = [(row["state"], row["turn"], row["dialogue"]) for row in order.rows(tables.attempts)]
        cells = [(row["successful"], row["in_flight"]) for row in order.rows(tables.cells)]
        kept.append((order.responses(), len(order.rows(tables.turns)), states, cells))
        database.dispose()
    assert kept[0] == kept[1] == kept[2]
