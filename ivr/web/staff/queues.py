"""The queues, for administrators: what waits, what failed, who works, and when the clock last did each of its jobs.

Shows ids and classes of errors only. Failed jobs can be forgotten; those of the upkeep queue can be run again. A dial
job never can: what became of its call, the reconciler asks of the carrier.
"""

from __future__ import annotations

from datetime import timedelta

from flask import redirect, render_template, url_for
from redis.exceptions import RedisError
from werkzeug.wrappers import Response

from ivr.fieldwork.accounts import wall_clock
from ivr.logs import get_logger
from ivr.store import events, leases
from ivr.web.pages.access import allow, the_house, user
from ivr.web.staff.door import blueprint

log = get_logger(__name__)

SILENT_AFTER = timedelta(seconds=90)
"""A worker or a clock's tick that was not heard of for so long needs somebody."""
NAMES = {"dialling": "Bellen", "upkeep": "Onderhoud"}
WORK = {"dial": "oproep", "voice": "spraak maken", "mail": "post"}
TICKS = {
    "plan": "oproepen plannen",
    "sweep": "verlopen afspraken opruimen",
    "reconcile": "navragen bij de telefoonprovider",
    "machines": "antwoordapparaten ophangen",
    "mail": "kijken of er post weg moet",
    "erase": "contactgegevens wissen",
}


@blueprint.get("/wachtrijen")
@allow("admin")
def queues() -> str:
    from ivr import backlog  # RQ comes with it: not at the start of every process

    house = the_house()
    now, seen = wall_clock(), None
    try:
        with backlog.open_redis(house.settings.redis) as connection:
            seen = backlog.look(connection)
    except (RedisError, OSError) as error:
        log.warning("redis_down", error=type(error).__name__)
    with house.database.read() as session:
        clock = leases.holder_of(session, "clock", now)
    return render_template(
        "staff/queues.html",
        seen=seen,
        now=now,
        clock=clock,
        silent_before=now - SILENT_AFTER,
        names=NAMES,
        work=WORK,
        ticks=TICKS,
    )


@blueprint.post("/wachtrijen/<name>/opnieuw")
@allow("admin")
def run_failed_again(name: str) -> Response:
    from ivr import backlog

    with backlog.open_redis(the_house().settings.redis) as connection:
        count = backlog.run_again(connection, name)
    return _noted("queue_run_again", name, count)


@blueprint.post("/wachtrijen/<name>/vergeten")
@allow("admin")
def forget_failed(name: str) -> Response:
    from ivr import backlog

    with backlog.open_redis(the_house().settings.redis) as connection:
        count = backlog.forget_failed(connection, name)
    return _noted("queue_forgotten", name, count)


def _noted(what: str, name: str, count: int) -> Response:
    house = the_house()
    with house.database.write() as session:
        events.write_audit(session, house.clock.now(), who=user().email, what=what, subject=f"queue {name}", jobs=count)
    return redirect(url_for("staff.queues"), 303)  # type: ignore[return-value]
