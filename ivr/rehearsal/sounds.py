"""What a `<Play>` brings: how long it sounds, and which words are heard in it.

The sound is fetched over HTTP as the carrier does, and kept by URL as long as its headers allow; its length is
read from the WAV header (RIFF: `fmt ` and `data`). Words come from the transcript beside it (`….txt`), because
the people of a rehearsal read lips: nobody runs speech recognition on a telephone line here.
"""

from __future__ import annotations

import re
import struct
import time
from dataclasses import dataclass

from ivr.rehearsal.listeners import Sound
from ivr.rehearsal.transport import Reply, Web, WebhookError, fetch

SECONDS_PER_CHARACTER = 0.075
"""How fast a carrier's own voice reads (`<Say>`): about 13 characters a second."""

_AUDIO_TYPES = ("audio/wav", "audio/wave", "audio/x-wav", "audio/mpeg", "audio/basic", "audio/mp3")


class SoundError(Exception):
    """A sound that cannot be played. `code` is Twilio's number."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


def wav_seconds(body: bytes) -> float:
    """How long this WAV lasts. SoundError 12300 when it is none, or not what a telephone line plays."""
    if body[:4] != b"RIFF" or body[8:12] != b"WAVE":
        raise SoundError(12300, "not a WAV file")
    position, byte_rate = 12, 0
    while position + 8 <= len(body):
        name, size = body[position : position + 4], struct.unpack_from("<I", body, position + 4)[0]
        if name == b"fmt ":
            if size < 16 or position + 24 > len(body):
                break
            byte_rate = struct.unpack_from("<HHIIHH", body, position + 8)[3]
        elif name == b"data":
            if not byte_rate:
                break
            return min(size, len(body) - position - 8) / byte_rate
        position += 8 + size + size % 2
    raise SoundError(12300, "a WAV file without a usable fmt and data chunk")


def say_seconds(text: str) -> float:
    """How long the carrier's own voice takes for this text."""
    return max(0.3, len(text) * SECONDS_PER_CHARACTER)


@dataclass(slots=True)
class _Kept:
    sound: Sound
    etag: str | None
    fresh_until: float


class SoundShelf:
    """Sounds by URL, kept as long as they may be. Fetching takes real time, never the call's."""

    def __init__(self, web: Web, *, with_words: bool = True) -> None:
        self._web = web
        self._with_words = with_words
        self._kept: dict[str, _Kept] = {}
        self.fetched = 0

    async def get(self, url: str) -> Sound:
        """The sound at `url`. SoundError when it cannot be fetched or played."""
        kept = self._kept.get(url)
        if kept is not None and time.monotonic() < kept.fresh_until:
            return kept.sound
        headers = {"If-None-Match": kept.etag} if kept is not None and kept.etag else {}
        reply = await self._fetch(url, headers)
        if kept is not None and reply.status == 304:
            kept.fresh_until = _fresh_until(reply)
            return kept.sound
        kind = reply.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if not reply.is_fine:
            raise SoundError(11200, f"the sound answered HTTP {reply.status}")
        if kind not in _AUDIO_TYPES:
            raise SoundError(12300, f"a sound of type {kind!r}")
        seconds = wav_seconds(reply.body)
        sound = Sound(await self._words(url) if self._with_words else "", seconds, url)
        self._kept[url] = _Kept(sound, reply.headers.get("ETag"), _fresh_until(reply))
        return sound

    async def _fetch(self, url: str, headers: dict[str, str]) -> Reply:
        self.fetched += 1
        try:
            return await fetch(self._web, url, headers)
        except WebhookError as error:
            raise SoundError(error.code, str(error)) from error

    async def _words(self, url: str) -> str:
        if not url.endswith(".wav"):
            return ""
        # No answer is not the same as no transcript: a sound kept without its words would be silence for ever.
        reply = await self._fetch(f"{url[:-4]}.txt", {})
        if reply.status >= 500:
            raise SoundError(11200, f"the transcript answered HTTP {reply.status}")
        return reply.body.decode("utf-8", "replace") if reply.is_fine else ""


def _fresh_until(reply: Reply) -> float:
    control = reply.headers.get("Cache-Control", "").lower()
    if "no-store" in control or "no-cache" in control:
        return 0.0
    if "immutable" in control:
        return float("inf")
    age = re.search(r"max-age=(\d+)", control)
    return time.monotonic() + int(age[1]) if age else 0.0
