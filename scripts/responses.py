"""`ivr responses`: answers that were given elsewhere, into the store that the phone writes."""

from __future__ import annotations

from pathlib import Path

import click

from ivr.bootstrap import open_house
from scripts.output import command, emit, json_option, note, say


@click.group()
def responses() -> None:
    """Take in answers from other modes."""


@responses.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@command
def import_file(file: Path, as_json: bool) -> None:
    """Take in FILE: answers by web, e-mail, post, or a human interviewer."""
    from ivr.fieldwork.answers import import_responses
    from ivr.store import schema
    from ivr.survey.forms import forms_of

    house = open_house()
    schema.upgrade(house.database)
    catalogue = house.catalogue
    report = import_responses(
        house.database, file, forms_of(catalogue.questionnaires), catalogue.services, house.clock.now()
    )
    if as_json:
        emit(report.to_mapping())
        return
    for remark in [*report.rejected, *report.warnings]:
        note(f"row {remark.row}, {remark.column}: {remark.code}: {remark.message}")
    say(
        f"{report.rows} rows: {report.accepted} stand ({report.updated} changed, {report.unchanged} unchanged), "
        f"{len(report.rejected)} rejected."
    )
