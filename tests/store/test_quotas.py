"""successful + in flight never passes the target: under any interleaving, with any number of processes."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
import sqlalchemy as sa
from fieldwork_world import MONDAY, World
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ivr.errors import RefusedError
from ivr.fieldwork import monitoring
from ivr.store import Database, attempts, cells, quotas
from ivr.store.tables import attempts as attempts_table
from ivr.store.tables import cells as cells_table
from ivr.store.tables import interviews

HAMMER = Path(__file__).parent.parent / "hammer.py"


@pytest.mark.timeout(120)
def test_eight_processes_on_one_cell_never_pass_its_target_and_leak_nothing(database: Database) -> None:
    world = World(database)
    cell = world.cell(target=25)
    world.people(cell, 90)
    url = database.engine.url.render_as_string(hide_password=False)
    hammers = [
        subprocess.Popen([sys.executable, str(HAMMER), url, str(cell), str(seed)], stdout=subprocess.PIPE)
        for seed in range(8)
    ]

    while any(hammer.poll() is None for hammer in hammers):
        row = world.cell_row(cell)
        time.sleep(0.05)
        assert row.successful + row.in_flight <= 25
    spent = sum(int(hammer.communicate()[0]) for hammer in hammers)
    assert [hammer.returncode for hammer in hammers] == [0] * 8
    row = world.cell_row(cell)
    assert (row.successful, row.in_flight) == (25, 0)
    assert spent == 25
    with database.read() as session:
        assert session.execute(sa.select(sa.func.count()).where(interviews.c.successful.is_(True))).scalar_one() == 25
        assert not attempts.sitting_on_slots(session)
        assert not cells.miscounted(session)
        pairs = session.execute(
            sa.select(attempts_table.c.case_id, attempts_table.c.number_in_case).where(
                attempts_table.c.state.not_in(("void",))
            )
        ).all()
    assert len(pairs) == len(set(pairs))


def test_killed_process_leaves_a_reservation_that_is_found(sqlite_database: Database) -> None:
    world = World(sqlite_database)
    cell = world.cell(target=25)
    world.people(cell, 40)
    url = sqlite_database.engine.url.render_as_string(hide_password=False)
    hammer = subprocess.Popen([sys.executable, str(HAMMER), url, str(cell), "kill-me"], stdout=subprocess.PIPE)
    assert hammer.wait(60) == -9
    assert hammer.stdout is not None
    hammer.stdout.close()
    before = world.cell_row(cell)
    assert before.in_flight >= 1
    world.clock.forward(seconds=61)
    requeued = world.reconcile().requeue
    assert len(requeued) == before.in_flight
    for id in requeued:
        assert world.dial(id) == "placed"
        world.status(id, "no-answer")
    assert world.cell_row(cell).in_flight == 0


class Slots(RuleBasedStateMachine):
    """Reserve, release, spend, lower, raise, pause in any order, each any number of times."""

    def __init__(self) -> None:
        super().__init__()
        from ivr.store import schema

        self.world = World(_memory())
        self.open: list[str] = []
        self.ever: list[str] = []
        self.interviews: dict[str, str] = {}
        self.spent = 0
        self.schema = schema

    @initialize(goal=st.integers(1, 4))
    def begin(self, goal: int) -> None:
        self.cell = self.world.cell(target=goal)
        self.world.people(self.cell, 8)

    @rule()
    def reserve(self) -> None:
        planned = self.world.plan()
        self.open += planned
        self.ever += planned

    @precondition(lambda self: self.ever)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(self.ever))
        with self.world.database.write() as session:
            quotas.release(session, id)

    @precondition(lambda self: self.ever)
    @rule(data=st.data())
    def spend(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(self.ever))
        if id not in self.interviews:
            self.interviews[id] = self.world.interview(self.world.case_of(id))
        before = self.world.cell_row(self.cell).successful
        with self.world.database.write() as session:
            counted = quotas.spend(session, id, self.interviews[id], MONDAY)
        assert self.world.cell_row(self.cell).successful - before == int(counted)
        self.spent += counted

    @rule(goal=st.integers(0, 5))
    def change_target(self, goal: int) -> None:
        with self.refused_when_closed():
            monitoring.set_target(self.world.database, self.cell, goal, MONDAY, who="test")

    @rule(state=st.sampled_from(["pause", "resume"]))
    def change_state(self, state: str) -> None:
        with self.refused_when_closed():
            getattr(monitoring, state)(self.world.database, self.cell, MONDAY, who="test")

    def refused_when_closed(self) -> AbstractContextManager[object]:
        """Lowered below what is done a cell is closed for good; until then staff may do as they like."""
        is_closed = self.world.cell_row(self.cell).state == "closed"
        return pytest.raises(RefusedError) if is_closed else nullcontext()

    @invariant()
    def counters_are_what_the_rows_say(self) -> None:
        if not hasattr(self, "cell"):
            return
        row = self.world.cell_row(self.cell)
        with self.world.database.read() as session:
            held = session.execute(sa.select(sa.func.count()).where(attempts_table.c.holds_slot.is_(True))).scalar_one()
        assert row.in_flight == held
        assert row.successful == self.spent
        assert row.successful + row.in_flight <= row.capacity

    def teardown(self) -> None:
        self.world.database.dispose()


_TEMPLATE: list[Path] = []


def _memory() -> Database:
    import shutil
    import tempfile

    from ivr.store import schema

    if not _TEMPLATE:
        path = Path(tempfile.mkdtemp(prefix="toets-slots-")) / "template.db"
        template = Database(f"sqlite:///{path}")
        schema.upgrade(template)
        template.dispose()
        _TEMPLATE.append(path)
    copy = Path(tempfile.mkdtemp(prefix="toets-slots-", dir=_TEMPLATE[0].parent)) / "toets.db"
    shutil.copyfile(_TEMPLATE[0], copy)
    return Database(f"sqlite:///{copy}")


@pytest.fixture(scope="module", autouse=True)
def _clean_up():
    yield
    import shutil

    while _TEMPLATE:
        shutil.rmtree(_TEMPLATE.pop().parent, ignore_errors=True)


TestSlots = Slots.TestCase
TestSlots.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_interview_beyond_the_order_is_kept_and_not_counted(database: Database) -> None:
    world = World(database)
    cell = world.cell(target=1, track="purchased")
    first, second = world.people(cell, 2)
    world.set_cell(cell, successful=1)
    interview = world.interview(second)
    with database.write() as session:
        assert not quotas.spend(session, "0" * 32, interview, MONDAY)
    assert world.cell_row(cell).successful == 1
    del first


def test_answer_that_came_elsewhere_first_makes_the_interview_superseded(database: Database) -> None:
    world = World(database)
    cell = world.cell()
    case = world.person(cell)
    (id,) = world.plan()
    world.interview(case, mode="web")
    interview = world.interview(case)
    with database.write() as session:
        assert not quotas.spend(session, id, interview, MONDAY)
        assert session.execute(sa.select(interviews.c.is_superseded).where(interviews.c.id == interview)).scalar_one()
    assert world.cell_row(cell).successful == 0
    with database.read() as session:
        assert session.execute(sa.select(cells_table.c.in_flight)).scalar_one() == 1
