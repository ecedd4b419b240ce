"""Stage: somebody opens the link of a letter and answers on a page what others answer by phone.

    link → visitor → (start) → visit → question ⇄ question → end

Decides which link opens the door, whether a visit still is the one that is going on, and what a page shows. An
interview that was begun by phone is gone on with, and the other way round; nothing of before is ever shown. The engine
is the one of the phone (`direction="web"`: no greeting, numbers come whole). What an answer changes is decided in
`visiting_answers.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from ivr.catalogue import Catalogue
from ivr.errors import NotFoundError
from ivr.fieldwork.inviting import token_hash
from ivr.fieldwork.link_kit import LinkKit
from ivr.ids import new_id
from ivr.logs import get_logger
from ivr.store import Database, Session, cases, interviews, links, questionnaires, users, visits
from ivr.store.links import Visitor
from ivr.store.sealing import Sealer
from ivr.store.visits import Begun, Visit
from ivr.survey import interview as engine
from ivr.survey.questionnaire import Question, Questionnaire
from ivr.survey.turn import Turn

log = get_logger(__name__)

HOUR = timedelta(hours=1)
_SWEPT_AFTER = timedelta(days=1)
_SIGN_OF_LIFE = timedelta(minutes=1)
"""A page that is only looked at writes no more often than this."""

Standing = Literal["fresh", "begun", "going_on", "done", "on_the_phone"]


@dataclass(frozen=True, slots=True)
class Step:
    """A page: the `number`th question of this visit. `said`: prompt ids said before it; `given`: what was answered
    in this visit; `done` of `total`: how far the whole interview is. `is_unclear`: it was not understood once."""

    number: int
    question: Question
    questionnaire: Questionnaire
    said: tuple[str, ...]
    given: str | None
    is_unclear: bool
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Next:
    """After an answer. stay: the value was no answer to this question; step: on to question `number`; end: that was
    all; gone: this visit is no more; on_the_phone: a call is going on."""

    kind: Literal["stay", "step", "end", "gone", "on_the_phone"]
    number: int = 0


def open_door(
    database: Database,
    sealer: Sealer,
    kit: LinkKit,
    token: str,
    address: str,
    *,
    is_visiting: bool,
    now: datetime,
    wall: datetime,
) -> Visitor | Literal["unknown", "too_often"]:
    """Who comes in by this link. `address`: where from; `wall`: wall clock, for the limit.

    "unknown" whether the link never was, has expired or was shut. After too many of those nothing opens from that
    address for the rest of the hour, except for whoever is in the middle of a visit (`is_visiting`).
    """
    hashed = token_hash(sealer, token)
    key = f"link:{sealer.hash('visitor', address)}"
    with database.read() as session:
        visitor = links.find(session, hashed, now)
        misses = links.misses(session, key)
    is_limited = misses is not None and wall - misses[1] < HOUR and misses[0] >= kit.misses_per_hour
    if is_limited and not (visitor and is_visiting):
        return "too_often"
    if visitor is not None:
        return visitor
    with database.write() as session:
        held = users.throttle(session, key, wall)
        if wall - held.changed_at >= HOUR:
            held = users.Throttle(0, None, wall)
        users.set_throttle(session, key, held.tries + 1, None, held.changed_at)
    log.info("link_unknown")
    return "unknown"


def standing(database: Database, kit: LinkKit, visitor: Visitor, visit_id: str | None, wall: datetime) -> Standing:
    """How it stands with this person, as far as the first page says it."""
    with database.read() as session:
        if visits.is_on_the_phone(session, visitor.case_id):
            return "on_the_phone"
        if going_on(session, kit, visitor, visit_id, wall) is not None:
            return "going_on"
        begun = visits.begun(session, visitor.case_id)
    return "done" if begun == "done" else "begun" if begun else "fresh"


def begin(
    database: Database,
    catalogue: Catalogue,
    kit: LinkKit,
    visitor: Visitor,
    visit_id: str | None,
    *,
    now: datetime,
    wall: datetime,
) -> tuple[str | None, Next]:
    """Begin a visit, or go on with the one that is going on: (visit id, where to). Nothing to do: (None, …)."""
    with database.write() as session:
        cases.get(session, visitor.case_id, lock=True)
        visits.sweep(session, wall - _SWEPT_AFTER)
        if visits.is_on_the_phone(session, visitor.case_id):
            return None, Next("on_the_phone")
        visit = going_on(session, kit, visitor, visit_id, wall)
        if visit is not None:
            return visit.id, where_next(visit)
        found = visits.begun(session, visitor.case_id)
        if found == "done":
            return None, Next("end")
        questionnaire = _questionnaire(session, catalogue, kit, visitor, found, now)
        occasion = engine.Occasion(service=visitor.service, direction="web", earlier=found.answers if found else ())
        state, turn = engine.begin(questionnaire, occasion)
        visit = Visit(
            id=new_id(),
            interview_id=found.id if found else None,
            questionnaire=questionnaire.id,
            version=questionnaire.version,
            dialogue=engine.dump(state),
            trail=[] if state.is_over else [question_put(state, turn)],
            seen_at=wall,
        )
        visits.save(session, visitor.case_id, visit)
        return visit.id, where_next(visit)


def show(
    database: Database, kit: LinkKit, visitor: Visitor, visit_id: str | None, number: int, wall: datetime
) -> Step | None:
    """The `number`th question of this visit; None when this visit is no more, or never came so far."""
    with database.read() as session:
        visit = going_on(session, kit, visitor, visit_id, wall)
        if visit is None or not 1 <= number <= len(visit.trail):
            return None
        questionnaire = questionnaires.load(session, visit.questionnaire, visit.version)
    if wall - visit.seen_at > _SIGN_OF_LIFE:
        with database.write() as session:
            visits.touch(session, visitor.case_id, wall)
    state = engine.load(visit.dialogue)
    put = visit.trail[number - 1]
    question = questionnaire.question(put["question"])
    shown = [q.id for q in questionnaire.questions if q.applies(state.answers, state.occasion.service)]
    return Step(
        number=number,
        question=question,
        questionnaire=questionnaire,
        said=tuple(put["said"]),
        given=state.answers.get(question.id) if put["given"] else None,
        is_unclear=state.question == question.id and state.unclear > 0 and not state.is_over,
        done=shown.index(question.id) if question.id in shown else 0,
        total=len(shown),
    )


def has_ended(database: Database, kit: LinkKit, visitor: Visitor, visit_id: str | None, wall: datetime) -> bool:
    """Whether this visit came to the end of the questions."""
    with database.read() as session:
        visit = going_on(session, kit, visitor, visit_id, wall)
    return visit is not None and engine.load(visit.dialogue).is_over


def going_on(session: Session, kit: LinkKit, visitor: Visitor, visit_id: str | None, wall: datetime) -> Visit | None:
    """The visit with this id, unless a newer one took its place, nobody looked at it for too long, or the person
    went on by phone meanwhile: the page would put what has been answered."""
    if visit_id is None:
        return None
    visit = visits.get(session, visitor.case_id)
    if visit is None or visit.id != visit_id or wall - visit.seen_at > timedelta(minutes=kit.visit_minutes):
        return None
    if visit.interview_id is None:
        return visit if visits.begun(session, visitor.case_id) is None else None
    answers = interviews.answers_of(session, visit.interview_id)
    return visit if answers == dict(engine.load(visit.dialogue).answers) else None


def _questionnaire(
    session: Session, catalogue: Catalogue, kit: LinkKit, visitor: Visitor, found: Begun | None, now: datetime
) -> Questionnaire:
    """The version the interview began with, or the current one, frozen from now on."""
    if found is not None:
        return questionnaires.load(session, found.questionnaire, found.version)
    current = catalogue.questionnaires[kit.questionnaire_for(visitor.service)]
    try:
        return questionnaires.load(session, current.id, current.version)
    except NotFoundError:
        questionnaires.freeze(session, current, now)
        return current


def question_put(state: engine.Interview, turn: Turn) -> dict[str, Any]:
    """A question that is put now. Its remark is said with it each time it is shown, as the page is read again."""
    return {"question": state.question, "said": [prompt.id for prompt in turn.announces], "given": False}


def where_next(visit: Visit, state: engine.Interview | None = None) -> Next:
    """The page of the question that is open in this visit, or its end."""
    state = state or engine.load(visit.dialogue)
    if state.is_over:
        return Next("end")
    for number, step in enumerate(visit.trail, start=1):
        if step["question"] == state.question:
            return Next("step", number)
    return Next("gone")
