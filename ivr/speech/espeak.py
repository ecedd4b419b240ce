"""eSpeak NG, offline: the embedded default voice, spoken by a process of its own (`espeak_process.py`).

For the first run, for tests and for disaster: it sounds like a robot. Settings that scored best for Dutch on the
telephone: voice `nl+m3`, 140 words a minute with a word gap of 2 (× 10 ms); slow 110 and 4.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import select
import subprocess
import sys
import threading
import weakref
from typing import Any

from ivr.errors import SpeechError

VOICE = "nl+m3"
NORMAL = (140, 2)
SLOW = (110, 4)
ANSWER_SECONDS = 20.0
"""A sentence takes some 15 ms; a process that needs this long is stuck and is replaced."""


class EspeakEngine:
    """An engine (see `synthesis.Engine`). Threads may share it: sentences are spoken one at a time."""

    name = "espeak"

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._version = ""
        self._rate = 0
        self._lock = threading.Lock()

    def signature(self, *, slow: bool) -> str:
        with self._lock:
            self._start()
            words_per_minute, word_gap = SLOW if slow else NORMAL
            return f"espeak-ng {self._version} {VOICE} {words_per_minute}/{word_gap}"

    def speak(self, sentence: str, *, slow: bool) -> bytes:
        words_per_minute, word_gap = SLOW if slow else NORMAL
        request = {"text": sentence, "voice": VOICE, "words_per_minute": words_per_minute, "word_gap": word_gap}
        with self._lock:
            pcm = self._ask(request)
        if not pcm.strip(b"\0"):
            raise SpeechError(f"eSpeak NG could not speak {sentence!r}: it said nothing.")
        return _flac(pcm, self._rate)

    def close(self) -> None:
        with self._lock:
            self._stop()

    def __enter__(self) -> EspeakEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, request: dict[str, Any]) -> bytes:
        process = self._start()
        assert process.stdin
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            answer = self._line(process)
            if "error" in answer:
                raise SpeechError(f"eSpeak NG could not speak {request['text']!r}: {answer['error']}.")
            return self._read(process, int(answer["bytes"]))
        except (OSError, ValueError, KeyError) as error:
            self._stop()
            raise SpeechError(f"The eSpeak process broke off ({error}); run the rendering again.") from error

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._stop()
        # No more of the environment than Python needs: this process has no use for keys and addresses.
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "PYTHONPATH") if key in os.environ}
        process = subprocess.Popen(
            [sys.executable, "-m", "ivr.speech.espeak_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            bufsize=0,
        )
        try:
            hello = self._line(process)
            self._version, self._rate = str(hello["version"]), int(hello["rate"])
        except (OSError, ValueError, KeyError) as error:
            _end(process)
            raise SpeechError(
                "eSpeak NG does not start. Install the wheel espeakng-loader, or set IVR_SPEECH_ENGINE=gtts."
            ) from error
        self._process = process
        weakref.finalize(self, _end, process)  # also at exit: no voice outlives its house
        return process

    def _stop(self) -> None:
        if self._process is not None:
            _end(self._process)
            self._process = None

    def _line(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        line = bytearray()
        while not line.endswith(b"\n"):
            line += self._read(process, 1)
        return json.loads(line)

    def _read(self, process: subprocess.Popen[bytes], count: int) -> bytes:
        assert process.stdout
        parts = bytearray()
        while len(parts) < count:
            ready, _, _ = select.select([process.stdout], [], [], ANSWER_SECONDS)
            if not ready:
                raise OSError(f"no answer within {ANSWER_SECONDS:.0f} s")
            part = process.stdout.read(count - len(parts))
            if not part:
                raise OSError("it ended")
            parts += part
        return bytes(parts)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        if process.stdin:
            process.stdin.close()
    try:
        process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def _flac(pcm: bytes, rate: int) -> bytes:
    """Half the size of a WAV, and no bit lost."""
    import numpy as np
    import soundfile

    out = io.BytesIO()
    soundfile.write(out, np.frombuffer(pcm, dtype="<i2"), rate, format="FLAC", subtype="PCM_16")
    return out.getvalue()
