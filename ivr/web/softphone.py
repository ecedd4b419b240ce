"""`/softphone`: staff choose what to try, and get a pass for the telephone that lives in the local carrier's process.

Two doors. For people: what can be tried, asking for a try-out, and the way to the telephone (a pass in the URL's
fragment, which no server ever sees). For the carrier, which shows the pass: begin a test call, and how it stands.
What a test call is, is decided in `fieldwork/trying.py`.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any, cast

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from ivr import passes
from ivr.bootstrap import House
from ivr.errors import NotFoundError, RefusedError
from ivr.fieldwork import trying, voicing
from ivr.fieldwork.dialling import Trunk
from ivr.fieldwork.trying import Choice
from ivr.telephony.webhooks import urls_for
from ivr.web.pages.access import STAFF, allow, the_house

blueprint = Blueprint("softphone", __name__, url_prefix="/softphone")

REASONS = {
    "twilio": "Deze opstelling belt echte telefoons, via Twilio. De softphone hoort bij de eigen proefcentrale.",
    "clock": "De klok van deze demonstratie springt. De softphone werkt op gewone tijd: start Toets met make run.",
}


def why_not(house: House) -> str | None:
    """Why this house has no softphone; None when it has one."""
    if house.settings.carrier != "local":
        return REASONS["twilio"]
    return None if house.settings.clock == "system" else REASONS["clock"]


@blueprint.get("")
@allow(*STAFF)
def page() -> str:
    return render_template("softphone/page.html", reason=why_not(the_house()), **_choices())


@blueprint.get("/keuze")
@allow(*STAFF)
def choices_part() -> str:
    """The part that refreshes itself while something is being voiced."""
    return render_template("softphone/choices.html", **_choices())


@blueprint.post("/proef")
@allow(*STAFF)
def prepare() -> Answer:
    """Have a try-out voiced."""
    house = the_house()
    trying.prepare(house.database, house.catalogue, request.form.get("vragenlijst", ""), house.clock.now())
    return cast(Answer, redirect(url_for("softphone.page"), 303))


@blueprint.get("/telefoon/<int:order_id>")
@allow(*STAFF)
def open_telephone(order_id: int) -> Answer:
    """To the telephone, with a pass for this order."""
    house = the_house()
    wanted = [choice for choice in trying.choices(house.database, house.catalogue) if choice.is_ready]
    choice = next((choice for choice in wanted if choice.order_id == order_id), None)
    if choice is None or why_not(house) is not None:
        raise RefusedError("This cannot be tried now.", code="not_ready")
    claim = {
        "order": choice.order_id,
        "title": choice.title,
        "provider": choice.provider,
        "home": _home(),
    }
    key = passes.load_key(house.settings)
    return cast(Answer, redirect(f"{house.settings.carrier_url}/softphone#{passes.issue(key, claim)}", 303))


def _choices() -> dict[str, Any]:
    house = the_house()
    found = trying.choices(house.database, house.catalogue)
    return {"choices": found, "progress": {choice.order_id: _progress(house, choice) for choice in found}}


def _progress(house: House, choice: Choice) -> tuple[int, int] | None:
    if choice.order_id is None or choice.is_ready:
        return None
    wording = voicing.Wording.from_settings(house.settings)
    return trying.voicing_progress(
        house.database, house.catalogue, house.speech, wording, choice.order_id, house.clock.now()
    )


def _home() -> str:
    return f"{request.host_url.rstrip('/')}{url_for('softphone.page')}"


def make_line(house: House) -> Blueprint:
    """The carrier's door: each request shows a pass as `Authorization: Bearer …`; errors are JSON with a code."""
    line = Blueprint("softphone_line", __name__, url_prefix="/softphone/lijn")

    @line.post("/begin")
    def begin() -> tuple[Response, int]:
        claim = _claim(house)
        form = cast("dict[str, Any]", request.get_json(silent=True) or {})
        way, number = form.get("way"), str(form.get("number", ""))
        if way not in trying.WAYS or why_not(house) is not None:
            raise RefusedError("There is no such test call.", code="way")
        attempt_id, now = None, house.clock.now()
        if way == "called":
            attempt_id = trying.call(
                house.database, house.carrier, house.sealer, trunk_of(house), claim["order"], number, now
            )
        elif way == "known":
            attempt_id = trying.expect(house.database, house.sealer, claim["order"], number, now)
        return jsonify(attempt=attempt_id, house_number=house.settings.twilio_from), 201

    @line.get("/stand/<call_sid>")
    def standing(call_sid: str) -> Response:
        _claim(house)
        return jsonify(trying.standing(house.database, house.catalogue, call_sid))

    @line.errorhandler(RefusedError)
    @line.errorhandler(NotFoundError)
    def refused(error: RefusedError | NotFoundError) -> tuple[Response, int]:
        status = 401 if error.code == "pass" else 404 if isinstance(error, NotFoundError) else 409
        return jsonify(code=error.code, message=error.message), status

    return line


def _claim(house: House) -> dict[str, Any]:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer":
        raise RefusedError("The softphone's door takes a pass.", code="pass")
    try:
        return passes.read(passes.load_key(house.settings), text)
    except (json.JSONDecodeError, KeyError, ValueError) as error:
        raise RefusedError("This is no pass.", code="pass") from error


def trunk_of(house: House) -> Trunk:
    """How test calls are placed."""
    settings = house.settings
    return Trunk(
        account=settings.twilio_account_sid,
        from_=settings.twilio_from,
        urls=partial(urls_for, settings.public_base_url, overrides=settings.twilio_connection_overrides),
        ring_seconds=settings.ring_seconds,
        limit_seconds=settings.call_limit_seconds,
    )
