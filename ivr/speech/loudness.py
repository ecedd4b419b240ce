"""Integrated loudness of speech, by ITU-R BS.1770-4: how loud a prompt is to an ear, not to a meter of peaks.

Decides the measure only. Done here in numpy (the filters as one multiplication in the frequency domain) because a
render measures several times; the tests hold it to pyloudnorm, which takes six times as long and brings scipy.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ivr.errors import SpeechError

RATE = 8000
_BLOCK = round(0.4 * RATE)
_STEP = _BLOCK // 4
_RING_OUT = RATE // 4
_ABSOLUTE_GATE = -70.0
_RELATIVE_GATE = -10.0


def loudness(signal: NDArray[np.floating]) -> float:
    """LUFS of an 8 kHz mono signal. SpeechError when it is silent.

    A prompt too short for the standard's blocks of 0.4 s is measured as if said repeatedly: padding with silence
    would measure the padding, a signal and its repetition are equally loud.
    """
    if not signal.size:
        raise SpeechError("the sound has no loudness: it is empty")
    if signal.size < 2 * RATE:
        signal = np.tile(signal, math.ceil(2 * RATE / signal.size))
    size = fast_size(signal.size + _RING_OUT)
    weighted = np.fft.irfft(np.fft.rfft(signal, size) * _weighting(size), size)[: signal.size]
    summed = np.concatenate([[0.0], np.cumsum(weighted**2)])
    starts = np.arange(0, signal.size - _BLOCK + 1, _STEP)
    power = (summed[starts + _BLOCK] - summed[starts]) / _BLOCK
    levels = _lufs(power)
    heard = power[levels >= _ABSOLUTE_GATE]
    if not heard.size:
        raise SpeechError("the sound has no loudness: it is silent")
    kept = power[(levels >= _ABSOLUTE_GATE) & (levels > _lufs(heard.mean()) + _RELATIVE_GATE)]
    return float(_lufs(kept.mean()))


def fast_size(at_least: int) -> int:
    """A length for a Fourier transform: at most an eighth longer, and without large prime factors."""
    step = 1 << max(0, at_least.bit_length() - 4)
    return -(-at_least // step) * step


def _lufs(power: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    return -0.691 + 10 * np.log10(np.maximum(power, 1e-12))


@lru_cache(maxsize=16)
def _weighting(size: int) -> NDArray[np.complex128]:
    """The K-weighting at the frequencies of a real transform of `size`: a high shelf (+4 dB), then a high pass."""
    delay = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    response = np.ones_like(delay)
    for numerator, denominator in (_high_shelf(1500.0, 4.0, 1 / math.sqrt(2)), _high_pass(38.0, 0.5)):
        response *= np.polyval(numerator[::-1], delay) / np.polyval(denominator[::-1], delay)
    return response


def _high_shelf(corner: float, gain_db: float, q: float) -> tuple[list[float], list[float]]:
    a, w = 10 ** (gain_db / 40), 2 * math.pi * corner / RATE
    cos, alpha = math.cos(w), math.sin(w) / (2 * q)
    root = 2 * math.sqrt(a) * alpha
    return (
        [a * (a + 1 + (a - 1) * cos + root), -2 * a * (a - 1 + (a + 1) * cos), a * (a + 1 + (a - 1) * cos - root)],
        [a + 1 - (a - 1) * cos + root, 2 * (a - 1 - (a + 1) * cos), a + 1 - (a - 1) * cos - root],
    )


def _high_pass(corner: float, q: float) -> tuple[list[float], list[float]]:
    w = 2 * math.pi * corner / RATE
    cos, alpha = math.cos(w), math.sin(w) / (2 * q)
    return [(1 + cos) / 2, -(1 + cos), (1 + cos) / 2], [1 + alpha, -2 * cos, 1 - alpha]
