"""`/v/<token>`: a page per question, without JavaScript, and a link that gives nothing away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from ivr.store import Database, tables
from tests.web.page_house import house_of, token_in
from tests.web.spoken_house import DOOR, TOKEN, SpokenHouse, answer, begin, spoken_house, to_the_end, voice_page

SOUND = re.compile(r'<audio[^>]* src="/prompts/([0-9a-f]{64})\.wav"')


@pytest.fixture
def house(sqlite_database: Database, tmp_path: Path) -> SpokenHouse:
    return spoken_house(sqlite_database, tmp_path, help_number="088 765 43 21")


def stored(app: Flask) -> dict[str, str]:
    with house_of(app).database.read() as session:
        return {row.question: row.value for row in session.execute(sa.select(tables.responses))}


# -- the walk ---------------------------------------------------------------------------------------------------


def test_the_whole_questionnaire_is_answered_without_javascript(house: SpokenHouse) -> None:
    client = house.app.test_client()
    landed = client.get(DOOR)
    assert landed.status_code == 200
    assert "vrijwillig" in landed.text
    first = begin(client)
    assert (first.status_code, first.headers["Location"]) == (303, f"{DOOR}/1")
    asked = to_the_end(client, f"{DOOR}/1")
    assert set(stored(house.app)) == set(asked)
    assert stored(house.app)["INB_CIJFER"] == "10"
    assert "Dank u wel" in client.get(f"{DOOR}/klaar").text
    assert "U heeft de vragen al beantwoord" in house.app.test_client().get(DOOR).text


def test_the_low_threshold_questionnaire_is_answered_too(sqlite_database: Database, tmp_path: Path) -> None:
    house = spoken_house(sqlite_database, tmp_path, questionnaire="laagdrempelig")
    client = house.app.test_client()
    begin(client)
    asked = to_the_end(client, f"{DOOR}/1")
    assert {"LD_CIJFER", "LD_FREQ", "LD_AANGERADEN"} <= set(asked)
    assert stored(house.app)["LD_FREQ"] == "1"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "null"}, 303),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 400),
        ({"Origin": "https://elsewhere.example"}, 400),
    ],
)
def test_a_page_that_tells_no_other_site_its_address_still_takes_its_own_form(
    house: SpokenHouse, headers: dict[str, str], status: int
) -> None:
    client = house.app.test_client()
    page = client.get(DOOR)
    assert page.headers["Referrer-Policy"] == "no-referrer", "then a browser calls our own page null"
    assert client.post(DOOR, data={"csrf": token_in(page.text)}, headers=headers).status_code == status


def test_the_first_page_names_neither_provider_nor_person(house: SpokenHouse) -> None:
    page = house.app.test_client().get(DOOR).text
    assert "Taal" not in page
    assert "C0" not in page


def test_the_provider_is_named_once_somebody_has_begun(house: SpokenHouse) -> None:
    client = house.app.test_client()
    begin(client)
    page = client.get(f"{DOOR}/1").text
    assert "De vragen gaan over Taal &amp; Werk" in page
    assert "Volgt u nu een inburgeringscursus bij Taal &amp; Werk?" in page
    assert "{" not in re.sub(r"<[^>]+>", "", page)


def test_nothing_chosen_says_so_on_the_same_page(house: SpokenHouse) -> None:
    client = house.app.test_client()
    begin(client)
    again = answer(client, f"{DOOR}/1", None)
    assert again.status_code == 422
    assert "Kies eerst een antwoord" in again.text
    assert 'role="alert"' in again.text
    assert stored(house.app) == {}


def test_back_shows_this_visits_own_answer_and_another_browser_sees_none(house: SpokenHouse) -> None:
    client = house.app.test_client()
    begin(client)
    answer(client, f"{DOOR}/1", "2")
    assert re.search(r'id="a2"[^>]* checked', client.get(f"{DOOR}/1").text)
    other = house.app.test_client()
    assert other.get(f"{DOOR}/1").headers["Location"] == DOOR
    assert "Fijn dat u er weer bent" in other.get(DOOR).text
    begin(other)
    page = other.get(f"{DOOR}/1").text
    assert "checked" not in page
    assert "Geeft uw leraar goed les?" in page


def test_not_understood_is_read_again_slowly(house: SpokenHouse) -> None:
    voice_page(house)
    client = house.app.test_client()
    begin(client)
    before = SOUND.findall(client.get(f"{DOOR}/1").text)
    sent = answer(client, f"{DOOR}/1", None, niet_begrepen="1")
    assert sent.headers["Location"] == f"{DOOR}/1"
    page = client.get(f"{DOOR}/1").text
    assert "Luister nog een keer, langzaam" in page
    assert not set(before) & set(SOUND.findall(page)), "the slow sounds are others"


# -- sounds -----------------------------------------------------------------------------------------------------


def test_the_question_and_each_answer_can_be_listened_to(house: SpokenHouse) -> None:
    voice_page(house)
    client = house.app.test_client()
    begin(client)
    page = client.get(f"{DOOR}/1").text
    sounds = SOUND.findall(page)
    # about; the question; its four answers; "I do not understand".
    assert len(sounds) == 7
    for sha in sounds:
        assert client.get(f"/prompts/{sha}.wav").status_code == 200
    assert page.count('preload="none"') == len(sounds)


def test_slow_is_chosen_once_and_stays(house: SpokenHouse) -> None:
    voice_page(house)
    client = house.app.test_client()
    begin(client)
    normal = SOUND.findall(client.get(f"{DOOR}/1").text)
    slow = SOUND.findall(client.get(f"{DOOR}/1?langzaam=1").text)
    assert SOUND.findall(client.get(f"{DOOR}/1").text) == slow
    assert not set(slow) & set(normal)
    assert SOUND.findall(client.get(f"{DOOR}/1?langzaam=0").text) == normal


def test_a_page_that_was_never_voiced_plays_the_calls_own_recording(house: SpokenHouse) -> None:
    client = house.app.test_client()
    begin(client)
    sounds = SOUND.findall(client.get(f"{DOOR}/1").text)
    with house_of(house.app).database.read() as session:
        own = session.execute(
            sa.select(tables.order_prompts.c.sha256).where(
                tables.order_prompts.c.prompt == "INB_VOLGT", tables.order_prompts.c.is_slow.is_(False)
            )
        ).scalar_one()
    assert own in sounds


# -- the link ---------------------------------------------------------------------------------------------------


def test_an_expired_and_an_unknown_link_get_the_very_same_answer(house: SpokenHouse) -> None:
    house.link("zzzz-zzzz-zzzz-zzzz-zzzz-zzzz-zzzz", days=-1, case_id=house.order.person("hash-2"))
    client = house.app.test_client()
    answers = [client.get(f"/v/{token}") for token in ("zzzz-zzzz-zzzz-zzzz-zzzz-zzzz-zzzz", "never-was", "x" * 5000)]
    assert {reply.status_code for reply in answers} == {404}
    assert len({reply.data for reply in answers}) == 1
    assert len({str(sorted(reply.headers)) for reply in answers}) == 1
    assert "088 765 43 21" in answers[0].text


def test_too_many_unknown_links_are_refused_for_a_while(house: SpokenHouse) -> None:
    client = house.app.test_client()
    for number in range(60):
        assert client.get(f"/v/guess{number}").status_code == 404
    refused = client.get(DOOR)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "3600"
    assert client.get(DOOR, environ_overrides={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200


def test_a_household_with_many_addresses_is_counted_as_one(house: SpokenHouse) -> None:
    client = house.app.test_client()
    for number in range(60):
        client.get(f"/v/guess{number}", environ_overrides={"REMOTE_ADDR": f"2001:db8:0:1::{number:x}"})
    assert client.get(DOOR, environ_overrides={"REMOTE_ADDR": "2001:db8:0:1::ffff"}).status_code == 429
    assert client.get(DOOR, environ_overrides={"REMOTE_ADDR": "2001:db8:0:2::1"}).status_code == 200


@pytest.mark.parametrize("path", [DOOR, f"{DOOR}/1", f"{DOOR}/klaar", "/v/unknown", "/echt"])
def test_no_respondent_reads_the_word_for_a_test_at_school(house: SpokenHouse, path: str) -> None:
    client = house.app.test_client()
    begin(client)
    page = client.get(path, follow_redirects=True).text
    assert "Blik op Werk" in page
    assert "toets" not in re.sub(r"<[^>]*>", " ", page).lower()


@pytest.mark.parametrize("path", [DOOR, f"{DOOR}/1", f"{DOOR}/klaar", "/v/unknown"])
def test_no_page_is_kept_indexed_or_passed_on(house: SpokenHouse, path: str) -> None:
    client = house.app.test_client()
    begin(client)
    headers = client.get(path).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in headers["X-Robots-Tag"]
    if "Content-Security-Policy" in headers:
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]


def test_no_page_holds_inline_script_or_style(house: SpokenHouse) -> None:
    client = house.app.test_client()
    begin(client)
    for path in (DOOR, f"{DOOR}/1"):
        page = client.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
        assert not re.search(r"<style|\sstyle=|\son\w+=", page)


def test_a_form_without_its_token_answers_nothing(house: SpokenHouse) -> None:
    client = house.app.test_client()
    begin(client)
    assert client.post(f"{DOOR}/1", data={"vraag": "INB_VOLGT", "antwoord": "1"}).status_code == 400
    assert stored(house.app) == {}


def test_no_link_stands_in_a_log(house: SpokenHouse, capsys: pytest.CaptureFixture[str]) -> None:
    client = house.app.test_client()
    begin(client)
    answer(client, f"{DOOR}/1", "1")
    client.get("/v/some-unknown-link")
    written = "".join(capsys.readouterr())
    assert TOKEN not in written
    assert "some-unknown-link" not in written


def test_whoever_is_on_the_phone_is_asked_to_finish_there(house: SpokenHouse) -> None:
    client = house.app.test_client()
    begin(client)
    form = {"csrf": token_in(client.get(f"{DOOR}/1").text), "vraag": "INB_VOLGT", "antwoord": "1"}
    house.order.call(house.case_id).press("1", "1", "1")
    assert "aan de telefoon" in client.get(DOOR).text
    assert "aan de telefoon" in client.post(f"{DOOR}/1", data=form).text
    assert stored(house.app) == {}
