"""The stage between an order and its first call: every prompt rendered, checked, kept, and only then the gate.

Decides which questionnaires an order needs, and that `orders.voiced_at` is set only when each prompt is there, intact
(its hash computed again) and has passed the checks of `speech/checks.py`. Leaves the words to `speech/script.py`,
making and keeping to `rendering.py`. Stopped half-way it goes on where it was: each sentence and each prompt is kept
as soon as it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ivr.errors import ConfigurationError, NotVoicedError
from ivr.fieldwork.rendering import Progress, render_missing, still_intact
from ivr.logs import get_logger
from ivr.speech.script import PromptText, spoken_values, texts_for
from ivr.speech.synthesis import Engine, Recordings, is_intact, rendition_key
from ivr.store import Database, Session, prompts, questionnaires

if TYPE_CHECKING:
    from ivr.catalogue import Catalogue
    from ivr.settings import Settings
    from ivr.survey.questionnaire import Questionnaire

log = get_logger(__name__)

INBURGERING, LAAGDREMPELIG = "inburgering", "laagdrempelig"
_SERVICE_INBURGERING = 11


@dataclass(frozen=True, slots=True)
class Wording:
    """What is spoken besides the questionnaires, and where human recordings lie."""

    help_number: str
    web_address: str
    recordings: Path

    @staticmethod
    def from_settings(settings: Settings) -> Wording:
        return Wording(settings.help_number, settings.web_address, settings.audio_dir / "recordings")


@dataclass(frozen=True, slots=True)
class Voiced:
    """What was done for an order. `seconds` of sound in all its prompts; `rendered` anew, `kept` from before.

    In a dry run nothing is rendered: `rendered` is what would be, `sentences` how often an engine would be asked.
    """

    order_id: int
    provider: str
    questionnaires: tuple[str, ...]
    prompts: int
    rendered: int
    kept: int
    sentences: int
    seconds: float
    is_voiced: bool


def needed(order: prompts.VoicingOrder) -> tuple[str, ...]:
    """Ids of the questionnaires that the order's cases can be asked: by phone service 11 has its own."""
    if order.track == INBURGERING:
        return (INBURGERING,)
    may_hold_inburgering = order.services is None or _SERVICE_INBURGERING in order.services
    return (LAAGDREMPELIG, INBURGERING) if may_hold_inburgering else (LAAGDREMPELIG,)


def pending(session: Session, catalogue: Catalogue | None = None) -> list[int]:
    """Orders that still have to be voiced, oldest first.

    With a catalogue also those whose questionnaires got a new version since: their calls go on with the old one
    until the new one has been voiced.
    """
    if catalogue is None:
        return prompts.unvoiced(session)
    voiced = prompts.all_voiced_versions(session)
    return [
        order.id
        for order in prompts.voicing_orders(session)
        if order.voiced_at is None
        or any((order.id, id, _questionnaire(catalogue, id).version) not in voiced for id in needed(order))
    ]


def voice_order(
    database: Database,
    catalogue: Catalogue,
    engine: Engine,
    wording: Wording,
    order_id: int,
    now: datetime,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    dry_run: bool = False,
) -> Voiced:
    """Render what is missing for an order, then open its gate. Repeating it renders nothing and changes nothing.

    Raises SpeechError naming the prompt when an engine gives no sound or a check fails (what was made is kept),
    NotFoundError for an unknown order, RefusedError when a questionnaire was changed without a new version.
    """
    with database.read() as session:
        order = prompts.voicing_order(session, order_id)
    recordings = Recordings(wording.recordings)
    wanted = list(_texts(catalogue, wording, order))
    keys = [rendition_key(text, engine, recordings) for _, text in wanted]
    texts = dict(zip(keys, (text for _, text in wanted), strict=True))
    intact = still_intact(database, texts)
    missing = {key: text for key, text in texts.items() if key not in intact}

    done, sentences = render_missing(
        database, engine, recordings, missing, order_id, len(texts), now, on_progress, dry_run
    )
    names = intact | done
    seconds = 0.0
    if not dry_run:
        _open_gate(database, order_id, list(zip(wanted, keys, strict=True)), names, now)
        with database.read() as session:
            seconds = sum(prompts.seconds_of(session, names.values()).values())
        log.info("order_voiced", order=order_id, prompts=len(texts), rendered=len(done))
    return Voiced(
        order_id=order_id,
        provider=order.provider,
        questionnaires=needed(order),
        prompts=len(texts),
        rendered=len(missing),
        kept=len(intact),
        sentences=sentences,
        seconds=seconds,
        is_voiced=not dry_run or order.voiced_at is not None,
    )


def _texts(
    catalogue: Catalogue, wording: Wording, order: prompts.VoicingOrder
) -> Iterator[tuple[Questionnaire, PromptText]]:
    for id in needed(order):
        questionnaire = _questionnaire(catalogue, id)
        values = spoken_values(
            provider=order.provider,
            minutes=questionnaire.minutes,
            help_number=wording.help_number,
            web_address=wording.web_address,
        )
        for text in texts_for(questionnaire, catalogue.phrases, values):
            yield questionnaire, text


def _questionnaire(catalogue: Catalogue, id: str) -> Questionnaire:
    if id not in catalogue.questionnaires:
        raise ConfigurationError(f"There is no questionnaire {id!r} in config/questionnaires, and an order needs it.")
    return catalogue.questionnaires[id]


def _open_gate(
    database: Database,
    order_id: int,
    wanted: Sequence[tuple[tuple[Questionnaire, PromptText], str]],
    names: dict[str, str],
    now: datetime,
) -> None:
    """In one transaction: everything there and intact, assigned to the order, its questionnaires frozen."""
    assigned: dict[str, dict[tuple[str, bool], str]] = {}
    asked: dict[str, Questionnaire] = {}
    for (questionnaire, text), key in wanted:
        asked[questionnaire.id] = questionnaire
        assigned.setdefault(questionnaire.id, {})[text.id, text.slow] = names[key]
    with database.write() as session:
        for name in set(names.values()):
            if not is_intact(prompts.wav(session, name), name):
                raise NotVoicedError(f"Prompt {name} of order {order_id} is damaged. Run `ivr audio render` again.")
        for id, questionnaire in asked.items():
            questionnaires.freeze(session, questionnaire, now)
            prompts.assign(session, order_id, id, questionnaire.version, assigned[id])
        if prompts.voicing_order(session, order_id).voiced_at is None:
            prompts.mark_voiced(session, order_id, now)
