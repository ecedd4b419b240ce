"""gTTS: the production voice, from an undocumented endpoint without licence or service level.

So: one sentence a request, at least a second between requests of this process, `Retry-After` obeyed, nothing asked
twice (the store keeps every answer), and what comes back is untrusted (its TLS certificate is not verified by gTTS).
Traps of gTTS 2.5 that are closed here:
  1. its default pre-processing eats the full stop after "soms." and "kunst.": only `end_of_line` is used;
  2. over 100 characters it cuts at every comma: we cut such a sentence ourselves, as seldom as possible;
  3. joined MP3 parts may play only the first: each request gives one sound of its own, decoded before joining;
  4. a page with status 200 gives no bytes and no error: that is an error here;
  5. without a time-out it hangs: (3.05, 15) seconds, and a minute for the whole of an answer;
  6. certificates: see above; the sound chain decodes strictly and bounds its length.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Overdue
from email.utils import parsedate_to_datetime
from importlib.metadata import version

from ivr.errors import SpeechError
from ivr.logs import get_logger
from ivr.speech.mp3 import is_whole

log = get_logger(__name__)

MOST_CHARACTERS = 100
SECONDS_BETWEEN_REQUESTS = 1.0
TIMEOUT_SECONDS = (3.05, 15)
WHOLE_ANSWER_SECONDS = 60.0
BACK_OFF_SECONDS = (2.0, 8.0, 30.0)
"""Waits before the second, third and fourth try, unless the service names one."""
LONGEST_WAIT_SECONDS = 300.0
"""A longer `Retry-After` is not waited for: the rendering stops, and goes on where it was when started again."""
MOST_BYTES = 4_000_000


class GttsEngine:
    """An engine (see `synthesis.Engine`). Threads may share it: one request at a time."""

    name = "gtts"

    def __init__(
        self,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        timeout_seconds: tuple[float, float] = TIMEOUT_SECONDS,
        whole_answer_seconds: float = WHOLE_ANSWER_SECONDS,
    ) -> None:
        self._sleep = sleep
        self._monotonic = monotonic
        self._timeout = timeout_seconds
        self._whole = whole_answer_seconds
        self._not_before = 0.0
        self._lock = threading.Lock()

    def signature(self, *, slow: bool) -> str:
        return f"gtts {version('gTTS')} nl {'slow' if slow else 'normal'}"

    def speak(self, sentence: str, *, slow: bool) -> bytes:
        """MP3 of a short sentence; a FLAC of the joined parts when it had to be cut."""
        with self._lock:
            parts = [self._one(part, slow) for part in pieces(sentence)]
        return parts[0] if len(parts) == 1 else _joined(parts)

    def close(self) -> None:
        return None

    def _one(self, text: str, slow: bool) -> bytes:
        from gtts import gTTSError

        for attempt in range(len(BACK_OFF_SECONDS) + 1):
            self._wait_for_turn()
            try:
                return self._request(text, slow)
            except gTTSError as error:
                status = getattr(error.rsp, "status_code", None)
                wait = self._wait_after(status, error, attempt)
                if wait is None:
                    raise SpeechError(_explained(text, status, str(error))) from error
                log.warning("speech_service_busy", status=status, wait_seconds=wait)
                self._not_before = self._monotonic() + wait
        raise AssertionError("unreachable: the last try has no wait")

    def _wait_after(self, status: int | None, error: Exception, attempt: int) -> float | None:
        """Seconds until the next try, or None when trying again is of no use (now)."""
        from requests.exceptions import ReadTimeout

        # No connection at all will not come back in half a minute; an answer that hung may.
        is_passing = isinstance(error.__context__, ReadTimeout) if status is None else status == 429 or status >= 500
        if not is_passing or attempt >= len(BACK_OFF_SECONDS):
            return None
        named = _retry_after(error)
        if named is None:
            return BACK_OFF_SECONDS[attempt]
        return max(named, SECONDS_BETWEEN_REQUESTS) if named <= LONGEST_WAIT_SECONDS else None

    def _wait_for_turn(self) -> None:
        wait = self._not_before - self._monotonic()
        if wait > 0:
            self._sleep(wait)
        self._not_before = self._monotonic() + SECONDS_BETWEEN_REQUESTS

    def _request(self, text: str, slow: bool) -> bytes:
        from gtts import gTTS, gTTSError
        from gtts.tokenizer import pre_processors

        speech = gTTS(
            text,
            lang="nl",
            slow=slow,
            lang_check=False,  # "nl" exists; the check would only cost time
            pre_processor_funcs=[pre_processors.end_of_line],
            tokenizer_func=lambda whole: [whole],
            timeout=self._timeout,
        )
        answer = io.BytesIO()
        # The time-out of requests is per read: an answer that drips would never end.
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gtts")
        try:
            pool.submit(speech.write_to_fp, answer).result(timeout=self._whole)
        except gTTSError:
            raise
        except Overdue as error:
            raise SpeechError(f"The speech service took over {self._whole:.0f} s for {text!r}; try again.") from error
        except Exception as error:
            # Not base64, not UTF-8, broken off: whatever an untrusted answer does inside gTTS.
            raise SpeechError(f"The speech service answered {text!r} with nonsense: {error}.") from error
        finally:
            pool.shutdown(wait=False)
        mp3 = answer.getvalue()
        if not mp3:
            raise SpeechError(
                f"The speech service answered {text!r} with a page instead of sound (a consent page, perhaps). "
                "Render on another machine, or with --engine espeak."
            )
        if not is_whole(mp3):
            raise SpeechError(f"The speech service's sound for {text!r} is no MP3 or was cut off; render again.")
        if len(mp3) > MOST_BYTES:
            raise SpeechError(f"The speech service answered {text!r} with {len(mp3)} bytes; that is no sentence.")
        return mp3


def pieces(sentence: str) -> list[str]:
    """The sentence in parts of at most 100 characters, cut at a comma or colon near the middle, else at a space."""
    sentence = " ".join(sentence.split())
    if len(sentence) <= MOST_CHARACTERS:
        return [sentence]
    middle = len(sentence) / 2
    for marks in (",;:", ""):
        places = [
            position + 1
            for position, letter in enumerate(sentence[:-1])
            if (letter in marks and sentence[position + 1] == " ") or (not marks and letter == " ")
        ]
        fitting = [place for place in places if 10 < place < len(sentence) - 10]
        if fitting:
            best = min(fitting, key=lambda place: abs(place - middle))
            return [*pieces(sentence[:best].strip()), *pieces(sentence[best:].strip())]
    return [sentence[:MOST_CHARACTERS], *pieces(sentence[MOST_CHARACTERS:])]


def _joined(parts: list[bytes]) -> bytes:
    import numpy as np
    import soundfile

    from ivr.speech import phone_audio

    sounds = [phone_audio.trimmed(phone_audio.decode(part)) for part in parts]
    breath = np.zeros(round(0.2 * phone_audio.RATE), dtype=np.float32)
    whole = np.concatenate([piece for sound in sounds for piece in (sound, breath)][:-1])
    out = io.BytesIO()
    soundfile.write(out, whole, phone_audio.RATE, format="FLAC", subtype="PCM_16")
    return out.getvalue()


def _retry_after(error: Exception) -> float | None:
    """Seconds of a `Retry-After` header (a number or a date), or None."""
    headers = getattr(getattr(error, "rsp", None), "headers", None) or {}
    text = str(headers.get("Retry-After", "")).strip()
    if not text:
        return None
    if text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())


def _explained(text: str, status: int | None, message: str) -> str:
    match status:
        case None:
            advice = "It cannot be reached: see whether this machine has a way out"
        case 429:
            advice = "It has had too many requests: render again later, what was made is kept"
        case 403 | 404:
            advice = "It refuses or has moved: look for a newer gTTS"
        case 200:
            advice = "It answered without sound"
        case _:
            advice = "It is out of order: render again later, what was made is kept"
    return f"The speech service gave no sound for {text!r} ({message}). {advice}, or use --engine espeak."
