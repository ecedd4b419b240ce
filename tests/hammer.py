"""One of the processes that `test_quotas.py` lets loose on a cell: `hammer.py DATABASE_URL CELL SEED`.

Reserves, then spends, releases or voids, as the seed says, until the cell is full or nobody is left. Prints how many
it spent. With the seed `kill-me` it kills itself between a reservation and whatever would have followed.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import sqlalchemy as sa  # noqa: E402
from tests_moment import BOUNDS, MONDAY  # noqa: E402

from ivr.ids import new_id  # noqa: E402
from ivr.store import Database, admission, attempts, quotas  # noqa: E402
from ivr.store.tables import cases, cells, interviews  # noqa: E402


def main(url: str, cell: int, seed: str) -> int:
    chance, database, spent, empty = random.Random(seed), Database(url), 0, 0
    while empty < 40:
        with database.read() as session:
            row = session.execute(sa.select(cells).where(cells.c.id == cell)).one()
            if row.successful >= row.target:
                break
        with database.write() as session:
            taken = admission.reserve(session, cell, BOUNDS, MONDAY, MONDAY + timedelta(hours=8))
        if taken is None:
            empty += 1
            time.sleep(0.005)
            continue
        empty = 0
        if seed == "kill-me" and chance.random() < 0.3:
            os.kill(os.getpid(), signal.SIGKILL)
        if seed != "kill-me":
            spent += _finish(database, chance, cell, *taken)
    database.dispose()
    print(spent)
    return 0


def _finish(database: Database, chance: random.Random, cell: int, attempt: str, case: int) -> int:
    what = chance.choice(["spend", "spend", "release", "void"])
    with database.write() as session:
        counted = 0
        if what == "spend":
            id = new_id()
            session.execute(
                sa.insert(interviews).values(
                    id=id, case_id=case, cell_id=cell, questionnaire="inburgering", version=1, mode="telephone",
                    started_at=MONDAY, usable=True, usable_at=MONDAY,
                )
            )  # fmt: skip
            counted = int(quotas.spend(session, attempt, id, MONDAY))
            counted += int(quotas.spend(session, attempt, id, MONDAY))
        attempts.move(session, attempt, attempts.OPEN_STATES, "void" if what == "void" else "closed")
        session.execute(sa.update(cases).where(cases.c.id == case).values(is_busy=False, is_final=counted > 0))
        quotas.release(session, attempt)
        quotas.release(session, attempt)
    return counted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
