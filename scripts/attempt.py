"""`ivr attempt …`: the life of one call, without the person and without answers."""

from __future__ import annotations

import click

from ivr.fieldwork import lives
from scripts.output import command, emit, json_option, say
from scripts.ready import ready_house


@click.group()
def attempt() -> None:
    """The life of one call."""


@attempt.command()
@click.argument("attempt_id")
@json_option
@command
def show(attempt_id: str, as_json: bool) -> None:
    """All that happened to the call of ATTEMPT_ID, in order."""
    life = lives.life_of(ready_house().database, attempt_id)
    if as_json:
        emit(life)
        return
    events, differs = life.pop("events"), life.pop("differs")
    for name, value in life.items():
        if value is not None:
            say(f"{name:<17} {value}")
    say()
    for event in events:
        details = "  ".join(f"{name}={value}" for name, value in event.items() if name not in {"at", "kind"})
        say(f"{event['at']:%Y-%m-%d %H:%M:%S}  {event['kind']:<12} {details}")
    say()
    if differs:
        say(f"The row differs from what the events make of it in: {', '.join(differs)}. Please report this.")
    else:
        say("The row is what the events make of it.")
