"""Loudness as BS.1770 has it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.errors import SpeechError
from ivr.speech.loudness import fast_size, loudness


def test_twice_the_amplitude_is_six_decibels() -> None:
    tone = 0.1 * np.sin(2 * np.pi * 700 * np.arange(20000) / 8000)
    assert loudness(2 * tone) - loudness(tone) == pytest.approx(6.02, abs=0.01)


@pytest.mark.parametrize("seconds", [0.1, 0.25, 0.5, 1.0])
def test_a_short_word_is_as_loud_as_the_same_sound_made_long(seconds: float) -> None:
    tone = 0.1 * np.sin(2 * np.pi * 700 * np.arange(40000) / 8000)
    assert loudness(tone[: round(seconds * 8000)]) == pytest.approx(loudness(tone), abs=0.2)


@pytest.mark.parametrize("silent", [np.zeros(0), np.zeros(100), np.zeros(50000)])
def test_silence_has_no_loudness(silent: np.ndarray) -> None:
    with pytest.raises(SpeechError, match="no loudness"):
        loudness(silent)


@given(st.integers(1, 2_000_000))
def test_a_fast_size_is_long_enough_and_hardly_longer(length: int) -> None:
    assert length <= fast_size(length) <= length * 1.13 + 1
