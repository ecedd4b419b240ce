"""Delivering the client list: an upload, and an answer row by row, on the screen and as a file.

The list closes when its fieldwork begins: after that a provider could choose people; more numbers go through staff.
The upload lies in a private temporary file for as long as it is read.
"""

from __future__ import annotations

import base64
import csv
import io
import tempfile
from pathlib import Path

from flask import render_template, request

from ivr.errors import FileRefusedError, UsageError
from ivr.fieldwork.intake import IntakeReport, IntakeRules, import_clients
from ivr.store import samples
from ivr.web.pages.access import allow, the_house
from ivr.web.provider.door import blueprint, last_year, own, read_period

SHOWN = 200
REFUSED = {
    "bsn_column": "In dit bestand staat een kolom met burgerservicenummers. Die mogen wij niet ontvangen. Haal de "
    "kolom weg en lever het bestand opnieuw aan. Er is niets bewaard.",
    "not_a_table": "Dit is geen tabel die wij kunnen lezen. Bewaar de lijst als CSV of Excel-bestand (.xlsx).",
    "empty_file": "Dit bestand is leeg.",
    "missing_column": "De kolom clientnummer ontbreekt. Gebruik de kolomnamen van de voorbeeldlijst.",
    "duplicate_column": "Een kolom staat er twee keer in. Haal er een weg.",
    "too_large": "Dit bestand is te groot.",
    "protected_file": "Dit bestand is beveiligd met een wachtwoord. Haal de beveiliging eraf.",
    "closed": "Het bellen voor deze meetperiode is begonnen; de lijst is gesloten. Neem contact op met het "
    "onderzoeksbureau als er nummers bij moeten.",
    "no_file": "Kies eerst een bestand.",
    "period": "Vul de eerste en de laatste dag van de meetperiode in.",
}


@blueprint.get("/lijst")
@allow("provider")
def delivery() -> tuple[str, int]:
    return _page()


@blueprint.post("/lijst")
@allow("provider")
def deliver() -> tuple[str, int]:
    house, (_, name), upload = the_house(), own(), request.files.get("bestand")
    if upload is None or not upload.filename:
        return _page(problem=REFUSED["no_file"], status=422)
    try:
        period = read_period(request.form.get("van", ""), request.form.get("tot", ""))
    except UsageError:
        return _page(problem=REFUSED["period"], status=422)
    with house.database.read() as session:
        sample = samples.find_sample(session, name, period)
        if sample is not None and samples.was_called(session, sample.id):
            return _page(problem=REFUSED["closed"], status=409)
    rules = house.catalogue.fieldwork
    with tempfile.TemporaryDirectory(prefix="toets-list-") as directory:
        path = Path(directory) / "list"
        upload.save(path)
        try:
            report = import_clients(
                house.database,
                house.sealer,
                path,
                name,
                period,
                house.catalogue.services,
                IntakeRules(rules.inburgering_target, rules.replicate_size, rules.announcement_min_days),
                house.clock.now(),
            )
        except FileRefusedError as error:
            return _page(problem=REFUSED.get(error.code, REFUSED["not_a_table"]), status=422)
    return _page(report=report)


def _page(*, report: IntakeReport | None = None, problem: str | None = None, status: int = 200) -> tuple[str, int]:
    suggested = last_year()
    page = render_template(
        "provider/delivery.html",
        report=report,
        problem=problem,
        first=request.form.get("van") or suggested[0].isoformat(),
        last=request.form.get("tot") or suggested[1].isoformat(),
        shown=SHOWN,
        as_file=_as_file(report) if report else None,
    )
    return page, status


def _as_file(report: IntakeReport) -> str:
    """The rows to mend as a CSV for spreadsheets, in a data: address: nothing has to be kept for the download."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(("regel", "kolom", "wat", "uitleg"))
    for kind, remarks in (("afgewezen", report.rejected), ("let op", report.warnings)):
        for remark in remarks:
            writer.writerow((remark.row, remark.column, kind, remark.message))
    return "data:text/csv;base64," + base64.b64encode(("\ufeff" + text.getvalue()).encode()).decode()
