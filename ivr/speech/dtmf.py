"""A detector of all 16 telephone keys: a prompt must never press one.

Decides whether a key is heard, by the usual measures (ITU-T Q.24): one tone of each group far above the rest, the
two about equally strong, most of the energy in them, no strong second harmonic, and all that for 40 ms.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 8000
ROWS_HZ = (697.0, 770.0, 852.0, 941.0)
COLUMNS_HZ = (1209.0, 1336.0, 1477.0, 1633.0)
KEYS = ("123A", "456B", "789C", "*0#D")
_PROBES_HZ = np.array([*ROWS_HZ, *COLUMNS_HZ, *(2 * row for row in ROWS_HZ)])
"""The eight tones, and the second harmonic of each row tone: a voice has one, a telephone key has not."""

_SPAN = 205
"""Samples a look (25.6 ms): the length for which the eight tones fall between each other's lobes."""
_HOP = _SPAN // 5
_RISES_ABOVE_GROUP = 6.0
"""The strongest tone of a group holds this many times the energy of the next."""
_TWIST = 6.3
"""Row and column tone differ at most this many times in energy (8 dB)."""
_SHARE = 0.75
"""Part of a look's energy that lies in the two tones."""
_LOUD = 1e-5
_SIGHTINGS = 3
"""Successive looks with the same key: 25.6 ms + 2 × 5.1 ms, which any tone of 40 ms gives."""


def keys_heard(signal: NDArray[np.floating], rate: int = RATE) -> str:
    """The keys in an 8 kHz mono signal, in order; empty when there are none."""
    if rate != RATE:
        raise ValueError(f"the detector listens at {RATE} Hz, not {rate}")
    if signal.size < _SPAN:
        return ""
    # Each look is five blocks, so that every sample is multiplied once for each tone.
    blocks = np.asarray(signal[: signal.size // _HOP * _HOP], dtype=np.float64).reshape(-1, _HOP)
    energy = _over_five((blocks**2).sum(axis=1))
    tones = np.empty((energy.size, _PROBES_HZ.size))
    for position, frequency in enumerate(_PROBES_HZ):
        step = -2j * np.pi * frequency / RATE
        # A product and a sum, not @: BLAS would start threads for this, and waste a core on waiting.
        within = np.exp(step * np.arange(_HOP))
        turned = (blocks * within.real).sum(axis=1) + 1j * (blocks * within.imag).sum(axis=1)
        turned *= np.exp(step * _HOP * np.arange(len(blocks)))
        tones[:, position] = np.abs(_over_five(turned)) ** 2 * (2.0 / _SPAN)
    rows, columns, harmonics = tones[:, :4], tones[:, 4:8], tones[:, 8:]

    row, column = rows.argmax(axis=1), columns.argmax(axis=1)
    at = np.arange(energy.size)
    row_energy, column_energy = rows[at, row], columns[at, column]
    in_tones = row_energy + column_energy
    is_key = (
        (energy > _LOUD * _SPAN)
        & (row_energy > _RISES_ABOVE_GROUP * np.sort(rows, axis=1)[:, -2])
        & (column_energy > _RISES_ABOVE_GROUP * np.sort(columns, axis=1)[:, -2])
        & (row_energy < _TWIST * column_energy)
        & (column_energy < _TWIST * row_energy)
        & (in_tones > _SHARE * energy)
        & (harmonics[at, row] < 0.3 * row_energy)
    )
    heard: list[str] = []
    last, sightings = "", 0
    for position in at:
        key = KEYS[row[position]][column[position]] if is_key[position] else ""
        sightings = sightings + 1 if key == last else 1
        last = key
        if key and sightings == _SIGHTINGS:
            heard.append(key)
    return "".join(heard)


def key_tone(key: str, seconds: float, *, level: float = 0.3) -> NDArray[np.float64]:
    """The two tones of a key: what a telephone sends, and what tests and the softphone play."""
    for row, keys in enumerate(KEYS):
        if key in keys:
            time = np.arange(round(seconds * RATE)) / RATE
            low, high = ROWS_HZ[row], COLUMNS_HZ[keys.index(key)]
            return level * (np.sin(2 * np.pi * low * time) + np.sin(2 * np.pi * high * time))
    raise ValueError(f"{key!r} is no telephone key")


def _over_five(blocks: NDArray[np.inexact]) -> NDArray[np.inexact]:
    return np.lib.stride_tricks.sliding_window_view(blocks, 5).sum(axis=1)
