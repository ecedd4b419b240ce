"""The sounds of the spoken questions on the web: every question and every answer by itself, normal and slow.

Decides which questionnaires a sample's pages can put and that nothing is rendered twice: the sentences are those of
the calls, so an engine is hardly asked. Done when links are written out, never when a page is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from ivr.catalogue import Catalogue
from ivr.errors import SpeechError
from ivr.fieldwork.link_kit import LinkKit
from ivr.fieldwork.rendering import render_missing, still_intact
from ivr.fieldwork.voicing import Wording
from ivr.logs import get_logger
from ivr.speech.script import PromptText, page_texts_for, spoken_values
from ivr.speech.synthesis import Engine, Recordings, rendition_key
from ivr.store import Database, links, questionnaires
from ivr.store.samples import Sample

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class VoicedPages:
    """What was done for a sample's pages: `rendered` anew, `kept` from before (for calls, or for earlier links)."""

    prompts: int
    rendered: int
    kept: int


def voice_pages(
    database: Database,
    catalogue: Catalogue,
    kit: LinkKit,
    engine: Engine,
    wording: Wording,
    sample: Sample,
    services: Iterable[int],
    now: datetime,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> VoicedPages:
    """Render what the pages of these people (by their services) lack, and assign it. Repeating it renders nothing.

    SpeechError naming the prompt when a sound cannot be made; what was made is kept.
    """
    recordings = Recordings(wording.recordings)
    total = VoicedPages(0, 0, 0)
    for id in sorted({kit.questionnaire_for(service) for service in services}):
        questionnaire = catalogue.questionnaires[id]
        values = spoken_values(
            provider=sample.provider,
            minutes=questionnaire.minutes,
            help_number=wording.help_number,
            web_address=wording.web_address,
        )
        texts = page_texts_for(questionnaire, kit.page_phrases(catalogue), values)
        by_key = {rendition_key(text, engine, recordings): text for text in texts}
        known = still_intact(database, by_key)
        made: dict[str, str] = {}
        for key, text in by_key.items():
            if key not in known:
                made[key] = _voiced(database, engine, recordings, key, text, now)
                if on_progress:
                    on_progress(len(known) + len(made), len(by_key))
        names = known | made
        sounds = {(text.id, text.slow): names[rendition_key(text, engine, recordings)] for text in texts}
        with database.write() as session:
            questionnaires.freeze(session, questionnaire, now)
            links.assign_sounds(session, sample.id, id, questionnaire.version, sounds)
        total = VoicedPages(total.prompts + len(by_key), total.rendered + len(made), total.kept + len(known))
    return total


def _voiced(
    database: Database, engine: Engine, recordings: Recordings, key: str, text: PromptText, now: datetime
) -> str:
    def rendered(text: PromptText) -> str:
        done, _ = render_missing(database, engine, recordings, {key: text}, 0, 1, now, None, False)
        return done[key]

    try:
        return rendered(text)
    except SpeechError as error:
        if not (text.slow and text.id.rsplit(".", 1)[-1].isdigit()):
            raise  # only an answer by itself: everything else is said in calls too
        # Some voices draw out a lone short answer so far that half of it is silence. Said at its usual pace it
        # serves better than not at all.
        log.warning("page_prompt_not_slow", prompt=text.id, reason=error.message)
        recording = text.recording.removesuffix(".slow")
        return rendered(replace(text, slow=False, recording=recording))
