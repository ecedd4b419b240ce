"""Prompts made and kept: of an order that is voiced (`voicing.py`), of pages read aloud (`page_voicing.py`).

Decides that nothing is rendered twice, that a damaged prompt counts as missing, and how much goes into one write.
Leaves which prompts are needed to who asks, the sound to `speech/synthesis.py`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime

from ivr.errors import SpeechError
from ivr.logs import get_logger
from ivr.speech.script import SILENCE, PromptText
from ivr.speech.synthesis import Engine, Recordings, Rendition, is_intact, original_key, render
from ivr.store import Database, Session, prompts

log = get_logger(__name__)

_BATCH = 12
"""Prompts in one write transaction: short, because calls may be going on."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the voicing of an order stands: `done` of `total` prompts; `prompt` was the last one."""

    order_id: int
    done: int
    total: int
    prompt: str


def still_intact(database: Database, keys: Iterable[str]) -> dict[str, str]:
    """Rendition key → sha256 of those that were rendered before and whose bytes are still themselves."""
    with database.read() as session:
        known = prompts.renditions_of(session, keys)
        whole = {name for name in set(known.values()) if is_intact(prompts.wav(session, name), name)}
    for name in set(known.values()) - whole:
        log.error("prompt_damaged", sha256=name)
    return {key: name for key, name in known.items() if name in whole}


def render_missing(
    database: Database,
    engine: Engine,
    recordings: Recordings,
    missing: dict[str, PromptText],
    order_id: int,
    total: int,
    now: datetime,
    on_progress: Callable[[Progress], None] | None,
    dry_run: bool,
) -> tuple[dict[str, str], int]:
    """Render the `missing` prompts (by rendition key) and keep each few as soon as they are made.

    total: prompts of the order, for `on_progress`. Gives rendition key → sha256 of what was made, and how many
    sentences an engine had to speak; in a dry run how many it would have to. Raises SpeechError; what was made before
    it is kept.
    """
    spoken = [text for text in missing.values() if text.id != SILENCE and recordings.find(text) is None]
    sentences = {
        original_key(engine, sentence, slow=text.slow): sentence for text in spoken for sentence, _ in text.segments
    }
    with database.read() as session:
        originals = _Originals(prompts.originals(session, sentences))
    to_speak = len(sentences.keys() - originals.keys())
    if dry_run or not missing:
        return {}, to_speak

    done: dict[str, str] = {}
    batch: list[tuple[str, Rendition]] = []

    def flush() -> None:
        with database.write() as session:
            for key, original in originals.take_new():
                prompts.keep_original(
                    session, key=key, engine=engine.name, text=sentences[key], original=original, now=now
                )
            for key, made in batch:
                _keep(session, key, made, now)
        batch.clear()

    # The chain is arithmetic outside Python's lock, the voice is another process: two threads use two cores.
    pool = ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1), thread_name_prefix="voicing")
    try:
        jobs: dict[Future[Rendition], str] = {
            pool.submit(render, text, engine, originals, recordings): key for key, text in missing.items()
        }
        for job in as_completed(jobs):
            made = job.result()
            batch.append((jobs[job], made))
            done[jobs[job]] = made.sha256
            if len(batch) >= _BATCH:
                flush()
            if on_progress:
                on_progress(Progress(order_id, total - len(missing) + len(done), total, made.prompt.id))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        flush()
    return done, to_speak


def _keep(session: Session, key: str, made: Rendition, now: datetime) -> None:
    prompts.keep(
        session,
        key=key,
        sha256=made.sha256,
        wav=made.wav,
        text=made.prompt.text,
        engine=made.engine,
        is_slow=made.prompt.slow,
        seconds=made.seconds,
        loudness=made.loudness,
        now=now,
    )


class _Originals(MutableMapping[str, bytes]):
    """The sentences known to the store, and the new ones until they are written. Threads share it."""

    def __init__(self, known: dict[str, bytes]) -> None:
        self._known = known
        self._new: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def take_new(self) -> list[tuple[str, bytes]]:
        """The sentences spoken since the last time."""
        with self._lock:
            new, self._new = self._new, {}
        return list(new.items())

    def __getitem__(self, key: str) -> bytes:
        return self._known[key]

    def __setitem__(self, key: str, original: bytes) -> None:
        with self._lock:
            self._known[key] = self._new[key] = original

    def __delitem__(self, key: str) -> None:
        raise SpeechError("what an engine gave is never thrown away")

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
