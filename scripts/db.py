"""`ivr db …`: the schema of the database. Needs nothing but IVR_DATABASE_URL."""

from __future__ import annotations

from pathlib import Path

import click

from ivr.errors import RefusedError
from ivr.settings import load_settings
from ivr.store import Database, schema
from ivr.store.backup import copy
from scripts.output import command, emit, json_option, say


@click.group()
def db() -> None:
    """Create or upgrade the database."""


@db.command()
@json_option
@command
def upgrade(as_json: bool) -> None:
    """Bring the database to the current schema (makes it when there is none)."""
    database = Database(load_settings().database)
    before = schema.current(database)
    after = schema.upgrade(database)
    if as_json:
        emit({"from": before, "to": after, "changed": before != after})
    else:
        say(f"The database is at revision {after}." if before != after else f"Nothing to do: revision {after}.")


@db.command()
@json_option
@command
def check(as_json: bool) -> None:
    """Whether the database is at the current schema (exit code 1 when it is not)."""
    database = Database(load_settings().database)
    now, head = schema.current(database), schema.head()
    if now != head:
        raise RefusedError(f"The database is at revision {now}, the code needs {head}. Run `ivr db upgrade`.")
    if as_json:
        emit({"revision": now, "is_current": True})
    else:
        say(f"The database is at the current revision, {now}.")


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@command
def backup(file: Path, as_json: bool) -> None:
    """Copy a SQLite database to FILE while everything runs. The key file beside it is a backup of its own."""
    size = copy(Database(load_settings().database), file)
    if as_json:
        emit({"file": str(file), "bytes": size})
    else:
        say(f"Copied {size} bytes to {file}. Keep the encryption key somewhere else: without it no contact opens.")


@db.command()
@click.argument("revision")
@click.option("--yes", is_flag=True, help="I know that columns and what is in them may be lost.")
@json_option
@command
def downgrade(revision: str, yes: bool, as_json: bool) -> None:
    """Take the database back to REVISION (`base`: to nothing)."""
    if not yes:
        raise RefusedError("A downgrade can lose data. Make a backup first, then repeat with --yes.")
    database = Database(load_settings().database)
    after = schema.downgrade(database, revision)
    if as_json:
        emit({"to": after or None})
    else:
        say(f"The database is at revision {after or 'base'}.")


@db.command()
@click.argument("message")
@command
def revision(message: str) -> None:
    """Write a migration for what changed in tables.py (developers; on a database at head)."""
    say(str(schema.make_revision(Database(load_settings().database), message)))
