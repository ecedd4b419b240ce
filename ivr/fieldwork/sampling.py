"""Stage: what happens to a sample after its list came in. Announcements, a random draw, outcomes of the mailing tool.

Decides who is drawn, and which rows of the two small files stand. When an announced person may first be called is
decided in `survey/eligibility.py`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ivr.errors import RefusedError, UsageError
from ivr.fieldwork.delivered import DeliveredRow, DeliveredTable, read_table
from ivr.fieldwork.intake import IntakeRules
from ivr.fieldwork.intake_report import BATCH, FileReport
from ivr.store import Database, Session, drawing, orders
from ivr.store.delivered_cases import announce, find_case
from ivr.store.samples import Sample, get_sample, was_called
from ivr.survey.cells import as_date, as_text
from ivr.survey.eligibility import first_call_at
from ivr.survey.sample import Remark

OUTCOMES = ("undeliverable", "invited", "announced")
OUTCOME_COLUMNS = ("provider", "period_from", "respondent", "outcome", "group")


def announce_clients(
    database: Database,
    path: Path,
    provider: str,
    period: tuple[date, date],
    default_day: date | None,
    rules: IntakeRules,
    now: datetime,
) -> FileReport:
    """Take in the days of the letters (`clientnummer;aangekondigd_op`); `default_day` where a row gives none.

    Codes: missing_clientnummer, missing_aangekondigd_op, bad_date, unknown_clientnummer, duplicate.
    """
    table = read_table(path, ("clientnummer", "aangekondigd_op"), required=("clientnummer",))
    with database.read() as session:
        sample = get_sample(session, provider, period)
    seen: set[str] = set()

    def take(session: Session, row: DeliveredRow) -> bool | Remark:
        respondent, cell = as_text(row.cells.get("clientnummer")), row.cells.get("aangekondigd_op")
        if not respondent:
            return _fault(row, "clientnummer", "missing_clientnummer", "Het clientnummer ontbreekt.")
        day = as_date(cell) if as_text(cell) else default_day
        if day is None and not as_text(cell):
            return _fault(row, "aangekondigd_op", "missing_aangekondigd_op", "De datum van de brief of sms ontbreekt.")
        if day is None:
            return _fault(row, "aangekondigd_op", "bad_date", "Schrijf de datum als 31-03-2026 of 2026-03-31.")
        stored = find_case(session, sample.id, "client", respondent)
        if stored is None:
            return _fault(
                row, "clientnummer", "unknown_clientnummer", "Dit clientnummer staat niet op de cliëntenlijst."
            )
        if respondent in seen:
            return _fault(row, "clientnummer", "duplicate", "Dit clientnummer staat al eerder in dit bestand.")
        seen.add(respondent)
        if stored.announced_on == day:
            return False
        first_at = first_call_at(stored.consent, day, now, rules.announcement_min_days)
        announce(session, [stored.id], day, first_at, now)
        return True

    return _take_all(database, table, take)


def import_outcomes(database: Database, path: Path) -> FileReport:
    """Take in what the mailing tool learnt (`provider;period_from;respondent;outcome`, optionally `group`).

    A respondent without a group is the client with that number, else the commissioner. The same row again changes
    nothing; another outcome replaces the earlier one. Codes: missing_provider, missing_period_from, bad_date,
    missing_respondent, bad_outcome, bad_group, unknown_respondent.
    """
    table = read_table(path, OUTCOME_COLUMNS, required=OUTCOME_COLUMNS[:4])
    return _take_all(database, table, _take_outcome)


def _take_outcome(session: Session, row: DeliveredRow) -> bool | Remark:
    provider, begins, respondent, outcome, group = (as_text(row.cells.get(name)) for name in OUTCOME_COLUMNS)
    for column, text in (("provider", provider), ("period_from", begins), ("respondent", respondent)):
        if not text:
            return _fault(row, column, f"missing_{column}", f"De kolom {column} is leeg.")
    day = as_date(row.cells.get("period_from"))
    if day is None:
        return _fault(row, "period_from", "bad_date", "Schrijf de eerste dag van de meetperiode als 2026-01-01.")
    if outcome.casefold() not in OUTCOMES:
        return _fault(row, "outcome", "bad_outcome", f"De uitkomst moet een van deze zijn: {', '.join(OUTCOMES)}.")
    if group.casefold() not in ("", "client", "commissioner"):
        return _fault(row, "group", "bad_group", "De groep moet client of commissioner zijn, of leeg.")
    found = drawing.respondents_of(session, provider, day, respondent, group.casefold() or None)
    found = [case for case in found if case[1] == "client"] or found
    if not found:
        return _fault(
            row, "respondent", "unknown_respondent", "Deze respondent staat niet op een lijst van deze periode."
        )
    changed = [case_id for case_id, _, before in found if before != outcome.casefold()]
    if changed:
        drawing.note_outcome(session, changed, outcome.casefold())
    return bool(changed)


def _take_all(
    database: Database, table: DeliveredTable, take: Callable[[Session, DeliveredRow], bool | Remark]
) -> FileReport:
    report = FileReport(rows=len(table.rows), warnings=list(table.remarks))
    for start in range(0, len(table.rows), BATCH):
        with database.write() as session:
            for row in table.rows[start : start + BATCH]:
                result = take(session, row)
                if isinstance(result, Remark):
                    report.rejected.append(result)
                    continue
                report.accepted += 1
                report.updated += result
                report.unchanged += not result
    return report


def draw_sample(
    database: Database,
    provider: str,
    period: tuple[date, date],
    size: int,
    seed: int,
    rules: IntakeRules,
    now: datetime,
) -> dict[str, Any]:
    """Draw `size` clients at random from a sample, of both routes alike; the rest is left out as `not_sampled`.

    The same list, size and seed give the same draw, also after another one. RefusedError once anyone was called or
    has answered: those who know of it cannot be drawn away.
    """
    if size < 1:
        raise UsageError("The size of a sample must be at least 1.")
    with database.write() as session:
        sample = get_sample(session, provider, period)
        if was_called(session, sample.id):
            raise RefusedError("Somebody of this sample was called already: it can no longer be drawn.", code="called")
        if drawing.has_answers(session, sample.id):
            raise RefusedError("Somebody of this sample answered already: it can no longer be drawn.", code="answered")
        clients = drawing.clients_to_draw(session, sample.id)
        # A draw that can be repeated and checked, not a secret.
        chosen = set(random.Random(seed).sample(range(len(clients)), min(size, len(clients))))  # noqa: S311
        drawn = [client for at, client in enumerate(clients) if at in chosen]
        rest = [client for at, client in enumerate(clients) if at not in chosen]
        drawing.leave_out(session, [client.id for client in rest])
        back = [client for client in drawn if client.exclusion is not None]
        drawing.take_in(session, [client.id for client in back])
        _rejoin(session, sample, back, rules, now)
        drawing.reorder(session, sample.id, seed, orders.UNORDERED)
        for cell in orders.cells_of(session, sample.id):
            orders.put_in_order(session, cell.id, seed, rules.replicate_size)
    return {
        "provider": sample.provider,
        "period": f"{period[0]}/{period[1]}",
        "size": size,
        "seed": seed,
        "delivered": len(clients),
        "drawn": len(drawn),
        "not_sampled": len(rest),
        "routes": {name: sum(client.route == name for client in drawn) for name in ("telephone", "regular")},
    }


def _rejoin(session: Session, sample: Sample, back: list[drawing.DrawCase], rules: IntakeRules, now: datetime) -> None:
    """Cells for those whom an earlier draw left out and this one takes in."""
    cells = orders.cells_of(session, sample.id)
    for client in back:
        if client.is_final or not client.has_phone or client.consent == "nee":
            continue
        if client.route == "telephone":
            fitting = [cell for cell in cells if cell.track == "inburgering"]
        else:
            fitting = [
                cell
                for cell in cells
                if cell.track == "purchased"
                and cell.state != "closed"
                and (cell.services is None or client.service in cell.services)
            ]
        if fitting:
            moment = first_call_at(client.consent, client.announced_on, now, rules.announcement_min_days)
            orders.join(session, fitting[0].id, client.id, moment)


def _fault(row: DeliveredRow, column: str, code: str, message: str) -> Remark:
    return Remark(row.number, column, code, message)
