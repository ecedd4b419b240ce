"""The pages in a real browser: axe finds nothing, nothing sticks out at 360 px, the CSP is not broken, keys suffice.

What it needs, and how pages are photographed for people to look at, stands in `sight.py`.
"""

from __future__ import annotations

from typing import Any

import pytest

from ivr.store import Database
from tests.browser.sight import MARKS, SCREENSHOTS, enter, faults_of, photograph, tab_to

SIGHTS = [(360, "light"), (1280, "dark"), *([(1280, "light"), (360, "dark")] if SCREENSHOTS else [])]
"""Widths and colours; the last two are for the photographs, axe has nothing new to say of them."""
PUBLIC = ("/", "/echt", "/inloggen")
STAFF = ("/staff", "/staff?aandacht=1&q=12", "/staff/cel/1", "/staff/logboek", "/staff/wachtrijen", "/account")
PROVIDER = ("/aanbieder", "/aanbieder/bestellen?aantal=25", "/aanbieder/lijst", "/aanbieder/kosten")

pytestmark = MARKS


def look(page: Any, path: str, width: int, scheme: str) -> list[str]:
    """What is wrong with the page that is open."""
    name = path.strip("/").replace("/", "-").replace("?", "-").split("=")[0] or "start"
    photograph(page, f"{name}-{width}-{scheme}", full_page=path != "/staff")
    return faults_of(page, path, width, scheme)


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
    page.locator("#bereik p").first.wait_for()
    page.evaluate("document.querySelector('#bereik').dataset.held = 'yes'")
    row.get_by_text("11 van 25").wait_for(timeout=15_000)
    assert page.locator("#bereik").get_attribute("data-held") == "yes", "the card that asks for itself stays"
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


def test_a_cell_is_paused_and_resumed_from_the_sign_in_page_on_with_the_keyboard_alone(browser: Any, site: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site}/inloggen")
    tab_to(page, "it.innerText === 'Beheerder'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/staff")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    tab_to(page, "it.innerText === 'Dienstverlener 26'")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Dienstverlener 26").wait_for()
    for reason, button, state in (
        ("De school heeft vakantie", "Pauzeren", "gepauzeerd"),
        ("De vakantie is voorbij", "Hervatten", "loopt"),
    ):
        tab_to(page, "it.id === 'reden'")
        page.keyboard.type(reason)
        tab_to(page, f"it.innerText === '{button}'")
        page.keyboard.press("Enter")
        page.get_by_role("cell", name=reason).wait_for()
        assert page.locator("h1").get_by_text(state).count() == 1
    context.close()
