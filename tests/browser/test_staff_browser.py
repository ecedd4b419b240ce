"""The staff pages in a real browser, at three widths, light and dark: axe finds nothing, nothing sticks out.

What it needs, and how pages are photographed for people to see, stands in `sight.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from ivr.fieldwork import trying
from ivr.speech import phone_audio
from ivr.store import Database, prompts, tables
from tests.browser.sight import MARKS, WCAG, enter, faults_of, photograph, served
from tests.web.page_house import MIDDAY, add_cell, fill_with, house_of, open_app

SIGHTS = [(360, "light"), (360, "dark"), (1280, "light"), (1280, "dark"), (1920, "light"), (1920, "dark")]
PAGES = {
    "bord": "/staff",
    "bord-gefilterd": "/staff?aandacht=1&q=12&volgorde=tekort",
    "bereik": "/staff/bereik",
    "cel": "/staff/cel/1",
    "mensen": "/staff/cel/1/mensen?stand=no_answer",
    "persoon": "/staff/persoon/1",
    "opzoeken": "/staff/persoon",
    "vragenlijsten": "/staff/vragenlijsten",
    "vragenlijst": "/staff/vragenlijsten/inburgering",
    "logboek": "/staff/logboek",
}
RULES = (*WCAG, "best-practice")

pytestmark = MARKS


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    """A demo house with 60 cells, one of them with a history of calls and interviews, and a voiced questionnaire."""
    app = open_app(sqlite_database, tmp_path, env="demo")
    fill_with(sqlite_database, 60, 30)
    _history(sqlite_database, house_of(app).clock.now())
    _voice(app)
    add_cell(house_of(app), "Dienstverlener 1", track="purchased", people=5)
    return app


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    with served(app) as address:
        yield address


def _history(database: Database, now: datetime) -> None:
    """Calls of cell 1 over eleven days, in all parts of the day, some of them interviews; and what went wrong today."""
    outcomes = ("no_answer", "complete", "answering_machine", "break_off", "refusal", "busy", "technical")
    with database.write() as session:
        for number in range(60):
            at = now - timedelta(days=number % 11, hours=number % 9)
            outcome = outcomes[number % len(outcomes)]
            times = dict.fromkeys(("planned_at", "not_before", "not_after", "placed_at", "ended_at"), at)
            call = {"id": f"a{number}", "case_id": 1 + number % 30, "cell_id": 1, "number_in_case": 1 + number // 30}
            call |= {"state": "closed", "outcome": outcome, "duration_seconds": 60 + number, "rang": True}
            session.execute(tables.attempts.insert().values(**call, **times))
            if outcome in ("complete", "break_off"):
                run = {"id": f"i{number}", "case_id": 1 + number % 30, "cell_id": 1, "questionnaire": "inburgering"}
                run |= {"version": 1, "mode": "telephone", "started_at": at, "disposition": outcome}
                good = outcome == "complete"
                values = {"usable": good, "successful": good, "usable_at": at if good else None}
                session.execute(tables.interviews.insert().values(**run, **values))
                answer = {"interview_id": f"i{number}", "value": "x", "mode": "telephone", "answered_at": at}
                session.execute(tables.responses.insert().values(question="INB_LES", **answer))
        line = {"at": now, "who": "veldwerk@bureau.example", "reason": "De begeleider belde.", "subject": "case 1"}
        details = {"cell": 1, "before": "fresh", "after": "ill"}
        session.execute(tables.audit.insert().values(**line, what="case_mark", details=details))


def _voice(app: Flask) -> None:
    """The try-out of inburgering, each prompt half a second of silence."""
    house = house_of(app)
    order_id = trying.prepare(house.database, house.catalogue, "inburgering", MIDDAY)
    form = house.catalogue.questionnaires["inburgering"]
    ids = [*house.catalogue.phrases, "stilte"]
    for question in form.questions:
        ids += [question.id, f"{question.id}.keys", *([question.remark.id] if question.remark else [])]
    wav = phone_audio.silence(0.5)
    sha256 = hashlib.sha256(wav).hexdigest()
    row = {"sha256": sha256, "wav": wav, "text": "Stilte.", "engine": "silence"}
    with house.database.write() as session:
        known = {"is_slow": False, "seconds": 0.5, "loudness": -18.0, "made_at": MIDDAY}
        session.execute(sa.insert(tables.prompts).values(**row, **known))
        wanted = {(id, slow): sha256 for id in ids for slow in (False, True)}
        prompts.assign(session, order_id, form.id, form.version, wanted)
        prompts.mark_voiced(session, order_id, MIDDAY)


def look(page: Any, name: str, width: int, scheme: str) -> list[str]:
    """What is wrong with the page that is open."""
    faults = faults_of(page, name, width, scheme, RULES)
    small = page.evaluate(
        "[...document.querySelectorAll('main button, main select, main input:not([type=hidden])')]"
        ".filter(e => e.offsetParent && (e.offsetHeight < 20 || e.offsetWidth < 20)).map(e => e.outerHTML.slice(0, 80))"
    )
    photograph(page, f"staff-{name}-{width}-{scheme}", full_page=name != "vragenlijst")
    return [*faults, *(f"{name} {width}: too small to hit: {control}" for control in small)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_staff_page_is_accessible_at_every_width(browser: Any, site: str, scheme: str) -> None:
    faults: list[str] = []
    # bypass_csp lets axe in; that pages obey it is the next test's.
    context = browser.new_context(color_scheme=scheme, bypass_csp=True, locale="nl-NL")
    page = context.new_page()
    enter(page, site)
    for name, path in PAGES.items():
        for width in sorted({width for width, _ in SIGHTS}):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.goto(site + path).status == 200
            if path == "/staff":
                page.locator("#bereik table").wait_for()
            faults += look(page, name, width, scheme)
    context.close()
    assert faults == []


def test_no_staff_page_breaks_the_content_security_policy(browser: Any, site: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    enter(page, site)
    for path in PAGES.values():
        page.goto(site + path)
        page.wait_for_load_state("networkidle") if path != "/staff" else page.locator("#bereik table").wait_for()
    context.close()
    assert said == []


def test_a_person_is_stopped_and_given_back_with_the_keyboard_alone(browser: Any, site: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    enter(page, site)
    page.goto(f"{site}/staff/cel/1")
    page.get_by_role("link", name="aan de beurt").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Persoon met nummer").wait_for()
    page.get_by_label("wil niet meedoen").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.get_by_label("overleden").is_checked()
    page.keyboard.press("Tab")
    page.keyboard.type("Brief van de familie")
    page.keyboard.press("Enter")
    page.get_by_role("cell", name="niet meer bellen: overleden").wait_for()
    page.get_by_label("Reden").first.focus()
    page.keyboard.type("Het was een ander")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "terug"
    page.keyboard.press("Enter")
    page.get_by_role("cell", name="teruggedraaid").wait_for()
    context.close()


def test_prompts_play_one_at_a_time_and_a_whole_call_in_order(browser: Any, site: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    enter(page, site)
    page.goto(f"{site}/staff/vragenlijsten/inburgering")
    first = page.get_by_role("button", name="gewoon: greeting", exact=True)
    first.focus()
    page.keyboard.press("Space")
    page.locator("#greeting a.play.on").wait_for()
    page.locator("#greeting a.play:not(.on)").first.wait_for()
    page.locator("a.play.on").wait_for(state="detached")
    page.get_by_role("button", name="Speel het gesprek af").click()
    heard: list[str] = []
    while len(heard) < 4:
        playing = page.locator(".said:has(a.play.on)")
        playing.wait_for()
        id = playing.get_attribute("id")
        if not heard or heard[-1] != id:
            heard.append(id)
    page.get_by_role("button", name="Stop").click()
    page.locator("a.play.on").wait_for(state="detached")
    order = page.eval_on_selector_all("ol.script .said", "items => items.map(item => item.id)")
    places = [order.index(id) for id in heard]
    assert places == sorted(places), "in the order of the call; a busy machine may look away during one"
    context.close()


def test_the_sound_is_heard_again_to_the_last_recording(browser: Any, site: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    enter(page, site, "Kijker")
    page.goto(f"{site}/staff/vragenlijsten/inburgering")
    page.get_by_role("button", name="Keur het geluid opnieuw").click()
    page.get_by_text("1 opnamen gekeurd, geen fouten").wait_for()
    context.close()
