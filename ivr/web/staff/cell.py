"""A cell's page: how it goes, when people are reached, where they stop, who is next; and the actions of staff.

Of a person it shows the last two digits of a number, and nothing else that says who it is.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivr.errors import NotFoundError, RefusedError, UsageError
from ivr.fieldwork import outlook, steering
from ivr.store import boards, samples
from ivr.web.pages.access import STAFF, WORKERS, allow, the_house, user
from ivr.web.pages.words import AMSTERDAM
from ivr.web.staff.board import callable_bounds, shared_board
from ivr.web.staff.door import blueprint

WAITING_SHOWN = 50
PROBLEMS = {
    "wrong_state": "Dat kan niet meer: iemand anders was u voor. Kijk hoe de cel er nu voor staat.",
    "above_order": "Het doel kan niet hoger zijn dan de bestelling. Laat de dienstverlener bijbestellen.",
    "cell_closed": "De cel is voorgoed gesloten.",
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
    return redirect(url_for("staff.cell", cell_id=cell_id), 303)  # type: ignore[return-value]


@blueprint.get("/logboek")
@allow(*STAFF)
def log() -> str:
    """Who changed what, newest first."""
    with the_house().database.read() as session:
        lines = boards.audit_lines(session, limit=200)
    return render_template("staff/log.html", lines=lines)


def _page(cell_id: int, problem: str | None = None, status: int = 200) -> tuple[str, int]:
    house = the_house()
    now = house.clock.now()
    with house.database.read() as session:
        row = boards.cell_row(session, cell_id, now - timedelta(hours=1), callable_bounds(house, now))
        per_case = boards.attempts_per_case(session, cell_id)
        calls = boards.attempt_outcomes(session, cell_id)
        reached = boards.reach(session, cell_id)
        stopped = boards.last_questions(session, cell_id)
        waiting = boards.waiting_cases(session, cell_id, WAITING_SHOWN)
        masked = {person.id: _masked(house, session, person.id) for person in waiting}
        days = boards.successes_per_day(session, cell_id)
        lines = boards.audit_lines(session, subject=f"cell {cell_id}", limit=50)
    page = render_template(
        "staff/cell.html",
        seen=outlook.view(row),
        per_case=per_case,
        calls=sorted(calls.items(), key=lambda item: -item[1]),
        outcomes=house.catalogue.outcomes,
        parts_of_day=_day_parts(reached),
        stopped=stopped,
        waiting=waiting,
        masked=masked,
        pace=_pace(days),
        lines=lines,
        now=now,
        problem=problem,
    )
    return page, status


def _masked(house, session: boards.Session, case_id: int) -> str:
    """•• and the last two digits of the first number; – when it was erased."""
    try:
        phones = samples.contact(session, house.sealer, case_id).phones
    except NotFoundError:
        return "–"
    return f"•• {phones[0][-2:]}" if phones else "–"


def _day_parts(reached: list[boards.Reach]) -> list[tuple[str, int, int]]:
    """(part of the day, calls, answered) in Amsterdam; a Saturday is one part."""
    placed: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for hour in reached:
        local = datetime.strptime(hour.hour, "%Y-%m-%d %H").replace(tzinfo=UTC).astimezone(AMSTERDAM)
        part = "zaterdag" if local.weekday() == 5 else _part(local.hour)
        placed[part] += hour.placed
        answered[part] += hour.answered
    return [(part, placed[part], answered[part]) for part in ("ochtend", "middag", "avond", "zaterdag") if placed[part]]


def _part(hour: int) -> str:
    return "ochtend" if hour < 12 else "middag" if hour < 18 else "avond"


def _pace(days: list[datetime]) -> list[tuple[datetime, int, int]]:
    """(day, successes of that day, sum so far), the last three weeks that had any."""
    by_day: dict[object, list[datetime]] = {}
    for moment in days:
        by_day.setdefault(moment.astimezone(AMSTERDAM).date(), []).append(moment)
    total, pace = 0, []
    for moments in by_day.values():
        total += len(moments)
        pace.append((moments[0], len(moments), total))
    return pace[-21:]
