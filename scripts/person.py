"""`ivr person …`: what is held of somebody, shown or taken away on their own request (AVG)."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click

from scripts.output import command, emit, json_option, parse_period, say
from scripts.ready import ready_house


@click.group()
def person() -> None:
    """Export or erase what is held of a person."""


def _whom(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        (
            click.argument("number", required=False),
            click.option("--provider", metavar="NAME", help="Provider on whose list the person stands."),
            click.option("--client", metavar="CLIENTNUMMER", help="Clientnummer on that list."),
            click.option("--period", metavar="FROM/TO", help="Only of this meetperiode."),
            click.option("--everybody", is_flag=True, help="Everybody who shares NUMBER."),
        )
    ):
        function = option(function)
    return function


@person.command("export")
@_whom
@json_option
@command
def export_(
    number: str | None, provider: str | None, client: str | None, period: str | None, everybody: bool, as_json: bool
) -> None:
    """All that is held of a person, as JSON. NUMBER `-` is read from standard input: then no shell keeps it."""
    from ivr.fieldwork import erasing

    house = ready_house()
    emit(
        erasing.export(
            house.database,
            house.sealer,
            _asked(number, provider, client, period),
            house.clock.now(),
            who=_who(),
            everybody=everybody,
        )
    )


@person.command()
@_whom
@click.option("--contact-only", is_flag=True, help="Only contact data: the answers stay, without a person.")
@click.option("--opt-out", is_flag=True, help="Also never call the person's numbers again, for anybody.")
@click.option("--reason", default="", help="Kept in the audit log; name nobody in it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@command
def erase(
    number: str | None,
    provider: str | None,
    client: str | None,
    period: str | None,
    everybody: bool,
    contact_only: bool,
    opt_out: bool,
    reason: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Withdraw a person: contact and answers are erased, the slot is free again, the ledger line is taken back."""
    from ivr.fieldwork import erasing

    house = ready_house()
    if not yes and sys.stdin.isatty():
        click.confirm("This cannot be undone. Erase?", abort=True, err=True)
    done = erasing.erase(
        house.database,
        house.catalogue,
        house.sealer,
        _asked(number, provider, client, period),
        house.clock.now(),
        who=_who(),
        reason=reason,
        contact_only=contact_only,
        opt_out=opt_out,
        everybody=everybody,
    )
    if as_json:
        emit(asdict(done))
        return
    say(
        f"Erased: {done.contacts} contacts and {done.interviews} interviews of {done.cases} cases; "
        f"{done.slots} slots free again, {done.lines} ledger lines taken back."
    )


def _asked(number: str | None, provider: str | None, client: str | None, period: str | None) -> Any:
    from ivr.fieldwork.erasing import Asked

    if number == "-":
        number = sys.stdin.readline().strip()
    return Asked(number, provider, client, parse_period(period) if period else None)


def _who() -> str:
    return os.environ.get("SUDO_USER") or getpass.getuser()
