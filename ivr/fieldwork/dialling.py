"""Places one call. The intent is committed before the carrier is asked; the call is asked for once.

Decides, right before the request, whether it may still be made (window, opt-out, answered meanwhile, cell closed),
and what the carrier's answer means: taken; certainly no call (slot and person are free again, no attempt is spent);
perhaps a call (left as it is, `reconciling.py` looks it up, nobody repeats it). What a call came to is `closing.py`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from ivr.clock import Clock
from ivr.errors import (
    CarrierBusyError,
    CarrierError,
    CarrierUnknownError,
    CarrierUnreachableError,
)
from ivr.fieldwork import closing, working
from ivr.fieldwork.working import Rulebook
from ivr.logs import get_logger
from ivr.store import Database, Session, attempts, cases, events, lines, prospects, quotas, samples
from ivr.store.attempts import Attempt
from ivr.store.prospects import Prospect
from ivr.store.sealing import Sealer
from ivr.survey.callplan import OpenHours
from ivr.survey.disposition import NUMBER_ERRORS, CallReport
from ivr.telephony.carrier import CallRequest, Carrier

log = get_logger(__name__)

Result = Literal["placed", "void", "unknown", "refused", "not_ours"]
"""placed: the carrier took it. void: certainly no call. unknown: perhaps. refused: the number itself is impossible.
not_ours: somebody else dialled it, or it is over."""

ACCOUNT_ERRORS = frozenset({20003, 20404, 21210, 21212, 21213, 21215, 21219, 21223, 21606, 10001, 10002})
"""The carrier's words for a fault of the account or its settings: the line is down until somebody mends it."""

REFUSED_PAUSE = timedelta(minutes=30)
"""Before a call that the carrier refused for any other reason is tried again."""

SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=5)


class CallUrls(Protocol):
    """Where the carrier finds the call (`telephony.webhooks.Urls`)."""

    @property
    def voice(self) -> str: ...

    @property
    def fallback(self) -> str: ...

    @property
    def status(self) -> str: ...

    @property
    def machine(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Trunk:
    """How calls are placed. account names the line; urls gives the URLs of an attempt's call.

    pause_seconds: between two calls of the account, whoever places them (0: whenever their moment has come).
    """

    account: str
    from_: str
    urls: Callable[[str], CallUrls]
    ring_seconds: int
    limit_seconds: int
    machine_detection: bool = False
    pause_seconds: float = 0.0


def dial(
    database: Database,
    rulebook: Rulebook,
    calendar: OpenHours,
    carrier: Carrier,
    sealer: Sealer,
    clock: Clock,
    trunk: Trunk,
    attempt_id: str,
) -> Result:
    """Place the call of this attempt, if it is still reserved. Run twice, the second does nothing."""
    request = _now_or_later(database, calendar, sealer, clock, trunk, attempt_id)
    if not isinstance(request, CallRequest):
        return request
    try:
        report = carrier.place(request)
    except CarrierError as error:
        return _refused(database, rulebook, calendar, trunk, attempt_id, error, clock.now())
    except CarrierUnreachableError:
        _void(database, trunk, attempt_id, "unreachable", clock.now(), line="down")
        return "void"
    except CarrierUnknownError:
        with database.write() as session:
            events.add(session, "unanswered", clock.now(), attempt_id=attempt_id)
            _back_off(session, trunk.account, clock.now(), is_down=False)
        return "unknown"
    _placed(database, trunk, attempt_id, report, clock.now())
    return "placed"


def _now_or_later(
    database: Database, calendar: OpenHours, sealer: Sealer, clock: Clock, trunk: Trunk, attempt_id: str
) -> CallRequest | Result:
    """Commit the intent to call, once the moment of the attempt has come."""
    while True:
        now = clock.now()
        with database.write() as session:
            person = prospects.get(session, trunk.account, attempt_id)
            if person.state != "reserved":
                return "not_ours"
            said = _intend(session, calendar, sealer, trunk, person, now) if now >= person.not_before else None
        if said is not None and not isinstance(said, datetime):
            return said
        # Waiting is no work: a leaping clock may move on meanwhile.
        clock.keep(attempt_id)
        clock.sleep_until(said or person.not_before)


def _intend(
    session: Session, calendar: OpenHours, sealer: Sealer, trunk: Trunk, person: Prospect, now: datetime
) -> CallRequest | Result | datetime:
    """Commit that this call is going to be asked for, or that it is not; or the moment at which to ask again."""
    if now > person.not_after or not calendar.is_open(now):
        return _free(session, person, "outside_window", now)
    if person.is_final or person.consent == "nee":
        return _free(session, person, "case_ended", now)
    for reason, is_so in (("opted_out", person.is_opted_out), ("answered_elsewhere", person.has_answered)):
        if is_so:
            _free(session, person, reason, now)
            working.finish(session, cases.get(session, person.case_id), reason, now, by="dialling")
            return "void"
    if person.cell_state not in {None, "open"}:
        return _free(session, person, "cell_not_open", now)
    if person.is_beyond_target:
        # The target was lowered after this slot was taken: a call that has not begun is not needed any more.
        return _free(session, person, "target_lowered", now)
    if person.line_not_before is not None and now < person.line_not_before:
        return _free(session, person, "line_backs_off", now)
    phones = () if person.sealed is None else samples.opened(sealer, person.sealed).phones
    if person.phone_rank >= len(phones):
        log.warning("no_number", attempt_id=person.id, case_id=person.case_id)
        cases.write(session, person.case_id, next_call_at=None)
        return _free(session, person, "no_number", now)
    # Planning keeps the pace, but jobs that had to wait (Redis away, a worker stopped) come out all at once.
    if trunk.pause_seconds and (turn := lines.take_turn(session, trunk.account, now, trunk.pause_seconds)) is not None:
        return turn
    attempt_id = person.id
    attempts.move(session, attempt_id, ["reserved"], "dialing", dialing_at=now, checked_at=now)
    events.add(session, "dialing", now, attempt_id=attempt_id)
    urls = trunk.urls(attempt_id)
    return CallRequest(
        attempt_id=attempt_id,
        to=phones[person.phone_rank],
        from_=trunk.from_,
        voice_url=urls.voice,
        fallback_url=urls.fallback,
        status_url=urls.status,
        machine_url=urls.machine if trunk.machine_detection else None,
        ring_seconds=trunk.ring_seconds,
        limit_seconds=trunk.limit_seconds,
    )


def _free(session: Session, attempt: Attempt | Prospect, reason: str, now: datetime) -> Result:
    """There certainly was no call: slot and person are free, no attempt is spent."""
    if attempts.move(session, attempt.id, ["reserved", "dialing"], "void", ended_at=now):
        events.add(session, "void", now, attempt_id=attempt.id, reason=reason)
        cases.write(session, attempt.case_id, is_busy=False)
        quotas.release(session, attempt.id)
        working.settle_cell(session, attempt.cell_id, now)
    return "void"


def void(database: Database, attempt_id: str, reason: str, now: datetime) -> None:
    """Give up an attempt that was certainly never placed."""
    with database.write() as session:
        attempt = attempts.get(session, attempt_id, lock=True)
        if attempt.state == "reserved":
            _free(session, attempt, reason, now)


def _void(
    database: Database,
    trunk: Trunk,
    attempt_id: str,
    reason: str,
    now: datetime,
    *,
    line: Literal["busy", "down", "up"],
) -> None:
    with database.write() as session:
        attempt = attempts.get(session, attempt_id, lock=True)
        _free(session, attempt, reason, now)
        if line == "up":
            lines.recover(session, trunk.account, now)
        else:
            _back_off(session, trunk.account, now, is_down=line == "down")


def _refused(
    database: Database,
    rulebook: Rulebook,
    calendar: OpenHours,
    trunk: Trunk,
    attempt_id: str,
    error: CarrierError,
    now: datetime,
) -> Result:
    log.warning("carrier_refused", attempt_id=attempt_id, status=error.status, carrier_code=error.carrier_code)
    if isinstance(error, CarrierBusyError):
        _void(database, trunk, attempt_id, "carrier_busy", now, line="busy")
        return "void"
    if error.status in {401, 403} or error.carrier_code in ACCOUNT_ERRORS:
        _void(database, trunk, attempt_id, f"account_error_{error.carrier_code or error.status}", now, line="down")
        return "void"
    with database.write() as session:
        attempt = attempts.get(session, attempt_id, lock=True)
        lines.recover(session, trunk.account, now)
        if error.carrier_code in NUMBER_ERRORS:
            events.add(session, "refused", now, attempt_id=attempt_id, carrier_code=error.carrier_code)
            closing.close_unplaced(session, rulebook, calendar, attempt, "not_in_service", now, state="closed")
            return "refused"
        cases.write(session, attempt.case_id, next_call_at=calendar.next_open(now + REFUSED_PAUSE))
        _free(session, attempt, f"carrier_error_{error.carrier_code or error.status}", now)
    return "void"


def _placed(database: Database, trunk: Trunk, attempt_id: str, report: CallReport, now: datetime) -> None:
    with database.write() as session:
        # The first webhook, even the whole call, may have been faster than this answer: then there is nothing to do.
        adoption = attempts.adopt(session, attempt_id, report.call_sid, now)
        stands = "placed" if adoption == "go" else attempts.get(session, attempt_id).state
        events.add(
            session, "placed", now, attempt_id=attempt_id, call_sid=report.call_sid, adoption=adoption, state=stands
        )
        lines.recover(session, trunk.account, now)


def _back_off(session: Session, account: str, now: datetime, *, is_down: bool) -> None:
    """No call for a while: twice as long each time, with jitter, so that workers do not return all at once."""
    failures = lines.get(session, account, now).failures
    pause = min(SHORTEST_PAUSE * 2 ** min(failures, 10), LONGEST_PAUSE)
    pause *= random.uniform(0.75, 1.25)  # noqa: S311 - jitter, nothing secret
    if lines.fail(session, account, now, not_before=now + pause, is_down=is_down) == 1 or is_down:
        log.warning("line_backs_off", account=account[:2], is_down=is_down, seconds=round(pause.total_seconds(), 1))
