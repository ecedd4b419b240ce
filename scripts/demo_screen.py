"""What one sees while the demo calls: a bar per cell, the date of the leaping clock, and a table at the end."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from ivr.bootstrap import House
from ivr.fieldwork import monitoring
from ivr.settings import Settings
from ivr.store import Database
from scripts.processes import Processes

FINISHED = {"filled", "exhausted", "closed"}
WIDTH = 30


class FieldworkScreen:
    """Follows the cells in the database until all are finished."""

    def __init__(self, console: Console, database: Database, settings: Settings) -> None:
        self._console = console
        self._house = House(settings)
        self._database = database
        self._began = time.monotonic()

    def follow(self, processes: Processes, until: float) -> bool:
        """Show the progress; True when every cell is finished, False when the time is up."""
        plain_at = 0.0
        with Live(console=self._console, refresh_per_second=4, transient=True) as live:
            while True:
                status = self._status()
                cells = status["cells"]
                live.update(self._picture(status))
                if not self._console.is_terminal and time.monotonic() >= plain_at:
                    self._console.print(self._line(status))
                    plain_at = time.monotonic() + 5
                if cells and all(cell["state"] in FINISHED and not cell["in_flight"] for cell in cells):
                    return True
                if time.monotonic() > until:
                    for name in ("web", "worker-1", "clock", "carrier"):
                        self._console.print(f"--- {name}\n{processes.log_tail(name)}")
                    return False
                time.sleep(0.5)

    def summary(self, status: dict[str, Any]) -> None:
        """At the end: target, successful, attempts and outcomes per cell."""
        for cell in status["cells"]:
            self._console.print(
                f"\n{cell['provider']} ({cell['track']}): {cell['successful']} of {cell['target']} successful, "
                f"{cell['attempts']} attempts, {cell['state']}"
            )
            most = max(cell["cases"].values(), default=1)
            for name, count in Counter(cell["cases"]).most_common():
                self._console.print(f"    {name:<22}{count:>4}  {'▇' * max(1, round(WIDTH * count / most))}")
        self._console.print()

    def _status(self) -> dict[str, Any]:
        house = self._house
        return monitoring.status(self._database, house.catalogue, house.calendar, house.clock.now())

    def _line(self, status: dict[str, Any]) -> str:
        parts = [f"{cell['provider']} {cell['successful']}/{cell['target']}" for cell in status["cells"]]
        return f"  {time.monotonic() - self._began:4.0f} s  {self._date()}  " + " · ".join(parts)

    def _date(self) -> str:
        return self._house.clock.now().astimezone(ZoneInfo("Europe/Amsterdam")).strftime("%a %d-%m %H:%M")

    def _picture(self, status: dict[str, Any]) -> Group:
        lines = [Text(f"The fieldwork's clock: {self._date()}", style="bold")]
        for cell in status["cells"]:
            done = round(WIDTH * cell["successful"] / cell["target"])
            flying = min(WIDTH - done, cell["in_flight"])
            bar = (
                Text("█" * done, style="green")
                + Text("▒" * flying, style="yellow")
                + Text("·" * (WIDTH - done - flying))
            )
            bar += Text(
                f"  {cell['successful']:>2} of {cell['target']}, {cell['in_flight']} in flight, "
                f"{cell['attempts']} attempts, {cell['state']}"
            )
            lines.append(Text(f"  {cell['provider']:<20}") + bar)
        return Group(*lines)
