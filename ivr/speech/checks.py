"""What a telephone prompt must measure up to, whoever spoke it.

Decides the bounds (they held for some 230 renders of two voices and two speeds) and how each is measured. A prompt
that breaks one is never published: `synthesis.render` refuses it, `ivr audio check` finds it later.
"""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass

import numpy as np
import soundfile

from ivr.errors import SpeechError
from ivr.speech import dtmf, phone_audio
from ivr.speech.loudness import loudness
from ivr.speech.script import number_word

PACE_SECONDS_PER_SYLLABLE = (0.18, 0.65)
LOUDNESS_TOLERANCE = 0.5
HIGHEST_PEAK_DBFS = -2.0
LEAD_SECONDS = (0.05, 0.15)
TAIL_SECONDS = (0.15, 0.70)
MOST_INNER_SILENCE = 0.40
LONGEST_SILENCE_SECONDS = 1.0
LEAST_BAND_SHARE = 0.65
MOST_FLATNESS = 0.30

REST_SECONDS = 0.28
SLOW_REST_SECONDS = 0.40
"""A longer silence is a rest of the script, not a hesitation: the sound chain leaves none so long in a sentence."""

_VOWELS = re.compile(r"[aeiouyàáâäèéêëìíîïòóôöùúûü]+", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Measures:
    """What was heard in one prompt. Times in seconds, levels in dBFS and LUFS, shares 0-1."""

    format: str
    size_fits: bool
    seconds: float
    pace: float
    loudness: float
    peak: float
    is_clipped: bool
    lead: float
    tail: float
    inner_silence: float
    longest_silence: float
    band_share: float
    flatness: float
    keys: str


def measure(wav: bytes, text: str, *, slow: bool = False) -> Measures:
    """Listen to a prompt that says `text`. SpeechError when it cannot be read at all.

    Pace and inner silence are of the speech: rests between sentences and options (silences longer than an engine
    may make within a sentence) are taken off before.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(wav)) as file:
            format = f"{file.format}/{file.subtype}/{file.samplerate}/{file.channels}"
            signal: phone_audio.Signal = np.asarray(file.read(dtype="float32", always_2d=True)[:, 0], dtype=np.float32)
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise SpeechError(f"the prompt is not a sound file ({error})") from error
    if not signal.size or float(np.abs(signal).max()) == 0.0:
        raise SpeechError("the prompt is silent")
    duration = signal.size / phone_audio.RATE
    sounding = phone_audio.sounding(signal)
    said = np.flatnonzero(sounding)
    lead = said[0] * 0.01
    tail = max(0.0, duration - (said[-1] + 1) * 0.01)
    gaps = (np.diff(said) - 1) * 0.01
    rests = gaps[gaps > (SLOW_REST_SECONDS if slow else REST_SECONDS)]
    spoken = max(0.01, duration - lead - tail - float(rests.sum()))
    silent = float(gaps.sum() - rests.sum())
    peak = float(np.abs(signal).max())
    band_share, flatness = _spectrum(signal)
    return Measures(
        format=format,
        size_fits=_size_fits(wav, signal.size),
        seconds=duration,
        pace=spoken / syllables(text),
        loudness=loudness(signal[said[0] * 80 : (said[-1] + 1) * 80]),
        peak=20 * float(np.log10(peak)),
        is_clipped=_is_clipped(signal),
        lead=float(lead),
        tail=float(tail),
        inner_silence=silent / spoken,
        longest_silence=float(gaps.max(initial=0.0)),
        band_share=band_share,
        flatness=flatness,
        keys=dtmf.keys_heard(signal),
    )


def faults(measures: Measures) -> tuple[str, ...]:
    """Each measure that is out of bounds, with the value found. Empty: it may be published."""
    found: list[str] = []
    if measures.format != "WAV/ULAW/8000/1":
        found.append(f"format {measures.format} is not WAV/ULAW/8000/1")
    if not measures.size_fits:
        found.append("size is not header + 8000 × duration")
    _within(found, "pace", measures.pace, *PACE_SECONDS_PER_SYLLABLE, "s per syllable")
    target = phone_audio.LOUDNESS_LUFS
    _within(found, "loudness", measures.loudness, target - LOUDNESS_TOLERANCE, target + LOUDNESS_TOLERANCE, "LUFS")
    _within(found, "peak", measures.peak, -60.0, HIGHEST_PEAK_DBFS, "dBFS")
    if measures.is_clipped:
        found.append("clipping")
    _within(found, "lead", measures.lead, *LEAD_SECONDS, "s")
    _within(found, "tail", measures.tail, *TAIL_SECONDS, "s")
    _within(found, "inner silence", measures.inner_silence, 0.0, MOST_INNER_SILENCE, "of the speech")
    _within(found, "longest silence", measures.longest_silence, 0.0, LONGEST_SILENCE_SECONDS, "s")
    _within(found, "energy in 300-3400 Hz", measures.band_share, LEAST_BAND_SHARE, 1.0, "of all")
    _within(found, "spectral flatness", measures.flatness, 0.0, MOST_FLATNESS, "")
    if measures.keys:
        found.append(f"telephone keys are heard in it: {measures.keys}")
    return tuple(found)


def silence_faults(wav: bytes) -> tuple[str, ...]:
    """The technical prompt that says nothing is held to its format and to silence only."""
    try:
        with soundfile.SoundFile(io.BytesIO(wav)) as file:
            format = f"{file.format}/{file.subtype}/{file.samplerate}/{file.channels}"
            signal: phone_audio.Signal = np.asarray(file.read(dtype="float32", always_2d=True)[:, 0], dtype=np.float32)
    except (soundfile.SoundFileError, RuntimeError) as error:
        return (f"not a sound file ({error})",)
    found = [] if format == "WAV/ULAW/8000/1" else [f"format {format} is not WAV/ULAW/8000/1"]
    if float(np.abs(signal).max(initial=0.0)) > 0.001:
        found.append("it is not silent")
    return tuple(found)


def syllables(text: str) -> int:
    """Vowel groups; digits and numbers as they are spoken; letters that are spelled out count one each."""
    count = 0
    for word in re.findall(r"\w+", _NUMBER.sub(_spelled, text)):
        groups = len(_VOWELS.findall(word))
        is_spelled = not groups or (word.isupper() and len(word) <= 3)
        count += len(word) if is_spelled else groups
    return max(1, count)


def _spelled(match: re.Match[str]) -> str:
    number = match.group()
    if len(number) <= 2 and not number.startswith("0"):
        return f" {number_word(int(number))} "
    return " " + " ".join(number_word(int(digit)) for digit in number) + " "


def _within(found: list[str], name: str, value: float, low: float, high: float, unit: str) -> None:
    # A hair of room: frames are 10 ms and µ-law rounds.
    if not low - 1e-6 <= value <= high + 1e-6:
        found.append(f"{name} {value:.2f} {unit}".rstrip() + f" is outside {low:g} to {high:g}")


def _is_clipped(signal: phone_audio.Signal) -> bool:
    """Three samples in a row at the very top: a flattened wave, not a peak."""
    top = np.abs(signal) >= 0.98
    return bool((top[:-2] & top[1:-1] & top[2:]).any()) if signal.size > 2 else False


def _spectrum(signal: phone_audio.Signal) -> tuple[float, float]:
    """Share of the energy in 300-3400 Hz, and the median flatness there of the frames (32 ms) that sound.

    Flatness is the geometric over the arithmetic mean of the power: 1 for noise, near 0 for a voice.
    """
    count = max(1, signal.size // 256)
    padded = np.zeros(count * 256)
    padded[: min(signal.size, padded.size)] = signal[: padded.size]
    power = np.abs(np.fft.rfft(padded.reshape(count, 256) * np.hanning(256), axis=1)) ** 2
    band = power[:, 10:109]  # bins of 31.25 Hz: 312-3375 Hz
    total = power.sum(axis=1)
    loud = total > total.max() * 1e-4
    frames = band[loud] + 1e-12
    flatness = np.exp(np.log(frames).mean(axis=1)) / frames.mean(axis=1)
    return float(band.sum() / max(power.sum(), 1e-12)), float(np.median(flatness))


def _size_fits(wav: bytes, frames: int) -> bool:
    """Header, and one byte a sample after it: nothing hidden, nothing missing."""
    position = wav.find(b"data", 12)
    if position < 0 or position > 200:
        return False
    (size,) = struct.unpack_from("<I", wav, position + 4)
    return size == frames and len(wav) - (position + 8) in (frames, frames + frames % 2)
