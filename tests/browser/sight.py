"""What the browser tests share: the Chromium, a house that is served, signing in, and what is wrong with a page.

Needs Debian's Chromium (`make browser`); without one the tests are skipped, loudly. With IVR_SCREENSHOTS=DIR each page
that is looked at is also photographed, for people to see.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from flask import Flask

CHROMIUM = os.environ.get("IVR_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
SCREENSHOTS = os.environ.get("IVR_SCREENSHOTS")
AXE = Path(__file__).parent / "axe.min.js"
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")

MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="NO CHROMIUM: the pages were not looked at. Run `make browser`."),
    # The browser's own sockets are closed after the test that opened them.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The address of this app, on loopback."""
    server = make_server("127.0.0.1", 0, app, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def enter(page: Any, site: str, role: str = "Beheerder") -> None:
    """Sign in as the demo's button of this role does."""
    page.goto(f"{site}/inloggen")
    page.get_by_role("button", name=role, exact=True).click()


def faults_of(page: Any, name: str, width: int, scheme: str, rules: Sequence[str] = WCAG) -> list[str]:
    """What axe finds on the page that is open, and what sticks out on the right."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(f"axe.run(document, {{runOnly: {list(rules)}}})")
    faults = [
        f"{name} {width} {scheme}: {rule['id']} {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"][:3]
    ]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [*faults, *([f"{name} {width}: {wide} px stick out"] if wide > 0 else [])]


def photograph(page: Any, name: str, *, full_page: bool = True) -> None:
    """Keep a picture of the page that is open, when somebody asked for pictures."""
    if SCREENSHOTS:
        Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SCREENSHOTS}/{name}.png", full_page=full_page)


def tab_to(page: Any, holds: str, most: int = 60) -> None:
    """Press Tab until the element with focus is one for which `holds` (JavaScript over `it`) is true."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(f"(it => {holds})(document.activeElement)"):
            return
    raise AssertionError(f"the keyboard does not come to {holds}")
