"""The sound chain: from what an engine or a person gave to a WAV that a telephone can play.

decode → 8 kHz mono → trim → join with our pauses → band limit 200-3500 Hz → −20 LUFS, peak −3 dBFS → µ-law WAV.
Loudness and peak follow RFC 7874; at −16 LUFS the limiter would bite 5 dB. Decides the sound; the bounds that it
must keep stand in `checks.py`. Signals are float arrays of one channel, full scale = 1.0.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from ivr.errors import SpeechError
from ivr.speech.loudness import fast_size, loudness

Signal = NDArray[np.float32]

RATE = 8000
LOUDNESS_LUFS = -20.0
CEILING = 10 ** (-3 / 20)
LEAD_SECONDS = 0.080
TAIL_SECONDS = 0.200
BAND_HZ = (200.0, 3500.0)

_SILENT_BELOW = 10 ** (-40 / 20)
"""A 10 ms frame is silent when its level is this far (40 dB) under the loudest frame."""
_FRAME = RATE // 100
_MOST_SECONDS = 120.0
"""An engine's answer is untrusted input: no sentence lasts this long."""
_FILTER_TAPS = 401
_COARSE = ("ULAW", "ALAW", "PCM_U8", "PCM_S8")


def decode(original: bytes) -> Signal:
    """A sound file's bytes (WAV, FLAC, MP3, …) → 8 kHz mono. SpeechError when it is no sound or an absurd one."""
    samples, rate = decoded(original)
    mono = samples.mean(axis=1)
    if not mono.size or not np.isfinite(mono).all() or float(np.abs(mono).max(initial=0.0)) < 1e-4:
        raise SpeechError("the sound is empty")
    return mono if rate == RATE else soxr.resample(mono, rate, RATE, quality="VHQ").astype(np.float32)


def decoded(original: bytes) -> tuple[NDArray[np.float32], int]:
    """A sound file's samples as they are, a column for each channel, and how many a second. SpeechError as above."""
    try:
        with soundfile.SoundFile(io.BytesIO(original)) as file:
            if not 0 < file.samplerate <= 192_000 or file.frames > file.samplerate * _MOST_SECONDS:
                raise SpeechError("the sound is longer than any sentence")
            return np.asarray(file.read(dtype="float32", always_2d=True), dtype=np.float32), file.samplerate
    except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
        reason = str(error).rsplit(">: ", 1)[-1]  # without the memory address of our buffer
        raise SpeechError(f"what came back is not a sound file ({reason})") from error


def is_clipped(original: bytes) -> bool:
    """Whether somebody spoke too loud for the microphone: the tops of a recording's waves are cut off flat.

    The chain would make it softer and thereby hide it. Flat means four equal samples, thrice, at the very peak: no
    voice does that, at whatever level it was saved.
    """
    samples = np.abs(decoded(original)[0]).max(axis=1)
    if soundfile.info(io.BytesIO(original)).subtype in _COARSE:
        return False  # eight bits: a round top is flat there too
    peak = float(samples.max(initial=0.0))
    at_top = np.concatenate([[0], (samples >= peak - 1e-5).astype(np.int8), [0]])
    edges = np.diff(at_top)
    lengths = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
    return peak > 0.0 and int((lengths >= 4).sum()) >= 3


def telephone_wav(pieces: Sequence[tuple[Signal, float]], *, most_gap_seconds: float | None = None) -> bytes:
    """Spoken pieces, each with the silence (seconds) after it → one µ-law WAV. The last silence is the tail's.

    most_gap_seconds: longer silences within a piece are cut down to this; None leaves a speaker's rests alone.
    """
    parts: list[Signal] = []
    for position, (piece, pause) in enumerate(pieces):
        piece = trimmed(piece)
        parts.append(piece if most_gap_seconds is None else without_long_gaps(piece, most_gap_seconds))
        if position < len(pieces) - 1:
            parts.append(np.zeros(round(pause * RATE), dtype=np.float32))
    speech = trimmed(band_limited(np.concatenate(parts)))
    levelled = at_loudness(_faded(speech))
    framed = np.concatenate([_zeros(LEAD_SECONDS), levelled, _zeros(TAIL_SECONDS)])
    return encode(framed)


def silence(seconds: float) -> bytes:
    """A µ-law WAV in which nothing sounds."""
    return encode(_zeros(seconds))


def encode(signal: Signal) -> bytes:
    """8 kHz mono → a µ-law WAV's bytes."""
    out = io.BytesIO()
    soundfile.write(out, signal, RATE, format="WAV", subtype="ULAW")
    return out.getvalue()


def seconds(wav: bytes) -> float:
    """How long a WAV of ours lasts."""
    return soundfile.info(io.BytesIO(wav)).frames / RATE


def frame_levels(signal: Signal) -> NDArray[np.float64]:
    """Root mean square of each 10 ms."""
    count = max(1, math.ceil(signal.size / _FRAME))
    padded = np.zeros(count * _FRAME)
    padded[: signal.size] = signal
    return np.sqrt((padded.reshape(count, _FRAME) ** 2).mean(axis=1))


def sounding(signal: Signal) -> NDArray[np.bool_]:
    """For each 10 ms whether anything is said in it."""
    levels = frame_levels(signal)
    return levels > float(levels.max()) * _SILENT_BELOW


def trimmed(signal: Signal) -> Signal:
    """Without the silence before and after. SpeechError if it is all silence."""
    frames = np.flatnonzero(sounding(signal))
    if not frames.size:
        raise SpeechError("the sound is empty")
    return signal[frames[0] * _FRAME : (frames[-1] + 1) * _FRAME]


def without_long_gaps(signal: Signal, most_seconds: float) -> Signal:
    """With each silence inside it cut down to `most_seconds`: engines wait half a second at a colon."""
    frames = np.flatnonzero(sounding(signal))
    most = round(most_seconds * RATE)
    ends, starts = (frames[:-1] + 1) * _FRAME, frames[1:] * _FRAME
    keep = np.ones(signal.size, dtype=bool)
    for end, start in zip(ends, starts, strict=True):
        if start - end > most:
            keep[end + most // 2 : start - (most - most // 2)] = False
    return signal[keep]


def band_limited(signal: Signal) -> Signal:
    """The telephone's band, by a linear-phase filter: what the line would cut anyway costs no loudness."""
    taps = _band_filter()
    size = fast_size(signal.size + taps.size)
    filtered = np.fft.irfft(np.fft.rfft(signal, size) * np.fft.rfft(taps, size), size)
    delay = taps.size // 2
    return filtered[delay : delay + signal.size].astype(np.float32)


@cache
def _band_filter() -> NDArray[np.float64]:
    low, high = (2 * edge / RATE for edge in BAND_HZ)
    n = np.arange(_FILTER_TAPS) - _FILTER_TAPS // 2
    return (high * np.sinc(high * n) - low * np.sinc(low * n)) * np.blackman(_FILTER_TAPS)


def at_loudness(signal: Signal) -> Signal:
    """At −20 LUFS with no peak above −3 dBFS. Limiting takes loudness away, so both are approached in turns."""
    gain = 10 ** ((LOUDNESS_LUFS - loudness(signal)) / 20)
    result = _limited(signal * np.float32(gain))
    for _ in range(5):
        missing = LOUDNESS_LUFS - loudness(result)
        if abs(missing) < 0.05:
            break
        gain *= 10 ** (missing / 20)
        result = _limited(signal * np.float32(gain))
    return result


def _limited(signal: Signal) -> Signal:
    """Peaks pressed under the ceiling by a gain that moves slowly (5 ms to each side), so that nothing clips."""
    peaks = np.abs(signal)
    if float(peaks.max()) <= CEILING:
        return signal
    wanted = np.minimum(1.0, CEILING / np.maximum(peaks, 1e-9))
    reach = RATE // 200
    window = 2 * reach + 1
    padded = np.pad(wanted, 2 * reach, mode="edge")
    lowest = np.lib.stride_tricks.sliding_window_view(padded, window).min(axis=1)
    shape = np.hanning(window + 2)[1:-1]
    gain = np.convolve(lowest, shape / shape.sum(), mode="valid")
    return (signal * gain).astype(np.float32)


def _faded(signal: Signal) -> Signal:
    # 5 ms at each end, so that a cut never clicks.
    count = min(RATE // 200, signal.size // 2)
    if count:
        slope = np.linspace(0.0, 1.0, count, dtype=np.float32)
        signal = signal.copy()
        signal[:count] *= slope
        signal[-count:] *= slope[::-1]
    return signal


def _zeros(duration: float) -> Signal:
    return np.zeros(round(duration * RATE), dtype=np.float32)
