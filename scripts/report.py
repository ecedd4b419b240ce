"""`ivr report`: one provider's report as a page one can look at and print."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ivr.bootstrap import open_house
from scripts.output import command, emit, json_option, parse_period, say


@click.command()
@click.option("--provider", required=True, metavar="NAME", help="Whose report.")
@click.option("--period", metavar="FROM/TO", help="Which meetperiode; the latest without it.")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The HTML file to write.")
@json_option
@command
def report(provider: str, period: str | None, out: Path, as_json: bool) -> None:
    """Write the report of a provider as one HTML file, with the figures of that moment."""
    from ivr.exports.report_page import render
    from ivr.store import schema

    days = parse_period(period) if period else None
    house = open_house()
    schema.upgrade(house.database)
    text = render(house.database, house.catalogue, provider, days)
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(f".{out.name}.aside")
    aside.write_text(text, encoding="utf-8", newline="")
    os.replace(aside, out)
    emit({"file": str(out), "bytes": len(text.encode())}) if as_json else say(f"Written: {out}")
