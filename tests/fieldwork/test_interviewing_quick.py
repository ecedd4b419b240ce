"""The quick way of a key: the same result as the ordinary way, on both databases, and it steps aside when in doubt."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from ivr.fieldwork.quick import Desk
from ivr.store import Database, tables
from ivr.survey.turn import Keypress, Silence
from tests.fieldwork.voiced_order import INBURGERING, NOON, TO_FIRST_QUESTION, Line, VoicedOrder

LAST_ASPECT = "INB_SCHOOL"
"""After it every aspect was put: the interview is usable."""


@pytest.fixture
def order(database: Database) -> VoicedOrder:
    return VoicedOrder(database)


def asked(line: Line) -> Line:
    """This call at its second question, so that its next key is an ordinary one."""
    line.press(*TO_FIRST_QUESTION, "1")
    return line


def key_of(line: Line, desk: Desk, key: str | None, *, call_sid: str | None = None) -> object:
    signal = Keypress(key) if key else Silence()
    return desk.answer(line.attempt_id, line.replies[-1].number + 1, signal, call_sid or line.call_sid, NOON)


def test_a_key_in_mid_call_takes_the_quick_way_and_is_kept(order: VoicedOrder) -> None:
    line = asked(order.call(order.person()))
    reply = key_of(line, Desk(order.database), "2")
    assert reply is not None
    assert order.responses() == {"INB_VOLGT": "ja", "INB_LES": "vaak"}
    (attempt,) = order.rows(tables.attempts)
    kept = {row["turn"]: row for row in order.rows(tables.turns)}
    assert attempt["turn"] == max(kept) == 5
    assert (kept[5]["signal"], kept[5]["at"]) == ("key", NOON)
    assert line.send(5, "4") == reply


def test_the_state_that_is_remembered_and_the_one_that_is_read_are_the_same(order: VoicedOrder) -> None:
    """Two processes take turns: each finds that the call went on without it."""
    line = order.call(order.person())
    other = Desk(order.database)
    mine = order.desk
    reply = line.press(*TO_FIRST_QUESTION)
    for number in range(60):
        if reply.turn.awaits is None:
            break
        order.desk = (mine, other, None)[number % 3]
        keys = INBURGERING.get(reply.turn.asks[-1].id.split(".")[0], "1") if reply.turn.asks else None
        reply = line.send(reply.number + 1, keys)
    assert set(order.responses()) == set(INBURGERING)
    assert order.responses()["INB_CIJFER"] == "7"
    assert [row["disposition"] for row in order.rows(tables.interviews)] == ["complete"]
    assert order.rows(tables.cells)[0]["successful"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"state": "closed"},
        {"state": "unknown"},
        {"turn": 7},
        {"call_sid": "CA" + "9" * 32},
        {"interview_id": None},
    ],
)
def test_what_changed_behind_its_back_is_left_to_the_ordinary_way(
    order: VoicedOrder, change: dict[str, object]
) -> None:
    line = asked(order.call(order.person()))
    desk = Desk(order.database)
    line.replies.append(key_of(line, desk, "1"))  # type: ignore[arg-type]
    with order.database.write() as session:
        session.execute(sa.update(tables.attempts).values(**change))
    before = order.everything()
    assert key_of(line, desk, "1") is None
    assert order.everything() == before


def to_the_last_aspect(order: VoicedOrder) -> Line:
    """A call whose next key makes its interview usable."""
    line = order.call(order.person())
    reply = line.press(*TO_FIRST_QUESTION)
    while reply.turn.asks[-1].id.split(".")[0] != LAST_ASPECT:
        reply = line.press(INBURGERING[reply.turn.asks[-1].id.split(".")[0]])
    assert not any(row["usable"] for row in order.rows(tables.interviews))
    return line


def test_the_key_that_makes_an_interview_usable_counts_it_just_as_the_ordinary_way(database: Database) -> None:
    order = VoicedOrder(database)
    line = to_the_last_aspect(order)
    assert key_of(line, Desk(database), INBURGERING[LAST_ASPECT]) is not None
    (cell,), (interview,), (attempt,) = (
        order.rows(each) for each in (tables.cells, tables.interviews, tables.attempts)
    )
    assert (cell["successful"], cell["in_flight"]) == (1, 0)
    assert (interview["usable"], interview["successful"], interview["usable_at"]) == (True, True, NOON)
    assert (interview["cell_id"], attempt["holds_slot"]) == (order.cell_id, False)
    assert not order.rows(tables.ledger)
    line.to_the_end()
    assert order.rows(tables.cells)[0]["successful"] == 1


def test_an_interview_counts_once_however_many_keys_come_at_once(order: VoicedOrder) -> None:
    line = to_the_last_aspect(order)
    desks = [Desk(order.database) for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda number: key_of(line, desks[number % 4], INBURGERING[LAST_ASPECT]), range(8)))
    assert sum(reply is not None for reply in found) == 1
    (cell,) = order.rows(tables.cells)
    assert (cell["successful"], cell["in_flight"]) == (1, 0)


@pytest.mark.parametrize("why", ["billed", "answered elsewhere", "no slot", "counted already"])
def test_what_cannot_be_counted_just_like_that_is_left_to_the_ordinary_way(order: VoicedOrder, why: str) -> None:
    line = to_the_last_aspect(order)
    (interview,) = order.rows(tables.interviews)
    with order.database.write() as session:
        if why == "billed":
            session.execute(sa.update(tables.cells).values(track="purchased"))
            session.execute(sa.update(tables.orders).values(track="purchased", price=10))
        elif why == "answered elsewhere":
            other = {name: interview[name] for name in ("case_id", "questionnaire", "version", "started_at")}
            values = other | {"id": "e" * 32, "mode": "web", "usable": True}
            session.execute(sa.insert(tables.interviews).values(**values))
        elif why == "no slot":
            session.execute(sa.update(tables.attempts).values(holds_slot=False))
            session.execute(sa.update(tables.cells).values(in_flight=0))
        else:
            session.execute(sa.update(tables.interviews).values(usable=True, successful=True))
    before = order.everything()
    assert key_of(line, Desk(order.database), INBURGERING[LAST_ASPECT]) is None
    assert order.everything() == before, "all or nothing"
    order.desk = Desk(order.database)  # the other one remembers the track of the cell, which never changes
    line.press(INBURGERING[LAST_ASPECT])
    assert len(order.rows(tables.ledger)) == (why == "billed")
    superseded = {row["id"] for row in order.rows(tables.interviews) if row["is_superseded"]}
    assert superseded == ({interview["id"]} if why == "answered elsewhere" else set())


def test_first_webhooks_strays_and_endings_are_left_to_the_ordinary_way(order: VoicedOrder) -> None:
    line = order.call(order.person())
    desk = Desk(order.database)
    assert desk.answer(line.attempt_id, 0, Silence(), line.call_sid, NOON) is None
    line.press("1")
    assert key_of(line, desk, None) is not None  # a key was pressed before: this silence is a person's
    line.send(2)
    line.press("1")
    assert key_of(line, desk, "1") is None  # the interview begins
    line.press("1")
    assert key_of(line, desk, "1", call_sid="CA" + "8" * 32) is None
    assert desk.answer(line.attempt_id, 9, Keypress("1"), line.call_sid, NOON) is None
    assert desk.answer(line.attempt_id, 1, Keypress("1"), line.call_sid, NOON) is None
    assert desk.answer("f" * 32, 1, Keypress("1"), line.call_sid, NOON) is None


def test_silence_before_any_key_is_left_to_the_ordinary_way(order: VoicedOrder) -> None:
    line = order.call(order.person())
    line.send(0)
    assert key_of(line, Desk(order.database), None) is None


def test_a_test_call_is_left_to_the_ordinary_way(order: VoicedOrder) -> None:
    line = asked(order.call(order.person(), is_test=True))
    assert key_of(line, Desk(order.database), "1") is None


def test_the_same_key_eight_times_at_once_is_one_turn(order: VoicedOrder) -> None:
    line = asked(order.call(order.person()))
    desks = [Desk(order.database) for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda number: key_of(line, desks[number % 4], "1"), range(8)))
    assert sum(reply is not None for reply in found) == 1
    assert len(order.rows(tables.turns)) == 6
    assert order.responses() == {"INB_VOLGT": "ja", "INB_LES": "altijd"}


@pytest.mark.postgres
def test_a_lost_connection_costs_one_webhook_its_quick_way(postgres_database: Database) -> None:
    order = VoicedOrder(postgres_database)
    line = asked(order.call(order.person()))
    with order.database.read() as session:
        session.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND datname = current_database()"
            )
        )
    assert line.send(5, "1").number == 5
    assert order.responses()["INB_LES"] == "altijd"
