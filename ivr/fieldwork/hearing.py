"""Stage: staff read and hear a questionnaire as a caller does: every prompt in order, with its recordings and faults.

Decides whose recordings are heard (the try-out's, else those of any order that has them), in which order (a complete
call, with what is said only sometimes after it), and what is told of them: faults of the questions, texts that changed
since they were spoken, what has no sound, how long a call lasts. Listening again to the bytes is `listening.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ivr.catalogue import PHRASES, Catalogue, find_faults
from ivr.errors import NotFoundError
from ivr.fieldwork import trying
from ivr.fieldwork.trying import Choice
from ivr.fieldwork.voicing import INBURGERING, Wording
from ivr.speech import script
from ivr.speech.timing import shortest_path
from ivr.store import Database, prompts
from ivr.store.prompts import StoredPrompt
from ivr.survey.questionnaire import Condition, Questionnaire
from ivr.survey.questionnaire_check import Fault
from ivr.survey.turn import Prompt

if TYPE_CHECKING:
    from ivr.fieldwork.listening import Finding

TARGET_SECONDS = {"inburgering": 300.0, "laagdrempelig": 420.0}
"""So long people keep up by telephone."""

HEARD_AT_ONCE = 10
"""Prompts that are listened to in one request: some tenths of a second of a web server that also answers calls."""

_INBURGERING_SERVICE, _OBSOLETE_SERVICE = 11, 12
Sounds = Mapping[tuple[str, bool], StoredPrompt]


@dataclass(frozen=True, slots=True)
class Line:
    """A prompt: what is said, and the names of its recordings. keys: the line that repeats a question's keys.

    is_stale: the recording says something else than the texts of today.
    """

    id: str
    text: str
    normal: StoredPrompt | None
    slow: StoredPrompt | None
    condition: Condition | None = None
    is_stale: bool = False
    keys: Line | None = None


@dataclass(frozen=True, slots=True)
class CallTime:
    """The shortest complete call: seconds of sound, of them in questions; how many questions and keys."""

    seconds: float
    questions_seconds: float
    questions: int
    keys: int
    target_seconds: float | None

    @property
    def is_within(self) -> bool:
        return self.target_seconds is None or self.seconds <= self.target_seconds


@dataclass(frozen=True, slots=True)
class Reading:
    """A questionnaire as it is heard. choice: whose recordings, None when nobody has them; time: None without them."""

    questionnaire: Questionnaire
    choice: Choice | None
    opening: tuple[Line, ...]
    questions: tuple[Line, ...]
    ending: tuple[Line, ...]
    sometimes: tuple[Line, ...]
    faults: tuple[Fault, ...]
    stale: tuple[str, ...]
    silent: tuple[str, ...]
    time: CallTime | None
    recordings: int


def read(database: Database, catalogue: Catalogue, wording: Wording, id: str, order_id: int | None = None) -> Reading:
    """Questionnaire `id`, with the recordings of an order (None: of whichever has them). NotFoundError."""
    if id not in catalogue.questionnaires or id not in trying.TRACKS:
        raise NotFoundError(f"There is no questionnaire {id!r} that is put by telephone.")
    form = catalogue.questionnaires[id]
    choice, sounds = _recordings(database, catalogue, form, order_id)
    values = script.spoken_values(
        provider=choice.provider if choice else "de dienstverlener",
        minutes=form.minutes,
        help_number=wording.help_number,
        web_address=wording.web_address,
    )
    texts = {(text.id, text.slow): text.text for text in script.texts_for(form, catalogue.phrases, values)}
    lines = {id: _line(id, texts, sounds) for id, slow in texts if not slow and id != script.SILENCE}
    path, time = _path(catalogue, form, texts, sounds)
    questions: list[Line] = []
    for question in form.questions:
        if question.remark is not None:
            questions.append(_with(lines.pop(question.remark.id), question.remark.condition))
        keys = lines.pop(f"{question.id}.keys")
        questions.append(_with(lines.pop(question.id), question.condition, keys))
    ids = {question.id for question in form.questions}
    first = next(number for number, prompt in enumerate(path) if prompt in ids)
    last = max(number for number, prompt in enumerate(path) if prompt in ids)
    opening = tuple(lines.pop(prompt) for prompt in dict.fromkeys(path[:first]) if prompt in lines)
    ending = tuple(lines.pop(prompt) for prompt in dict.fromkeys(path[last + 1 :]) if prompt in lines)
    return Reading(
        questionnaire=form,
        choice=choice,
        opening=opening,
        questions=tuple(questions),
        ending=ending,
        sometimes=tuple(lines.values()),
        faults=faults_of(catalogue, id),
        stale=tuple(
            sorted({prompt for (prompt, slow), text in texts.items() if _is_stale(prompt, slow, text, sounds)})
        ),
        silent=tuple(sorted({prompt for prompt, slow in texts if sounds and (prompt, slow) not in sounds})),
        time=time,
        recordings=len({sound.sha256 for sound in sounds.values()}),
    )


def faults_of(catalogue: Catalogue, id: str) -> tuple[Fault, ...]:
    """What `ivr questionnaire check` says of this questionnaire and of the phrases of a call."""
    forms = {Path(f"{name}.toml"): form for name, form in catalogue.questionnaires.items() if name in trying.TRACKS}
    found = find_faults(forms, catalogue.phrases, Path(PHRASES))
    return tuple(fault for fault in found if fault.questionnaire in (id, ""))


def listen(
    database: Database, catalogue: Catalogue, id: str, order_id: int, start: int
) -> tuple[list[Finding], int, int]:
    """Listen again to the next HEARD_AT_ONCE recordings: (what is wrong with them, where to go on, how many in all)."""
    # Imported late: the checks bring numpy, half a second and 30 MB that a web process rarely needs.
    from ivr.fieldwork import listening

    form = catalogue.questionnaires.get(id)
    if form is None:
        raise NotFoundError(f"There is no questionnaire {id!r}.")
    with database.read() as session:
        names = sorted(set(prompts.sounds_of(session, order_id, form.id, form.version).values()))
    part = names[start : start + HEARD_AT_ONCE]
    return listening.listen_to(database, part), start + len(part), len(names)


def _recordings(
    database: Database, catalogue: Catalogue, form: Questionnaire, order_id: int | None
) -> tuple[Choice | None, Sounds]:
    """The choice whose prompts are heard, and them: the one asked for, or the first that has all of this version."""
    wanted = [
        choice
        for choice in trying.choices(database, catalogue)
        if choice.questionnaire == form.id and choice.is_ready and order_id in (None, choice.order_id)
    ]
    with database.read() as session:
        for choice in wanted:
            assert choice.order_id is not None  # it is ready
            names = prompts.sounds_of(session, choice.order_id, form.id, form.version)
            if names:
                stored = {prompt.sha256: prompt for prompt in prompts.stored(session, names.values())}
                return choice, {key: stored[name] for key, name in names.items() if name in stored}
    return None, {}


def _line(id: str, texts: Mapping[tuple[str, bool], str], sounds: Sounds) -> Line:
    normal, slow = sounds.get((id, False)), sounds.get((id, True))
    is_stale = any(_is_stale(id, pace, texts.get((id, pace), ""), sounds) for pace in (False, True))
    return Line(id, normal.text if normal else texts[id, False], normal, slow, is_stale=is_stale)


def _is_stale(id: str, slow: bool, text: str, sounds: Sounds) -> bool:
    sound = sounds.get((id, slow))
    return sound is not None and sound.text != text


def _with(line: Line, condition: Condition | None, keys: Line | None = None) -> Line:
    return Line(line.id, line.text, line.normal, line.slow, condition, line.is_stale, keys)


def _path(
    catalogue: Catalogue, form: Questionnaire, texts: Mapping[tuple[str, bool], str], sounds: Sounds
) -> tuple[Sequence[str], CallTime | None]:
    """The prompts of the shortest complete call, and its length when every prompt has a recording."""

    def seconds_of(prompt: Prompt) -> float:
        sound = sounds.get((prompt.id, prompt.slow))
        return sound.seconds if sound else 0.0

    services = [code for code in catalogue.services if code not in (_INBURGERING_SERVICE, _OBSOLETE_SERVICE)]
    if form.id == INBURGERING:
        services = [_INBURGERING_SERVICE]
    path = min((shortest_path(form, service, seconds_of) for service in services), key=lambda path: path.seconds)
    if any(key not in sounds for key in texts):
        return path.prompts, None
    asked = {question.id for question in form.questions} & set(path.prompts)
    time = CallTime(
        seconds=path.seconds,
        questions_seconds=sum(seconds_of(Prompt(id)) for id in asked),
        questions=len(asked),
        keys=len(path.keys),
        target_seconds=TARGET_SECONDS.get(form.id),
    )
    return path.prompts, time
