"""A house whose one person holds a link, and a browser that opens it: for the tests of the spoken questions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ivr.fieldwork import inviting
from ivr.store import Database, links, tables
from tests.fieldwork.spoken_visit import WEB
from tests.fieldwork.voiced_order import VoicedOrder
from tests.web.page_house import house_of, open_app, token_in

TOKEN = "abcd-efgh-jkmn-pqrs-tvwx-yz23-4567"
DOOR = f"/v/{TOKEN}"


@dataclass
class SpokenHouse:
    """The app, its order, and one person with a link."""

    app: Flask
    order: VoicedOrder
    case_id: int

    def link(self, token: str, *, days: int = 60, case_id: int | None = None) -> None:
        house = house_of(self.app)
        now = house.clock.now()
        with house.database.write() as session:
            links.put(
                session,
                case_id or self.case_id,
                token_hash=inviting.token_hash(house.sealer, token),
                salt="00",
                expires_at=now + timedelta(days=days),
                now=now,
            )


def spoken_house(database: Database, folder: Path, *, questionnaire: str = "inburgering", **settings: object):
    """A house with a voiced order and somebody in it who has TOKEN."""
    app = open_app(database, folder, **settings)
    track = "inburgering" if questionnaire == "inburgering" else "purchased"
    order = VoicedOrder(database, track=track)
    more = {} if questionnaire == "inburgering" else {"service": 5, "questionnaire": "laagdrempelig"}
    made = SpokenHouse(app, order, order.person(**more))
    made.link(TOKEN)
    return made


def voice_page(house: SpokenHouse, questionnaire: str = "inburgering") -> None:
    """Give every prompt of the page a sound, without rendering one: those of the calls serve."""
    from ivr.fieldwork.link_kit import load_kit
    from ivr.settings import ROOT
    from ivr.speech.script import page_texts_for, spoken_values
    from tests.fieldwork.voiced_order import CATALOGUE

    form = CATALOGUE.questionnaires[questionnaire]
    values = spoken_values(provider="Taal & Werk", minutes=5, help_number="088 123 45 67", web_address="x.nl")
    texts = page_texts_for(form, load_kit(ROOT / "config").page_phrases(CATALOGUE), values)
    database = house.order.database
    with database.write() as session:
        names = sorted(session.execute(tables.prompts.select().with_only_columns(tables.prompts.c.sha256)).scalars())
        sounds = {(text.id, text.slow): names[index % len(names)] for index, text in enumerate(texts)}
        links.assign_sounds(session, house.order.sample_id, form.id, form.version, sounds)


def begin(client: FlaskClient, door: str = DOOR) -> TestResponse:
    """Press "Beginnen"; the redirect."""
    return client.post(door, data={"csrf": token_in(client.get(door).text)})


def answer(client: FlaskClient, path: str, value: str | None, **more: str) -> TestResponse:
    """Send the form of this question page; no value: nothing was chosen."""
    page = client.get(path).text
    asked = re.search(r'name="vraag" value="([^"]+)"', page)
    assert asked is not None, "this is no question page"
    form = {"csrf": token_in(page), "vraag": asked[1]} | ({} if value is None else {"antwoord": value}) | more
    return client.post(path, data=form)


def to_the_end(client: FlaskClient, path: str) -> list[str]:
    """Answer as WEB says until the end; the questions that were put."""
    asked: list[str] = []
    for _ in range(40):
        if path.endswith("/klaar"):
            return asked
        page = client.get(path).text
        found = re.search(r'name="vraag" value="([^"]+)"', page)
        assert found is not None
        asked.append(found[1])
        path = answer(client, path, WEB.get(found[1], "1")).headers["Location"]
    raise AssertionError("the pages do not end")
