"""How every command speaks: one JSON document on stdout with --json, plain lines without; errors with what to do."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import click

from ivr.errors import ToetsError, UsageError
from ivr.logs import configure_logs

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout and nothing else.")


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def emit(document: object) -> None:
    """Write `document` as the one JSON document of this command."""
    click.echo(json.dumps(document, ensure_ascii=False, default=_plain))


def say(line: str = "") -> None:
    """A line for people, on stdout (only without --json)."""
    click.echo(line)


def note(line: str) -> None:
    """Progress or a warning, on stderr."""
    click.echo(line, err=True)


def command(function: Command) -> Command:
    """Turn the project's errors into one clear sentence and the right exit code.

    The decorated function must take `as_json` when it offers --json.
    """

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        configure_logs(json_lines=False, level="WARNING")
        try:
            return function(*args, **kwargs)
        except ToetsError as error:
            if kwargs.get("as_json"):
                emit({"error": {"code": error.code, "message": error.message}})
            note(f"ivr: {error.message}")
            sys.exit(2 if isinstance(error, UsageError) else 1)

    return run  # type: ignore[return-value]


def parse_period(text: str) -> tuple[date, date]:
    """`2026-01-01/2026-12-31` → both days; both are in the period. UsageError if it is anything else."""
    try:
        first, last = (date.fromisoformat(part) for part in text.split("/"))
    except ValueError as error:
        raise UsageError(f"A period looks like 2026-01-01/2026-12-31, not {text!r}.") from error
    if first > last:
        raise UsageError(f"The period {text!r} ends before it begins.")
    return first, last
