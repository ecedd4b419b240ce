"""Contact sealing: opens only with its key, hashes only under its key, one key however many make it."""

from __future__ import annotations

import base64
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from ivr.errors import ConfigurationError
from ivr.settings import Settings
from ivr.store.sealing import Sealer, key_file, load_key

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


def settings(tmp_path: Path, **more: object) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path / 'toets.db'}", var_dir=tmp_path, **more)  # type: ignore[arg-type]


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text())))
def test_what_is_sealed_can_be_opened(contact: dict[str, object]) -> None:
    assert Sealer(KEY).open(Sealer(KEY).seal(contact)) == contact


def test_a_sealed_contact_shows_nothing_and_is_never_the_same_twice() -> None:
    sealer = Sealer(KEY)
    first, second = (sealer.seal({"phones": ["+31612345678"]}) for _ in range(2))
    assert first != second
    assert b"612345678" not in first


def test_another_key_or_a_changed_byte_opens_nothing() -> None:
    sealed = Sealer(KEY).seal({"email": "a@b.nl"})
    with pytest.raises(ConfigurationError, match="another key"):
        Sealer(OTHER).open(sealed)
    with pytest.raises(ConfigurationError):
        Sealer(KEY).open(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(ConfigurationError):
        Sealer(KEY).open(b"")


def test_a_hash_depends_on_key_kind_and_text() -> None:
    sealer = Sealer(KEY)
    first = sealer.hash("phone", "+31612345678")
    assert first == Sealer(KEY).hash("phone", "+31612345678")
    others = {
        sealer.hash("name", "+31612345678"),
        sealer.hash("phone", "+31612345679"),
        Sealer(OTHER).hash("phone", "+31612345678"),
    }
    assert first not in others
    assert len(others) == 3


def test_a_missing_key_is_made_beside_the_database_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = load_key(settings(tmp_path))
    path = tmp_path / "toets.db.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert base64.b64decode(path.read_text()) == key
    shown = capsys.readouterr()
    assert shown.out == ""
    assert str(path) in shown.err
    assert load_key(settings(tmp_path)) == key
    assert capsys.readouterr().err == ""
    assert [file.name for file in tmp_path.iterdir()] == ["toets.db.key"]


def test_the_key_of_a_server_database_lies_in_var_dir(tmp_path: Path) -> None:
    made = Settings(database_url="postgresql+psycopg://u@127.0.0.1/toets", var_dir=tmp_path)  # type: ignore[call-arg]
    assert key_file(made) == tmp_path / "encryption.key"


def test_many_makers_at_once_get_one_key(tmp_path: Path) -> None:
    keys: list[bytes] = []
    start = threading.Barrier(8)

    def make() -> None:
        start.wait()
        keys.append(load_key(settings(tmp_path)))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_a_key_of_another_form_is_refused_with_what_to_do(tmp_path: Path) -> None:
    for text in ("geen sleutel!", base64.b64encode(b"short").decode()):
        with pytest.raises(ValueError, match="openssl rand -base64 32"):
            settings(tmp_path, encryption_key=SecretStr(text))
        unset = settings(tmp_path)
        key_file(unset).write_text(text, encoding="ascii")
        with pytest.raises(ConfigurationError, match="openssl rand -base64 32"):
            load_key(unset)
