"""The sound chain, measured."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest
import soundfile

from ivr.errors import SpeechError
from ivr.speech import phone_audio
from ivr.speech.espeak import EspeakEngine
from ivr.speech.loudness import loudness

RATE = phone_audio.RATE


def tone(frequency: float, seconds: float, *, rate: int = RATE, level: float = 0.3) -> phone_audio.Signal:
    return (level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def wav_of(signal: np.ndarray, rate: int) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, signal, rate, format="WAV", subtype="FLOAT")
    return out.getvalue()


def level_at(signal: np.ndarray, frequency: float) -> float:
    """Decibels of a tone, relative to full scale."""
    probe = np.exp(-2j * np.pi * frequency * np.arange(signal.size) / RATE)
    return 20 * np.log10(2 * abs(np.vdot(probe.conj(), signal.astype(complex))) / signal.size + 1e-12)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 44100, 48000])
def test_any_rate_becomes_eight_kilohertz_of_the_same_length(rate: int) -> None:
    assert phone_audio.decode(wav_of(tone(440, 1.0, rate=rate), rate)).size == pytest.approx(RATE, abs=2)


def test_stereo_becomes_one_channel() -> None:
    both = np.stack([tone(440, 0.5), tone(440, 0.5)], axis=1)
    assert phone_audio.decode(wav_of(both, RATE)).shape == (4000,)


def test_what_lies_above_the_band_does_not_fold_back() -> None:
    decoded = phone_audio.decode(wav_of(tone(5000, 1.0, rate=24000) + tone(440, 1.0, rate=24000), 24000))
    assert level_at(decoded, 3000) < -70
    assert level_at(decoded, 440) == pytest.approx(20 * np.log10(0.3), abs=0.5)


@pytest.mark.parametrize("junk", [b"", b"<html>nee</html>", b"RIFF\x00\x00\x00\x00WAVE", b"\xff\xfb" + b"\0" * 10])
def test_what_is_no_sound_is_refused(junk: bytes) -> None:
    with pytest.raises(SpeechError):
        phone_audio.decode(junk)


def test_silence_and_nonsense_numbers_are_refused() -> None:
    with pytest.raises(SpeechError, match="empty"):
        phone_audio.decode(wav_of(np.zeros(8000, dtype=np.float32), RATE))
    with pytest.raises(SpeechError, match="empty"):
        phone_audio.decode(wav_of(np.full(8000, np.nan, dtype=np.float32), RATE))


def test_a_sound_of_an_hour_is_refused_before_it_is_read() -> None:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(100)
        file.writeframes(b"\x80" * 360_000)
    with pytest.raises(SpeechError, match="longer than any sentence"):
        phone_audio.decode(out.getvalue())


def test_silence_before_and_after_is_cut_and_a_fixed_lead_and_tail_put_in_its_place() -> None:
    padded = np.concatenate([np.zeros(4000, np.float32), tone(600, 1.0), np.zeros(9000, np.float32)])
    wav = phone_audio.telephone_wav([(padded, 0.0)])
    assert phone_audio.seconds(wav) == pytest.approx(0.080 + 1.0 + 0.200, abs=0.06)


def test_pieces_are_joined_with_our_pauses() -> None:
    one, two = tone(600, 0.5), tone(700, 0.5)
    short = phone_audio.seconds(phone_audio.telephone_wav([(one, 0.5), (two, 0.3)]))
    long = phone_audio.seconds(phone_audio.telephone_wav([(one, 1.1), (two, 0.3)]))
    assert long - short == pytest.approx(0.6, abs=0.02)


def test_long_gaps_within_a_sentence_are_cut_and_short_ones_stay() -> None:
    gap = lambda seconds: np.zeros(round(seconds * RATE), np.float32)  # noqa: E731
    signal = np.concatenate([tone(600, 0.3), gap(0.6), tone(600, 0.3), gap(0.1), tone(600, 0.3)])
    assert phone_audio.without_long_gaps(signal, 0.2).size / RATE == pytest.approx(0.9 + 0.2 + 0.1, abs=0.03)
    assert phone_audio.without_long_gaps(signal, 1.0).size == signal.size


@pytest.mark.parametrize(("frequency", "passes"), [(60, False), (120, False), (300, True), (3300, True), (3900, False)])
def test_only_the_telephones_band_passes(frequency: float, passes: bool) -> None:
    filtered = phone_audio.band_limited(tone(frequency, 1.0))[1000:-1000]
    lost = level_at(tone(frequency, 1.0)[1000:-1000], frequency) - level_at(filtered, frequency)
    assert lost < 1.0 if passes else lost > 25


@pytest.mark.parametrize("level", [0.003, 0.05, 0.9])
def test_every_level_comes_out_equally_loud_and_under_the_ceiling(espeak: EspeakEngine, level: float) -> None:
    speech = phone_audio.decode(espeak.speak("Geeft uw leraar goed antwoord op vragen?", slow=False))
    result = phone_audio.at_loudness(phone_audio.band_limited(speech) * np.float32(level / np.abs(speech).max()))
    assert loudness(result) == pytest.approx(-20.0, abs=0.1)
    assert np.abs(result).max() <= phone_audio.CEILING + 1e-4


def test_the_wav_is_mu_law_and_a_second_of_it_eight_thousand_bytes() -> None:
    wav = phone_audio.silence(1.0)
    info = soundfile.info(io.BytesIO(wav))
    assert (info.format, info.subtype, info.samplerate, info.channels) == ("WAV", "ULAW", 8000, 1)
    assert len(wav) - wav.find(b"data") - 8 == 8000


def test_the_same_pieces_give_the_same_bytes(espeak: EspeakEngine) -> None:
    piece = phone_audio.decode(espeak.speak("Altijd: druk op 1.", slow=False))
    assert phone_audio.telephone_wav([(piece, 0.5)]) == phone_audio.telephone_wav([(piece.copy(), 0.5)])
