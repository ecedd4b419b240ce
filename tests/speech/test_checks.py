"""Each bound, broken on purpose, and real prompts that keep them all."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from ivr.errors import SpeechError
from ivr.speech import checks, dtmf, phone_audio
from ivr.speech.espeak import EspeakEngine
from ivr.speech.script import PromptText
from ivr.speech.synthesis import render

SENTENCE = "Geeft uw leraar goed les?"


@pytest.fixture(scope="module")
def good(espeak: EspeakEngine) -> bytes:
    return render(PromptText("INB_LES", False, ((SENTENCE, 0.6), ("Altijd: druk op 1.", 0.5))), espeak, {}).wav


TEXT = f"{SENTENCE} Altijd: druk op 1."


def samples(wav: bytes) -> np.ndarray:
    return np.asarray(soundfile.read(io.BytesIO(wav), dtype="float32")[0])


def faults(wav: bytes, text: str = TEXT) -> str:
    return "; ".join(checks.faults(checks.measure(wav, text)))


def again(signal: np.ndarray) -> bytes:
    return phone_audio.encode(np.asarray(signal, dtype=np.float32))


def test_a_good_prompt_has_no_faults(good: bytes) -> None:
    assert faults(good) == ""


@pytest.mark.parametrize("text", ["Ja.", "Nul.", "Dank u wel.", "Wilt u dat? Ja: druk op 1."])
@pytest.mark.parametrize("slow", [False, True])
def test_very_short_prompts_can_be_measured_and_pass(espeak: EspeakEngine, text: str, slow: bool) -> None:
    made = render(PromptText("kort", slow, ((text, 0.3),)), espeak, {})
    assert made.loudness == pytest.approx(-20, abs=0.5)
    assert made.seconds < 5


def test_another_format_is_found(good: bytes) -> None:
    out = io.BytesIO()
    soundfile.write(out, samples(good), 8000, format="WAV", subtype="PCM_16")
    assert "format WAV/PCM_16/8000/1" in faults(out.getvalue())
    assert "size is not" in faults(out.getvalue())


def test_too_loud_and_too_soft_are_found(good: bytes) -> None:
    assert "loudness -23.0" in faults(again(samples(good) * 0.708))
    assert "loudness" in faults(again(samples(good) * 1.12))


def test_clipping_and_peaks_are_found(good: bytes) -> None:
    loud = np.clip(samples(good) * 8, -1, 1)
    assert "clipping" in faults(again(loud))
    assert "peak" in faults(again(loud))


def test_a_missing_lead_and_a_long_tail_are_found(good: bytes) -> None:
    signal = samples(good)
    assert "lead" in faults(again(signal[600:]))
    assert "tail" in faults(again(np.concatenate([signal, np.zeros(8000)])))
    assert "tail" in faults(again(signal[:-1200]))


def test_a_pace_that_does_not_fit_the_words_is_found(good: bytes) -> None:
    assert "pace" in faults(good, "Ja.")
    assert "pace" in faults(good, TEXT * 4)


def test_holes_are_found(good: bytes) -> None:
    signal = samples(good).copy()
    middle = signal.size // 2
    hole = np.concatenate([signal[:middle], np.zeros(12000), signal[middle:]])
    assert "longest silence" in faults(again(hole))
    for start in range(0, signal.size - 1600, 1600):
        signal[start : start + 1000] = 0
    assert "inner silence" in faults(again(signal))


def test_noise_is_found(good: bytes) -> None:
    noise = np.random.default_rng(3).normal(0, 0.1, 16000)
    framed = np.concatenate([np.zeros(640), noise, np.zeros(1600)])
    assert "spectral flatness" in faults(again(framed))


def test_a_rumble_under_the_telephones_band_is_found(good: bytes) -> None:
    rumble = 0.4 * np.sin(2 * np.pi * 120 * np.arange(16000) / 8000)
    assert "energy in 300-3400 Hz" in faults(again(np.concatenate([np.zeros(640), rumble, np.zeros(1600)])))


@pytest.mark.parametrize("key", "15#D")
def test_a_key_within_a_prompt_is_found(good: bytes, key: str) -> None:
    signal = samples(good)
    middle = signal.size // 2
    with_key = np.concatenate([signal[:middle], dtmf.key_tone(key, 0.1), signal[middle:]])
    assert f"telephone keys are heard in it: {key}" in faults(again(with_key))


def test_bytes_left_out_or_put_behind_are_found(good: bytes) -> None:
    assert "size is not" in faults(good + b"hidden")


@pytest.mark.parametrize("junk", [b"", b"RIFF", b"<html>", phone_audio.silence(1.0)])
def test_what_cannot_be_heard_is_an_error(junk: bytes) -> None:
    with pytest.raises(SpeechError):
        checks.measure(junk, TEXT)


def test_silence_is_held_to_silence_and_format(good: bytes) -> None:
    assert checks.silence_faults(phone_audio.silence(0.5)) == ()
    assert checks.silence_faults(good) == ("it is not silent",)
    assert "not a sound file" in checks.silence_faults(b"x")[0]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Ja.", 1),
        ("Geeft uw leraar goed les?", 6),
        ("druk op 1", 3),
        ("druk op 0", 3),
        ("12", 1),
        ("088", 3),
        ("één twee", 2),
        ("NVO", 3),
        ("UPGRADE", 3),
        ("…", 1),
    ],
)
def test_syllables_are_vowel_groups_with_digits_as_spoken(text: str, count: int) -> None:
    assert checks.syllables(text) == count
