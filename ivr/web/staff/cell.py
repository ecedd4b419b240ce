"""A cell's page: how it goes, when people are reached, where they stop, who is next; and the actions of staff.

Of a person it shows the last two digits of a number, and nothing else that says who it is.
"""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivr.errors import RefusedError, UsageError
from ivr.fieldwork import outlook, steering
from ivr.store import audits, boards, cell_figures, people
from ivr.survey.questionnaire import Questionnaire
from ivr.web.pages.access import STAFF, WORKERS, allow, the_house, user
from ivr.web.staff import figures
from ivr.web.staff.board import callable_bounds, shared_board
from ivr.web.staff.door import blueprint

PEOPLE_SHOWN = 25
LOG_SHOWN = 100
PROBLEMS = {
    "wrong_state": "Dat kan niet meer: iemand anders was u voor. Kijk hoe de cel er nu voor staat.",
    "above_order": "Het doel kan niet hoger zijn dan de bestelling. Laat de dienstverlener bijbestellen.",
    "cell_closed": "De cel is voorgoed gesloten.",
    "would_close": "Er zijn er al meer gelukt. Met dit doel sluit de cel voorgoed. Wilt u dat? Zet het vinkje erbij.",
    "same_target": "Dat is het doel al.",
    "usage": "Vul een reden in, en bij een ander doel een heel getal van 0 of hoger.",
}


@blueprint.get("/cel/<int:cell_id>")
@allow(*STAFF)
def cell(cell_id: int) -> tuple[str, int]:
    return _page(cell_id)


@blueprint.post("/cel/<int:cell_id>/<action>")
@allow(*WORKERS)
def steer(cell_id: int, action: str) -> tuple[str, int] | Response:
    if action not in steering.ACTIONS:
        abort(404)
    house, typed = the_house(), request.form.get("doel", "")
    target = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else None
    try:
        if action == "retarget" and target is not None and not request.form.get("sluit"):
            _refuse_to_close(cell_id, target)
        steering.steer(
            house.database,
            cell_id,
            action,
            who=user().email,
            reason=request.form.get("reden", ""),
            now=house.clock.now(),
            target=target if action == "retarget" else None,
        )
    except (RefusedError, UsageError) as error:
        return _page(
            cell_id, PROBLEMS.get(error.code, PROBLEMS["usage"]), 409 if isinstance(error, RefusedError) else 422
        )
    shared_board().forget()
    return cast(Response, redirect(url_for("staff.cell", cell_id=cell_id), 303))


def _refuse_to_close(cell_id: int, target: int) -> None:
    """RefusedError `would_close` for a target below what is done: a slip of one digit must close no cell."""
    house = the_house()
    with house.database.read() as session:
        row = boards.cell_row(session, cell_id, house.clock.now(), callable_bounds(house, house.clock.now()))
    if target < row.successful:
        raise RefusedError("A target below what is done closes the cell.", code="would_close")


@blueprint.get("/cel/<int:cell_id>/mensen")
@allow(*STAFF)
def cell_people(cell_id: int) -> str:
    """The cell's people, a page at a time: who is next, or (with `stand`) who stands like that."""
    house, now = the_house(), the_house().clock.now()
    with house.database.read() as session:
        row = boards.cell_row(session, cell_id, now, callable_bounds(house, now))
        shown = _people(session, row, request.args.get("stand", ""), page_asked())
    return render_template("staff/people.html", row=row, outcomes=house.catalogue.outcomes, now=now, **shown)


@blueprint.get("/logboek")
@allow(*STAFF)
def log() -> str:
    """Who changed what, newest first."""
    page = page_asked()
    with the_house().database.read() as session:
        lines = audits.audit_lines(session, limit=LOG_SHOWN + 1, offset=(page - 1) * LOG_SHOWN)
    outcomes = the_house().catalogue.outcomes
    has_more = len(lines) > LOG_SHOWN
    return render_template("staff/log.html", lines=lines[:LOG_SHOWN], page=page, has_more=has_more, outcomes=outcomes)


def page_asked() -> int:
    """`pagina` of the URL, 1 when it is no number."""
    typed = request.args.get("pagina", "1")
    return max(1, int(typed)) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 1


def _people(session: people.Session, row: boards.CellRow, standing: str, page: int) -> dict[str, object]:
    sealer = the_house().sealer
    offset = (page - 1) * PEOPLE_SHOWN
    if standing in row.cases:
        found = people.with_disposition(session, row.id, standing, PEOPLE_SHOWN, offset)
        count = row.cases[standing]
    else:
        standing, count = "", row.callable_cases
        found = people.waiting(session, row.id, PEOPLE_SHOWN, offset)
    masked = people.masked(session, sealer, [person.id for person in found])
    return {
        "people": found,
        "masked": masked,
        "standing": standing,
        "people_count": count,
        "people_page": page,
        "people_pages": max(1, -(-count // PEOPLE_SHOWN)),
    }


def _page(cell_id: int, problem: str | None = None, status: int = 200) -> tuple[str, int]:
    house = the_house()
    now = house.clock.now()
    with house.database.read() as session:
        row = boards.cell_row(session, cell_id, now - timedelta(hours=1), callable_bounds(house, now))
        per_case = cell_figures.attempts_per_case(session, cell_id)
        calls = cell_figures.attempt_outcomes(session, cell_id)
        reached = cell_figures.reach(session, figures.contacted(house.catalogue), cell_id=cell_id)
        stopped = cell_figures.last_questions(session, cell_id)
        days = cell_figures.successes_per_day(session, cell_id)
        lines = audits.of_cell(session, cell_id, limit=50)
        shown = _people(session, row, "", 1)
    form = house.catalogue.questionnaires.get("inburgering" if row.track == "inburgering" else "laagdrempelig")
    page = render_template(
        "staff/cell.html",
        seen=outlook.view(row),
        per_case=per_case,
        calls=sorted(calls.items(), key=lambda item: -item[1]),
        outcomes=house.catalogue.outcomes,
        parts_of_day=figures.day_parts(reached, house.catalogue.fieldwork),
        stopped=stopped,
        labels=_labels(form),
        pace=figures.pace(days, row.target),
        lines=lines,
        now=now,
        problem=problem,
        **shown,
    )
    return page, status


def _labels(form: Questionnaire | None) -> dict[str, str]:
    return {question.id: question.label for question in form.questions} if form else {}
