"""A small `make bench-hosts` in every test run: several web servers and workers on one PostgreSQL and one Redis."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from scripts.processes import dies_with_us


@pytest.mark.postgres
@pytest.mark.timeout(600)
def test_two_web_servers_and_four_workers_work_out_what_one_of_each_does_and_call_nobody_wrongly(
    record_property: Callable[[str, object], None],
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.bench.hosts", "--json", "--providers", "1", "--people", "12"],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=dies_with_us(),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    small, large = found["sides"]
    assert found["wrong"] == [], done.stderr
    assert (small["web_servers"], small["workers"], large["web_servers"], large["workers"]) == (1, 1, 2, 4)
    for side in (small, large):
        assert side["successful"] > 0
        assert side["webhooks"] > side["calls"] > 0
    # The throughput of both is shown, not judged: on a machine of two cores most of it is starting processes.
    record_property("calls_per_second", [round(side["calls"] / side["seconds"], 2) for side in (small, large)])
