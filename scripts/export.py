"""`ivr export`: the files for the report pipeline."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from ivr.bootstrap import open_house
from ivr.errors import UsageError
from scripts.output import command, emit, json_option, parse_period, say


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--period", metavar="FROM/TO", help="Only this meetperiode, e.g. 2026-01-01/2026-12-31.")
@click.option("--provider", metavar="NAME", help="Only this provider.")
@click.option(
    "--format", "formats", default="csv", show_default=True, help="csv, parquet, sav, xlsx, json; with commas."
)
@click.option("--since", metavar="MOMENT", help="Machine files: only what was added or changed since (UTC).")
@click.option("--with-contacts", is_flag=True, help="Also regular_route.csv, the only file with names and numbers.")
@json_option
@command
def export(
    directory: Path,
    period: str | None,
    provider: str | None,
    formats: str,
    since: str | None,
    with_contacts: bool,
    as_json: bool,
) -> None:
    """Write all files of an export into DIRECTORY."""
    from ivr.exports.export import Request
    from ivr.exports.export import export as run
    from ivr.store import schema

    request = Request(
        period=parse_period(period) if period else None,
        provider=provider,
        formats=tuple(part.strip().lower() for part in formats.split(",") if part.strip()),
        since=_moment(since) if since else None,
        with_contacts=with_contacts,
    )
    house = open_house()
    schema.upgrade(house.database)
    document = run(house.database, house.catalogue, directory, request, house.sealer if with_contacts else None)
    if as_json:
        emit(document)
        return
    for one in document["files"]:
        say(f"{one['file']:28} {one['rows']:>9} rows")
    say(f"Written into {document['dir']}.")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--since takes a day or a moment such as 2026-03-01T09:00:00Z, not {text!r}.") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
