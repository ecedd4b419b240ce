"""The pictures in the documentation: each is made here, of the pages as they are, so that none can outlive its page.

`make screenshots` makes them anew in docs/screenshots/. The ordinary run makes them too, elsewhere, and holds the docs
to it: a picture that the docs show and nobody makes, or that somebody makes and the docs do not show, is a fault.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fieldwork_world import StillClock
from rq import Queue, SimpleWorker

from ivr import backlog
from ivr.settings import ROOT
from ivr.store import Database, leases
from scripts.embedded import redis_command, wait_for_redis
from tests.browser.sight import CHROMIUM, enter, served
from tests.web.page_house import MIDDAY, add_cell, fill_with, house_of, open_app
from worker import queues

DOCS = ROOT / "docs"
FOLDER = DOCS / "screenshots"
MOST_BYTES = 120_000
SIZE = {"width": 1024, "height": 640}


@dataclass(frozen=True)
class Picture:
    """What is photographed: as whom (the button of the demo's sign-in page), which page, and its heading."""

    role: str | None
    path: str
    heading: str


PICTURES = {
    "inloggen": Picture(None, "/inloggen", "Inloggen"),
    "bord": Picture("Beheerder", "/staff", "Bord"),
    "cel": Picture("Beheerder", "/staff/cel/1", "Dienstverlener 1"),
    "wachtrijen": Picture("Beheerder", "/staff/wachtrijen", "Wachtrijen"),
    "voortgang": Picture("Dienstverlener", "/aanbieder", "Voortgang van Dienstverlener 1"),
    "bestellen": Picture("Dienstverlener", "/aanbieder/bestellen?aantal=25", "Telefonische interviews bestellen"),
    "lijst": Picture("Dienstverlener", "/aanbieder/lijst", "Lijst aanleveren"),
}


def shown() -> dict[str, list[str]]:
    """Picture → the pages of the docs that show it."""
    found: dict[str, list[str]] = {}
    for page in sorted(DOCS.rglob("*.md")):
        for name in re.findall(r"!\[[^\]]+\]\((?:\.\./)*screenshots/([^)]+)\.png\)", page.read_text("utf-8")):
            found.setdefault(name, []).append(page.name)
    return found


def test_each_picture_of_the_docs_is_made_here_and_each_that_is_made_is_shown() -> None:
    assert sorted(shown()) == sorted(PICTURES)


@pytest.fixture
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis with a worker, two calls that wait and a clock that ticked."""
    home = tmp_path_factory.mktemp("r")
    url = f"unix://{home / 'r.sock'}"
    server = subprocess.Popen(redis_command(home / "r.sock", home / "files"), stdout=subprocess.DEVNULL)
    wait_for_redis(url)
    connection = queues.connect(url)
    for number in range(2):
        queues.put_dial(connection, f"{number:032x}")
    for name in queues.QUEUES:
        worker = SimpleWorker([Queue(name, connection=connection)], connection=connection, name=f"{name}-1")
        worker.register_birth()
        worker.set_state("idle")
    backlog.note_ticks(connection, ["plan", "sweep", "reconcile", "mail"])
    yield url
    connection.close()
    server.terminate()
    server.wait(10)


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path, redis_url: str) -> Iterator[str]:
    """A demo house with forty invented providers, on a day that stands still."""
    app = open_app(sqlite_database, tmp_path, env="demo", redis_url=redis_url)
    with sqlite_database.write() as session:
        leases.acquire(session, "clock", "toets-1:4711", datetime.now(UTC), 600)
    house_of(app).__dict__["clock"] = StillClock(MIDDAY)
    fill_with(sqlite_database, 40, 12)
    add_cell(house_of(app), "Dienstverlener 1", track="purchased", people=8, target=10)
    with served(app) as address:
        yield address


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="NO CHROMIUM: no pictures were made. Run `make browser`.")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_every_picture_can_be_made_of_the_page_as_it_is(site: str, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    folder = FOLDER if os.environ.get("IVR_WRITE_SCREENSHOTS") else tmp_path
    folder.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, picture in PICTURES.items():
            context: Any = browser.new_context(viewport=SIZE, color_scheme="light", locale="nl-NL")
            page = context.new_page()
            if picture.role:
                enter(page, site, picture.role)
            page.goto(site + picture.path)
            assert picture.heading in page.locator("h1").inner_text(), f"{name} shows another page"
            page.screenshot(path=str(folder / f"{name}.png"))
            context.close()
        browser.close()
    assert sorted(path.stem for path in folder.glob("*.png")) == sorted(PICTURES)


def test_the_pictures_are_there_and_small() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(f"{name}.png" for name in PICTURES)
    assert {path.name: path.stat().st_size for path in FOLDER.iterdir() if path.stat().st_size > MOST_BYTES} == {}
