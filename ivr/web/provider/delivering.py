"""Delivering the client list: an upload, and an answer row by row, on the screen and as a file.

The upload lies in a private temporary file for as long as it is read; the answer is kept and has an address, so that
reloading the page delivers nothing again.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from ivr.errors import FileRefusedError, RefusedError, UsageError
from ivr.exports.files import cell
from ivr.fieldwork import delivering
from ivr.fieldwork.accounts import wall_clock
from ivr.store import deliveries
from ivr.store.deliveries import Delivery
from ivr.web.pages.access import allow, takes, the_house, user
from ivr.web.provider.door import PERIOD_FAULTS, as_file, blueprint, known_periods, own, read_period, suggested_period

SHOWN = 100
"""Remarks on the screen; the file has every row."""
RUNS_SHOWN = 8
REFUSED = {
    "bsn_column": "In dit bestand staat een kolom met burgerservicenummers. Die mogen wij niet ontvangen. Haal de "
    "kolom weg en lever het bestand opnieuw aan. Er is niets bewaard.",
    "not_a_table": "Dit is geen tabel die wij kunnen lezen. Bewaar de lijst als CSV of Excel-bestand (.xlsx).",
    "empty_file": "Dit bestand is leeg.",
    "missing_column": "De kolom clientnummer ontbreekt. Gebruik de kolomnamen van de voorbeeldlijst.",
    "duplicate_column": "Een kolom staat er twee keer in. Haal er een weg.",
    "too_large": f"Dit bestand is te groot. Een lijst heeft hoogstens {delivering.MAX_LINES} regels.",
    "protected_file": "Dit bestand is beveiligd met een wachtwoord. Haal de beveiliging eraf.",
    "closed": "Het bellen voor deze meetperiode is begonnen; de lijst is gesloten. Neem contact op met het "
    "onderzoeksbureau als er nummers bij moeten.",
    "busy": "Wij lezen net een andere lijst. Probeer het over een minuut opnieuw.",
    "too_often": "U heeft vandaag vaak een lijst aangeleverd. Probeer het over een kwartier opnieuw.",
    "no_file": "Kies eerst een bestand.",
    **PERIOD_FAULTS,
}
_STATUS = {"closed": 409, "busy": 503, "too_often": 429}


@blueprint.get("/lijst")
@allow("provider")
def delivery() -> tuple[str, int]:
    return _page()


@blueprint.post("/lijst")
@allow("provider")
@takes(delivering.MAX_BYTES)
def deliver() -> tuple[str, int] | Answer:
    house, upload = the_house(), request.files.get("bestand")
    if upload is None or not upload.filename:
        return _page("no_file")
    try:
        period = read_period(request.form.get("van", ""), request.form.get("tot", ""))
        with tempfile.TemporaryDirectory(prefix="toets-list-") as directory:
            path = Path(directory) / "list"
            upload.save(path)
            delivery_id = delivering.deliver(
                house.database,
                house.sealer,
                house.catalogue,
                path,
                user(),
                period,
                now=house.clock.now(),
                wall=wall_clock(),
            )
    except (UsageError, FileRefusedError, RefusedError) as error:
        return _page(error.code if error.code in REFUSED else "not_a_table")
    return redirect(url_for("provider.delivery_answer", delivery_id=delivery_id), 303)  # type: ignore[return-value]


@blueprint.get("/lijst/<int:delivery_id>")
@allow("provider")
def delivery_answer(delivery_id: int) -> tuple[str, int]:
    return _page(answer=_answer(delivery_id))


@blueprint.get("/lijst/<int:delivery_id>/regels.csv")
@allow("provider")
def delivery_file(delivery_id: int) -> Response:
    """The rows to mend, for a spreadsheet; what the provider itself wrote in a heading runs as no formula there."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(("regel", "kolom", "wat", "uitleg"))
    answer = _answer(delivery_id)
    for kind, remarks in (("afgewezen", answer.rejected), ("let op", answer.warnings)):
        for row, column, message in remarks:
            writer.writerow([cell(value) for value in (row, column, kind, message)])
    return as_file("\ufeff" + text.getvalue(), f"regels-om-te-verbeteren-{delivery_id}.csv")


@blueprint.get("/lijst/voorbeeld.csv")
@allow("provider")
def example() -> Response:
    """A list with the headings and two invented rows."""
    return as_file("\ufeff" + EXAMPLE, "voorbeeldlijst.csv")


EXAMPLE = (
    "clientnummer;voornaam;achternaam;telefoon;telefoon2;email;straat;huisnummer;postcode;plaats;dienst;leerprofiel;"
    "vragenlijst;einddatum_traject;toestemming;zelfmelder\r\n"
    "1001;Voorbeeld;Een;06 00000000;;een@voorbeeld.example;Dorpsstraat;1;1234 AB;Voorbeeld;11;1;;;ja;nee\r\n"
    "1002;Voorbeeld;Twee;;;twee@voorbeeld.example;Markt;2;1234 AB;Voorbeeld;5;;laagdrempelig;31-03-2025;ja;nee\r\n"
)


@dataclass(frozen=True, slots=True)
class Told:
    """One remark and the rows it is about. A list of the wrong year has one sentence to read, not two thousand."""

    kind: str
    rows: str
    column: str
    message: str


def grouped(answer: Delivery) -> list[Told]:
    """What is wrong with the list, then what to mind; equal remarks together, in the order of their first row."""
    told: list[Told] = []
    for kind, remarks in (("afgewezen", answer.rejected), ("let op", answer.warnings)):
        rows: dict[tuple[str, str], list[int]] = {}
        for row, column, message in remarks:
            rows.setdefault((column, message), []).append(row)
        told += [Told(kind, row_words(sorted(found)), *what) for what, found in rows.items()]
    return told


def row_words(rows: Sequence[int]) -> str:
    """Regel 7; Regels 2–81, 90 en 93; of many runs the first, and how many rows more."""
    runs: list[list[int]] = []
    for row in rows:
        if runs and row == runs[-1][-1] + 1:
            runs[-1][1:] = [row]
        else:
            runs.append([row])
    shown = ["–".join(map(str, run)) if len(run) == 2 else str(run[0]) for run in runs[:RUNS_SHOWN]]
    left = sum(run[-1] - run[0] + 1 for run in runs[RUNS_SHOWN:])
    if left:
        shown.append(f"nog {left}")
    start = "Regel" if len(rows) == 1 else "Regels"
    return f"{start} {', '.join(shown[:-1])} en {shown[-1]}" if len(shown) > 1 else f"{start} {shown[0]}"


def _answer(delivery_id: int) -> Delivery:
    found = delivering.answer(the_house().database, own()[0], delivery_id)
    return found if found is not None else abort(404)


def _page(fault: str | None = None, *, answer: Delivery | None = None) -> tuple[str, int]:
    known = known_periods()
    first, last = answer.period if answer is not None else suggested_period(known, for_list=True)
    with the_house().database.read() as session:
        earlier = deliveries.latest(session, own()[0])
    page = render_template(
        "provider/delivery.html",
        answer=answer,
        problem=REFUSED[fault] if fault else None,
        first=request.form.get("van") or first.isoformat(),
        last=request.form.get("tot") or last.isoformat(),
        shown=SHOWN,
        remarks=grouped(answer) if answer is not None else [],
        closed=[one for one in known if one.is_closed],
        earlier=[one for one in earlier if answer is None or one.id != answer.id],
        most=delivering.MAX_BYTES,
    )
    return page, (_STATUS.get(fault, 422) if fault else 200)
