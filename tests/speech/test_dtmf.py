"""The detector that must hear every key, and no key in a voice."""

from __future__ import annotations

import numpy as np
import pytest

from ivr.speech import dtmf

ALL_KEYS = "".join(dtmf.KEYS)


@pytest.mark.parametrize("key", ALL_KEYS)
@pytest.mark.parametrize("seconds", [0.045, 0.1, 0.5])
def test_each_of_the_sixteen_keys_is_heard_once(key: str, seconds: float) -> None:
    signal = np.concatenate([np.zeros(777), dtmf.key_tone(key, seconds), np.zeros(1500)])
    assert dtmf.keys_heard(signal) == key


def test_keys_are_heard_in_order_and_repeated_keys_apart() -> None:
    gap = np.zeros(800)
    signal = np.concatenate([part for key in "1122#0" for part in (dtmf.key_tone(key, 0.08), gap)])
    assert dtmf.keys_heard(signal) == "1122#0"


@pytest.mark.parametrize("key", ALL_KEYS)
def test_a_key_is_heard_through_noise_and_uneven_tones(key: str) -> None:
    noise = np.random.default_rng(4).normal(0, 0.03, 2400)
    signal = np.concatenate([np.zeros(800), dtmf.key_tone(key, 0.1), np.zeros(800)]) + noise
    assert dtmf.keys_heard(signal) == key


@pytest.mark.parametrize("frequency", [*dtmf.ROWS_HZ, *dtmf.COLUMNS_HZ, 440.0, 1000.0])
def test_one_tone_alone_is_no_key(frequency: float) -> None:
    assert dtmf.keys_heard(0.5 * np.sin(2 * np.pi * frequency * np.arange(4000) / 8000)) == ""


def test_noise_silence_and_a_click_are_no_keys() -> None:
    assert dtmf.keys_heard(np.random.default_rng(1).normal(0, 0.2, 16000)) == ""
    assert dtmf.keys_heard(np.zeros(8000)) == ""
    assert dtmf.keys_heard(np.concatenate([np.zeros(100), [1.0], np.zeros(100)])) == ""


def test_a_tone_too_short_to_be_a_key_is_none() -> None:
    signal = np.concatenate([np.zeros(800), dtmf.key_tone("5", 0.015), np.zeros(800)])
    assert dtmf.keys_heard(signal) == ""


def test_another_sample_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="8000"):
        dtmf.keys_heard(np.zeros(100), 44100)


def test_a_letter_that_is_no_key_has_no_tone() -> None:
    with pytest.raises(ValueError, match="'E'"):
        dtmf.key_tone("E", 0.1)
