"""Stage: a list of commissioners (opdrachtgevers) comes in.

Commissioners are reached by e-mail only and are never called; their answers come from elsewhere. Decides which
rows stand; a commissioner who is also a client (zelfmelder, known by the e-mail address) is kept, but off the list,
whichever of the two files comes first. The report has the shape of a client list's.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from ivr.fieldwork.delivered import DeliveredRow, read_table
from ivr.fieldwork.intake_report import BATCH, IntakeReport, Progress, digest_of
from ivr.store import Database, Session, rejections
from ivr.store.delivered_cases import (
    add_case,
    commissioners_on,
    find_case,
    self_referred_emails,
    take_self_referred_off,
    update_case,
)
from ivr.store.samples import Contact, Sample, ensure_sample
from ivr.store.sealing import Sealer
from ivr.survey.cells import as_text
from ivr.survey.names import same_name
from ivr.survey.sample import Remark, is_email

COLUMNS = ("opdrachtgevernummer", "naam", "email")


def import_commissioners(
    database: Database,
    sealer: Sealer,
    path: Path,
    provider: str,
    period: tuple[date, date],
    now: datetime,
    on_progress: Progress | None = None,
) -> IntakeReport:
    """Take in the commissioners' list at `path`. FileRefusedError when nothing of it can be taken.

    Codes, the first that applies: missing_opdrachtgevernummer, missing_email, bad_email, duplicate (the number
    twice in this file, or the same name at the same address), zelfmelder.
    """
    table = read_table(path, COLUMNS, required=("opdrachtgevernummer", "email"))
    with database.write() as session:
        sample = ensure_sample(session, provider, period)
    report = IntakeReport(sample.provider, period, rows=len(table.rows), warnings=list(table.remarks))
    seen: set[str] = set()
    still_to_come = {as_text(row.cells.get("opdrachtgevernummer")) for row in table.rows}
    for start in range(0, len(table.rows), BATCH):
        with database.write() as session:
            self_referred = self_referred_emails(session, sample.id)
            for row in table.rows[start : start + BATCH]:
                fault = _take(session, sealer, sample, row, now, seen, still_to_come, self_referred, report)
                if fault is not None:
                    report.rejected.append(fault)
        if on_progress is not None:
            on_progress(min(start + BATCH, len(table.rows)), len(table.rows))
    with database.write() as session:
        take_self_referred_off(session, sample.id)
        rejections.keep(session, sample.id, "commissioner", digest_of(path), report.rejected_codes())
    return report


def _take(
    session: Session,
    sealer: Sealer,
    sample: Sample,
    row: DeliveredRow,
    now: datetime,
    seen: set[str],
    still_to_come: set[str],
    self_referred: set[str],
    report: IntakeReport,
) -> Remark | None:
    number, name, email = (as_text(row.cells.get(column)) for column in COLUMNS)
    if not number:
        return _fault(row, "opdrachtgevernummer", "missing_opdrachtgevernummer", "Het opdrachtgevernummer ontbreekt.")
    if not email:
        return _fault(row, "email", "missing_email", "Het e-mailadres ontbreekt. Opdrachtgevers krijgen een e-mail.")
    if not is_email(email):
        return _fault(row, "email", "bad_email", "Dit is geen geldig e-mailadres. Verbeter het.")
    if number in seen:
        return _fault(row, "opdrachtgevernummer", "duplicate", "Dit nummer staat al eerder in dit bestand.")
    stored = find_case(session, sample.id, "commissioner", number)
    email_hash = sealer.hash("email", email.casefold())
    others = commissioners_on(session, sealer, sample.id, email_hash, stored.id if stored else None)
    if any(same_name(("", name), ("", other)) for _, other in others):
        return _fault(row, "email", "duplicate", "Deze opdrachtgever staat er al in, met een ander nummer.")
    seen.add(number)
    still_to_come.discard(number)
    if any(other not in still_to_come for other, _ in others):
        message = "Een andere opdrachtgever op uw lijst heeft hetzelfde e-mailadres."
        report.warnings.append(Remark(row.number, "email", "shared_email", message))
    contact = Contact(last_name=name, email=email)
    fingerprint = sealer.hash("row", f"{number}\x00{name}\x00{email}")
    if stored is None:
        add_case(
            session,
            sealer,
            sample.id,
            "commissioner",
            number,
            contact,
            questionnaire="opdrachtgever",
            route="regular",
            code="",
            email_hash=email_hash,
            fingerprint=fingerprint,
            created_at=now,
        )
    elif stored.fingerprint != fingerprint:
        update_case(session, sealer, stored.id, "commissioner", contact, email_hash=email_hash, fingerprint=fingerprint)
    if email_hash in self_referred:
        return _fault(
            row,
            "email",
            "zelfmelder",
            "Deze opdrachtgever is zelf de cliënt (zelfmelder) en krijgt alleen de vragenlijst voor cliënten.",
        )
    if stored is None:
        report.accept("new", "regular")
    else:
        report.accept("unchanged" if stored.fingerprint == fingerprint else "updated", "regular")
    return None


def _fault(row: DeliveredRow, column: str, code: str, message: str) -> Remark:
    return Remark(row.number, column, code, message)
