"""The softphone in a real browser: a whole call by keyboard, one by mouse, declined and ringing in, axe, screenshots.

What it needs, and how each stage is photographed, stands in `sight.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ivr.store import Database, tables
from tests.browser.sight import AXE, MARKS, photograph
from tests.softphone_world import World, open_world

pytestmark = MARKS


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> Iterator[World]:
    with open_world(sqlite_database, tmp_path) as world:
        yield world


@pytest.fixture
def page(browser: Any, world: World) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="nl-NL")
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    assert page.complaints == [], "the console stays silent, the content security policy included"
    context.close()


def open_telephone(page: Any, world: World) -> None:
    """As staff do: sign in, /softphone, the order's own call."""
    page.goto(f"{world.url}/softphone")
    page.get_by_role("button", name="Kijker", exact=True).click()
    page.get_by_role("link", name="Proberen: Taal & Werk").click()
    page.get_by_role("status").get_by_text("Klaar om te bellen").wait_for()


def be_called(page: Any) -> None:
    page.get_by_role("button", name="Laat mij bellen").click()
    page.get_by_role("button", name="Opnemen").click()
    page.locator("#transcript li").first.wait_for()


def waits_for_key(page: Any) -> None:
    page.locator("body[data-keys=open], body:not([data-state=talking])").wait_for()


def settled(page: Any) -> None:
    """The call is over and the house has heard of it."""
    page.locator("body[data-state=over]").wait_for()
    page.locator("#attempt-state").get_by_text("afgesloten").wait_for()


def look(page: Any, stage: str) -> list[str]:
    """Axe's findings at both widths, and what sticks out."""
    faults: list[str] = []
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        found = page.evaluate("axe.run(document, {runOnly: ['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa']})")
        faults += [f"{stage} {width}: {rule['id']} {rule['nodes'][0]['target']}" for rule in found["violations"]]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        faults += [f"{stage} {width}: {wide} px stick out"] if wide > 0 else []
        photograph(page, f"softphone-{stage}-{width}")
    return faults


def test_a_whole_call_with_the_keyboard_alone_is_heard_recorded_and_counts_nowhere(page: Any, world: World) -> None:
    open_telephone(page, world)
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.way") == "called":
            break
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Opnemen").wait_for()
    page.locator("#answer:focus").wait_for()
    page.keyboard.press("Enter")
    first = page.locator("#transcript li").first
    first.get_by_text("Wij bellen voor Blik op Werk").wait_for()
    assert first.get_attribute("data-audible") == "true", "the recording itself sounds"
    for _ in range(60):
        waits_for_key(page)
        if page.evaluate("document.body.dataset.state") != "talking":
            break
        page.keyboard.press("1")
    settled(page)
    text = page.locator("#attempt-state").inner_text()
    assert text == "afgesloten: volledig"
    shown = {
        row.get_attribute("data-question"): row.locator("dd").get_attribute("data-code")
        for row in page.locator("#answers > div").all()
    }
    (attempt,) = world.rows(tables.attempts)
    assert shown == attempt["dialogue"]["answers"]
    assert len(shown) >= 10
    assert page.locator("#quota").inner_text().startswith("0 van 25 gelukt, 0 in gesprek")
    assert attempt["is_test"]
    assert attempt["outcome"] == "complete"
    assert world.rows(tables.interviews) == world.rows(tables.responses) == []
    assert [(cell["successful"], cell["in_flight"]) for cell in world.rows(tables.cells)] == [(0, 0)]


def test_keys_by_mouse_and_hanging_up_in_the_middle(page: Any, world: World) -> None:
    open_telephone(page, world)
    be_called(page)
    for _ in range(4):
        waits_for_key(page)
        page.locator("[data-key='1']").click()
    page.locator("#answers > div").first.wait_for()
    page.get_by_role("button", name="Ophangen").click()
    settled(page)
    assert page.locator("#attempt-state").inner_text() == "afgesloten: afgebroken"
    assert page.locator("[data-key='1']").is_disabled()


def test_a_call_that_is_turned_down_was_busy(page: Any, world: World) -> None:
    open_telephone(page, world)
    page.get_by_role("button", name="Laat mij bellen").click()
    page.get_by_role("button", name="Weigeren").click()
    page.get_by_text("Er is niet opgenomen.").wait_for()
    page.wait_for_timeout(500)
    (attempt,) = world.rows(tables.attempts)
    assert (attempt["state"], attempt["outcome"], attempt["turn"]) == ("closed", "busy", -1)


def test_one_can_ring_in_from_a_known_and_from_an_unknown_number(page: Any, world: World) -> None:
    open_telephone(page, world)
    page.get_by_text("Of bel zelf naar Toets").click()
    page.get_by_role("button", name="Met een bekend nummer").click()
    page.locator("#transcript li").first.wait_for()
    page.locator("#attempt-state").get_by_text("in gesprek").wait_for()
    page.keyboard.press("Escape")
    settled(page)
    (attempt,) = world.rows(tables.attempts)
    assert (attempt["direction"], attempt["state"], attempt["is_test"]) == ("inbound", "closed", True)
    page.get_by_role("button", name="Met een onbekend nummer").click()
    page.get_by_text("Het gesprek is afgelopen.").wait_for()
    assert "Blik op Werk" in page.locator("#transcript").inner_text()
    assert len(world.rows(tables.attempts)) == 1, "who is unknown gets no attempt"


def test_the_pass_leaves_the_address_and_a_window_without_one_has_no_telephone(page: Any, world: World) -> None:
    open_telephone(page, world)
    assert "#" not in page.url
    page.evaluate("sessionStorage.clear()")
    page.goto(f"{world.carrier.url}/softphone")
    page.get_by_text("Deze telefoon is verlopen").wait_for()
    assert page.get_by_role("button", name="Laat mij bellen").is_hidden()


def test_every_stage_is_accessible_and_nothing_sticks_out(browser: Any, world: World) -> None:
    context = browser.new_context(bypass_csp=True, locale="nl-NL", has_touch=True)
    page = context.new_page()
    faults: list[str] = []

    def looked(stage: str) -> None:
        page.evaluate(AXE.read_text("utf-8"))
        faults.extend(look(page, stage))

    page.goto(f"{world.url}/softphone")
    page.get_by_role("button", name="Beheerder", exact=True).click()
    looked("choices")
    page.get_by_role("link", name="Proberen: Taal & Werk").click()
    page.get_by_text("Klaar om te bellen").wait_for()
    looked("ready")
    page.get_by_role("button", name="Laat mij bellen").tap()
    page.get_by_role("button", name="Opnemen").wait_for()
    looked("ringing")
    page.get_by_role("button", name="Opnemen").tap()
    for _ in range(5):
        waits_for_key(page)
        page.locator("[data-key='1']").tap()
    page.locator("#answers > div").first.wait_for()
    looked("talking")
    page.get_by_role("button", name="Ophangen").tap()
    settled(page)
    looked("over")
    assert page.locator("#kept").get_attribute("tabindex") == "0", "a long list of answers scrolls by keyboard too"
    context.close()
    assert faults == []
