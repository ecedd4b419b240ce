"""Questionnaires as a caller hears them: every prompt in order with its sounds, the checks, and one's own telephone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from ivr.errors import CarrierUnreachableError
from ivr.fieldwork import hearing, trying
from ivr.fieldwork.voicing import Wording
from ivr.speech import script
from ivr.store import Database, prompts, tables
from ivr.survey.disposition import CallReport
from ivr.telephony.carrier import CallRequest
from tests.web.page_house import MIDDAY, house_of, open_app, post, signed_in


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    return open_app(sqlite_database, tmp_path)


def voice(app: Flask, id: str = "inburgering", *, without: str = "", other_words: str = "") -> int:
    """A try-out order with a recording of two seconds for every prompt; the order's id."""
    house = house_of(app)
    order_id = trying.prepare(house.database, house.catalogue, id, MIDDAY)
    form = house.catalogue.questionnaires[id]
    wording = Wording.from_settings(house.settings)
    values = script.spoken_values(
        provider="Taalhuis De Proef",
        minutes=form.minutes,
        help_number=wording.help_number,
        web_address=wording.web_address,
    )
    names: dict[tuple[str, bool], str] = {}
    with house.database.write() as session:
        for number, text in enumerate(script.texts_for(form, house.catalogue.phrases, values)):
            if text.id == without:
                continue
            names[text.id, text.slow] = name = f"{number:064x}"
            said = "Iets anders." if text.id == other_words else text.text
            row = {"sha256": name, "wav": b"w", "text": said, "engine": "none", "is_slow": text.slow}
            session.execute(sa.insert(tables.prompts).values(**row, seconds=2.0, loudness=-18.0, made_at=MIDDAY))
        prompts.assign(session, order_id, form.id, form.version, names)
        prompts.mark_voiced(session, order_id, MIDDAY)
    return order_id


def test_every_prompt_of_a_call_stands_on_the_page_once_with_both_sounds(app: Flask) -> None:
    voice(app)
    page = signed_in(app, "viewer").get("/staff/vragenlijsten/inburgering").text
    house = house_of(app)
    form = house.catalogue.questionnaires["inburgering"]
    shown = re.findall(r'<li class="said" id="([^"]+)">', page)
    remarks = [question.remark.id for question in form.questions if question.remark]
    assert sorted(shown) == sorted([*house.catalogue.phrases, *(question.id for question in form.questions), *remarks])
    sounds = re.findall(r'href="/prompts/([0-9a-f]{64})\.wav"', page)
    assert len(sounds) == len(set(sounds))
    with house.database.read() as session:
        every = {sha for (id, _), sha in prompts.sounds_of(session, 1, form.id, form.version).items() if id != "stilte"}
        slow_keys = {
            sha
            for (id, slow), sha in prompts.sounds_of(session, 1, form.id, form.version).items()
            if slow and id.endswith(".keys")
        }
    assert set(sounds) == every - slow_keys


def test_the_prompts_stand_in_the_order_of_a_call(app: Flask) -> None:
    voice(app)
    page = signed_in(app, "viewer").get("/staff/vragenlijsten/inburgering").text
    shown = re.findall(r'<li class="said" id="([^"]+)">', page)
    form = house_of(app).catalogue.questionnaires["inburgering"]
    assert shown.index("greeting") < shown.index("right_person") < shown.index("practice")
    assert shown.index("practice") < shown.index(form.questions[0].id)
    asked = [id for id in shown if id in {question.id for question in form.questions}]
    assert asked == [question.id for question in form.questions]
    assert shown.index(form.questions[-1].id) < shown.index("goodbye_complete") < shown.index("voicemail")


def test_a_conditional_question_says_when_it_is_put(app: Flask) -> None:
    page = signed_in(app, "viewer").get("/staff/vragenlijsten/laagdrempelig").text
    part = page[page.index('id="LD_KLACHT_IN"') :]
    assert "alleen als “" in part[: part.index("</li>")]


def test_the_call_time_is_that_of_the_recordings(app: Flask) -> None:
    voice(app)
    house = house_of(app)
    reading = hearing.read(house.database, house.catalogue, Wording.from_settings(house.settings), "inburgering")
    assert reading.time is not None
    assert reading.time.questions_seconds == 2.0 * reading.time.questions
    assert reading.time.seconds % 2.0 == 0
    assert f"{reading.time.keys} toetsen" in signed_in(app, "viewer").get("/staff/vragenlijsten/inburgering").text


def test_without_recordings_it_can_be_read_and_asked_for(app: Flask, sqlite_database: Database) -> None:
    client = signed_in(app, "fieldwork")
    page = client.get("/staff/vragenlijsten/inburgering").text
    assert "nog niet ingesproken" in page
    assert "/prompts/" not in page
    assert post(client, "/staff/vragenlijsten/inburgering/inspreken").status_code == 303
    assert "Het inspreken is aangevraagd" in client.get("/staff/vragenlijsten/inburgering").text
    with sqlite_database.read() as session:
        assert len(prompts.unvoiced(session)) == 1
    assert client.get("/staff/vragenlijsten/regulier").status_code == 404
    assert client.get("/staff/vragenlijsten/niets").status_code == 404


def test_what_is_silent_or_changed_since_it_was_spoken_is_said(app: Flask) -> None:
    voice(app, without="voicemail", other_words="practice")
    page = signed_in(app, "viewer").get("/staff/vragenlijsten/inburgering").text
    assert "Zonder geluid: voicemail." in page
    assert "1 teksten zijn veranderd" in page
    part = page[page.index('<li class="said" id="practice">') :]
    assert "Iets anders." in part[: part.index("</li>")], "the page shows what is heard, not what should be"


def test_listening_again_goes_through_all_recordings_a_few_at_a_time(app: Flask) -> None:
    order_id = voice(app)
    client = signed_in(app, "viewer")
    path, asked, found = f"/staff/vragenlijsten/inburgering/geluid/{order_id}", 0, ""
    while path:
        part = client.get(path).text
        asked, found = asked + 1, found + part
        again = re.search(r'hx-get="([^"]+)"', part)
        path = again[1].replace("&amp;", "&") if again else ""
    assert asked > 5
    total = re.search(r"(\d+) opnamen gekeurd, (\d+) fouten", found)
    assert total is not None, "the bytes of these recordings are those of no name"
    assert total[1] == total[2]


class ACarrier:
    """Takes every call, or cannot be reached."""

    def __init__(self, *, is_there: bool = True) -> None:
        self.is_there, self.asked = is_there, []

    def place(self, request: CallRequest) -> CallReport:
        self.asked.append(request)
        if not self.is_there:
            raise CarrierUnreachableError("no connection")
        return CallReport("CA" + "5" * 32, "queued")


def test_one_is_rung_on_ones_own_number_and_follows_the_call(app: Flask, sqlite_database: Database) -> None:
    order_id = voice(app)
    carrier = ACarrier()
    house_of(app).__dict__["carrier"] = carrier
    client = signed_in(app, "fieldwork")
    answer = post(client, f"/staff/vragenlijsten/inburgering/bel?bestelling={order_id}", nummer="06 55667788")
    assert answer.status_code == 303
    assert "667788" not in answer.headers["Location"]
    (request,) = carrier.asked
    assert (request.to, request.machine_url) == ("+31655667788", None)
    page = client.get(answer.headers["Location"].partition("#")[0]).text
    assert "Uw telefoon gaat over" in page
    poll = re.search(r'hx-get="(/staff/proefgesprek/[0-9a-f]+)"', page)
    assert poll is not None
    with sqlite_database.write() as session:
        session.execute(sa.update(tables.attempts).values(state="closed", outcome="complete"))
    part = client.get(poll[1]).text
    assert "Het gesprek is voorbij: volledig interview" in part
    assert "hx-get" not in part


def test_what_stands_in_the_way_of_a_test_call_is_said(app: Flask, sqlite_database: Database) -> None:
    client = signed_in(app, "fieldwork")
    path = "/staff/vragenlijsten/inburgering/bel"
    assert "nog niet ingesproken" in post(client, path, nummer="06 55667788").text
    voice(app)
    house_of(app).__dict__["carrier"] = carrier = ACarrier(is_there=False)
    assert post(client, path, nummer="112").status_code == 422
    assert carrier.asked == []
    answer = post(client, path, nummer="06 55667788")
    assert (answer.status_code, "nam het gesprek niet aan" in answer.text) == (409, True)
    for _ in range(9):
        answer = post(client, path, nummer="06 55667788")
    assert answer.status_code == 429
    assert "55667788" not in answer.text


def test_nobodys_call_but_a_test_call_can_be_followed(app: Flask, sqlite_database: Database) -> None:
    from tests.web.page_house import add_cell

    add_cell(house_of(app), "Eerste Hulp", people=1)
    times = dict.fromkeys(("planned_at", "not_before", "not_after"), MIDDAY)
    call = {"id": "a1", "case_id": 1, "cell_id": 1, "number_in_case": 1, "state": "placed"}
    with sqlite_database.write() as session:
        session.execute(tables.attempts.insert().values(**call, **times))
    assert signed_in(app, "admin").get("/staff/proefgesprek/a1").status_code == 404


def test_where_the_clock_leaps_nobody_is_rung(sqlite_database: Database, tmp_path: Path) -> None:
    app = open_app(sqlite_database, tmp_path, clock="leaping:/nowhere.sock")
    answer = post(signed_in(app, "admin"), "/staff/vragenlijsten/inburgering/bel", nummer="06 55667788")
    assert (answer.status_code, "De klok van deze demonstratie springt" in answer.text) == (409, True)
