"""Stage: somebody of the staff tries a call on the softphone, in the very way a respondent is called.

Decides which orders can be tried (those that are voiced, and for each questionnaire a try-out order that is voiced
for the purpose), that a test call needs no window, no slot and no person, and what of it is shown beside the
telephone. The call itself goes through the same carrier and the same door as any other; that it stays out of cells,
counts and exports is the store's doing (`store/trials.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from ivr import passes
from ivr.catalogue import Catalogue
from ivr.errors import (
    CarrierError,
    CarrierUnknownError,
    CarrierUnreachableError,
    RefusedError,
)
from ivr.fieldwork import voicing
from ivr.fieldwork.dialling import Trunk
from ivr.fieldwork.replies import questionnaire_of_attempt
from ivr.logs import get_logger
from ivr.speech.synthesis import Engine
from ivr.store import Database, Session, attempts, events, prompts, trials
from ivr.store.sealing import Sealer
from ivr.store.trials import TrialOrder
from ivr.survey import interview as engine
from ivr.survey.questionnaire import Questionnaire
from ivr.telephony.carrier import CallRequest, Carrier

log = get_logger(__name__)

Way = Literal["called", "known", "unknown"]
"""called: we ring the softphone. known: it rings us from a number we expect. unknown: from a number nobody has."""

WAYS: tuple[Way, ...] = ("called", "known", "unknown")
TRACKS = {"inburgering": "inburgering", "laagdrempelig": "purchased"}
"""Questionnaire → track of its try-out order."""

_KEPT = timedelta(days=30)
_INBURGERING, _ELSEWHERE = 11, 5


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be tried. order_id None: a try-out that nobody has asked for yet."""

    order_id: int | None
    questionnaire: str
    title: str
    provider: str
    is_tryout: bool
    is_ready: bool


def choices(database: Database, catalogue: Catalogue) -> list[Choice]:
    """The try-outs first, one for each questionnaire, then the voiced orders by provider."""
    with database.read() as session:
        orders = trials.list_orders(session)
        versions = prompts.all_voiced_versions(session)
    found: list[Choice] = []
    for id, track in TRACKS.items():
        form = catalogue.questionnaires[id]
        own = next((order for order in orders if order.is_tryout and order.track == track), None)
        ready = own is not None and own.voiced_at is not None and (own.order_id, id, form.version) in versions
        found.append(Choice(own.order_id if own else None, id, form.title, trials.PROVIDER, True, ready))
    for order in orders:
        if not order.is_tryout and order.voiced_at is not None:
            id = _questionnaire_of(order)
            found.append(
                Choice(order.order_id, id, catalogue.questionnaires[id].title, order.provider, False, is_ready=True)
            )
    return found


def prepare(database: Database, catalogue: Catalogue, questionnaire: str, now: datetime) -> int:
    """Ask for the try-out of a questionnaire; its order. The clock has it voiced, as it has any order that is not.

    A questionnaire that got a new version since is voiced anew. RefusedError for an unknown one.
    """
    if questionnaire not in TRACKS or questionnaire not in catalogue.questionnaires:
        raise RefusedError(f"There is no questionnaire {questionnaire!r} to try.", code="unknown")
    track = TRACKS[questionnaire]
    service = _INBURGERING if track == "inburgering" else _ELSEWHERE
    with database.write() as session:
        order_id = trials.ensure_tryout(session, track, [service], now)
        version = catalogue.questionnaires[questionnaire].version
        if (order_id, questionnaire, version) not in prompts.all_voiced_versions(session, order_id):
            prompts.mark_voiced(session, order_id, None)
    return order_id


def voicing_progress(
    database: Database,
    catalogue: Catalogue,
    speech: Engine,
    wording: voicing.Wording,
    order_id: int,
    now: datetime,
) -> tuple[int, int]:
    """(done, all) prompts of an order that is being voiced."""
    planned = voicing.voice_order(database, catalogue, speech, wording, order_id, now, dry_run=True)
    return planned.kept, planned.prompts


def call(
    database: Database,
    carrier: Carrier,
    sealer: Sealer,
    trunk: Trunk,
    order_id: int,
    number: str,
    now: datetime,
) -> str:
    """Ring the softphone at `number` for this order; the attempt's id. The carrier is asked once.

    RefusedError: no softphone's number, an order without voice, or a carrier that took no call (`carrier`).
    """
    _only_softphones(number)
    return ring(database, carrier, sealer, trunk, order_id, number, now)


def ring(
    database: Database,
    carrier: Carrier,
    sealer: Sealer,
    trunk: Trunk,
    order_id: int,
    number: str,
    now: datetime,
) -> str:
    """Ring any number as a test call; whose it may be was decided before (`own_phone.py`). Otherwise as `call`."""
    attempt_id = _begin(database, sealer, order_id, number, "outbound", now)
    urls = trunk.urls(attempt_id)
    request = CallRequest(
        attempt_id=attempt_id,
        to=number,
        from_=trunk.from_,
        voice_url=urls.voice,
        fallback_url=urls.fallback,
        status_url=urls.status,
        machine_url=None,
        ring_seconds=trunk.ring_seconds,
        limit_seconds=trunk.limit_seconds,
    )
    try:
        report = carrier.place(request)
    except (CarrierError, CarrierUnreachableError) as error:
        with database.write() as session:
            attempts.move(session, attempt_id, ["dialing"], "void", ended_at=now)
            trials.forget_number(session, attempt_id)
            events.add(session, "void", now, attempt_id=attempt_id, reason="test call refused")
        raise RefusedError("The carrier took no call. Is the local carrier running?", code="carrier") from error
    except CarrierUnknownError as error:
        # Perhaps a call: the reconciler looks it up, as it does for every attempt.
        raise RefusedError("The carrier did not answer. Wait a minute and try again.", code="carrier") from error
    with database.write() as session:
        attempts.adopt(session, attempt_id, report.call_sid, now)
        events.add(session, "placed", now, attempt_id=attempt_id, call_sid=report.call_sid, is_test=True)
    return attempt_id


def expect(database: Database, sealer: Sealer, order_id: int, number: str, now: datetime) -> str:
    """Let the next call from the softphone at `number` be a test call for this order; the attempt's id."""
    _only_softphones(number)
    return _begin(database, sealer, order_id, number, "inbound", now)


def standing(database: Database, catalogue: Catalogue, call_sid: str) -> dict[str, Any] | None:
    """What is known of a test call, for whoever holds the telephone. None when no test attempt has this call.

    attempt, state, outcome, turn; title, question (text of the one that is open); usable; answers: what was recorded,
    each with question, label, answer and code; quota: provider, successful, in_flight, target, holds_slot, or None.
    """
    with database.read() as session:
        row = trials.of_call(session, call_sid)
        if row is None:
            return None
        form = questionnaire_of_attempt(session, catalogue, row["id"])
        quota = _quota(session, row)
    stands: dict[str, Any] = {
        "attempt": row["id"],
        "state": row["state"],
        "outcome": row["outcome"],
        "turn": row["turn"],
        "title": form.title if form else "",
        "question": None,
        "usable": False,
        "answers": [],
        "quota": quota,
    }
    if form is None or row["dialogue"] is None:
        return stands
    state = engine.load(dict(row["dialogue"]))
    is_asking = row["state"] != "closed" and not state.is_over and state.has_begun
    open_question = state.question if is_asking else None
    return stands | {
        "outcome": row["outcome"] or state.outcome,
        "question": form.question(open_question).text if open_question else None,
        "usable": state.usable,
        "answers": [_answer(form, id, value) for id, value in state.answers.items()],
    }


def _only_softphones(number: str) -> None:
    if not passes.is_softphone(number):
        raise RefusedError("Only the softphone's own numbers are called for a test.", code="number")


def _begin(database: Database, sealer: Sealer, order_id: int, number: str, direction: str, now: datetime) -> str:
    with database.write() as session:
        trials.forget(session, now - _KEPT)
        order = trials.get_order(session, order_id)
        if order.voiced_at is None:
            raise RefusedError(f"Order {order_id} is not voiced yet.", code="not_voiced")
        attempt_id = trials.begin(session, sealer, order, _service(order), number, direction, now)
        events.add(session, "test_call", now, attempt_id=attempt_id, direction=direction, order_id=order_id)
    log.info("test_call", attempt_id=attempt_id, direction=direction)
    return attempt_id


def _questionnaire_of(order: TrialOrder) -> str:
    return "inburgering" if order.track == "inburgering" else "laagdrempelig"


def _service(order: TrialOrder) -> int:
    if order.track == "inburgering":
        return _INBURGERING
    return next((service for service in order.services or () if service != _INBURGERING), _ELSEWHERE)


def _quota(session: Session, row: Mapping[str, Any]) -> dict[str, Any] | None:
    if row["cell_id"] is None:
        return None
    order = trials.order_of_cell(session, row["cell_id"])
    return {
        "provider": order.provider,
        "successful": order.successful,
        "in_flight": order.in_flight,
        "target": order.target,
        "holds_slot": bool(row["holds_slot"]),
    }


def _answer(form: Questionnaire, id: str, value: str) -> dict[str, str]:
    question = form.question(id)
    spoken = next((option.text for option in question.options if option.code == value), value.replace("_", " "))
    return {"question": id, "label": question.label, "answer": spoken.rstrip("."), "code": value}
