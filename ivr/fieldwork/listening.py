"""Listening again to what was rendered: checks over the store, the manifest, and prompts that travel as files.

Decides nothing of its own: bounds stand in `speech/checks.py`. `voicing.py` makes prompts; this stage looks after
them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ivr.errors import FileRefusedError, SpeechError
from ivr.speech import checks, manifest
from ivr.speech.manifest import Entry
from ivr.speech.synthesis import is_intact
from ivr.store import Database, prompts
from ivr.store.prompts import StoredPrompt

SILENT_ENGINE = "silence"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one stored prompt. code: `damaged`, `check_failed` or `missing`."""

    sha256: str
    code: str
    message: str
    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The result of listening to everything that is stored. `seconds` of sound in `prompts` prompts."""

    prompts: int
    seconds: float
    findings: tuple[Finding, ...]


def listen(database: Database) -> Heard:
    """Check every stored prompt again: there, intact, and within all bounds."""
    with database.read() as session:
        stored = prompts.stored(session)
        used = {row[-1] for row in prompts.in_use(session)}
    findings = [finding for prompt in stored for finding in _heard(database, prompt)]
    findings += _missing(used - {prompt.sha256 for prompt in stored})
    return Heard(len(stored), sum(prompt.seconds for prompt in stored), tuple(findings))


def listen_to(database: Database, names: Collection[str]) -> list[Finding]:
    """Check these prompts again, for whoever has no time for all of them."""
    with database.read() as session:
        there = prompts.stored(session, names)
    found = [finding for prompt in there for finding in _heard(database, prompt)]
    return found + _missing(set(names) - {prompt.sha256 for prompt in there})


def _missing(names: Collection[str]) -> list[Finding]:
    return [Finding(name, "missing", "an order plays it, and it is not there", "") for name in sorted(names)]


def _heard(database: Database, prompt: StoredPrompt) -> list[Finding]:
    with database.read() as session:
        wav = prompts.wav(session, prompt.sha256)
    found = _faults(wav, prompt.sha256, prompt.text, prompt.engine, prompt.is_slow)
    return [Finding(prompt.sha256, code, message, prompt.text) for code, message in found]


def manifest_of(database: Database) -> list[Entry]:
    """The manifest of everything in the store."""
    with database.read() as session:
        keys = prompts.keys_by_name(session)
        return [
            Entry(
                text=prompt.text,
                file=f"{prompt.sha256}.wav",
                sha256=prompt.sha256,
                bytes=prompt.size,
                seconds=prompt.seconds,
                loudness=prompt.loudness,
                engine=prompt.engine,
                is_slow=prompt.is_slow,
                keys=tuple(keys.get(prompt.sha256, ())),
            )
            for prompt in prompts.stored(session)
        ]


def ship(database: Database, folder: Path) -> int:
    """Write every prompt and the manifest into a folder, for another machine. Returns how many."""
    entries = manifest_of(database)
    for entry in entries:
        with database.read() as session:
            manifest.put(folder / entry.file, prompts.wav(session, entry.sha256))
    manifest.write(entries, folder / "manifest.json")
    return len(entries)


def take_in(database: Database, folder: Path, now: datetime) -> int:
    """Take in the prompts that another machine rendered: each is checked as if it were made here. Returns how many.

    FileRefusedError naming the first file that is missing, damaged or out of bounds; then nothing is taken in.
    """
    entries = manifest.read(folder / "manifest.json")
    bodies: list[bytes] = []
    for entry in entries:
        file = folder / Path(entry.file).name
        wav = file.read_bytes() if file.is_file() else b""
        for _, message in _faults(wav, entry.sha256, entry.text, entry.engine, entry.is_slow):
            raise FileRefusedError(f"{file}: {message}. Ship the folder again.")
        bodies.append(wav)
    with database.write() as session:
        for entry, wav in zip(entries, bodies, strict=True):
            for key in entry.keys:
                prompts.keep(
                    session,
                    key=key,
                    sha256=entry.sha256,
                    wav=wav,
                    text=entry.text,
                    engine=entry.engine,
                    is_slow=entry.is_slow,
                    seconds=entry.seconds,
                    loudness=entry.loudness,
                    now=now,
                )
    return len(entries)


def _faults(wav: bytes, sha256: str, text: str, engine: str, is_slow: bool) -> list[tuple[str, str]]:
    if not is_intact(wav, sha256):
        return [("damaged", "its bytes are not those of its name")]
    if engine == SILENT_ENGINE:
        return [("check_failed", fault) for fault in checks.silence_faults(wav)]
    try:
        measures = checks.measure(wav, text, slow=is_slow)
    except SpeechError as error:
        return [("check_failed", error.message)]
    return [("check_failed", fault) for fault in checks.faults(measures)]
