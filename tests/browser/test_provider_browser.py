"""The provider pages in a real browser: three widths, axe, keyboard alone, a dropped file, and without JavaScript."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ivr.store import Database, ledger
from ivr.store.tables import cells
from tests.browser.sight import MARKS, enter
from tests.browser.test_browser import look
from tests.web.page_house import MIDDAY

LIST = (
    "clientnummer;dienst;vragenlijst;leerprofiel;voornaam;achternaam;telefoon;einddatum_traject\n"
    "1;11;;1;Aya;Berg;06 12345678;\n2;99;;;Bo;Cox;06 12345679;2024-03-01\n"
)
PATHS = (
    "/aanbieder",
    "/aanbieder/bestellen",
    "/aanbieder/lijst",
    "/aanbieder/lijst/1",
    "/aanbieder/teksten",
    "/aanbieder/teksten/toestemming",
    "/aanbieder/kosten",
    "/aanbieder/kosten/61",
    "/aanbieder/uitslag",
    "/account",
    "/privacy",
    "/niets",
)

pytestmark = MARKS


@pytest.fixture
def page(browser: Any, site: str, sqlite_database: Database) -> Any:
    """A page of the provider of the demo, which has an order with two interviews on the bill."""
    with sqlite_database.write() as session:
        session.execute(cells.update().where(cells.c.id == 61).values(successful=2))
        for interview in ("one", "two"):
            ledger.enter(session, 61, interview, MIDDAY)
    context = browser.new_context(locale="nl-NL", bypass_csp=True)
    page = context.new_page()
    enter(page, site, "Dienstverlener")
    yield page
    context.close()


def choose_period(page: Any, year: int) -> None:
    page.get_by_label("Meetperiode, eerste dag").fill(f"{year}-01-01")
    page.get_by_label("Laatste dag").fill(f"{year}-12-31")


def file_of(tmp_path: Path) -> Path:
    path = tmp_path / "lijst.csv"
    path.write_text(LIST)
    return path


def test_each_page_is_accessible_and_nothing_sticks_out_at_any_width(page: Any, site: str, tmp_path: Path) -> None:
    page.goto(f"{site}/aanbieder/lijst")
    choose_period(page, 2024)
    page.get_by_label("Bestand").set_input_files(file_of(tmp_path))
    page.get_by_role("button", name="Aanleveren en nakijken").click()
    faults: list[str] = []
    for width, scheme in ((360, "light"), (1280, "dark"), (1920, "light")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        for path in PATHS:
            assert page.goto(site + path).status == (404 if path == "/niets" else 200)
            faults += look(page, path, width, scheme)
    assert faults == []


def test_a_list_is_delivered_and_mended_with_the_keyboard_alone(page: Any, site: str, tmp_path: Path) -> None:
    page.on(
        "filechooser", lambda _: None
    )  # from now on; switched on at the key itself it comes too late on a busy machine
    page.goto(f"{site}/aanbieder/lijst")
    choose_period(page, 2024)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "bestand":
            break
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(file_of(tmp_path))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("1 van 2 regels zijn goed").wait_for()
    assert page.get_by_role("row").filter(has_text="Regel 3").get_by_text("afgewezen").count() == 1
    with page.expect_download() as download:
        page.get_by_role("link", name="Alle regels als bestand").press("Enter")
    assert "3;dienst;afgewezen;" in Path(download.value.path()).read_text("utf-8-sig")


def test_a_file_dropped_anywhere_on_the_form_is_the_one_that_is_delivered(page: Any, site: str) -> None:
    page.goto(f"{site}/aanbieder/lijst")
    choose_period(page, 2024)
    dropped = page.evaluate_handle(
        "text => { const all = new DataTransfer(); all.items.add(new File([text], 'lijst.csv')); return all; }", LIST
    )
    page.dispatch_event("form.card h2", "drop", {"dataTransfer": dropped})
    assert page.evaluate("document.querySelector('#bestand').files[0].name") == "lijst.csv"
    page.get_by_role("button", name="Aanleveren en nakijken").click()
    page.get_by_text("1 van 2 regels zijn goed").wait_for()


@pytest.mark.parametrize("onto", ["#bestand", "form.card h2"])
def test_a_file_dragged_in_from_outside_the_browser_is_delivered(
    page: Any, site: str, tmp_path: Path, onto: str
) -> None:
    """The browser's own drag: it makes the events and the file, as when one comes from a folder on the screen."""
    page.goto(f"{site}/aanbieder/lijst")
    choose_period(page, 2024)
    box = page.locator(onto).bounding_box()
    where = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    data = {"items": [], "files": [str(file_of(tmp_path))], "dragOperationsMask": 1}
    devtools = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, **where, "data": data})
    page.wait_for_function("document.querySelector('#bestand').files.length === 1")
    page.get_by_role("button", name="Aanleveren en nakijken").click()
    page.get_by_text("1 van 2 regels zijn goed").wait_for()


def test_a_file_that_falls_beside_the_form_does_not_replace_the_page(page: Any, site: str, tmp_path: Path) -> None:
    page.goto(f"{site}/aanbieder/lijst")
    data = {"items": [], "files": [str(file_of(tmp_path))], "dragOperationsMask": 1}
    devtools = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 15, "data": data})
    assert page.get_by_role("heading", name="Lijst aanleveren").is_visible()
    assert page.url == f"{site}/aanbieder/lijst"


def test_a_file_that_is_too_large_is_told_before_it_is_sent(page: Any, site: str) -> None:
    page.goto(f"{site}/aanbieder/lijst")
    most = int(page.locator("#bestand").get_attribute("data-most"))
    page.locator("#bestand").set_input_files({"name": "groot.csv", "mimeType": "text/csv", "buffer": b"x" * (most + 1)})
    assert page.evaluate("document.querySelector('#bestand').validationMessage") == "Dit bestand is te groot."


def test_delivering_and_ordering_work_without_javascript(browser: Any, site: str, tmp_path: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    enter(page, site, "Dienstverlener")
    page.goto(f"{site}/aanbieder/lijst")
    choose_period(page, 2024)
    page.get_by_label("Bestand").set_input_files(file_of(tmp_path))
    page.get_by_role("button", name="Aanleveren en nakijken").click()
    page.get_by_text("1 van 2 regels zijn goed").wait_for()
    page.goto(f"{site}/aanbieder/bestellen")
    choose_period(page, 2024)
    page.get_by_label("Aantal geslaagde interviews").fill("8")
    page.get_by_role("button", name="Kosten uitrekenen").click()
    assert [text.replace("\u00a0", " ") for text in page.locator("#kosten dd").all_inner_texts()] == [
        "€ 196,00",
        "€ 98,00",
        "€ 98,00",
    ]
    page.get_by_role("button", name="Bestellen", exact=True).click()
    page.get_by_text("Uw bestelling is genoteerd").wait_for()
    context.close()


def test_on_paper_an_invoice_has_no_menu_and_no_buttons(page: Any, site: str) -> None:
    page.goto(f"{site}/aanbieder/kosten/61")
    assert page.get_by_role("button", name="Afdrukken").is_visible()
    page.emulate_media(media="print")
    assert not page.get_by_role("button", name="Afdrukken").is_visible()
    assert not page.get_by_role("navigation").is_visible()
    assert page.get_by_role("cell", name="geslaagd interview").first.is_visible()
