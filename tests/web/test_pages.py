"""What every page has in common: headers, cookies, assets, the key that signs sessions."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from ivr.settings import Settings
from ivr.store import Database
from ivr.web.pages.keys import session_key
from ivr.web.pages.words import euro, number
from tests.web.page_house import add_cell, house_of, open_app, signed_in

TEMPLATES = Path("ivr/web/templates")


def test_pages_allow_only_our_own_scripts_and_styles(sqlite_database: Database, tmp_path: Path) -> None:
    app = open_app(sqlite_database, tmp_path)
    for page in (app.test_client().get("/echt"), signed_in(app, "admin").get("/staff")):
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "same-origin"


def test_no_template_carries_inline_script_or_style() -> None:
    found = [
        (path.name, match[0])
        for path in sorted(TEMPLATES.rglob("*.html"))
        for match in re.finditer(
            r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:|https?://", path.read_text("utf-8")
        )
    ]
    assert found == []


def test_a_session_cookie_is_out_of_reach_of_scripts_and_other_sites(sqlite_database: Database, tmp_path: Path) -> None:
    app = open_app(sqlite_database, tmp_path)
    cookie = app.test_client().get("/inloggen").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_over_https_the_cookie_is_secure_and_bound_to_this_host(sqlite_database: Database, tmp_path: Path) -> None:
    app = open_app(sqlite_database, tmp_path, public_base_url="https://toets.example")
    answer = app.test_client().get("/inloggen", base_url="https://toets.example")
    assert answer.headers["Set-Cookie"].startswith("__Host-toets=")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "Domain" not in answer.headers["Set-Cookie"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_assets_are_kept_for_ever_under_their_contents_hash(sqlite_database: Database, tmp_path: Path) -> None:
    client = open_app(sqlite_database, tmp_path).test_client()
    address = re.search(r'href="(/assets/[0-9a-f]{12}/toets\.css)"', client.get("/echt").text)
    assert address is not None
    answer = client.get(address[1], headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"
    assert client.get("/assets/old/toets.css").headers["Cache-Control"] == "no-cache"
    for path in ("/assets/x/htmx.LICENSE.txt", "/assets/x/..%2Fpages.py", "/assets/x/nothing.css"):
        assert client.get(path).status_code == 404


def test_the_made_up_session_key_is_kept_private_and_stays_the_same(tmp_path: Path) -> None:
    settings = Settings(var_dir=tmp_path)  # type: ignore[call-arg]
    first = session_key(settings)
    assert len(first) >= 32
    assert session_key(settings) == first
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_a_fault_is_a_dutch_page_without_a_trace(sqlite_database: Database, tmp_path: Path) -> None:
    app = open_app(sqlite_database, tmp_path)
    page = signed_in(app, "admin").get("/staff/cel/99")
    assert page.status_code == 404
    assert "Deze bladzijde is er niet" in page.text
    assert "Traceback" not in page.text


@pytest.mark.parametrize("path", ["/niets", "/aanbieder/niets", "/staff/", "/aanbieder/lijst/99999999999999999999"])
def test_an_address_that_does_not_exist_is_told_to_people_in_dutch(
    sqlite_database: Database, tmp_path: Path, path: str
) -> None:
    client = open_app(sqlite_database, tmp_path).test_client()
    browsers = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
    page = client.get(path, headers={"Accept": browsers})
    assert page.status_code == 404
    assert "Deze bladzijde is er niet" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert client.get(path, headers={"Accept": "*/*"}).content_type.startswith("text/plain")


def test_a_fault_has_a_page_also_while_the_database_is_away(sqlite_database: Database, tmp_path: Path) -> None:
    app = open_app(sqlite_database, tmp_path)
    client = signed_in(app, "admin")
    with sqlite_database.write() as session:
        session.exec_driver_sql("ALTER TABLE web_sessions RENAME TO away")
    page = client.get("/account", headers={"Accept": "text/html"})
    assert page.status_code == 500
    assert "Er ging iets mis" in page.text
    assert "web_sessions" not in page.text


def test_a_form_of_a_megabyte_is_not_read(sqlite_database: Database, tmp_path: Path) -> None:
    client = open_app(sqlite_database, tmp_path).test_client()
    for path in ("/inloggen", "/echt", "/uitnodiging/x"):
        assert client.post(path, data={"email": "x" * 1_000_000}).status_code == 413


def test_privacy_says_how_long_as_the_rules_do(sqlite_database: Database, tmp_path: Path) -> None:
    app = open_app(sqlite_database, tmp_path)
    days = house_of(app).catalogue.fieldwork.retention_contact_days
    assert f"<strong>{days} dagen</strong>" in app.test_client().get("/privacy").text


def test_what_somebody_typed_is_never_markup(sqlite_database: Database, tmp_path: Path) -> None:
    app = open_app(sqlite_database, tmp_path)
    add_cell(house_of(app), "<b>Bureau</b> & Zn")
    page = signed_in(app, "admin").get("/staff?q=<script>alert(1)</script>").text
    assert "<script>alert" not in page
    page = signed_in(app, "admin").get("/staff").text
    assert "<b>Bureau" not in page
    assert "&lt;b&gt;Bureau&lt;/b&gt; &amp; Zn" in page


@pytest.mark.parametrize(
    ("value", "decimals", "text"), [(1234.5, 0, "1.235"), (0.05, 1, "0,1"), (1000000, 0, "1.000.000")]
)
def test_figures_are_dutch_and_rounded_half_up(value: float, decimals: int, text: str) -> None:
    assert number(value, decimals) == text


def test_money_is_written_with_cents() -> None:
    assert euro(1234.5) == "€\u00a01.234,50"
