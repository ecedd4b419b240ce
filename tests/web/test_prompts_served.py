"""Prompts over HTTP: the right bytes, cacheable for ever, and an alarm when one is missing."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from ivr.speech import phone_audio
from ivr.store import Database, prompts
from ivr.store.tables import prompts as prompts_table
from ivr.web.prompts import PromptCache, make_blueprint

WAV = phone_audio.silence(0.5)
NAME = hashlib.sha256(WAV).hexdigest()
SAID = "Geeft uw leraar goed les? Eén keer."


@pytest.fixture
def stocked(database: Database) -> Database:
    with database.write() as session:
        prompts.keep(
            session,
            key="k",
            sha256=NAME,
            wav=WAV,
            text=SAID,
            engine="silence",
            is_slow=False,
            seconds=0.5,
            loudness=0.0,
            now=datetime(2026, 3, 2, tzinfo=UTC),
        )
    return database


def client_of(database: Database, var_dir: Path) -> FlaskClient:
    app = Flask("test")
    house = SimpleNamespace(database=database, settings=SimpleNamespace(var_dir=var_dir))
    app.register_blueprint(make_blueprint(house))  # pyright: ignore[reportArgumentType]
    return app.test_client()


@pytest.fixture
def client(stocked: Database, tmp_path: Path) -> FlaskClient:
    return client_of(stocked, tmp_path)


def test_a_prompt_is_served_whole_and_for_ever(client: FlaskClient) -> None:
    reply = client.get(f"/prompts/{NAME}.wav")
    assert (reply.status_code, reply.data, reply.mimetype) == (200, WAV, "audio/wav")
    assert reply.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert reply.headers["ETag"] == f'"{NAME}"'


def test_head_tells_the_length_and_sends_nothing(client: FlaskClient) -> None:
    reply = client.head(f"/prompts/{NAME}.wav")
    assert (reply.status_code, reply.data, reply.content_length) == (200, b"", len(WAV))


def test_who_has_it_already_gets_304(client: FlaskClient) -> None:
    reply = client.get(f"/prompts/{NAME}.wav", headers={"If-None-Match": f'"{NAME}"'})
    assert (reply.status_code, reply.data) == (304, b"")
    assert reply.headers["ETag"] == f'"{NAME}"'


def test_a_part_can_be_asked(client: FlaskClient) -> None:
    reply = client.get(f"/prompts/{NAME}.wav", headers={"Range": "bytes=0-43"})
    assert (reply.status_code, reply.data) == (206, WAV[:44])
    assert reply.headers["Content-Range"] == f"bytes 0-43/{len(WAV)}"


def test_the_transcript_says_what_is_said(client: FlaskClient) -> None:
    reply = client.get(f"/prompts/{NAME}.txt")
    assert (reply.status_code, reply.get_data(as_text=True)) == (200, SAID)
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("name", ["0" * 64, "0" * 63, NAME.upper(), "..%2f..%2ftoets", "x"])
@pytest.mark.parametrize("kind", ["wav", "txt"])
def test_what_is_not_there_is_a_plain_404_that_nobody_caches(client: FlaskClient, name: str, kind: str) -> None:
    reply = client.get(f"/prompts/{name}.{kind}")
    assert reply.status_code == 404
    if name != "..%2f..%2ftoets":
        assert reply.mimetype == "text/plain"
        assert reply.headers["Cache-Control"] == "no-store"


def test_damaged_bytes_are_never_served(stocked: Database, tmp_path: Path) -> None:
    with stocked.write() as session:
        session.execute(sa.update(prompts_table).values(wav=b"kapot"))
    assert client_of(stocked, tmp_path).get(f"/prompts/{NAME}.wav").status_code == 404


def test_a_damaged_cache_file_is_not_believed(stocked: Database, tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / f"{NAME}.wav").write_bytes(b"kapot")
    assert client_of(stocked, tmp_path).get(f"/prompts/{NAME}.wav").data == WAV
    assert (tmp_path / "prompts" / f"{NAME}.wav").read_bytes() == WAV


def test_two_hosts_that_share_only_the_database_serve_the_same_bytes(stocked: Database, tmp_path: Path) -> None:
    replies = [client_of(stocked, tmp_path / host).get(f"/prompts/{NAME}.wav").data for host in ("a", "b")]
    assert replies == [WAV, WAV]


def test_a_disk_that_cannot_be_written_costs_no_prompt(stocked: Database, tmp_path: Path) -> None:
    (tmp_path / "prompts").write_text("a file where the folder should be")
    assert client_of(stocked, tmp_path).get(f"/prompts/{NAME}.wav").data == WAV


def test_memory_holds_no_more_than_its_room(database: Database, tmp_path: Path) -> None:
    names: list[str] = []
    with database.write() as session:
        for number in range(6):
            wav = bytes([number]) * 1000
            names.append(hashlib.sha256(wav).hexdigest())
            prompts.keep(
                session,
                key=str(number),
                sha256=names[-1],
                wav=wav,
                text="",
                engine="x",
                is_slow=False,
                seconds=1,
                loudness=0,
                now=datetime(2026, 3, 2, tzinfo=UTC),
            )
    cache = PromptCache(database, tmp_path, memory_bytes=3000)
    for name in names:
        cache.wav(name)
    assert list(cache._held) == names[-3:]
    cache.wav(names[3])
    cache.wav(names[0])
    assert list(cache._held) == [names[5], names[3], names[0]]
