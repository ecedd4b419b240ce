"""Integrated loudness of speech, by ITU-R BS.1770-4: how loud a prompt is to an ear, not to a meter of peaks.

Decides only what is measured of a short word; the measure itself is pyloudnorm's.
"""

from __future__ import annotations

import math
import warnings
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ivr.errors import SpeechError

RATE = 8000


def loudness(signal: NDArray[np.floating]) -> float:
    """LUFS of an 8 kHz mono signal. SpeechError when it is silent.

    A prompt too short for the standard's blocks of 0.4 s is measured as if said repeatedly: padding with silence
    would measure the padding, a signal and its repetition are equally loud.
    """
    if not signal.size:
        raise SpeechError("the sound has no loudness: it is empty")
    if signal.size < 2 * RATE:
        signal = np.tile(signal, math.ceil(2 * RATE / signal.size))
    with warnings.catch_warnings():
        # Of silence it takes the mean of no blocks at all.
        warnings.simplefilter("ignore", RuntimeWarning)
        level = float(_meter().integrated_loudness(signal))
    if not math.isfinite(level):
        raise SpeechError("the sound has no loudness: it is silent")
    return level


@cache
def _meter():
    # Imported late: it brings scipy, and most commands never measure a sound.
    from pyloudnorm import Meter

    return Meter(RATE)


def fast_size(at_least: int) -> int:
    """A length for a Fourier transform: at most an eighth longer, and without large prime factors."""
    step = 1 << max(0, at_least.bit_length() - 4)
    return -(-at_least // step) * step
