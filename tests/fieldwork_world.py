"""A small fieldwork for tests: real database, rules, catalogue, sealer and calendar; a carrier that keeps a list.

The carrier is a real stand-in: it takes calls, can be told to refuse, to be slow or unreachable, and answers fetch and
find from what it took. `tests/fieldwork/test_world.py` tests it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from ivr.almanac import Calendar
from ivr.catalogue import Catalogue, load_catalogue
from ivr.fieldwork import closing, dialling, planning, reconciling
from ivr.settings import ROOT
from ivr.store import Database
from ivr.store.samples import Contact
from ivr.store.sealing import Sealer
from ivr.store.tables import attempts, case_phones, cases, cells, contacts, interviews, orders, providers, samples
from ivr.survey.disposition import CallReport
from ivr.telephony.carrier import CallRequest
from ivr.telephony.webhooks import urls_for

MONDAY = datetime(2026, 9, 14, 8, 0, tzinfo=UTC)
"""A Monday, ten in the morning in Amsterdam: no holiday near, no Ramadan."""


class StillClock:
    """A clock that stands still until it is moved; sleeping moves it."""

    def __init__(self, moment: datetime = MONDAY) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def sleep_until(self, moment: datetime) -> None:
        self.moment = max(self.moment, moment)

    def forward(self, **span: float) -> datetime:
        self.moment += timedelta(**span)
        return self.moment

    def promise(self, token: str, grace_seconds: float = 3.0) -> None: ...

    def keep(self, token: str) -> None: ...

    def rest(self) -> None: ...


@dataclass
class ListCarrier:
    """Takes calls and remembers them. `before` runs (and may raise) before a call is taken, `after` behind it."""

    clock: StillClock
    requests: list[CallRequest] = field(default_factory=list)
    reports: dict[str, CallReport] = field(default_factory=dict)
    to: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    before: Callable[[CallRequest], None] | None = None
    after: Callable[[CallRequest, CallReport], None] | None = None
    ended: list[str] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def place(self, request: CallRequest) -> CallReport:
        if self.before is not None:
            self.before(request)
        self.requests.append(request)
        report = CallReport(f"CA{next(self._numbers):032x}", "queued")
        self.reports[report.call_sid] = report
        self.to[report.call_sid] = (request.to, self.clock.now())
        if self.after is not None:
            self.after(request, report)
        return report

    def fetch(self, call_sid: str) -> CallReport | None:
        return self.reports.get(call_sid)

    def find(self, to: str, since: datetime) -> list[CallReport]:
        return [self.reports[sid] for sid, (number, at) in reversed(self.to.items()) if number == to and at >= since]

    def end(self, call_sid: str) -> None:
        self.ended.append(call_sid)

    def set(self, call_sid: str, **changes: object) -> CallReport:
        self.reports[call_sid] = replace(self.reports[call_sid], **changes)
        return self.reports[call_sid]


_catalogue: Catalogue | None = None


def catalogue() -> Catalogue:
    """The real one, read once."""
    global _catalogue
    if _catalogue is None:
        _catalogue = load_catalogue(ROOT / "config")
    return _catalogue


@dataclass
class World:
    """One fieldwork. Everything is public: tests look into it."""

    database: Database
    clock: StillClock = field(default_factory=StillClock)
    limits: planning.Limits = field(
        default_factory=lambda: planning.Limits(calls_per_second=1000, calls_in_flight=50, horizon_seconds=1)
    )
    sealer: Sealer = field(default_factory=lambda: Sealer(b"k" * 32))

    def __post_init__(self) -> None:
        self.catalogue = catalogue()
        self.calendar = Calendar(self.catalogue.fieldwork)
        self.carrier = ListCarrier(self.clock)
        self.trunk = dialling.Trunk(
            "default",
            "+31850000000",
            lambda id: urls_for("http://127.0.0.1:8000", id),
            ring_seconds=25,
            limit_seconds=1200,
        )
        self._numbers = itertools.count(1)

    # -- making people ----------------------------------------------------------------------------------------

    def cell(self, target: int = 25, *, voiced: bool = True, track: str = "inburgering", state: str = "open") -> int:
        """A provider with a sample, an order and a cell; gives the cell."""
        number = next(self._numbers)
        with self.database.write() as s:
            provider = s.execute(
                sa.insert(providers).values(name=f"Aanbieder {number}", name_key=f"aanbieder {number}")
            ).inserted_primary_key[0]
            sample = s.execute(
                sa.insert(samples).values(
                    provider_id=provider, period_from=date(2026, 1, 1), period_to=date(2026, 12, 31)
                )
            ).inserted_primary_key[0]
            order = s.execute(
                sa.insert(orders).values(
                    sample_id=sample,
                    track=track,
                    interviews=max(target, 1),
                    price=None if track == "inburgering" else "12.50",
                    created_at=self.clock.now(),
                    voiced_at=self.clock.now() if voiced else None,
                )
            ).inserted_primary_key[0]
            return s.execute(
                sa.insert(cells).values(
                    order_id=order, sample_id=sample, track=track, target=target, capacity=target, state=state
                )
            ).inserted_primary_key[0]

    def person(self, cell_id: int, *numbers: str, **values: object) -> int:
        """Somebody who may be called now; `values` override the case's columns."""
        number = next(self._numbers)
        phones = numbers or (f"+3161{number:07d}",)
        row: dict[str, object] = {
            "respondent_group": "client",
            "respondent": str(number),
            "service": 11,
            "learning_profile": 1,
            "questionnaire": "inburgering",
            "route": "telephone",
            "announced_on": (self.clock.now() - timedelta(days=5)).date(),
            "cell_id": cell_id,
            "code": f"{number % 10000:04d}",
            "position": number,
            "next_call_at": self.clock.now(),
            "created_at": self.clock.now(),
        }
        with self.database.write() as s:
            row["sample_id"] = s.execute(sa.select(cells.c.sample_id).where(cells.c.id == cell_id)).scalar_one()
            case_id = s.execute(sa.insert(cases).values(row | values)).inserted_primary_key[0]
            sealed = self.sealer.seal(Contact(phones=tuple(phones)).to_mapping())
            s.execute(sa.insert(contacts).values(case_id=case_id, sealed=sealed))
            for rank, phone in enumerate(phones):
                s.execute(
                    sa.insert(case_phones).values(
                        case_id=case_id, rank=rank, phone_hash=self.sealer.hash("phone", phone)
                    )
                )
        return case_id

    def people(self, cell_id: int, count: int, **values: object) -> list[int]:
        return [self.person(cell_id, **values) for _ in range(count)]

    def interview(self, case_id: int, **values: object) -> str:
        """An interview of this person; by default usable, not yet counted."""
        id = f"{next(self._numbers):032x}"
        row: dict[str, object] = {
            "id": id,
            "case_id": case_id,
            "cell_id": self.case(case_id).cell_id,
            "questionnaire": "inburgering",
            "version": 1,
            "mode": "telephone",
            "started_at": self.clock.now(),
            "usable": True,
            "usable_at": self.clock.now(),
        }
        with self.database.write() as s:
            s.execute(sa.insert(interviews).values(row | values))
        return id

    # -- the stages -------------------------------------------------------------------------------------------

    def plan(self) -> list[str]:
        return planning.plan(self.database, self.catalogue, self.calendar, self.clock.now(), self.limits)

    def next_due(self) -> datetime:
        return planning.next_due(self.database, self.catalogue, self.calendar, self.clock.now(), self.limits)

    def dial(self, attempt_id: str) -> str:
        return dialling.dial(
            self.database, self.catalogue, self.calendar, self.carrier, self.sealer, self.clock, self.trunk, attempt_id
        )

    def call(self) -> str:
        """Plan and dial one call; gives the attempt."""
        (attempt_id,) = self.plan()
        assert self.dial(attempt_id) == "placed"
        return attempt_id

    def status(self, attempt_id: str, status: str, **details: object) -> None:
        sid = self.attempt(attempt_id).call_sid or "CA" + "f" * 32
        closing.note_status(
            self.database,
            self.catalogue,
            self.calendar,
            attempt_id,
            CallReport(sid, status, **details),  # type: ignore[arg-type]
            self.clock.now(),
        )

    def reconcile(self) -> reconciling.Reconciled:
        return reconciling.reconcile(
            self.database,
            self.catalogue,
            self.calendar,
            self.carrier,
            self.sealer,
            self.clock.now(),
            lease_seconds=self.limits.lease_seconds,
        )

    # -- looking ----------------------------------------------------------------------------------------------

    def _row(self, table: sa.Table, id: object) -> sa.Row:
        with self.database.read() as s:
            return s.execute(sa.select(table).where(table.c.id == id)).one()

    def attempt(self, attempt_id: str) -> sa.Row:
        return self._row(attempts, attempt_id)

    def case(self, case_id: int) -> sa.Row:
        return self._row(cases, case_id)

    def cell_row(self, cell_id: int) -> sa.Row:
        return self._row(cells, cell_id)

    def case_of(self, attempt_id: str) -> int:
        return self.attempt(attempt_id).case_id

    def set_case(self, case_id: int, **values: object) -> None:
        with self.database.write() as s:
            s.execute(sa.update(cases).where(cases.c.id == case_id).values(**values))

    def set_cell(self, cell_id: int, **values: object) -> None:
        with self.database.write() as s:
            s.execute(sa.update(cells).where(cells.c.id == cell_id).values(**values))
