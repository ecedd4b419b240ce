"""Which recordings say a call, kept in memory; and the apology, kept where no database is needed.

Decides what may be remembered: an order's recordings while they cannot change. The apology is laid by in a file with
its name, so that a process that was started while the database is away can still play it.
"""

from __future__ import annotations

import re
import threading
from datetime import datetime

from ivr.bootstrap import House
from ivr.fieldwork.interviewing import Reply
from ivr.logs import get_logger
from ivr.store import prompts
from ivr.telephony.twiml import Sounds
from ivr.web.prompts import PromptCache

log = get_logger(__name__)

APOLOGY = "technical_apology"
_NAME = re.compile(r"[0-9a-f]{64}")


class Shelf:
    """Which recordings an order's call uses, kept in memory while they cannot change.

    The key holds the moment the order was voiced, so that an order that is voiced anew gets its new recordings.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._sounds: dict[tuple[int, str, int, datetime], Sounds] = {}
        self._lock = threading.Lock()
        self._folder = house.settings.var_dir / "prompts"
        self._apology = self._laid_by()

    def sounds_for(self, reply: Reply) -> Sounds:
        """The recordings of this call; empty when there are none."""
        if reply.order_id is None:
            return {}
        key = None if reply.voiced_at is None else (reply.order_id, reply.questionnaire, reply.version, reply.voiced_at)
        if key is not None and (known := self._sounds.get(key)) is not None:
            return known
        with self._house.database.read() as session:
            sounds = prompts.sounds_of(session, reply.order_id, reply.questionnaire, reply.version)
        if key is not None and sounds:
            with self._lock:
                self._sounds[key] = sounds
            self._lay_by(sounds.get((APOLOGY, False)))
        return sounds

    @property
    def apology(self) -> str | None:
        """The recording of the apology, if this machine ever held a call. Asks no database."""
        return self._apology

    def _laid_by(self) -> str | None:
        try:
            name = (self._folder / "apology").read_text("ascii").strip()
        except (OSError, ValueError):
            return None
        return name if _NAME.fullmatch(name) and (self._folder / f"{name}.wav").is_file() else None

    def _lay_by(self, sha256: str | None) -> None:
        """Keep the apology's bytes, words and name in files: what is played when nothing else works."""
        if sha256 is None or sha256 == self._apology:
            return
        self._apology = sha256
        try:
            cache = PromptCache(self._house.database, self._folder, memory_bytes=0)
            cache.wav(sha256)
            cache.text(sha256)
            (self._folder / "apology").write_text(sha256, "ascii")
        except Exception as error:  # the call goes on; the fallback is read out then
            log.warning("apology_not_laid_by", error=type(error).__name__)
