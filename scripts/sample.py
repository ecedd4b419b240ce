"""`ivr sample …`: client lists in, announcements, a random draw, outcomes of the mailing tool."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from ivr.errors import UsageError
from scripts.output import command, emit, json_option, note, parse_period, say
from scripts.ready import intake_rules, ready_house

LONG = 500
"""From so many rows on, progress is shown."""

file_argument = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
provider_option = click.option("--provider", required=True, metavar="NAME", help="The provider, as it is known.")
period_option = click.option("--period", required=True, metavar="FROM/TO", help="E.g. 2026-01-01/2026-12-31.")


@click.group()
def sample() -> None:
    """Take in client lists; announce; draw."""


@sample.command("import")
@file_argument
@provider_option
@period_option
@click.option("--group", type=click.Choice(["client", "commissioner"]), default="client", show_default=True)
@json_option
@command
def import_(file: Path, provider: str, period: str, group: str, as_json: bool) -> None:
    """Take in FILE, the list of a provider (CSV or XLSX). Rejected rows are told, and are no failure."""
    from ivr.fieldwork.commissioners import import_commissioners
    from ivr.fieldwork.intake import import_clients

    days = parse_period(period)
    if not provider.strip():
        raise UsageError("Name the provider.")
    house = ready_house()
    if group == "commissioner":
        report = import_commissioners(
            house.database, house.sealer, file, provider, days, house.clock.now(), _show_progress
        )
    else:
        report = import_clients(
            house.database,
            house.sealer,
            file,
            provider,
            days,
            house.catalogue.services,
            intake_rules(house),
            house.clock.now(),
            _show_progress,
        )
    document = report.to_mapping()
    if as_json:
        emit(document)
        return
    say(f"{report.provider} {document['period']}: {report.rows} rows, {report.accepted} accepted")
    say(f"  {report.updated} updated, {report.unchanged} unchanged, {len(report.rejected)} rejected")
    say(f"  by telephone {report.routes['telephone']}, regular {report.routes['regular']}")
    _list_remarks(document)


@sample.command()
@file_argument
@provider_option
@period_option
@click.option("--on", "day", metavar="DATE", help="The day of the letter or SMS, for rows that give none.")
@json_option
@command
def announced(file: Path, provider: str, period: str, day: str | None, as_json: bool) -> None:
    """Take in FILE with the days of the letters: clientnummer;aangekondigd_op."""
    from ivr.fieldwork.sampling import announce_clients

    default = _day(day) if day else None
    days = parse_period(period)
    house = ready_house()
    report = announce_clients(house.database, file, provider, days, default, intake_rules(house), house.clock.now())
    _tell({"provider": provider, "period": period, **report.to_mapping()}, as_json)


@sample.command()
@provider_option
@period_option
@click.option("--size", required=True, type=int, help="How many clients to draw.")
@click.option("--seed", required=True, type=int, help="The same seed draws the same clients.")
@json_option
@command
def draw(provider: str, period: str, size: int, seed: int, as_json: bool) -> None:
    """Draw clients at random when far too many were delivered; the rest is left out (not_sampled)."""
    from ivr.fieldwork.sampling import draw_sample

    days = parse_period(period)
    house = ready_house()
    document = draw_sample(house.database, provider, days, size, seed, intake_rules(house), house.clock.now())
    if as_json:
        emit(document)
    else:
        say(f"{document['drawn']} of {document['delivered']} drawn, {document['not_sampled']} left out (not_sampled)")


@sample.command()
@file_argument
@json_option
@command
def outcomes(file: Path, as_json: bool) -> None:
    """Take in FILE of the mailing tool: provider;period_from;respondent;outcome."""
    from ivr.fieldwork.sampling import import_outcomes

    _tell(import_outcomes(ready_house().database, file).to_mapping(), as_json)


def _tell(document: dict[str, Any], as_json: bool) -> None:
    if as_json:
        emit(document)
        return
    say(
        f"{document['rows']} rows: {document['updated']} set, {document['unchanged']} unchanged, "
        f"{len(document['rejected'])} rejected"
    )
    _list_remarks(document)


def _list_remarks(document: dict[str, Any]) -> None:
    for heading, key in (("Rejected", "rejected"), ("Warnings", "warnings")):
        if document[key]:
            say(f"{heading}:")
        for remark in document[key]:
            say(f"  row {remark['row']}, {remark['column'] or '-'}: {remark['code']}. {remark['message']}")


def _show_progress(done: int, of: int) -> None:
    if of >= LONG and (done % LONG == 0 or done == of):
        note(f"{done} of {of} rows")


def _day(text: str) -> date:
    from ivr.survey.cells import as_date

    day = as_date(text)
    if day is None:
        raise UsageError(f"A day looks like 2026-03-31, not {text!r}.")
    return day
