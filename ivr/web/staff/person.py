"""A person's page: what became of their calls, and what staff may do about them. And the way there: looking them up.

Shows the last two digits of a number and nothing else that says who it is; a number that is typed goes by POST, so that
it stands in no address and no log.
"""

from __future__ import annotations

from typing import cast

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivr.errors import RefusedError, UsageError
from ivr.fieldwork import handling, inviting
from ivr.fieldwork.link_kit import load_kit
from ivr.store import events, people, samples
from ivr.survey.phone import PhoneFault, read_phone
from ivr.web.pages.access import STAFF, WORKERS, allow, the_house, user
from ivr.web.staff.board import shared_board
from ivr.web.staff.door import blueprint

Page = str | tuple[str, int] | Response

PROBLEMS = {
    "usage": "Kies wat er moet gebeuren en vul een reden in.",
    "in_call": "Er is nu een gesprek met deze persoon, of de telefoon gaat over. Dat breken wij niet af. "
    "Probeer het over een paar minuten opnieuw.",
    "wrong_state": "Dat kan bij deze stand niet (meer). Kijk hoe het er nu voor staat.",
    "too_late": "Dat kan niet meer worden teruggedraaid: er is sindsdien iets gebeurd, of het is te lang geleden.",
    "no_link": "Voor deze persoon is er geen link: er is al geantwoord, of meedoen kan niet meer.",
}
AGAINST = {
    "in_call": "Er is al een telefoontje gepland of bezig.",
    "cell_closed": "De cel is gesloten.",
    "cell_filled": "De cel is vol: er zijn genoeg interviews.",
    "opted_out": "Dit nummer staat op de lijst ‘nooit bellen’.",
    "answered": "Deze persoon heeft al geantwoord.",
    "refused": "Deze persoon wil niet (meer) gebeld worden.",
    "no_consent": "Er is geen toestemming om te bellen.",
    "not_announced": "Er is geen geldige aankondiging. Stuur eerst een nieuwe brief of sms.",
    "excluded": "Deze persoon hoort niet bij de steekproef.",
    "no_number": "Er is geen bruikbaar nummer. Laat een nieuw nummer aanleveren.",
    "is_due": "Deze persoon is al aan de beurt.",
}


@blueprint.get("/persoon")
@allow(*WORKERS)
def look_up() -> str:
    """Whom is it about? By the number, or within a cell by clientnummer."""
    return render_template("staff/look_up.html", found=None, problem=None)


@blueprint.post("/persoon")
@allow(*WORKERS)
def find() -> Page:
    """One person: to their page. Several on a number: choose by provider and standing. The look-up is written down."""
    house = the_house()
    number = read_phone(request.form.get("nummer", ""))
    if isinstance(number, PhoneFault):
        problem = "Dit is geen telefoonnummer. Vul het in zoals 06 12345678."
        return render_template("staff/look_up.html", found=None, problem=problem), 422
    with house.database.write() as session:
        found = people.on_phone(session, samples.phone_hash(house.sealer, number))
        events.write_audit(
            session, house.clock.now(), who=user().email, what="person_looked_up", subject="a number", found=len(found)
        )
    return _chosen(found)


@blueprint.post("/cel/<int:cell_id>/zoek")
@allow(*WORKERS)
def find_client(cell_id: int) -> Page:
    """The person of this cell with this clientnummer."""
    with the_house().database.read() as session:
        return _chosen(people.of_client(session, cell_id, request.form.get("client", "")))


@blueprint.get("/persoon/<int:case_id>")
@allow(*STAFF)
def person(case_id: int) -> Page:
    return _page(case_id)


@blueprint.post("/persoon/<int:case_id>")
@allow(*WORKERS)
def handle(case_id: int) -> Page:
    """One more call (`nogeens`), taking back (`terug`), or one of the marks."""
    house = the_house()
    wish, reason, now = request.form.get("wat", ""), request.form.get("reden", ""), house.clock.now()
    try:
        if wish == "nogeens":
            handling.call_once_more(
                house.database,
                house.catalogue,
                house.calendar,
                case_id,
                who=user().email,
                reason=reason,
                now=now,
                consent_only=house.settings.dial_requires == "consent",
            )
        elif wish == "terug":
            handling.take_back(house.database, case_id, who=user().email, reason=reason, now=now)
        else:
            handling.set_mark(house.database, case_id, wish, who=user().email, reason=reason, now=now)
    except RefusedError as error:
        return _page(case_id, PROBLEMS.get(error.code) or AGAINST.get(error.code, PROBLEMS["wrong_state"]), 409)
    except UsageError:
        return _page(case_id, PROBLEMS["usage"], 422)
    shared_board().forget()
    return cast(Response, redirect(url_for("staff.person", case_id=case_id), 303))


@blueprint.post("/persoon/<int:case_id>/link")
@allow(*WORKERS)
def web_link(case_id: int) -> Page:
    """The person's own way to the web page, to be passed on to whoever cannot telephone. Shown once, written down."""
    house = the_house()
    kit = load_kit(house.settings.config_dir)
    link = inviting.link_for(
        house.database, house.sealer, kit, house.settings.public_base_url, case_id, house.clock.now(), who=user().email
    )
    if link is None:
        return _page(case_id, PROBLEMS["no_link"], 409)
    return _page(case_id, link=link)


def _chosen(found: list[tuple[people.Person, people.Place]]) -> Page:
    if len(found) == 1:
        return cast(Response, redirect(url_for("staff.person", case_id=found[0][0].id), 303))
    problem = (
        None if found else "Niemand in een cel heeft dit nummer. Is de lijst van de dienstverlener al aangeleverd?"
    )
    page = render_template("staff/look_up.html", found=found, problem=problem, outcomes=the_house().catalogue.outcomes)
    return page, 200 if found else 404


def _page(
    case_id: int, problem: str | None = None, status: int = 200, *, link: inviting.PersonalLink | None = None
) -> Page:
    house = the_house()
    now = house.clock.now()
    seen = handling.standing(
        house.database,
        house.catalogue,
        house.sealer,
        case_id,
        now,
        consent_only=house.settings.dial_requires == "consent",
    )
    page = render_template(
        "staff/person.html",
        seen=seen,
        outcomes=house.catalogue.outcomes,
        against=AGAINST.get(seen.again or ""),
        now=now,
        problem=problem,
        link=link,
    )
    return page, status
