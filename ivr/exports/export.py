"""One export: which files are written, in which order, from one snapshot of the store.

The files themselves are decided in their own modules: `machine` (answers, interviews, calls), `codebook`,
`scores` (everything a report prints), `fieldwork_file`, `money` (the ledger), `regular_route` (the only one with
names and numbers, and only when asked). `files` writes them aside and renames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivr.errors import NotFoundError, UsageError
from ivr.exports import (
    codebook,
    codebook_page,
    fieldwork_file,
    formats,
    machine,
    money,
    regular_route,
    report,
    scores,
    scores_files,
)
from ivr.exports.files import SCHEMA_VERSION, Outbox, Written, aside
from ivr.store import Database, Session, reading
from ivr.store.samples import name_key
from ivr.store.sealing import Sealer
from ivr.survey.forms import forms_of
from ivr.survey.scoring import Provinces, rules_from_mapping

if TYPE_CHECKING:
    from ivr.catalogue import Catalogue

FORMATS = ("csv", "parquet", "sav", "xlsx", "json")
SHEETS = (
    ("tabel_1_1.csv", "Tabel 1.1"),
    ("promotorscore.csv", "Promotorscore"),
    ("norm.csv", "Norm"),
    ("aspecten.csv", "Aspecten"),
    ("figuren.csv", "Figuren"),
    ("fieldwork.csv", "Veldwerk"),
    ("ledger.csv", "Kosten"),
)
"""The people's files that become sheets of `tabellen.xlsx`."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of an export. `since` narrows the machine files to what was added or changed from then on;
    the people's files always tell the whole."""

    period: tuple[date, date] | None = None
    provider: str | None = None
    formats: tuple[str, ...] = ("csv",)
    since: datetime | None = None
    with_contacts: bool = False


def export(
    database: Database, catalogue: Catalogue, directory: Path, request: Request, sealer: Sealer | None = None
) -> dict[str, Any]:
    """Write the files into `directory`; gives `{"dir", "files": [{file, rows, sha256}], …}`.

    `sealer` is needed for the contacts only. NotFoundError for a provider that never delivered a list.
    """
    unknown = sorted(set(request.formats) - set(FORMATS))
    if unknown or not request.formats:
        raise UsageError(f"Format {', '.join(unknown) or '(none)'} is not known; choose from {', '.join(FORMATS)}.")
    if request.with_contacts and sealer is None:
        raise UsageError("The contacts file needs the key that opens the contacts.")
    with database.read() as session:
        reading.begin_snapshot(session)
        key = name_key(request.provider) if request.provider is not None else None
        if key is not None and not reading.provider_exists(session, key):
            raise NotFoundError(f"No provider {request.provider!r} is known; spell it as at `ivr sample import`.")
        samples = reading.find_samples(session, period=request.period, provider_key=key)
        everything = request.period is None and key is None
        with aside(directory, _described(request)) as outbox:
            _write(session, catalogue, outbox, request, samples, None if everything else [one.id for one in samples])
            if request.with_contacts and sealer is not None:
                header, rows = regular_route.HEADER, regular_route.rows(session, sealer, catalogue.services, samples)
                outbox.people("regular_route.csv", header, rows)
                (outbox.path / "regular_route.csv").chmod(0o600)
            written: Sequence[Written] = sorted(outbox.written, key=lambda one: one.file)
    return {
        "dir": str(directory),
        "schema_version": SCHEMA_VERSION,
        **_described(request),
        "files": [one.to_mapping() for one in written],
    }


def _write(
    session: Session,
    catalogue: Catalogue,
    outbox: Outbox,
    request: Request,
    samples: list[reading.SampleRow],
    sample_ids: list[int] | None,
) -> None:
    forms = forms_of(catalogue.questionnaires)
    columns = machine.question_columns(forms, reading.question_ids(session, sample_ids))
    with_long = "csv" in request.formats
    machine.write_answers(session, outbox, samples, sample_ids, columns, request.since, with_long=with_long)
    aapor = {code: outcome.aapor for code, outcome in catalogue.outcomes.items()}
    calls = machine.attempt_rows(session, samples, sample_ids, aapor, request.since)
    outbox.machine("attempts.csv", machine.ATTEMPTS, calls)
    outbox.machine("superseded.csv", machine.SUPERSEDED, reading.stream_superseded(session, sample_ids))
    outcomes = {code: (one.label, one.aapor) for code, one in catalogue.outcomes.items()}
    headers = {
        "responses.csv": machine.RESPONSES,
        "interviews.csv": machine.INTERVIEWS,
        "attempts.csv": machine.ATTEMPTS,
        "superseded.csv": machine.SUPERSEDED,
    }
    book = list(codebook.rows(headers, forms, columns, catalogue.services, outcomes))
    outbox.machine("codebook.csv", codebook.HEADER, book)
    outbox.text("codebook.html", codebook_page.page(book), len(book))
    outbox.people("ledger.csv", money.HEADER, money.rows(session, samples, sample_ids))

    rules = rules_from_mapping(catalogue.scoring)
    provinces = Provinces(catalogue.scoring.get("provincies", {}))
    tables = scores.compute(session, rules, provinces, forms, catalogue.services, samples)
    for file, header, rows in scores_files.files(tables):
        outbox.people(file, header, rows)
    field = fieldwork_file.compute(session, rules, catalogue.outcomes, tables)
    outbox.people("fieldwork.csv", fieldwork_file.HEADER, fieldwork_file.rows(field))
    formats.write(outbox, request.formats, forms, columns, catalogue.services, SHEETS)
    if "json" in request.formats:
        report.write(outbox, tables, field)
    if "csv" not in request.formats:
        outbox.drop(".csv")


def _described(request: Request) -> dict[str, Any]:
    described: dict[str, Any] = {}
    if request.period is not None:
        described["period"] = "/".join(day.isoformat() for day in request.period)
    if request.provider is not None:
        described["provider"] = request.provider
    if request.since is not None:
        described["since"] = request.since.isoformat().replace("+00:00", "Z")
    return described
