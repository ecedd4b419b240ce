"""`ledger.csv`: each purchased interview that counted, its cost and who pays it; a reversal is a line of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from ivr.store import Session, reading
from ivr.store.reading import SampleRow

HEADER = (
    "provider", "meetperiode_van", "meetperiode_tot", "bestelling", "regel", "nummer", "interview_id", "moment",
    "prijs", "subsidie", "eigen_deel", "draait_terug",
)  # fmt: skip


def rows(session: Session, samples: Sequence[SampleRow], sample_ids: list[int] | None) -> Iterator[tuple]:
    """One row per line of the ledger; amounts in euros with two decimals, negative on a reversal."""
    heads = {one.id: (one.provider, one.period_from.isoformat(), one.period_to.isoformat()) for one in samples}
    for sample_id, order, line, number, interview, at, *amounts, reverses in reading.stream_ledger(session, sample_ids):
        euros = [Decimal(str(amount)).quantize(Decimal("0.01")) for amount in amounts]
        yield (*heads[sample_id], order, line, number, interview, at, *euros, reverses)
