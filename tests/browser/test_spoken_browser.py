"""The spoken questions in a real browser: axe is content, they can be heard, seen being read, and answered by keyboard.

What it needs, and how pages are photographed, stands in `sight.py`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ivr.fieldwork import page_voicing
from ivr.fieldwork.link_kit import load_kit
from ivr.fieldwork.voicing import Wording
from ivr.settings import ROOT
from ivr.speech.espeak import EspeakEngine
from ivr.store import Database, samples, tables
from tests.browser.sight import MARKS, SCREENSHOTS, WCAG, faults_of, photograph, served
from tests.fieldwork.voiced_order import CATALOGUE, NOON
from tests.web.page_house import house_of
from tests.web.spoken_house import DOOR, SpokenHouse, spoken_house

SIGHTS = [(360, "light"), (1280, "dark"), *([(1280, "light"), (360, "dark")] if SCREENSHOTS else [])]
RULES = (*WCAG, "best-practice")

pytestmark = MARKS


@pytest.fixture(scope="module")
def voiced(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """A database whose pages were really spoken, by the offline voice."""
    folder = tmp_path_factory.mktemp("spoken")
    shutil.copyfile(sqlite_template, folder / "toets.db")
    database = Database(f"sqlite:///{folder / 'toets.db'}")
    house = spoken_house(database, folder)
    engine = EspeakEngine()
    try:
        with database.read() as session:
            sample = samples.sample_by_id(session, house.order.sample_id)
        wording = Wording("088 123 45 67", "blikopwerk.nl", folder)
        kit = load_kit(ROOT / "config")
        page_voicing.voice_pages(database, CATALOGUE, kit, engine, wording, sample, [11], NOON)
    finally:
        engine.close()
        database.dispose()
    return folder


@pytest.fixture
def house(voiced: Path, tmp_path: Path) -> Iterator[SpokenHouse]:
    """That house anew for each test: nothing answered yet."""
    for name in ("toets.db", "toets.db.key"):
        shutil.copyfile(voiced / name, tmp_path / name)
    database = Database(f"sqlite:///{tmp_path / 'toets.db'}")
    yield _reopened(database, tmp_path)
    database.dispose()


def _reopened(database: Database, folder: Path) -> SpokenHouse:
    from tests.fieldwork.voiced_order import VoicedOrder
    from tests.web.page_house import open_app

    order = VoicedOrder.__new__(VoicedOrder)
    order.database, order.sample_id, order.order_id, order.cell_id = database, 1, 1, 1
    return SpokenHouse(open_app(database, folder), order, 1)


@pytest.fixture
def site(house: SpokenHouse) -> Iterator[str]:
    with served(house.app) as address:
        yield address


def look(page: Any, name: str, width: int, scheme: str) -> list[str]:
    """What is wrong with the page that is open."""
    faults = faults_of(page, name, width, scheme, RULES)
    small = page.evaluate(
        """() => [...document.querySelectorAll('main button, main label, main .button, main audio')]
        .filter(e => e.offsetParent && (e.getBoundingClientRect().height < 44 || e.getBoundingClientRect().width < 44))
        .map(e => e.outerHTML.slice(0, 80))"""
    )
    faults += [f"{name} {width}: too small to press: {one}" for one in small if '<label for="antwoord"' not in one]
    photograph(page, f"spoken-{name}-{width}-{scheme}")
    return faults


def choose(page: Any, value: str) -> None:
    page.locator(f"label[for=a{value}]").click()
    page.get_by_role("button", name="Verder", exact=True).click()


def stored(house: SpokenHouse) -> dict[str, str]:
    with house_of(house.app).database.read() as session:
        return {row.question: row.value for row in session.execute(sa.select(tables.responses))}


@pytest.mark.parametrize(("width", "scheme", "scripts"), [*((*sight, True) for sight in SIGHTS), (360, "light", False)])
def test_every_spoken_page_is_accessible_and_nothing_sticks_out(
    browser: Any, site: str, width: int, scheme: str, scripts: bool
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 740},
        color_scheme=scheme,
        bypass_csp=True,
        locale="nl-NL",
    )
    if not scripts:  # axe needs scripts of its own, so only ours stay away
        context.route("**/spoken.js", lambda route: route.abort())
    page = context.new_page()
    kind = "" if scripts else "plain-"
    faults: list[str] = []
    page.goto(f"{site}/v/een-onbekende-link")
    faults += look(page, f"{kind}unknown", width, scheme)
    page.goto(site + DOOR)
    faults += look(page, f"{kind}start", width, scheme)
    page.get_by_role("button", name="Beginnen").click()
    faults += look(page, f"{kind}question", width, scheme)
    page.get_by_role("button", name="Ik begrijp de vraag niet", exact=True).click()
    faults += look(page, f"{kind}unclear", width, scheme)
    for value in ("2", "1", "2", "2", "1", "2", "1", "1", "2"):
        choose(page, value)
    assert "Welk cijfer" in page.locator("h1").inner_text()
    faults += look(page, f"{kind}grade", width, scheme)
    page.locator("label[for=a7]").click()
    faults += look(page, f"{kind}grade-chosen", width, scheme)
    page.get_by_role("button", name="Verder", exact=True).click()
    for _ in range(3):
        choose(page, "2")
    assert page.locator("h1").inner_text() == "Klaar"
    faults += look(page, f"{kind}end", width, scheme)
    context.close()
    assert faults == []


def test_no_spoken_page_breaks_the_content_security_policy(browser: Any, site: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(site + DOOR)
    page.get_by_role("button", name="Beginnen").click()
    page.get_by_role("button", name="Lees alles voor").click()
    page.wait_for_timeout(300)
    choose(page, "1")
    context.close()
    assert said == []


def test_everything_is_read_in_order_and_seen_while_it_is_read(browser: Any, site: str) -> None:
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(site + DOOR)
    page.get_by_role("button", name="Beginnen").click()
    choose(page, "1")
    # Eight times as fast, so that the test need not listen to all of it.
    page.evaluate("document.querySelectorAll('audio').forEach(a => { a.playbackRate = 8; a.defaultPlaybackRate = 8; })")
    page.evaluate(
        """() => { window.seen = []; const words = (place) => place.innerText.replace(/\\s+/g, ' ').trim();
        new MutationObserver(all => all.forEach(m => {
            if (m.target.classList.contains('reading')) window.seen.push(words(m.target));
        })).observe(document.body, {subtree: true, attributes: true, attributeFilter: ['class']}); }"""
    )
    page.get_by_role("button", name="Lees alles voor").click()
    page.wait_for_function("window.seen.length >= 7", timeout=20_000)
    page.wait_for_function("document.querySelectorAll('.reading').length === 0", timeout=10_000)
    seen = page.evaluate("window.seen")
    context.close()
    assert seen[0] == "Geeft uw leraar goed les?"
    assert [text.split()[-1] for text in seen[1:5]] == ["Altijd", "Vaak", "Soms", "Nooit"]
    assert seen[5].endswith("Weet ik niet")
    assert seen[6] == "Ik begrijp de vraag niet"


def test_one_answer_is_heard_and_pressing_again_stops_it(browser: Any, site: str) -> None:
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(site + DOOR)
    page.get_by_role("button", name="Beginnen").click()
    listen = page.get_by_role("button", name="Luister: Nee, u bent klaar")
    listen.click()
    page.wait_for_function("[...document.querySelectorAll('audio')].some(a => !a.paused && a.currentTime > 0)")
    assert listen.get_attribute("aria-pressed") == "true"
    assert page.locator(".answer.reading").count() == 1
    listen.click()
    assert listen.get_attribute("aria-pressed") == "false"
    assert page.locator(".reading").count() == 0
    context.close()


def test_an_interview_is_answered_with_the_keyboard_alone(browser: Any, site: str, house: SpokenHouse) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(site + DOOR)
    page.get_by_role("button", name="Beginnen").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/1")
    page.locator("input[name=antwoord]").first.focus()
    page.keyboard.press("2")  # the number of the answer, as in the call
    assert page.locator("#a2").is_checked()
    page.keyboard.press("Enter")
    page.wait_for_url("**/2")
    page.locator("input[name=antwoord]").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/3")
    context.close()
    assert stored(house) == {"INB_VOLGT": "nee_klaar", "INB_LES": "vaak"}


def test_the_back_button_shows_the_earlier_question_and_its_new_answer_stays(
    browser: Any, site: str, house: SpokenHouse
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(site + DOOR)
    page.get_by_role("button", name="Beginnen").click()
    choose(page, "1")
    choose(page, "4")
    page.go_back()
    assert page.locator("h1").inner_text() == "Geeft uw leraar goed les?"
    assert page.locator("#a4").is_checked()
    choose(page, "1")
    assert "antwoord op vragen" in page.locator("h1").inner_text()
    page.reload()
    context.close()
    assert stored(house) == {"INB_VOLGT": "ja", "INB_LES": "altijd"}


def test_it_works_with_scripts_switched_off(browser: Any, site: str, house: SpokenHouse) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(site + DOOR)
    page.get_by_role("button", name="Beginnen").click()
    assert page.locator("audio[controls]").count() == 7
    choose(page, "3")
    page.get_by_role("link", name="Langzaam voorlezen").click()
    assert page.get_by_role("link", name="Gewoon tempo").count() == 1
    choose(page, "0")
    context.close()
    assert stored(house) == {"INB_VOLGT": "nee_gestopt", "INB_LES": "weet_niet"}
