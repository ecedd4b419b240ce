"""`ivr fieldwork …`: how it stands, and what staff may change while it runs."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from datetime import date
from typing import Any

import click

from ivr.almanac import Calendar
from ivr.errors import UsageError
from ivr.fieldwork import monitoring, retention
from scripts.output import command, emit, json_option, parse_period, say
from scripts.ready import ready_house

_BAR = 20


@click.group()
def fieldwork() -> None:
    """How the fieldwork stands."""


@fieldwork.command()
@json_option
@command
def status(as_json: bool) -> None:
    """Per cell: target, successful, in flight, state, dispositions, attempts."""
    house = ready_house()
    document = monitoring.status(
        house.database,
        house.catalogue,
        Calendar(house.catalogue.fieldwork),
        house.clock.now(),
        consent_only=house.settings.dial_requires == "consent",
    )
    if as_json:
        emit(document)
        return
    for line in table(document):
        say(line)


def table(document: dict[str, Any]) -> list[str]:
    """The status for people: one line per cell with a bar, then what became of its people."""
    if not document["cells"]:
        return ["No cells yet: import a sample or add an order."]
    width = min(max(len(cell["provider"]) for cell in document["cells"]), 32)
    lines: list[str] = []
    for cell in document["cells"]:
        done = min(cell["successful"], cell["target"]) * _BAR // max(cell["target"], 1)
        flying = min(cell["in_flight"], _BAR - done)
        bar = "█" * done + "▒" * flying + "·" * (_BAR - done - flying)
        lines.append(
            f"{cell['cell']:>4}  {cell['provider'][:width]:<{width}}  {cell['period']}  {cell['track']:<11}  {bar}  "
            f"{cell['successful']:>3}/{cell['target']:<3}  {cell['in_flight']:>2} in flight  {cell['state']:<9}  "
            f"{cell['attempts']:>5} calls" + ("" if cell["voiced"] else "  (prompts not rendered yet)")
        )
        people = ", ".join(f"{name} {count}" for name, count in sorted(cell["cases"].items(), key=lambda kv: -kv[1]))
        lines.append(f"      {people}" if people else "      no people yet")
        if cell.get("forecast"):
            lines.append(f"      {_expected(cell['forecast'], cell['target'])}")
    lines.append(f"Line {document['line']}; calling window {document['window']}; at {document['at']}.")
    return lines


def _expected(forecast: dict[str, Any], target: int) -> str:
    """The forecast in a sentence."""
    text = f"expected at the end {forecast['expected']} (four times in five {forecast['low']} to {forecast['high']})"
    if forecast["full_at"]:
        text += f", full about {forecast['full_at'][:10]}"
    if forecast["more_numbers"]:
        text += f"; {forecast['more_numbers']} more numbers would do"
    elif forecast["more_numbers"] is None:
        text += f"; {target} is out of reach"
    return text


def _who() -> str:
    return os.environ.get("SUDO_USER") or getpass.getuser()


def _change(name: str, help_text: str, stage: Callable[..., None], done: str) -> None:
    @fieldwork.command(name, help=help_text)
    @click.argument("cell", type=int)
    @click.option("--reason", default="", help="Kept in the audit log.")
    @json_option
    @command
    def run(cell: int, reason: str, as_json: bool) -> None:
        house = ready_house()
        stage(house.database, cell, house.clock.now(), who=_who(), reason=reason)
        if as_json:
            emit({"cell": cell, "state": done})
        else:
            say(f"Cell {cell} is {done}.")


_change("pause", "No further calls for CELL until it is resumed; calls in flight go on.", monitoring.pause, "paused")
_change("resume", "Go on with a paused CELL.", monitoring.resume, "open")
_change("close", "End CELL for good; calls in flight go on and still count.", monitoring.close, "closed")


@fieldwork.command()
@click.argument("cell", type=int)
@click.argument("target", type=int)
@click.option("--reason", default="", help="Kept in the audit log.")
@json_option
@command
def target(cell: int, target: int, reason: str, as_json: bool) -> None:
    """Raise or lower the TARGET of CELL while it runs; lowering throws nobody out."""
    house = ready_house()
    monitoring.set_target(house.database, cell, target, house.clock.now(), who=_who(), reason=reason)
    if as_json:
        emit({"cell": cell, "target": target})
    else:
        say(f"The target of cell {cell} is {target}.")


@fieldwork.command()
@click.option("--provider", required=True, metavar="NAME")
@click.option("--period", required=True, metavar="FROM/TO")
@click.argument("day", metavar="DATE")
@json_option
@command
def reported(provider: str, period: str, day: str, as_json: bool) -> None:
    """The report of a provider goes (or went) out on DATE: contacts are kept for the weeks of hoor en wederhoor."""
    house = ready_house()
    try:
        when = date.fromisoformat(day)
    except ValueError as error:
        raise UsageError(f"A day looks like 2026-12-31, not {day!r}.") from error
    retention.report_is_out(house.database, provider, parse_period(period), when, house.clock.now(), who=_who())
    if as_json:
        emit({"provider": provider, "period": period, "reported_on": when})
    else:
        say(f"The report of {provider} is out on {when}.")
