"""`/privacy`: what is kept of whom, for how long, and what one can ask. Public, A2; the days come from the rules."""

from __future__ import annotations

from flask import Blueprint, render_template

from ivr.web.pages.access import public, the_house

blueprint = Blueprint("privacy", __name__)


@blueprint.get("/privacy")
@public
def page() -> str:
    return render_template("privacy.html", days=the_house().catalogue.fieldwork.retention_contact_days)
