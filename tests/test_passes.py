"""Passes of the softphone: only ours, only in time, only for numbers that are nobody's."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from pydantic import SecretStr

from ivr import passes
from ivr.errors import RefusedError
from ivr.settings import Settings
from ivr.survey import phone

KEY = b"k" * 32


def test_a_pass_brings_its_claim_back_until_its_time_is_over() -> None:
    text = passes.issue(KEY, {"order": 7}, now=1000.0)
    assert passes.read(KEY, text, now=1000.0 + passes.LIFETIME_SECONDS) == {"order": 7}
    with pytest.raises(RefusedError, match="no longer valid"):
        passes.read(KEY, text, now=1001.0 + passes.LIFETIME_SECONDS)


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"), lambda t: "A" + t[1:], lambda t: ""]
)
def test_a_pass_that_was_touched_opens_nothing(spoil: object) -> None:
    text = passes.issue(KEY, {"order": 7}, now=1000.0)
    with pytest.raises(RefusedError, match="not written here"):
        passes.read(KEY, spoil(text), now=1000.0)  # type: ignore[operator]


def test_a_pass_of_another_house_opens_nothing() -> None:
    with pytest.raises(RefusedError):
        passes.read(b"x" * 32, passes.issue(KEY, {"order": 7}))


def test_processes_that_start_at_once_have_one_key_that_only_the_owner_reads(tmp_path: Path) -> None:
    settings, found = Settings(var_dir=tmp_path), []
    threads = [threading.Thread(target=lambda: found.append(passes.load_key(settings))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert (tmp_path / "softphone.key").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["softphone.key"]


def test_with_a_secret_key_no_file_is_needed(tmp_path: Path) -> None:
    settings = Settings(var_dir=tmp_path, secret_key=SecretStr("a secret"))
    assert passes.load_key(settings) == passes.load_key(settings)
    assert list(tmp_path.iterdir()) == []


def test_a_softphones_number_is_never_one_that_a_person_could_be_called_on() -> None:
    number = f"{passes.NUMBERS}123456"
    assert passes.is_softphone(number)
    assert not any(map(passes.is_softphone, ("+31612345678", f"{number}7", f"{passes.NUMBERS}12345x", "", "+3100000")))
    assert isinstance(phone.read_phone(number), phone.PhoneFault), "no delivered list can hold it"
