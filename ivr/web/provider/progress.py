"""How far it is: counts up to last night."""

from __future__ import annotations

from flask import render_template, request

from ivr.fieldwork.following import midnight
from ivr.web.pages.access import allow, the_house
from ivr.web.provider.door import blueprint, stands


@blueprint.get("")
@allow("provider")
def overview() -> str:
    until = midnight(the_house().clock.now())
    return render_template("provider/overview.html", cells=stands(), until=until, is_ordered="besteld" in request.args)
