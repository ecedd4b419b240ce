"""A small `make chaos` in every test run: real processes, real kills, the same zeros."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ivr.rehearsal.season_count import WRONG
from scripts.processes import dies_with_us


@pytest.mark.timeout(600)
def test_eight_kills_lose_double_and_misplace_nothing() -> None:
    world = ["--providers", "2", "--people", "10", "--side-by-side", "1", "--database", "sqlite"]
    done = subprocess.run(
        [sys.executable, "-m", "scripts.chaos", "--kills", "8", "--seed", "5", "--json", *world],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=dies_with_us(),
    )
    found = json.loads(done.stdout)
    assert {figure: found[figure] for figure in WRONG} == dict.fromkeys(WRONG, 0), done.stderr
    assert done.returncode == 0, done.stderr
    assert found["kills"] >= 8
    assert found["calls"] > 0
    assert found["answers"] > 0
