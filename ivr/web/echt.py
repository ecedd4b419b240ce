"""`/echt`, "Is dit telefoontje echt?": for whoever was called and wonders. Public, A2, and it takes a refusal."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from ivr.fieldwork.accounts import wall_clock
from ivr.fieldwork.refusing import refuse_number
from ivr.survey.phone_text import national
from ivr.web.pages.access import caller_address, public, the_house

blueprint = Blueprint("echt", __name__)

PROBLEMS = {
    "bad_phone": ("Wij begrijpen dit nummer niet. Vul het in zoals 06 12 34 56 78.", 422),
    "too_often": ("U heeft dit te vaak gedaan. Bel ons, dan helpen wij u.", 429),
}


@blueprint.get("/echt")
@public
def page() -> tuple[str, int]:
    return _page()


@blueprint.post("/echt")
@public
def refuse() -> tuple[str, int]:
    house = the_house()
    answer = refuse_number(
        house.database,
        house.sealer,
        request.form.get("nummer", ""),
        caller_address(),
        now=house.clock.now(),
        wall=wall_clock(),
    )
    if answer != "noted":
        problem, status = PROBLEMS[answer]
        return _page(problem=problem, status=status)
    return _page(done=True)


def _page(*, done: bool = False, problem: str | None = None, status: int = 200) -> tuple[str, int]:
    number = national(the_house().settings.twilio_from)
    return render_template("echt.html", from_number=number, done=done, problem=problem), status
