"""Stage: one answer on the read-aloud page.

Decides, in one short transaction: that an earlier question of this visit may be answered again (the later answer
replaces, and what hung on the old one goes), which interview is filled, and what that means for the calls.

- A web answer gives its person rest from calls for `rest_hours`; once the interview is usable, or at its end, nobody
  calls any more (`answered_elsewhere`). On the web nothing counts for the cell.
- An interview is of the mode that made it usable: what the phone made usable stays the phone's, and counts.
- Whoever is being spoken to by phone at this moment cannot answer here at the same time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ivr.fieldwork import working
from ivr.fieldwork.link_kit import LinkKit
from ivr.fieldwork.visiting import Next, going_on, question_put, where_next
from ivr.store import Database, Session, cases, imports, interviews, questionnaires, visits
from ivr.store.links import Visitor
from ivr.store.visits import Visit
from ivr.survey import interview as engine
from ivr.survey.callplan import OpenHours
from ivr.survey.disposition import is_legal
from ivr.survey.questionnaire import Question
from ivr.survey.revisiting import put_again, without_ground
from ivr.survey.turn import Keypress, Turn

UNCLEAR = "#"
""" "Ik begrijp de vraag niet", as on the phone: first once more, slowly, then the question is passed over."""


def answer(
    database: Database,
    calendar: OpenHours,
    kit: LinkKit,
    visitor: Visitor,
    visit_id: str | None,
    number: int,
    question_id: str,
    value: str,
    *,
    now: datetime,
    wall: datetime,
) -> Next:
    """Answer the `number`th question of this visit with a key, a whole number or UNCLEAR. Committed when it returns.

    `question_id`: what the page asked, so that a page left open from an earlier visit answers nothing else.
    """
    with database.write() as session:
        cases.get(session, visitor.case_id, lock=True)
        if visits.is_on_the_phone(session, visitor.case_id):
            return Next("on_the_phone")
        visit = going_on(session, kit, visitor, visit_id, wall)
        if visit is None or not 1 <= number <= len(visit.trail) or visit.trail[number - 1]["question"] != question_id:
            return Next("gone")
        questionnaire = questionnaires.load(session, visit.questionnaire, visit.version)
        state = engine.load(visit.dialogue)
        question = questionnaire.question(question_id)
        if not _is_answer(question, value):
            return Next("stay", number)
        if state.is_over or state.question != question.id:
            state = put_again(state, question.id)
        state, turn = engine.advance(questionnaire, state, Keypress(value))
        state, dropped = without_ground(questionnaire, state)
        visit = _followed(visit, state, turn, number)
        if turn.records:
            visit = _keep(session, calendar, kit, visitor, visit, state, turn, dropped, now)
        visits.save(session, visitor.case_id, replace(visit, dialogue=engine.dump(state), seen_at=wall))
        if not turn.records:
            return Next("step", number)
        return where_next(visit, state)


def _is_answer(question: Question, value: str) -> bool:
    """Whether the engine would take this for an answer: on a page a wrong key is our form's fault, not the person's."""
    if value == UNCLEAR or question.option(value) is not None:
        return True
    if question.kind == "single" or not (value.isascii() and value.isdigit()) or len(value) > 3:
        return False
    high = 99 if question.maximum is None else question.maximum
    return (question.minimum or 0) <= int(value) <= high


def _followed(visit: Visit, state: engine.Interview, turn: Turn, number: int) -> Visit:
    """The visit with this step answered and the question that follows added. Numbers never change: pages lie open."""
    if not turn.records:
        return visit
    trail = [dict(step) for step in visit.trail]
    trail[number - 1]["given"] = True
    for step in trail:
        step["given"] = step["given"] and step["question"] in state.answers
    if not state.is_over and all(step["question"] != state.question for step in trail):
        trail.append(question_put(state, turn))
    return replace(visit, trail=trail)


def _keep(
    session: Session,
    calendar: OpenHours,
    kit: LinkKit,
    visitor: Visitor,
    visit: Visit,
    state: engine.Interview,
    turn: Turn,
    dropped: tuple[str, ...],
    now: datetime,
) -> Visit:
    interview_id = visit.interview_id or interviews.start(
        session,
        case_id=visitor.case_id,
        cell_id=None,
        questionnaire=visit.questionnaire,
        version=visit.version,
        mode="web",
        now=now,
    )
    interviews.record(session, interview_id, turn.records, mode="web", now=now)
    visits.drop_answers(session, interview_id, dropped)
    became_usable = state.usable and interviews.mark_usable(session, interview_id, now)
    disposition = state.outcome or ("partial" if state.usable else "break_off")
    mode = "web" if became_usable or not state.usable else None
    visits.settle(session, interview_id, disposition, now, mode=mode)
    if became_usable:
        imports.mark_superseded(session, [visitor.case_id])
    _spare_calls(session, calendar, kit, visitor, state, now)
    return replace(visit, interview_id=interview_id)


def _spare_calls(
    session: Session,
    calendar: OpenHours,
    kit: LinkKit,
    visitor: Visitor,
    state: engine.Interview,
    now: datetime,
) -> None:
    """What a web answer means for the person's calls. One that is going on already is never cut off."""
    case = cases.get(session, visitor.case_id, lock=True)
    if state.usable or state.is_over:
        # Somebody whose call had ended `partial` made it complete here; of all others it was answered elsewhere.
        after = "complete" if case.disposition == "partial" and state.outcome == "complete" else "answered_elsewhere"
        if case.disposition != after and is_legal(case.disposition, after):
            values = {"is_final": True, "next_call_at": None, "priority": working.ORDINARY}
            working.change(session, case, after, now, by="web", **values)
        return
    if case.is_final or case.next_call_at is None:
        return
    rested = calendar.next_open(now + timedelta(hours=kit.rest_hours))
    if rested <= case.next_call_at:
        return
    values = {"next_call_at": rested, "priority": min(case.priority, working.RESUME)}
    if case.is_busy or not is_legal(case.disposition, "break_off"):
        cases.write(session, case.id, **values)
    else:
        working.change(session, case, "break_off", now, by="web", **values)
