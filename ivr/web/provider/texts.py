"""The texts that a provider needs, filled in with its own name: to read and print, and as plain text."""

from __future__ import annotations

from flask import Response, abort, render_template

from ivr.fieldwork import provider_texts
from ivr.fieldwork.inviting import Address
from ivr.fieldwork.provider_texts import Text
from ivr.web.pages.access import allow, the_house
from ivr.web.provider.door import as_file, blueprint, own


@blueprint.get("/teksten")
@allow("provider")
def texts() -> str:
    return render_template("provider/texts.html", kinds=provider_texts.KINDS)


@blueprint.get("/teksten/<name>")
@allow("provider")
def text(name: str) -> str:
    return render_template("provider/text.html", text=_text(name))


@blueprint.get("/teksten/<name>.txt")
@allow("provider")
def text_file(name: str) -> Response:
    found = _text(name)
    # Windows' own editor still wants both signs at the end of a line.
    plain = (found.text + "\n").replace("\n", "\r\n")
    return as_file("\ufeff" + plain, f"{found.kind.name}.txt", "text/plain")


def _text(name: str) -> Text:
    house = the_house()
    settings = house.settings
    address = Address(settings.public_base_url, settings.twilio_from, settings.help_number)
    found = provider_texts.text_for(settings.config_dir, house.catalogue, address, own()[1], name)
    return found if found is not None else abort(404)
