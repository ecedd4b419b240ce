"""`ivr optout …`: numbers that are never called again. A number is kept as a keyed hash only."""

from __future__ import annotations

import sys

import click

from ivr.errors import UsageError
from scripts.output import command, emit, json_option, say
from scripts.ready import ready_house


@click.group()
def optout() -> None:
    """Numbers that are never called."""


@optout.command()
@click.argument("number", required=False)
@json_option
@command
def add(number: str | None, as_json: bool) -> None:
    """Never call NUMBER again. Without NUMBER it is asked for, or read from standard input: then no shell keeps it."""
    from ivr.store import optouts
    from ivr.store.samples import phone_hash

    e164 = _read(number)
    house = ready_house()
    with house.database.write() as session:
        is_new = optouts.add(session, phone_hash(house.sealer, e164), "staff", house.clock.now())
        count = optouts.count(session)
    if as_json:
        emit({"added": is_new, "numbers": count})
    else:
        say("The number is never called again." if is_new else "The number was on the list already.")


@optout.command()
@click.argument("number", required=False)
@json_option
@command
def check(number: str | None, as_json: bool) -> None:
    """Whether NUMBER (or the one on standard input) is on the list."""
    from ivr.store import optouts
    from ivr.store.samples import phone_hash

    e164 = _read(number)
    house = ready_house()
    with house.database.read() as session:
        is_listed = optouts.any_opted_out(session, [phone_hash(house.sealer, e164)])
    if as_json:
        emit({"opted_out": is_listed})
    else:
        say("The number is on the list." if is_listed else "The number is not on the list.")


def _read(number: str | None) -> str:
    from ivr.survey.phone import PhoneFault, read_phone

    text = number
    if text is None:
        asks = sys.stdin.isatty()
        text = str(click.prompt("Number", hide_input=True, err=True)) if asks else sys.stdin.readline()
    e164 = read_phone(text)
    if isinstance(e164, PhoneFault):
        raise UsageError("This is no telephone number that could be called. Give it as +31612345678.")
    return e164
