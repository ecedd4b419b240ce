"""The pipeline's API: only with a token, whole or from where it broke off, and true to its own description."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from ivr.errors import ConfigurationError, NotFoundError, RefusedError
from ivr.exports import publishing
from ivr.settings import load_settings
from ivr.store import Database
from scripts.cli import main
from tests.exports.exporting import PERIOD, Room, a_catalogue
from tests.web.page_house import open_app

TOKEN = "a token of the pipeline"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HERE = "/api/v1/periods/2025-01-01_2025-12-31"
ANSWERS = dict.fromkeys(("LD_C_AANDACHT", "LD_C_INFO", "LD_K_SNEL1", "LD_B_STAP"), "tevreden")


def publish(database: Database, root: Path, **options: bool) -> dict:
    return publishing.publish(database, a_catalogue(), root, PERIOD, NOW, **options)


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    with sqlite_database.write() as session:
        room = Room(session)
        sample = room.sample("Alfa")
        for grade in range(1, 8):
            room.interview(room.case(sample), {**ANSWERS, "LD_CIJFER": str(grade)})
    publish(sqlite_database, tmp_path / "pipeline")
    tokens = f"pipeline={hashlib.sha256(TOKEN.encode()).hexdigest()},old={'0' * 64}"
    return open_app(sqlite_database, tmp_path, api_tokens=tokens)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.mark.parametrize("path", ["/api/v1/periods", HERE, f"{HERE}/files/tabel_1_1.csv", f"{HERE}/files/no.csv"])
@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": TOKEN}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"},
     {"Authorization": "Bearer " + hashlib.sha256(TOKEN.encode()).hexdigest()}],
)  # fmt: skip
def test_without_the_token_nothing_is_told(client: FlaskClient, path: str, headers: dict[str, str]) -> None:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json is not None
    assert answer.json["error"]["code"] == "unauthorized"
    assert "Set-Cookie" not in answer.headers


def test_no_token_is_valid_where_none_is_set(sqlite_database: Database, tmp_path: Path) -> None:
    client = open_app(sqlite_database, tmp_path).test_client()
    assert client.get("/api/v1/periods", headers={"Authorization": "Bearer "}).status_code == 401


def test_every_file_comes_as_the_manifest_says(client: FlaskClient) -> None:
    manifest = client.get(HERE, headers=BEARER).json
    assert manifest is not None
    assert (manifest["period"], manifest["final"], manifest["final_at"]) == ("2025-01-01/2025-12-31", False, None)
    names = {one["file"] for one in manifest["files"]}
    assert {"tabel_1_1.csv", "interviews.parquet", "interviews.sav", "tabellen.xlsx", "report_alfa.json"} <= names
    assert "regular_route.csv" not in names
    for one in manifest["files"]:
        answer = client.get(f"{HERE}/files/{one['file']}", headers=BEARER)
        assert (answer.status_code, len(answer.data)) == (200, one["bytes"])
        assert hashlib.sha256(answer.data).hexdigest() == one["sha256"] == answer.get_etag()[0]
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["Content-Type"].count("charset") == one["file"].endswith((".csv", ".html"))
        answer.close()


def test_a_download_goes_on_where_it_broke_off(client: FlaskClient) -> None:
    path = f"{HERE}/files/interviews.csv"
    whole = client.get(path, buffered=True, headers=BEARER)
    etag = whole.headers["ETag"]
    rest = client.get(path, buffered=True, headers={**BEARER, "Range": "bytes=100-", "If-Range": etag})
    assert (rest.status_code, rest.data) == (206, whole.data[100:])
    assert rest.headers["Content-Range"] == f"bytes 100-{len(whole.data) - 1}/{len(whole.data)}"
    other = client.get(path, buffered=True, headers={**BEARER, "Range": "bytes=100-", "If-Range": '"another"'})
    assert (other.status_code, other.data) == (200, whole.data), "a changed file begins again"
    assert client.get(path, buffered=True, headers={**BEARER, "Range": "bytes=999999999-"}).status_code == 416
    assert client.get(path, buffered=True, headers={**BEARER, "If-None-Match": etag}).status_code == 304
    head = client.head(path, buffered=True, headers=BEARER)
    assert (head.data, head.headers["Content-Length"]) == (b"", str(len(whole.data)))


@pytest.mark.parametrize(
    "path",
    ["/api/v1/periods/2024-01-01_2024-12-31", "/api/v1/periods/..", f"{HERE}/files/current.json",
     f"{HERE}/files/..%2fcurrent.json", f"{HERE}/files/%2e%2e", f"{HERE}/files/1%2ftabel_1_1.csv"],
)  # fmt: skip
def test_only_what_a_manifest_names_is_served(client: FlaskClient, path: str) -> None:
    assert client.get(path, buffered=True, headers=BEARER).status_code == 404


def test_a_final_period_is_replaced_only_when_it_is_opened_again(
    app: Flask, sqlite_database: Database, tmp_path: Path
) -> None:
    client, root = app.test_client(), tmp_path / "pipeline"
    before = client.get(f"{HERE}/files/tabel_1_1.csv", buffered=True, headers=BEARER).get_etag()
    publish(sqlite_database, root, is_final=True)
    listed = client.get("/api/v1/periods", headers=BEARER).json
    assert listed is not None
    assert [(one["final"], one["final_at"]) for one in listed["periods"]] == [(True, "2026-03-01T12:00:00Z")]
    after = client.get(f"{HERE}/files/tabel_1_1.csv", buffered=True, headers=BEARER).get_etag()
    assert after == before, "the same data keeps its ETag"
    with pytest.raises(RefusedError, match="final since"):
        publish(sqlite_database, root)
    assert publish(sqlite_database, root, reopen=True)["final"] is False
    assert len([one for one in (root / publishing.name_of(PERIOD)).iterdir() if one.is_dir()]) == 2


def test_a_period_without_a_list_is_not_published(sqlite_database: Database, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        publish(sqlite_database, tmp_path / "pipeline")
    assert not (tmp_path / "pipeline").exists()


def test_the_description_is_valid_and_names_every_door(app: Flask, client: FlaskClient) -> None:
    answer = client.get("/api/v1/openapi.json")
    assert answer.json is not None
    validate(answer.json)
    described = {path.replace("{", "<").replace("}", ">") for path in answer.json["paths"]}
    rules = {rule.rule.removeprefix("/api/v1") for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")}
    assert described == rules


def test_a_token_is_shown_once_and_its_hash_opens_the_door(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = json.loads(CliRunner().invoke(main, ["api", "token", "pipeline", "--json"]).stdout)
    assert made["token"] not in made["setting"]
    client = open_app(sqlite_database, tmp_path, api_tokens=made["setting"]).test_client()
    assert client.get("/api/v1/periods", headers={"Authorization": f"Bearer {made['token']}"}).json == {"periods": []}
    monkeypatch.setenv("IVR_API_TOKENS", "pipeline=" + made["token"])
    with pytest.raises(ConfigurationError, match="ivr api token"):
        load_settings()
