"""Whether an MP3 came over whole: a decoder plays a truncated one without a word, and a question loses its end.

Decides by walking the frames (ISO/IEC 11172-3, 13818-3): each must be there to its last byte. Layer III only, which
is all that the speech service sends.
"""

from __future__ import annotations

_BITRATES_V1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_V2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_VERSION_1, _LAYER_3 = 3, 1


def is_whole(mp3: bytes) -> bool:
    """True when it is made of one or more complete frames (tags before and after are passed over)."""
    position = 0
    if mp3[:3] == b"ID3" and len(mp3) > 10:
        size = (mp3[6] & 127) << 21 | (mp3[7] & 127) << 14 | (mp3[8] & 127) << 7 | (mp3[9] & 127)
        position = 10 + size
    end = len(mp3) - 128 if mp3[-128:-125] == b"TAG" else len(mp3)
    frames = 0
    while position < end:
        length = _frame_length(mp3[position : position + 4])
        if length is None or position + length > end:
            return False
        position += length
        frames += 1
    return frames > 0


def _frame_length(header: bytes) -> int | None:
    """Bytes of the frame that begins so, or None when no frame does."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bitrate, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version not in _RATES or layer != _LAYER_3 or not 0 < bitrate < 15 or rate == 3:
        return None
    kilobits = (_BITRATES_V1 if version == _VERSION_1 else _BITRATES_V2)[bitrate]
    bits_per_sample = 144 if version == _VERSION_1 else 72
    return bits_per_sample * kilobits * 1000 // _RATES[version][rate] + padding
