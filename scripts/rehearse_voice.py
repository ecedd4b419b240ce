"""Prompts for a rehearsal: nothing is rendered, each is a silent WAV of the length that a voice would take.

The gate stays the real one: an order is opened when every prompt of its questionnaires is kept and assigned, frozen
with them, as `fieldwork/voicing.py` does it. Only the engine is the rehearsal's own. A silent WAV has ten bytes a
second, so that a whole season's sound takes a few hundred kilobytes; its words lie in a chunk of their own, so that
two prompts of one length are not the same bytes.
"""

from __future__ import annotations

import hashlib
import struct
from datetime import datetime

from ivr.bootstrap import House
from ivr.fieldwork.voicing import needed
from ivr.speech.script import PromptText, spoken_values, texts_for
from ivr.store import Session, prompts, questionnaires
from ivr.survey.questionnaire import Questionnaire

ENGINE = "rehearsal"
SECONDS_PER_CHARACTER = 0.062
"""How fast the offline voice reads, measured over the prompts of both questionnaires."""
SLOWER = 1.25
BYTES_PER_SECOND = 10


class SilentVoice:
    """Opens the gate of orders with estimated prompts; the same words are kept once for all orders."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._kept: dict[tuple[str, bool], str] = {}

    def voice(self, now: datetime) -> int:
        """Voice every order that waits for it; how many those were."""
        with self._house.database.write() as session:
            waiting = prompts.unvoiced(session)
            for order_id in waiting:
                self._voice(session, prompts.voicing_order(session, order_id), now)
        return len(waiting)

    def _voice(self, session: Session, order: prompts.VoicingOrder, now: datetime) -> None:
        for id in needed(order):
            questionnaire = self._house.catalogue.questionnaires[id]
            assigned = {
                (text.id, text.slow): self._keep(session, text, now) for text in self._texts(order, questionnaire)
            }
            questionnaires.freeze(session, questionnaire, now)
            prompts.assign(session, order.id, id, questionnaire.version, assigned)
        prompts.mark_voiced(session, order.id, now)

    def _texts(self, order: prompts.VoicingOrder, questionnaire: Questionnaire) -> tuple[PromptText, ...]:
        settings = self._house.settings
        values = spoken_values(
            provider=order.provider,
            minutes=questionnaire.minutes,
            help_number=settings.help_number,
            web_address=settings.web_address,
        )
        return texts_for(questionnaire, self._house.catalogue.phrases, values)

    def _keep(self, session: Session, text: PromptText, now: datetime) -> str:
        key = text.text, text.slow
        if key not in self._kept:
            seconds = estimate(text)
            wav = silent_wav(seconds, f"{text.text}/{text.slow}")
            sha256 = hashlib.sha256(wav).hexdigest()
            prompts.keep(
                session,
                key=f"{ENGINE}/{sha256}",
                sha256=sha256,
                wav=wav,
                text=text.text,
                engine=ENGINE,
                is_slow=text.slow,
                seconds=seconds,
                loudness=0.0,
                now=now,
            )
            self._kept[key] = sha256
        return self._kept[key]


def estimate(text: PromptText) -> float:
    """Seconds that a voice takes for this prompt, its pauses with it."""
    pace = SECONDS_PER_CHARACTER * (SLOWER if text.slow else 1.0)
    return round(sum(len(sentence) * pace + pause for sentence, pause in text.segments), 1)


def silent_wav(seconds: float, words: str) -> bytes:
    """A WAV that sounds so long by its own header: 8 bits, mono, ten samples a second."""
    form = struct.pack("<HHIIHH", 1, 1, BYTES_PER_SECOND, BYTES_PER_SECOND, 1, 8)
    note = hashlib.sha256(words.encode()).digest()
    data = b"\x80" * max(1, round(seconds * BYTES_PER_SECOND))
    chunks = b"".join(
        name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
        for name, body in ((b"fmt ", form), (b"note", note), (b"data", data))
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks
