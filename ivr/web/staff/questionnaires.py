"""Questionnaires: read and hear them as a caller does, see what is wrong with them, try them, have one's phone rung."""

from __future__ import annotations

from typing import cast

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivr.errors import NotFoundError, RefusedError
from ivr.fieldwork import hearing, own_phone, trying
from ivr.fieldwork.accounts import wall_clock
from ivr.fieldwork.voicing import Wording
from ivr.survey.questionnaire import SERVICE, Condition
from ivr.web.pages.access import STAFF, WORKERS, allow, the_house, user
from ivr.web.softphone import trunk_of, why_not
from ivr.web.staff.door import blueprint

Page = str | tuple[str, int] | Response

PROBLEMS = {
    "bad_phone": "Dit is geen telefoonnummer. Vul het in zoals 06 12345678.",
    "not_diallable": "Dit nummer bellen wij nooit (112, 0800, 0900, 18xx of 14 0xx). Vul uw eigen nummer in.",
    "respondent": "Dit nummer staat op een lijst van een dienstverlener. Vul uw eigen nummer in.",
    "opted_out": "Dit nummer staat op de lijst ‘nooit bellen’.",
    "busy": "Dit nummer wordt al gebeld.",
    "too_often": "U hebt in dit uur genoeg proefgesprekken gehad. Probeer het straks opnieuw, of neem de softphone.",
    "not_voiced": "Deze vragenlijst is nog niet ingesproken.",
    "carrier": "De telefooncentrale nam het gesprek niet aan. Probeer het over een minuut opnieuw.",
    "clock": "De klok van deze demonstratie springt: er kan nu niet echt gebeld worden.",
}


@blueprint.get("/vragenlijsten")
@allow(*STAFF)
def questionnaires() -> str:
    """All that are put by telephone, with what is wrong with each."""
    house = the_house()
    wording = Wording.from_settings(house.settings)
    read = [hearing.read(house.database, house.catalogue, wording, id) for id in trying.TRACKS]
    return render_template("staff/questionnaires.html", readings=read)


@blueprint.get("/vragenlijsten/<id>")
@allow(*STAFF)
def questionnaire(id: str) -> Page:
    return _page(id)


@blueprint.post("/vragenlijsten/<id>/inspreken")
@allow(*WORKERS)
def voice(id: str) -> Response:
    """Have the try-out voiced, so that there is something to hear."""
    house = the_house()
    trying.prepare(house.database, house.catalogue, id, house.clock.now())
    return cast(Response, redirect(url_for("staff.questionnaire", id=id), 303))


@blueprint.get("/vragenlijsten/<id>/geluid/<int:order_id>")
@allow(*STAFF)
def listen(id: str, order_id: int) -> str:
    """Listens again to some recordings; the part that comes back asks for the next by itself."""
    house = the_house()
    typed = request.args.get("van", "0")
    start = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 0
    findings, done, total = hearing.listen(house.database, house.catalogue, id, order_id, start)
    bad = request.args.get("fout", "0")
    faults = (int(bad) if bad.isascii() and bad.isdigit() and len(bad) < 6 else 0) + len(findings)
    return render_template(
        "staff/listened.html", id=id, order_id=order_id, findings=findings, done=done, total=total, faults=faults
    )


@blueprint.post("/vragenlijsten/<id>/bel")
@allow(*WORKERS)
def ring_me(id: str) -> Page:
    """Ring whoever is signed in, on the number they typed. It is kept no longer than the call lasts."""
    house = the_house()
    try:
        if house.settings.clock != "system":
            raise RefusedError("The clock of this house leaps.", code="clock")
        choice = hearing.read(
            house.database, house.catalogue, Wording.from_settings(house.settings), id, _order_asked()
        ).choice
        if choice is None or choice.order_id is None:
            raise RefusedError("Nothing was voiced yet.", code="not_voiced")
        attempt_id = own_phone.call(
            house.database,
            house.carrier,
            house.sealer,
            trunk_of(house),
            choice.order_id,
            request.form.get("nummer", ""),
            who=user().email,
            now=house.clock.now(),
            wall=wall_clock(),
        )
    except RefusedError as error:
        status = 422 if error.code in ("bad_phone", "not_diallable") else 429 if error.code == "too_often" else 409
        return _page(id, PROBLEMS.get(error.code, PROBLEMS["carrier"]), status)
    return cast(
        Response,
        redirect(
            url_for("staff.questionnaire", id=id, bestelling=choice.order_id, gesprek=attempt_id, _anchor="bel"), 303
        ),
    )


@blueprint.get("/proefgesprek/<attempt_id>")
@allow(*STAFF)
def test_call(attempt_id: str) -> str:
    """How a test call stands; refreshes itself until it is over."""
    return render_template("staff/test_call.html", **_test_call(attempt_id))


def _order_asked() -> int | None:
    typed = request.args.get("bestelling", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else None


def _test_call(attempt_id: str) -> dict[str, object]:
    house = the_house()
    stands = own_phone.standing(house.database, attempt_id)
    if stands is None:
        raise NotFoundError("There is no such test call.")
    return {"call": stands, "attempt_id": attempt_id, "outcomes": house.catalogue.outcomes}


def _page(id: str, problem: str | None = None, status: int = 200) -> tuple[str, int]:
    house = the_house()
    wording = Wording.from_settings(house.settings)
    reading = hearing.read(house.database, house.catalogue, wording, id, _order_asked())
    choices = [choice for choice in trying.choices(house.database, house.catalogue) if choice.questionnaire == id]
    attempt_id = request.args.get("gesprek", "")
    page = render_template(
        "staff/questionnaire.html",
        reading=reading,
        choices=[choice for choice in choices if choice.is_ready],
        is_asked_for=any(choice.is_tryout and choice.order_id and not choice.is_ready for choice in choices),
        when=lambda condition: _when(condition, reading),
        softphone_reason=why_not(house),
        rings_real_phones=house.settings.carrier == "twilio",
        problem=problem,
        **(_test_call(attempt_id) if attempt_id else {"call": None}),
    )
    return page, status


def _when(condition: Condition, reading: hearing.Reading) -> str:
    """A condition in words: "alleen als Lessen is: ja"."""
    if condition.question == SERVICE:
        services = the_house().catalogue.services
        name = "de dienst"
        values = [services.get(int(value), value) if value.isdecimal() else value for value in condition.values]
    else:
        question = reading.questionnaire.question(condition.question)
        name = question.label
        texts = {option.code: option.text.rstrip(".") for option in question.options}
        values = [texts.get(value, value) for value in condition.values]
    return f"alleen als “{name}” {'niet ' if condition.is_negated else ''}is: {' of '.join(values)}"
