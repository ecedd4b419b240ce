"""The browser of a module's tests, and the house that they look at when they bring none of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ivr.store import Database
from tests.browser.sight import CHROMIUM, served
from tests.web.page_house import add_cell, fill_with, house_of, open_app


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Iterator[str]:
    """A demo house on loopback with 60 cells."""
    app = open_app(sqlite_database, tmp_path, env="demo")
    fill_with(sqlite_database, 60, 12)
    add_cell(house_of(app), "Dienstverlener 1", track="purchased", people=5)
    with served(app) as address:
        yield address
