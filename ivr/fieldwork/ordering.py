"""Stage: a provider buys telephone interviews.

Decides which of its clients an order takes: those on the regular route that can be called and have not answered
yet. They stay on the regular route as well (rule 5). What it costs is decided in `survey/billing.py`; an order may
be dialled only after its prompts are voiced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ivr.errors import UsageError
from ivr.fieldwork.intake import IntakeRules
from ivr.store import Database, Session, orders
from ivr.store.samples import Sample, ensure_sample
from ivr.survey.billing import CostSplit, SubsidyRules, split_order
from ivr.survey.eligibility import first_call_at
from ivr.survey.services import OBSOLETE


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order as it was entered. `cases` = clients that joined its cell."""

    provider: str
    period: tuple[date, date]
    order_id: int
    cell_id: int
    services: tuple[int, ...] | None
    split: CostSplit
    cases: int

    def to_mapping(self) -> dict[str, Any]:
        """The document of `ivr order add --json`; sums as decimal text with a point."""
        return {
            "provider": self.provider,
            "period": f"{self.period[0]}/{self.period[1]}",
            "track": "purchased",
            "interviews": self.split.interviews,
            "services": None if self.services is None else list(self.services),
            "price": str(self.split.price),
            "subsidised_interviews": self.split.subsidised_interviews,
            "subsidy": str(self.split.subsidy),
            "provider_pays": str(self.split.provider_pays),
            "total": str(self.split.total),
            "order_id": self.order_id,
            "cell_id": self.cell_id,
            "cases": self.cases,
        }


def parse_services(text: str | None, known: Mapping[int, str]) -> tuple[int, ...] | None:
    """`5,9` as codes in order; None for all services. UsageError for a code that is unknown or no longer exists."""
    if text is None or not text.strip():
        return None
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        if not (re.fullmatch(r"[0-9]{1,3}", part) and int(part) in known) or int(part) == OBSOLETE:
            raise UsageError(f"{part!r} is no service that can be bought. Give codes of 1-13 without 12, such as 5,9.")
    return tuple(sorted({int(part) for part in parts}))


def place_order(
    database: Database,
    provider: str,
    period: tuple[date, date],
    interviews: int,
    price: Decimal,
    services: Sequence[int] | None,
    rules: IntakeRules,
    subsidy: SubsidyRules,
    now: datetime,
) -> PlacedOrder:
    """Enter an order and let the clients it may call join its cell, in one transaction.

    The list may come later: clients delivered after the order join it at their intake.
    """
    if not 1 <= interviews <= 10_000:
        raise UsageError("The number of interviews must lie between 1 and 10000.")
    if not provider.strip():
        raise UsageError("Name the provider.")
    with database.write() as session:
        sample = ensure_sample(session, provider, period)
        orders.lock_sample(session, sample.id)
        split = split_order(interviews, price, orders.ordered_interviews(session, sample.id), subsidy)
        before = orders.cells_of(session, sample.id)
        order_id, cell_id = orders.open_purchased(session, sample.id, interviews, split.price, services, now, subsidy)
        joining = orders.candidates(session, sample.id, services)
        joining += _share_of_earlier_orders(session, sample, before, interviews, services)
        for case in joining:
            moment = first_call_at(case.consent, case.announced_on, now, rules.announcement_min_days)
            orders.join(session, cell_id, case.case_id, moment)
        orders.put_in_order(session, cell_id, sample.seed, rules.replicate_size)
    return PlacedOrder(
        sample.provider,
        period,
        order_id,
        cell_id,
        tuple(services) if services is not None else None,
        split,
        len(joining),
    )


def _share_of_earlier_orders(
    session: Session, sample: Sample, before: list[orders.Cell], interviews: int, services: Sequence[int] | None
) -> list[orders.Candidate]:
    """Undialled clients of earlier purchased cells, in proportion to what each cell still has to reach.

    Without this a second order would find everyone in the first one's cell and nobody to call.
    """
    moving: list[orders.Candidate] = []
    for cell in before:
        if cell.track != "purchased":
            continue
        undialled = orders.movable(session, cell.id, sample.id, services)
        still_needed = max(0, cell.target - cell.successful) if cell.state != "closed" else 0
        moving += undialled[: len(undialled) * interviews // (interviews + still_needed)]
    return moving
