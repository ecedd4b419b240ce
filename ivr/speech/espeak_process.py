"""The process in which eSpeak NG lives: `python -m ivr.speech.espeak_process`.

eSpeak NG is GPL-3, so its library is loaded here and nowhere else, and this process knows nothing of the house.
It takes one JSON object a line on stdin and answers on stdout with one JSON line, followed by sound:

    at start                                                    → {"version": "1.52…", "rate": 22050}
    {"text": "…", "voice": "nl+m3", "words_per_minute": 140, "word_gap": 2}
                                                                → {"bytes": n} and n bytes of 16-bit mono PCM
                                                                → {"error": "…"} when it could not speak

Each sentence is spoken by a fork of the freshly initialised process: within one process eSpeak's output depends
on what it said before, a fork gives the same bytes every time (and costs milliseconds, not a start).
Standard library only, so that it starts in some 50 ms.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from typing import Any

# Numbers from espeak-ng/speak_lib.h.
_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_PARAMETER_RATE = 1
_PARAMETER_WORD_GAP = 7
_CHARS_UTF8 = 1
_EE_OK = 0

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class _Speaker:
    """The library, initialised once. `speak` may be called once per fork."""

    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._pcm = bytearray()

        def take(samples: Any, count: int, _events: Any) -> int:
            if samples and count > 0:
                self._pcm += ctypes.string_at(samples, count * 2)
            return 0

        self._callback = _CALLBACK(take)  # kept: ctypes does not hold it for the library
        data = espeakng_loader.get_data_path().encode()
        self.rate = self._library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, data, _INITIALIZE_DONT_EXIT)
        if self.rate <= 0:
            raise RuntimeError("eSpeak NG could not read its data")
        self._library.espeak_Info.restype = ctypes.c_char_p
        self.version = (self._library.espeak_Info(None) or b"unknown").decode().split()[0]
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voice: str, words_per_minute: int, word_gap: int) -> bytes:
        if self._library.espeak_SetVoiceByName(voice.encode()) != _EE_OK:
            raise RuntimeError(f"eSpeak NG has no voice {voice}")
        self._library.espeak_SetParameter(_PARAMETER_RATE, words_per_minute, 0)
        self._library.espeak_SetParameter(_PARAMETER_WORD_GAP, word_gap, 0)
        encoded = text.encode() + b"\0"
        result = self._library.espeak_Synth(
            encoded, ctypes.c_size_t(len(encoded)), 0, 0, 0, ctypes.c_uint(_CHARS_UTF8), None, None
        )
        if result != _EE_OK or self._library.espeak_Synchronize() != _EE_OK:
            raise RuntimeError(f"eSpeak NG answered {result}")
        return bytes(self._pcm)


def _spoken_in_a_fork(speaker: _Speaker, request: dict[str, Any]) -> bytes:
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(read_end)
            pcm = speaker.speak(
                str(request["text"]), str(request["voice"]), int(request["words_per_minute"]), int(request["word_gap"])
            )
            with os.fdopen(write_end, "wb") as pipe:
                pipe.write(pcm)
            status = 0
        except Exception as error:
            os.write(2, f"espeak: {error}\n".encode())
        finally:
            os._exit(status)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        pcm = pipe.read()
    _, code = os.waitpid(child, 0)
    if code != 0 or not pcm:
        raise RuntimeError("no sound for this text" if code == 0 else f"the speaking fork ended with {code}")
    return pcm


def main() -> int:
    out = sys.stdout.buffer
    speaker = _Speaker()
    out.write(json.dumps({"version": speaker.version, "rate": speaker.rate}).encode() + b"\n")
    out.flush()
    for line in sys.stdin.buffer:
        try:
            pcm = _spoken_in_a_fork(speaker, json.loads(line))
            out.write(json.dumps({"bytes": len(pcm)}).encode() + b"\n" + pcm)
        except Exception as error:
            out.write(json.dumps({"error": str(error)}).encode() + b"\n")
        out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
