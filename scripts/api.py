"""`ivr api …`: tokens for the report pipeline, and the periods that it may fetch."""

from __future__ import annotations

import hashlib
import re
import secrets

import click

from ivr.bootstrap import open_house
from ivr.errors import UsageError
from scripts.output import command, emit, json_option, parse_period, say


@click.group()
def api() -> None:
    """What the report pipeline may fetch, and with which tokens."""


@api.command()
@click.argument("name")
@json_option
@command
def token(name: str, as_json: bool) -> None:
    """Make a token for NAME. It is shown once; only its hash is kept, in IVR_API_TOKENS."""
    if not re.fullmatch(r"[a-z0-9_-]{1,40}", name):
        raise UsageError("A name is made of a-z, 0-9, - and _.")
    made = secrets.token_urlsafe(32)
    setting = f"{name}={hashlib.sha256(made.encode()).hexdigest()}"
    if as_json:
        emit({"name": name, "token": made, "setting": setting})
        return
    say(f"Token (give it to {name}; it is not shown again):\n  {made}")
    say(f"Put its hash into IVR_API_TOKENS (several with commas) and restart the web server:\n  {setting}")


@api.command()
@click.option("--period", required=True, metavar="FROM/TO", help="E.g. 2026-01-01/2026-12-31.")
@click.option("--final", "is_final", is_flag=True, help="Say that the files of this period will not change any more.")
@click.option("--reopen", is_flag=True, help="Replace a period that was final.")
@json_option
@command
def publish(period: str, is_final: bool, reopen: bool, as_json: bool) -> None:
    """Export a period in every format and let the pipeline fetch it."""
    from ivr.exports import publishing
    from ivr.store import schema

    days = parse_period(period)
    house = open_house()
    schema.upgrade(house.database)
    document = publishing.publish(
        house.database,
        house.catalogue,
        house.settings.pipeline,
        days,
        house.clock.now(),
        is_final=is_final,
        reopen=reopen,
    )
    if as_json:
        emit(document)
    else:
        say(f"{document['period']}: {len(document['files'])} files, {'final' if is_final else 'not final yet'}.")


@api.command("list")
@json_option
@command
def list_(as_json: bool) -> None:
    """The periods that are published."""
    from ivr.exports import publishing

    found = publishing.manifests(open_house().settings.pipeline)
    if as_json:
        emit({"periods": found})
        return
    for one in found:
        say(f"{one['period']}  {'final since ' + one['final_at'] if one['final'] else 'not final'}")
