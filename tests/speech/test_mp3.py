"""Telling a whole MP3 from a broken one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.speech.mp3 import is_whole
from tests.speech.speech_service import mp3_of


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 44100, 48000])
def test_whole_files_of_every_version_are_whole(rate: int) -> None:
    mp3 = mp3_of(0.3 * np.sin(np.arange(rate) / 9), rate)
    assert is_whole(mp3)
    assert is_whole(b"ID3\x04\x00\x00\x00\x00\x00\x05hallo" + mp3)
    assert is_whole(mp3 + b"TAG" + b"\0" * 125)


def test_only_a_cut_between_two_frames_leaves_a_whole_file() -> None:
    mp3 = mp3_of(0.3 * np.sin(np.arange(12000) / 9), 24000)
    whole = [cut for cut in range(1, len(mp3)) if is_whole(mp3[:cut])]
    assert 10 < len(whole) < len(mp3) / 50
    assert all(mp3[cut] == 0xFF for cut in whole)


@given(st.binary(max_size=400))
def test_bytes_that_are_no_mp3_never_break_it(junk: bytes) -> None:
    assert is_whole(junk) in (True, False)
    assert not is_whole(b"<html>" + junk)
