"""Serves the prompts that a call plays, and what is said in them: bytes from the database, by their hash.

A prompt's name is the hash of its bytes, so it may be cached for ever by the carrier, by browsers, in this
process's memory and in a file under `var_dir`. A missing prompt is an alarm: the gate of `fieldwork/voicing.py`
should have kept its order from being dialled. No login: prompts hold no answer and no person's name.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from ivr.errors import NotFoundError
from ivr.logs import get_logger
from ivr.speech.synthesis import is_intact
from ivr.store import Database, prompts

if TYPE_CHECKING:
    from ivr.bootstrap import House

log = get_logger(__name__)

IMMUTABLE = "public, max-age=31536000, immutable"
_NAME = re.compile(r"[0-9a-f]{64}")
_MEMORY_BYTES = 64 * 1024 * 1024


class PromptCache:
    """Bytes by hash: from memory (least recently used out first), a file, or the database. Safe between threads."""

    def __init__(self, database: Database, folder: Path, *, memory_bytes: int = _MEMORY_BYTES) -> None:
        self._database = database
        self._folder = folder
        self._room = memory_bytes
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def wav(self, sha256: str) -> bytes:
        """The prompt's bytes, certainly those of this hash. NotFoundError if there is no whole prompt of that name."""
        with self._lock:
            if sha256 in self._held:
                self._held.move_to_end(sha256)
                return self._held[sha256]
        wav = self._from_file(sha256)
        if wav is None:
            with self._database.read() as session:
                wav = prompts.wav(session, sha256)
            if not is_intact(wav, sha256):
                raise NotFoundError(f"Prompt {sha256} is damaged. Run `ivr audio render --all`.")
            self._to_file(f"{sha256}.wav", wav)
        self._hold(sha256, wav)
        return wav

    def text(self, sha256: str) -> str:
        """What is said in the prompt: from a file, or the database. NotFoundError if there is no such prompt."""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return (self._folder / f"{sha256}.txt").read_text("utf-8")
        with self._database.read() as session:
            said = prompts.text(session, sha256)
        self._to_file(f"{sha256}.txt", said.encode())
        return said

    def _hold(self, sha256: str, wav: bytes) -> None:
        with self._lock:
            if sha256 in self._held:
                return
            self._held[sha256] = wav
            self._room -= len(wav)
            while self._room < 0 and len(self._held) > 1:
                _, oldest = self._held.popitem(last=False)
                self._room += len(oldest)

    def _from_file(self, sha256: str) -> bytes | None:
        with contextlib.suppress(OSError):
            wav = (self._folder / f"{sha256}.wav").read_bytes()
            if is_intact(wav, sha256):
                return wav
        return None

    def _to_file(self, name: str, content: bytes) -> None:
        # A disk that is full or read-only costs speed, never a call.
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, aside = tempfile.mkstemp(dir=self._folder, suffix=".aside")
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(aside, self._folder / name)


def make_blueprint(house: House) -> Blueprint:
    """`GET /prompts/<sha256>.wav` (and HEAD, ranges, 304) and `/prompts/<sha256>.txt`."""
    blueprint = Blueprint("prompts", __name__, url_prefix="/prompts")
    cache = PromptCache(house.database, house.settings.var_dir / "prompts")

    @blueprint.get("/<sha256>.wav")
    def wav(sha256: str) -> Response:
        if not _NAME.fullmatch(sha256):
            return _missing()
        if request.if_none_match.contains(sha256):
            return _immutable(Response(status=304), sha256)
        try:
            body = cache.wav(sha256)
        except NotFoundError as error:
            log.error("prompt_missing", sha256=sha256, reason=error.message)
            return _missing()
        response = _immutable(Response(body, mimetype="audio/wav"), sha256)
        response.make_conditional(request, accept_ranges=True, complete_length=len(body))
        return response

    @blueprint.get("/<sha256>.txt")
    def transcript(sha256: str) -> Response:
        if not _NAME.fullmatch(sha256):
            return _missing()
        try:
            said = cache.text(sha256)
        except NotFoundError:
            return _missing()
        response = _immutable(Response(said, content_type="text/plain; charset=utf-8"), f"{sha256}-text")
        response.make_conditional(request)
        return response

    return blueprint


def _immutable(response: Response, etag: str) -> Response:
    response.set_etag(etag)
    response.headers["Cache-Control"] = IMMUTABLE
    return response


def _missing() -> Response:
    response = Response("Deze geluidsopname is er niet.\n", status=404, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response
