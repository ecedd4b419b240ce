"""The pages in a real browser: axe finds nothing, nothing sticks out at 360 px, the CSP is not broken, keys suffice.

Needs Debian's Chromium (`make browser`); without one these tests are skipped, loudly. With IVR_SCREENSHOTS=DIR each
page is also photographed, for people to look at.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from ivr.store import Database
from tests.web.page_house import add_cell, fill_with, house_of, open_app

CHROMIUM = os.environ.get("IVR_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
SCREENSHOTS = os.environ.get("IVR_SCREENSHOTS")
AXE = Path(__file__).parent / "axe.min.js"
SIGHTS = [(360, "light"), (1280, "dark"), *([(1280, "light"), (360, "dark")] if SCREENSHOTS else [])]
"""Widths and colours; the last two are for the photographs, axe has nothing new to say of them."""
PUBLIC = ("/", "/echt", "/inloggen")
STAFF = ("/staff", "/staff?aandacht=1&q=12", "/staff/cel/1", "/staff/logboek", "/staff/wachtrijen", "/account")
PROVIDER = ("/aanbieder", "/aanbieder/bestellen?aantal=25", "/aanbieder/lijst", "/aanbieder/kosten")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="NO CHROMIUM: the pages were not looked at. Run `make browser`."),
    # The browser's own sockets are closed after the test that opened them.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Iterator[str]:
    """A demo house on loopback with 60 cells."""
    app = open_app(sqlite_database, tmp_path, env="demo")
    fill_with(sqlite_database, 60, 12)
    add_cell(house_of(app), "Dienstverlener 1", track="purchased", people=5)
    server = make_server("127.0.0.1", 0, app, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def enter(page: Any, site: str, role: str) -> None:
    page.goto(f"{site}/inloggen")
    page.get_by_role("button", name=role, exact=True).click()


def look(page: Any, path: str, width: int, scheme: str) -> list[str]:
    """What is wrong with the page that is open: axe's findings, and what sticks out on the right."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa']})")
    faults = [
        f"{path} {width} {scheme}: {rule['id']} {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"][:3]
    ]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wide > 0:
        faults.append(f"{path} {width}: {wide} px stick out")
    if SCREENSHOTS:
        Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
        name = path.strip("/").replace("/", "-").replace("?", "-").split("=")[0] or "start"
        page.screenshot(path=f"{SCREENSHOTS}/{name}-{width}-{scheme}.png", full_page=path != "/staff")
    return faults


@pytest.mark.parametrize(("width", "scheme"), SIGHTS)
def test_every_page_is_accessible_and_nothing_sticks_out(browser: Any, site: str, width: int, scheme: str) -> None:
    faults: list[str] = []
    for role, paths in ((None, PUBLIC), ("Beheerder", STAFF), ("Dienstverlener", PROVIDER)):
        # bypass_csp lets axe in; that pages obey it is the next test's.
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True, locale="nl-NL"
        )
        page = context.new_page()
        if role:
            enter(page, site, role)
        for path in paths:
            assert page.goto(site + path).status == 200
            faults += look(page, path, width, scheme)
        context.close()
    assert faults == []


def test_no_page_breaks_the_content_security_policy(browser: Any, site: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    for role, paths in ((None, PUBLIC), ("Beheerder", STAFF), ("Dienstverlener", PROVIDER)):
        context.clear_cookies()
        if role:
            enter(page, site, role)
        for path in paths:
            page.goto(site + path)
    context.close()
    assert said == []


def test_the_board_refreshes_itself_and_keeps_the_filter(browser: Any, site: str, sqlite_database: Database) -> None:
    from ivr.store.tables import cells

    context = browser.new_context()
    page = context.new_page()
    enter(page, site, "Beheerder")
    page.goto(f"{site}/staff?q=Dienstverlener+10")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="Dienstverlener 10"))
    assert "10 van 25" in row.inner_text()
    with sqlite_database.write() as session:
        session.execute(cells.update().where(cells.c.id == 10).values(successful=11))
    row.get_by_text("11 van 25").wait_for(timeout=15_000)
    assert page.locator("table", has=row).get_by_role("row").count() == 2, "the head and the one cell asked for"
    context.close()


def test_the_costs_appear_while_a_number_is_typed(browser: Any, site: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    enter(page, site, "Dienstverlener")
    page.goto(f"{site}/aanbieder/bestellen")
    page.get_by_label("Aantal geslaagde interviews").press_sequentially("8")
    page.locator("#kosten").get_by_text("8 × €").wait_for()
    # 8 × 24,50; the order of 25 that this provider has took all of the subsidy.
    assert [text.replace("\u00a0", " ") for text in page.locator("#kosten dd").all_inner_texts()] == [
        "€ 196,00",
        "€ 0,00",
        "€ 196,00",
    ]
    context.close()


def test_a_cell_can_be_paused_with_the_keyboard_alone(browser: Any, site: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    enter(page, site, "Beheerder")
    page.goto(f"{site}/staff/cel/1")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "reden":
            break
    page.keyboard.type("De school heeft vakantie")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("cell", name="De school heeft vakantie").wait_for()
    assert page.locator("h1").get_by_text("gepauzeerd").count() == 1
    context.close()
