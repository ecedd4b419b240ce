"""The carrier's door: a webhook in, the next turn as TwiML out.

A view checks the signature, calls one stage, answers. Decides nothing about the survey; decides which recordings
say a turn and what is heard when audio is missing or something broke. Prompts and questionnaires lie in memory:
both are immutable. Paths hold letters, digits, `-`, `_` and `/` only, because the signature is computed over a path
that the server hands over decoded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Blueprint, Response

from ivr import logs
from ivr.bootstrap import House
from ivr.errors import NotFoundError, UsageError
from ivr.fieldwork import interviewing, phoning_in
from ivr.fieldwork.interviewing import Desk, Reply
from ivr.fieldwork.quick import AGAIN_WITHIN_SECONDS
from ivr.store import prompts, questionnaires
from ivr.survey.turn import Prompt, Signal, Silence
from ivr.telephony import twiml
from ivr.telephony.webhooks import SignatureCheck, first, report_of, signal_of
from ivr.web.guards import signed_form
from ivr.web.problems import Alarms, plain
from ivr.web.shelf import APOLOGY, Shelf

log = logs.get_logger(__name__)

APOLOGY_TEXT = "Sorry. Er gaat bij ons iets mis. Wij proberen het later nog een keer. Dag."
INBOUND = "inbound"
"""In the place of an attempt's id: the webhooks that are configured at the number itself."""
LOCK_SECONDS = 5.0
"""So long a webhook waits for SQLite's lock: whoever holds it, an apology must come before the carrier gives up."""


def make_blueprint(house: House, alarms: Alarms) -> tuple[Blueprint, Callable[[], Response]]:
    """The voice door of this house, and the answer for when one of its views breaks."""
    door = Blueprint("voice", __name__, url_prefix="/voice")
    base_url = house.settings.public_base_url.rstrip("/")
    settings = house.settings
    check = SignatureCheck(base_url, settings.twilio_auth_token.get_secret_value(), settings.webhook_keys)
    house.database.hurry(LOCK_SECONDS)
    shelf = Shelf(house)
    desk = Desk(house.database)
    _ = house.calendar, house.catalogue  # read now: the first person who answers must not wait for it

    def apology() -> Response:
        if shelf.apology is None:
            alarms.sound("no_audio", prompt=APOLOGY)
        return _twiml(twiml.farewell(base_url, [shelf.apology] if shelf.apology else [], APOLOGY_TEXT))

    def heard(attempt_id: str, reply: Reply) -> Response:
        def text_of(prompt: Prompt) -> str:
            alarms.sound("no_audio", prompt=prompt.id, order_id=reply.order_id)
            return _text_of(house, reply, prompt)

        return _twiml(
            twiml.render(
                reply.turn,
                base_url=base_url,
                attempt_id=attempt_id,
                number=reply.number,
                sounds=shelf.sounds_for(reply) if reply.turn.announces or reply.turn.asks else {},
                text_of=text_of,
                overrides=house.settings.twilio_connection_overrides,
            )
        )

    def answered(attempt_id: str, turn: int, signal: Signal, call_sid: str) -> Response:
        logs.bind(attempt_id=attempt_id, turn=turn)
        try:
            reply = _twice(house, desk, attempt_id, turn, signal, call_sid)
        except NotFoundError:
            alarms.sound("unknown_attempt")
            return _twiml(twiml.HANGUP)
        return heard(attempt_id, reply)

    @door.post("/<attempt_id>/<int:turn>")
    def hear_keys(attempt_id: str, turn: int) -> Response:
        form = signed_form(check, alarms)
        return answered(attempt_id, turn, signal_of(form), first(form, "CallSid"))

    @door.post("/<attempt_id>/<int:turn>/silence")
    def hear_silence(attempt_id: str, turn: int) -> Response:
        form = signed_form(check, alarms)
        return answered(attempt_id, turn, Silence(), first(form, "CallSid"))

    @door.post("/<attempt_id>/fallback")
    def hear_fallback(attempt_id: str) -> Response:
        form = signed_form(check, alarms)
        alarms.sound("fallback", attempt_id=attempt_id, carrier_error=first(form, "ErrorCode"))
        return apology()

    @door.post(f"/{INBOUND}")
    def hear_inbound() -> Response:
        form = signed_form(check, alarms)
        call_sid = first(form, "CallSid")
        caller = first(form, "From")
        said = phoning_in.answer_inbound(
            house.database,
            house.catalogue,
            house.calendar,
            house.sealer.hash("phone", caller),
            call_sid,
            house.clock.now(),
        )
        if isinstance(said, phoning_in.Spoken):
            if said.sha256 is None:
                alarms.sound("no_audio", prompt=said.prompt)
            return _twiml(twiml.farewell(base_url, [said.sha256] if said.sha256 else [], _phrase(house, said.prompt)))
        return heard(*said)

    @door.post("/<attempt_id>/status")
    @door.post("/<attempt_id>/machine")
    def note(attempt_id: str) -> Response:
        from ivr.fieldwork import closing

        form = signed_form(check, alarms)
        try:
            report = report_of(form)
        except UsageError as error:
            alarms.sound("bad_status", attempt_id=attempt_id)
            return plain(error.message, 400)
        if attempt_id == INBOUND:
            # The number's own status callback cannot carry an attempt's id: the CallSid says which call it is.
            attempt_id = phoning_in.attempt_of(house.database, report.call_sid) or ""
            if not attempt_id:
                return Response(status=204)
        closing.note_status(house.database, house.catalogue, house.calendar, attempt_id, report, house.clock.now())
        return Response(status=204)

    return door, apology


def _twice(house: House, desk: Desk, attempt_id: str, turn: int, signal: Signal, call_sid: str) -> Reply:
    """Answer, and once more if that broke: an answer is worth a second try, and a repeat changes nothing."""
    now, began = house.clock.now(), time.monotonic()
    try:
        return interviewing.answer(
            house.database, house.catalogue, house.calendar, attempt_id, turn, signal, call_sid, now, desk=desk
        )
    except NotFoundError:
        raise
    except Exception as error:
        if time.monotonic() - began > AGAIN_WITHIN_SECONDS:
            raise
        log.warning("voice_retry", error=type(error).__name__)
        return interviewing.answer(
            house.database, house.catalogue, house.calendar, attempt_id, turn, signal, call_sid, house.clock.now()
        )


def _text_of(house: House, reply: Reply, prompt: Prompt) -> str:
    """What a prompt without audio says. Slow, and only used when audio is gone."""
    from ivr.speech import script

    with house.database.read() as session:
        provider = "" if reply.order_id is None else prompts.voicing_order(session, reply.order_id).provider
        questionnaire = questionnaires.load(session, reply.questionnaire, reply.version)
    values = script.spoken_values(
        provider=provider,
        minutes=questionnaire.minutes,
        help_number=house.settings.help_number,
        web_address=house.settings.web_address,
    )
    texts = {text.id: text.text for text in script.texts_for(questionnaire, house.catalogue.phrases, values)}
    return texts.get(prompt.id) or APOLOGY_TEXT


def _phrase(house: House, id: str) -> str:
    """A phrase of the call as the carrier's voice would read it."""
    text = house.catalogue.phrases[id].text
    values = {"{telefoonnummer}": house.settings.help_number, "{webadres}": house.settings.web_address}
    for name, value in values.items():
        text = text.replace(name, value)
    return text


class _Document(Response):
    """TwiML, which is never redirected, cached or cut: it goes out as it is."""

    def get_wsgi_response(
        self, environ: Mapping[str, Any]
    ) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:  # fmt: skip
        """The body, the status and the headers. What Werkzeug looks for besides, a webhook's answer cannot have."""
        return self.response, self.status, self.headers.to_wsgi_list()  # pyright: ignore[reportReturnType]  (bytes: made of text)


def _twiml(document: str) -> Response:
    return _Document(document, content_type="text/xml; charset=utf-8")
