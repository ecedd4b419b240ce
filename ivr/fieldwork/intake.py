"""Stage: a client list comes in.

Decides, row by row, what becomes of it: taken in as new, as an update, as unchanged, or rejected with one code.
The row itself is judged in `survey/sample.py`; here it is set against the rows before it and the files before it
(duplicates, shared numbers, updates), and gets its route, cell and first moment to be called.

Each batch of rows is a transaction of its own: what goes wrong further down takes nothing away from above, and a
second import of the same file changes nothing. Once a person was called the row is no longer changed, except that
`toestemming = nee` is always obeyed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ivr.fieldwork.delivered import DeliveredRow, read_table
from ivr.fieldwork.intake_report import BATCH, IntakeReport, Progress, digest_of
from ivr.store import Database, Session, orders, rejections
from ivr.store.delivered_cases import (
    NewCase,
    StoredCase,
    add_cases,
    letter_code,
    take_self_referred_off,
    update_case,
    withdraw_consent,
)
from ivr.store.neighbours import Neighbours
from ivr.store.samples import Contact, Sample, ensure_sample, phone_hash
from ivr.store.sealing import Sealer
from ivr.survey.eligibility import first_call_at, may_be_bought, route_of
from ivr.survey.names import fold, same_name
from ivr.survey.sample import CLIENT_COLUMNS, Client, Remark, read_client

__all__ = ["IntakeReport", "IntakeRules", "import_clients"]


@dataclass(frozen=True, slots=True)
class IntakeRules:
    """What the configuration says about taking people in."""

    inburgering_target: int
    replicate_size: int
    announcement_min_days: int


def import_clients(
    database: Database,
    sealer: Sealer,
    path: Path,
    provider: str,
    period: tuple[date, date],
    services: Mapping[int, str],
    rules: IntakeRules,
    now: datetime,
    on_progress: Progress | None = None,
    max_lines: int | None = None,
) -> IntakeReport:
    """Take in the client list at `path`. FileRefusedError when nothing of it can be taken; then nothing is stored."""
    table = read_table(path, CLIENT_COLUMNS, required=("clientnummer",), max_lines=max_lines)
    with database.write() as session:
        sample = ensure_sample(session, provider, period)
    readings = [read_client(row.number, row.cells, period, services) for row in table.rows]
    report = IntakeReport(sample.provider, period, rows=len(table.rows), warnings=list(table.remarks))
    intake = _Intake(sealer, sample, rules, now, report, [r for r in readings if isinstance(r, Client)])
    work = list(zip(table.rows, readings, strict=True))
    for start in range(0, len(work), BATCH):
        with database.write() as session:
            intake.take(session, work[start : start + BATCH])
        if on_progress is not None:
            on_progress(min(start + BATCH, len(work)), len(work))
    with database.write() as session:
        # Once for the whole file: an order drawn batch by batch would still follow the list.
        for cell in orders.cells_of(session, sample.id):
            orders.put_in_order(session, cell.id, sample.seed, rules.replicate_size)
        take_self_referred_off(session, sample.id)
        rejections.keep(session, sample.id, "client", digest_of(path), report.rejected_codes())
    return report


class _Intake:
    """One import under way. `cells` are the cells of the sample as the running transaction knows them."""

    def __init__(
        self,
        sealer: Sealer,
        sample: Sample,
        rules: IntakeRules,
        now: datetime,
        report: IntakeReport,
        all_: list[Client],
    ) -> None:
        self.sealer, self.sample, self.rules, self.now, self.report = sealer, sample, rules, now, report
        self.cells: list[orders.Cell] = []
        self._still_to_come = {client.respondent for client in all_}
        self._seen: set[str] = set()

    def take(self, session: Session, batch: Sequence[tuple[DeliveredRow, Client | Remark]]) -> None:
        """Decide about each of these rows, in their order, and store what stands."""
        clients = [reading for _, reading in batch if isinstance(reading, Client)]
        respondents = {client.respondent for client in clients}
        hashes = {phone: phone_hash(self.sealer, phone) for client in clients for phone in client.phones}
        self.cells = orders.cells_of(session, self.sample.id)
        self._around = Neighbours(session, self.sealer, self.sample.id, respondents, hashes.values())
        self._new: list[NewCase] = []
        for row, reading in batch:
            if isinstance(reading, Remark):
                self.report.rejected.append(reading)
            else:
                self._take(session, row, reading, [hashes[phone] for phone in reading.phones])
        add_cases(session, self.sealer, self.sample.id, "client", self._new)

    def _take(self, session: Session, row: DeliveredRow, client: Client, hashes: Sequence[str]) -> None:
        number = row.number
        if client.respondent in self._seen:
            self._reject(number, "clientnummer", "Dit clientnummer staat al eerder in dit bestand; de eerste geldt.")
            return
        stored = self._around.stored.get(client.respondent)
        others = self._around.housemates(hashes, but_not=stored.id if stored else None)
        name = (client.first_name, client.last_name)
        if any(same_name(name, (other.first_name, other.last_name)) for other in others):
            self._reject(
                number, "telefoon", "Deze persoon staat er al in, met hetzelfde nummer en een ander clientnummer."
            )
            return
        self._seen.add(client.respondent)
        self._still_to_come.discard(client.respondent)
        self.report.warnings += client.warnings
        # Of two rows on one number the second is told, whichever import it is.
        ranks = [other.rank for other in others if other.respondent not in self._still_to_come]
        if ranks:
            self._warn(
                number,
                _phone_column(row, client, min(ranks)),
                "shared_number",
                "Iemand anders op uw lijst heeft hetzelfde nummer. "
                "Aan de telefoon vragen wij naar de code uit de brief.",
            )
        self._store(session, number, client, hashes, stored)

    def _store(
        self, session: Session, row: int, client: Client, hashes: Sequence[str], stored: StoredCase | None
    ) -> None:
        fingerprint, contact = self._fingerprint(client), _contact(client)
        if stored is None:
            values = self._values(session, client, hashes, None)
            more = {"fingerprint": fingerprint, "created_at": self.now, "position": values.get("position", 0)}
            self._new.append(NewCase(client.respondent, contact, hashes, values | more))
            self._around.keep(None, client.respondent, contact, hashes, values["code"])
            self.report.accept("new", values["route"])
        elif stored.fingerprint == fingerprint:
            self.report.accept("unchanged", stored.route)
        elif stored.disposition == "withdrawn" and stored.fingerprint is None:
            # Erased on the person's own request: a list that is delivered again brings nothing back, and tells nothing.
            self.report.accept("unchanged", stored.route)
        elif stored.was_called:
            self._keep_called(session, row, client, stored)
        else:
            values = self._values(session, client, hashes, stored)
            update_case(session, self.sealer, stored.id, "client", contact, fingerprint=fingerprint, **values)
            self._around.keep(stored.id, client.respondent, contact, hashes, values["code"])
            self.report.accept("updated", values["route"])

    def _keep_called(self, session: Session, row: int, client: Client, stored: StoredCase) -> None:
        if client.consent == "nee" and stored.consent != "nee":
            withdraw_consent(session, stored.id)
            message = "Deze cliënt is al gebeld. Wij bellen niet meer; de andere gegevens blijven zoals ze waren."
            self.report.accept("updated", stored.route)
        else:
            message = "Deze cliënt is al gebeld; de gegevens blijven zoals ze waren."
            self.report.accept("unchanged", stored.route)
        self._warn(row, "clientnummer", "already_called", message)

    def _values(
        self, session: Session, client: Client, hashes: Sequence[str], stored: StoredCase | None
    ) -> dict[str, Any]:
        announced_on = client.announced_on or (stored.announced_on if stored else None)
        cell_id = None
        if stored is None or stored.exclusion is None:
            cell_id = self._cell_of(session, client, stored)
        # Only what an earlier import itself decided is decided again; what fieldwork or staff decided stays.
        is_open = stored is None or not stored.is_final or stored.disposition == "opted_out"
        disposition, is_final = ("fresh", False) if stored is None or is_open else (stored.disposition, True)
        if is_open and not self._around.opted_out.isdisjoint(hashes):
            disposition, is_final = "opted_out", True
        may_be_called = cell_id is not None and not is_final
        values: dict[str, Any] = {
            "service": client.service,
            "learning_profile": client.learning_profile,
            "questionnaire": client.questionnaire,
            "route": route_of(client),
            "consent": client.consent,
            "is_self_referred": client.is_self_referred,
            "ended_on": client.ended_on,
            "announced_on": announced_on,
            "postcode4": client.postcode4,
            "cell_id": cell_id,
            "disposition": disposition,
            "is_final": is_final,
            "next_call_at": first_call_at(client.consent, announced_on, self.now, self.rules.announcement_min_days)
            if may_be_called
            else None,
            "name_hash": self.sealer.hash("name", fold(f"{client.first_name} {client.last_name}")),
            "email_hash": self.sealer.hash("email", client.email.casefold()) if client.email else None,
            "code": letter_code(
                self.sealer,
                f"{self.sample.id}/{client.respondent}",
                self._around.codes(hashes, but_not=stored.id if stored else None),
                stored.code if stored else "",
            ),
        }
        if cell_id is not None and (stored is None or stored.cell_id != cell_id):
            values["position"] = orders.UNORDERED
        return values

    def _cell_of(self, session: Session, client: Client, stored: StoredCase | None) -> int | None:
        if route_of(client) == "telephone":
            inburgering = next((cell.id for cell in self.cells if cell.track == "inburgering"), None)
            if inburgering is None:
                inburgering = orders.ensure_inburgering(
                    session, self.sample.id, self.rules.inburgering_target, self.now
                )
                self.cells = orders.cells_of(session, self.sample.id)
            return inburgering
        fitting = [
            cell
            for cell in self.cells
            if cell.track == "purchased" and cell.state != "closed" and may_be_bought(client, cell.services)
        ]
        if not fitting or (stored is not None and stored.is_final and stored.cell_id is None):
            return None
        if stored is not None and stored.cell_id in [cell.id for cell in fitting]:
            return stored.cell_id
        chosen = min(fitting, key=lambda cell: (cell.successful >= cell.target, cell.cases / cell.target, cell.id))
        self.cells[self.cells.index(chosen)] = replace(chosen, cases=chosen.cases + 1)
        return chosen.id

    def _fingerprint(self, client: Client) -> str:
        values = {name: getattr(client, name) for name in client.__slots__ if name != "warnings"}
        return self.sealer.hash("row", json.dumps(values, default=str, sort_keys=True))

    def _reject(self, row: int, column: str, message: str) -> None:
        self.report.rejected.append(Remark(row, column, "duplicate", message))

    def _warn(self, row: int, column: str, code: str, message: str) -> None:
        self.report.warnings.append(Remark(row, column, code, message))


def _phone_column(row: DeliveredRow, client: Client, rank: int) -> str:
    # With one usable number of two, rank 0 may stand in telefoon2.
    is_second = rank == 1 or any(w.column == "telefoon" for w in client.warnings) or not row.cells.get("telefoon")
    return "telefoon2" if is_second else "telefoon"


def _contact(client: Client) -> Contact:
    return Contact(
        first_name=client.first_name,
        last_name=client.last_name,
        phones=client.phones,
        email=client.email,
        street=client.street,
        house_number=client.house_number,
        postcode=client.postcode,
        town=client.town,
    )
