"""What the tests of the provider pages share: a provider with forty clients, its browser, and the steps it takes."""

from __future__ import annotations

import io
from datetime import date, datetime
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from ivr.store import Database
from ivr.store.tables import attempts, cases, cells, interviews
from ivr.store.tables_providers import daily_figures
from tests.web.page_house import add_cell, house_of, open_app

HEAD = "clientnummer;dienst;vragenlijst;leerprofiel;voornaam;achternaam;telefoon;einddatum_traject;toestemming\n"
GOOD = "1;11;;1;Aya;Berg;06 12345678;;ja\n2;5;laagdrempelig;;Bo;Cox;06 12345679;2025-03-01;\n"


def open_provider(database: Database, var_dir: Path) -> Flask:
    """The app with one provider, Eerste Hulp, whose inburgering cell has forty people."""
    app = open_app(database, var_dir)
    add_cell(house_of(app), "Eerste Hulp", people=40)
    return app


def deliver(client: FlaskClient, text: str, period: tuple[str, str] = ("2025-01-01", "2025-12-31")):
    form = {"van": period[0], "tot": period[1], "bestand": (io.BytesIO(text.encode()), "lijst.csv")}
    return client.post("/aanbieder/lijst", data={"csrf": "csrf-of-test", **form}, follow_redirects=True)


def succeed(database: Database, cell_id: int, case_id: int, at: datetime) -> None:
    """A successful interview and the call it came from."""
    with database.write() as session:
        times = {"planned_at": at, "not_before": at, "not_after": at, "placed_at": at, "ended_at": at}
        call = {"id": f"a{case_id}", "case_id": case_id, "cell_id": cell_id, "number_in_case": 1, "state": "closed"}
        session.execute(attempts.insert().values(**call, **times, outcome="complete"))
        run = {
            "id": f"i{case_id}",
            "case_id": case_id,
            "cell_id": cell_id,
            "questionnaire": "inburgering",
            "version": 1,
        }
        mark = {"usable": True, "usable_at": at, "successful": True, "disposition": "complete"}
        session.execute(interviews.insert().values(**run, mode="telephone", started_at=at, **mark))
        done = {"disposition": "complete", "is_final": True, "dialled": 1, "next_call_at": None}
        session.execute(cases.update().where(cases.c.id == case_id).values(done))
        session.execute(cells.update().where(cells.c.id == cell_id).values(successful=cells.c.successful + 1))


def tomorrow(database: Database) -> None:
    """Let the figures that were written down be those of an earlier day."""
    with database.write() as session:
        session.execute(daily_figures.update().values(day=date(2020, 1, 1)))
