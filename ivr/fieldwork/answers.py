"""Stage: answers from other modes come in (`ivr responses import`), into the store that the phone writes.

    read the row (answer_rows) → find the person → put the answer beside the others → usable? → stop the calls → count

Decides what becomes of a row. The key of an answer is person, questionnaire, mode and question: the same row again
changes nothing; another value replaces the stored one when it was given at the same time or later, and is passed
over when it is older (both with a warning). Any answer by any mode stops the calls to that person; a call that is
going on is never cut off. What a human interviewer completed counts for the person's cell while there is room; web
and post never do. Of two usable questionnaires of one person the first counts, the other is kept and marked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ivr.fieldwork import working
from ivr.fieldwork.answer_rows import COLUMNS, MODES, REQUIRED, AnswerRow, fits_service, read_row
from ivr.fieldwork.delivered import read_table
from ivr.fieldwork.intake_report import FileReport
from ivr.store import Database, Session, cases, cells, imports, quotas
from ivr.store import questionnaires as frozen
from ivr.store.imports import Respondent, Stored
from ivr.survey.disposition import is_legal
from ivr.survey.questionnaire import Questionnaire
from ivr.survey.sample import Remark
from ivr.survey.usable import disposition_of, usable_since

BATCH = 1000
"""Rows per transaction: some tenths of a second, so that a call's webhook never waits long for SQLite's one writer."""

Answers = dict[str, tuple[str, datetime]]


@dataclass
class _Filing:
    """One interview while its rows come in."""

    person: Respondent
    questionnaire: str
    mode: str
    stored: Stored | None
    answers: Answers
    is_changed: bool = False


@dataclass
class _People:
    """Who was looked up already: (provider, period, group) → sample, and the respondents found in it."""

    samples: dict[tuple[object, ...], int | None] = field(default_factory=dict)
    providers: dict[str, bool] = field(default_factory=dict)


def import_responses(
    database: Database,
    path: Path,
    forms: Mapping[str, Questionnaire],
    services: Mapping[int, str],
    now: datetime,
) -> FileReport:
    """Take in a file of answers. FileRefusedError when it is no such table; else each row stands or comes back.

    Further codes of rejected rows: unknown_provider, unknown_period, unknown_respondent, service_mismatch.
    Warnings: changed_answer, older_answer, counted_no_more (there was no room in the cell any more).
    """
    table = read_table(path, COLUMNS, REQUIRED)
    report = FileReport(rows=len(table.rows), warnings=list(table.remarks))
    people = _People()
    for start in range(0, len(table.rows), BATCH):
        read: list[AnswerRow] = []
        for row in table.rows[start : start + BATCH]:
            answer = read_row(row, forms, services)
            report.rejected.append(answer) if isinstance(answer, Remark) else read.append(answer)
        with database.write() as session:
            touched = _file(session, read, forms, people, report, now)
        _count(database, touched, report, now)
    report.rejected.sort(key=lambda remark: remark.row)
    report.warnings.sort(key=lambda remark: remark.row)
    return report


def _file(
    session: Session,
    read: Sequence[AnswerRow],
    forms: Mapping[str, Questionnaire],
    people: _People,
    report: FileReport,
    now: datetime,
) -> dict[int, int]:
    """Store a batch. Gives the people touched: case → the last row about them."""
    found = _find(session, read, people, report)
    imports.lock_cases(session, (person.case_id for _, person in found))
    stored = imports.stored_interviews(session, (person.case_id for _, person in found), MODES)
    filings: dict[tuple[int, str, str], _Filing] = {}
    touched: dict[int, int] = {}
    for answer, person in found:
        key = (person.case_id, answer.questionnaire, answer.mode)
        if key not in filings:
            before = stored.get(key)
            filings[key] = _Filing(
                person, answer.questionnaire, answer.mode, before, dict(before.answers) if before else {}
            )
        _put(filings[key], answer, report)
        touched[person.case_id] = answer.row
    changed = [filing for filing in filings.values() if filing.is_changed]
    for id in sorted({filing.questionnaire for filing in changed}):
        frozen.freeze(session, forms[id], now)
    for filing in changed:
        _save(session, filing, forms[filing.questionnaire])
    imports.mark_superseded(session, touched)
    for case_id in touched:
        _stop_calls(session, case_id, now)
    return touched


def _find(
    session: Session, read: Sequence[AnswerRow], people: _People, report: FileReport
) -> list[tuple[AnswerRow, Respondent]]:
    wanted: dict[tuple[int, str], set[str]] = {}
    placed: list[tuple[AnswerRow, int]] = []
    for answer in read:
        where = (answer.provider, answer.period)
        if where not in people.samples:
            people.samples[where] = imports.find_sample_id(session, *where)
            people.providers[answer.provider] = imports.knows_provider(session, answer.provider)
        sample_id = people.samples[where]
        if sample_id is not None:
            placed.append((answer, sample_id))
            wanted.setdefault((sample_id, answer.group), set()).add(answer.respondent)
        elif people.providers[answer.provider]:
            message = "Van deze dienstverlener is voor deze meetperiode geen lijst bekend."
            report.rejected.append(Remark(answer.row, "period_from", "unknown_period", message))
        else:
            message = "Van deze dienstverlener is geen lijst bekend."
            report.rejected.append(Remark(answer.row, "provider", "unknown_provider", message))
    known = {key: imports.find_respondents(session, *key, numbers) for key, numbers in wanted.items()}
    found: list[tuple[AnswerRow, Respondent]] = []
    for answer, sample_id in placed:
        person = known[sample_id, answer.group].get(answer.respondent)
        if person is None:
            message = "Deze respondent staat niet op de lijst van deze dienstverlener en meetperiode."
            report.rejected.append(Remark(answer.row, "respondent", "unknown_respondent", message))
        elif fault := fits_service(answer, person.service):
            report.rejected.append(fault)
        else:
            found.append((answer, person))
    return found


def _put(filing: _Filing, answer: AnswerRow, report: FileReport) -> None:
    """Put one answer beside the others, and count what that did."""
    report.accepted += 1
    before = filing.answers.get(answer.question)
    if before is None:
        filing.answers[answer.question] = (answer.value, answer.answered_at)
        filing.is_changed = True
        return
    value, at = before
    if value == answer.value:
        report.unchanged += 1
        return
    if answer.answered_at < at:
        report.unchanged += 1
        message = "Er is al een later antwoord op deze vraag; dat blijft staan."
        report.warnings.append(Remark(answer.row, "value", "older_answer", message))
        return
    report.updated += 1
    filing.answers[answer.question] = (answer.value, answer.answered_at)
    filing.is_changed = True
    message = "Er stond een ander antwoord op deze vraag; dit nieuwere antwoord komt ervoor in de plaats."
    report.warnings.append(Remark(answer.row, "value", "changed_answer", message))


def _save(session: Session, filing: _Filing, form: Questionnaire) -> None:
    values = {question: value for question, (value, _) in filing.answers.items()}
    given = [(at, question, value) for question, (value, at) in filing.answers.items()]
    service = filing.person.service
    imports.save(
        session,
        person=filing.person,
        questionnaire=form.id,
        version=form.version,
        mode=filing.mode,
        stored=filing.stored,
        answers=filing.answers,
        disposition=disposition_of(form, values, service),
        usable_at=usable_since(form, given, service),
    )


def _stop_calls(session: Session, case_id: int, now: datetime) -> None:
    """Nobody calls who has answered. What a call found out before stays, when it says more (complete, refusal)."""
    case = cases.get(session, case_id, lock=True)
    if case.disposition == "answered_elsewhere" or not is_legal(case.disposition, "answered_elsewhere"):
        return
    working.change(
        session,
        case,
        "answered_elsewhere",
        now,
        by="responses",
        is_final=True,
        next_call_at=None,
        priority=working.ORDINARY,
    )


def _count(database: Database, touched: Mapping[int, int], report: FileReport, now: datetime) -> None:
    """Let what a human interviewer completed count. A transaction each: no two cells are ever held at once."""
    with database.read() as session:
        waiting = imports.to_count(session, touched)
        rows = {interview_id: touched[case_id] for interview_id, _, case_id in waiting}
    for interview_id, cell_id, _ in waiting:
        with database.write() as session:
            if quotas.spend(session, "", interview_id, now):
                working.settle_cell(session, cell_id, now)
            elif cells.get(session, cell_id).is_filled:
                message = "Dit interview is bewaard, maar telt niet mee: het afgesproken aantal is al bereikt."
                report.warnings.append(Remark(rows[interview_id], "mode", "counted_no_more", message))
