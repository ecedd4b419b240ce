"""What a voice is, which one speaks, and how a prompt becomes a checked telephone sound.

Decides: the protocol that every engine meets, that a sentence is spoken once and cached, that a human recording
wins over any engine, and that nothing unchecked leaves this room. Leaves the sound chain to `phone_audio.py`, the
bounds to `checks.py`, and keeping things to the store (through the `Originals` it is handed).
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ivr.errors import SpeechError
from ivr.logs import get_logger
from ivr.speech.script import SILENCE, PromptText

if TYPE_CHECKING:
    from ivr.settings import Settings
    from ivr.speech import phone_audio

log = get_logger(__name__)
_speaking = threading.Lock()

PIPELINE = "1"
"""Version of the sound chain. Raise it when the same words must sound different: everything is rendered again."""


MOST_GAPS_SECONDS = (0.20,)
SLOW_MOST_GAPS_SECONDS = (0.35, 0.25)
"""The longest silence an engine may make within a sentence; it is cut down to this. The next is tried when a prompt
does not pass with the one before: spoken slowly, so short a line as "Te kort." is half rests otherwise."""


ORIGINAL_PACE = (0.10, 0.90)
"""Seconds per syllable of one sentence as an engine gives it: beyond this it said something else, or not all of it."""


class Engine(Protocol):
    """A voice. `speak` takes one sentence and gives a sound file's bytes (WAV, FLAC or MP3), never empty."""

    @property
    def name(self) -> str:
        """Short name for manifests: `espeak`, `gtts`."""
        ...

    def signature(self, *, slow: bool) -> str:
        """Engine, version, voice and speed: everything besides the sentence that decides the sound."""
        ...

    def speak(self, sentence: str, *, slow: bool) -> bytes:
        """The sentence as a sound file. Raises SpeechError when there is no usable sound."""
        ...

    def close(self) -> None:
        """Let go of processes and connections. The engine may be used again afterwards."""
        ...


Originals = MutableMapping[str, bytes]
"""What engines gave, by `original_key`: asked before an engine is, filled after it spoke."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """A prompt as it is served. `wav`: µ-law, 8 kHz, mono. `loudness` in LUFS, `engine` its name or `recording`."""

    prompt: PromptText
    wav: bytes
    sha256: str
    seconds: float
    loudness: float
    engine: str


def open_engine(settings: Settings, name: str | None = None) -> Engine:
    """The engine of the settings, or the one called `name` (`espeak`, `gtts`)."""
    # Imported late: a process that only serves prompts needs neither gTTS's requests nor a child process.
    match name or settings.speech_engine:
        case "espeak":
            from ivr.speech.espeak import EspeakEngine

            return EspeakEngine()
        case "gtts":
            from ivr.speech.google import GttsEngine

            return GttsEngine()
        case other:
            raise SpeechError(f"There is no speech engine {other!r}. Use espeak or gtts.")


class Recordings:
    """Human recordings in `audio/recordings/`: `<name>.wav` wins over every engine.

    Beside it may lie `<name>.txt` with the words that were recorded; when these differ from the prompt's present
    words the recording is passed over with a warning, so that a reworded question is not asked in its old wording.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, prompt: PromptText) -> bytes | None:
        """The recording's bytes (any WAV, FLAC or MP3 content), or None."""
        if not prompt.recording:
            return None
        file = self._folder / f"{prompt.recording}.wav"
        if not file.is_file():
            return None
        words = file.with_suffix(".txt")
        if words.is_file() and _plain(words.read_text(encoding="utf-8")) != _plain(prompt.text):
            log.warning("recording_is_stale", prompt=prompt.id, file=file.name)
            return None
        return file.read_bytes()


def original_key(engine: Engine, sentence: str, *, slow: bool) -> str:
    """Content address of one spoken sentence."""
    return _hash(engine.signature(slow=slow), sentence)


def rendition_key(prompt: PromptText, engine: Engine, recordings: Recordings | None = None) -> str:
    """Content address of a whole prompt: pipeline, voice, speed, words, pauses; or pipeline and recording."""
    if prompt.id == SILENCE:
        return _hash(PIPELINE, SILENCE, prompt.segments)
    recording = recordings.find(prompt) if recordings else None
    if recording is not None:
        return _hash(PIPELINE, "recording", hashlib.sha256(recording).hexdigest(), prompt.text, prompt.slow)
    return _hash(PIPELINE, engine.signature(slow=prompt.slow), prompt.segments)


def render(prompt: PromptText, engine: Engine, originals: Originals, recordings: Recordings | None = None) -> Rendition:
    """Speak, chain and check one prompt.

    Raises SpeechError naming the prompt and the measure that is out of bounds. Sentences found in `originals` are
    not asked of the engine again.
    """
    from ivr.speech import checks, phone_audio  # numpy and soundfile: only for those who render

    if prompt.id == SILENCE:
        wav = phone_audio.silence(prompt.segments[0][1])
        return _rendition(prompt, wav, phone_audio.seconds(wav), 0.0, "silence")
    recording = recordings.find(prompt) if recordings else None
    faults: list[tuple[str, ...]] = []
    try:
        for wav in _tries(prompt, engine, originals, recording):
            measures = checks.measure(wav, prompt.text, slow=prompt.slow)
            faults.append(checks.faults(measures))
            if not faults[-1]:
                name = "recording" if recording is not None else engine.name
                return _rendition(prompt, wav, measures.seconds, measures.loudness, name)
    except SpeechError as error:
        raise SpeechError(f"Prompt {_label(prompt)}: {error.message}") from error
    raise SpeechError(f"Prompt {_label(prompt)} ({prompt.text!r}) does not pass: {'; '.join(faults[0])}.")


def _tries(prompt: PromptText, engine: Engine, originals: Originals, recording: bytes | None) -> Iterator[bytes]:
    """The prompt's telephone sound; of an engine's words further ones with ever shorter rests."""
    from ivr.speech import phone_audio

    if recording is not None:
        if phone_audio.is_clipped(recording):
            raise SpeechError(
                f"recordings/{prompt.recording}.wav is clipped: it was recorded too loud. Record it again"
            )
        yield phone_audio.telephone_wav([(phone_audio.decode(recording), 0.0)])
        return
    pieces = [(_spoken(sentence, prompt.slow, engine, originals), pause) for sentence, pause in prompt.segments]
    for gap in SLOW_MOST_GAPS_SECONDS if prompt.slow else MOST_GAPS_SECONDS:
        yield phone_audio.telephone_wav(pieces, most_gap_seconds=gap)


def _spoken(sentence: str, slow: bool, engine: Engine, originals: Originals) -> phone_audio.Signal:
    from ivr.speech import checks, phone_audio

    key = original_key(engine, sentence, slow=slow)
    original = originals.get(key)
    if original is not None:
        return phone_audio.decode(original)
    # One at a time, and looked up again: two prompts that share a sentence must not ask for it twice.
    with _speaking:
        original = originals.get(key)
        if original is not None:
            return phone_audio.decode(original)
        original = engine.speak(sentence, slow=slow)
        sound = phone_audio.decode(original)  # decoded before it is kept: what does not decode is never cached
        pace = phone_audio.trimmed(sound).size / phone_audio.RATE / checks.syllables(sentence)
        if not ORIGINAL_PACE[0] <= pace <= ORIGINAL_PACE[1]:
            raise SpeechError(
                f"{engine.name} said {sentence!r} at {pace:.2f} s per syllable: cut off, or something else"
            )
        originals[key] = original
        return sound


def is_intact(wav: bytes, sha256: str) -> bool:
    """Whether the bytes are still those that were named so."""
    return hashlib.sha256(wav).hexdigest() == sha256


def _rendition(prompt: PromptText, wav: bytes, seconds: float, loudness: float, engine: str) -> Rendition:
    return Rendition(prompt, wav, hashlib.sha256(wav).hexdigest(), seconds, loudness, engine)


def _label(prompt: PromptText) -> str:
    return f"{prompt.id} (slow)" if prompt.slow else prompt.id


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _hash(*parts: str | bool | Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, default=list).encode()).hexdigest()
