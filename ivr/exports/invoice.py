"""The invoice of one purchased order: each line of the ledger, and who pays what of it.

Decides what stands on it and in the CSV; sums are those of the ledger, to the cent. A line is an interview that counted
or one that was taken back; it carries a day, never a time, a person or an interview. No VAT is worked out: whether and
which is for the bookkeeping. Until nobody is called any more it is a statement so far (`tussenstand`) without a number.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from ivr.exports.files import cell
from ivr.store.ledger import LedgerLine
from ivr.survey.callplan import local_date

HEADER = (
    "factuurnummer", "bestelling", "meetperiode_van", "meetperiode_tot", "regel", "datum", "nummer", "omschrijving",
    "bedrag", "blik_op_werk", "dienstverlener", "draait_terug",
)  # fmt: skip
COUNTED, TAKEN_BACK = "geslaagd interview", "teruggedraaid interview"


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """`number` counts the purchased interviews of the meetperiode. Sums in euros, negative when taken back."""

    line: int
    day: date
    number: int
    text: str
    price: Decimal
    subsidy: Decimal
    share: Decimal
    reverses: int | None


@dataclass(frozen=True, slots=True)
class Invoice:
    """`number` is None until nobody is called for the order any more."""

    order_id: int
    provider: str
    period: tuple[date, date]
    ordered: int
    price: Decimal
    until: datetime
    number: str | None
    lines: tuple[InvoiceLine, ...]

    @property
    def interviews(self) -> int:
        """How many count."""
        return sum(1 if line.reverses is None else -1 for line in self.lines)

    @property
    def total(self) -> Decimal:
        return sum((line.price for line in self.lines), Decimal("0.00"))

    @property
    def subsidy(self) -> Decimal:
        """What Blik op Werk pays."""
        return sum((line.subsidy for line in self.lines), Decimal("0.00"))

    @property
    def share(self) -> Decimal:
        """What the provider pays."""
        return sum((line.share for line in self.lines), Decimal("0.00"))

    @property
    def last_day(self) -> date | None:
        """The day of the newest line."""
        return max((line.day for line in self.lines), default=None)


def make(
    order_id: int,
    provider: str,
    period: tuple[date, date],
    ordered: int,
    price: Decimal,
    ledger: Sequence[LedgerLine],
    until: datetime,
    *,
    is_done: bool,
) -> Invoice:
    """The invoice of an order from its provider's ledger, as far as it was written before `until`."""
    lines = tuple(
        InvoiceLine(
            one.line,
            local_date(one.at),
            one.number,
            COUNTED if one.reverses is None else TAKEN_BACK,
            one.price,
            one.subsidy,
            one.provider_share,
            one.reverses,
        )
        for one in ledger
        if one.order_id == order_id and one.at < until
    )
    number = f"T{period[1].year}-{order_id:05}" if is_done and lines else None
    return Invoice(order_id, provider, period, ordered, price, until, number, lines)


def as_csv(invoice: Invoice) -> str:
    """A people's file: one row a line, and a last one with the sums."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADER)
    head = (invoice.number or "tussenstand", invoice.order_id, *(day.isoformat() for day in invoice.period))
    for line in invoice.lines:
        sums = (line.price, line.subsidy, line.share)
        told = (line.line, line.day.isoformat(), line.number, line.text, *sums, line.reverses)
        writer.writerow([cell(value) for value in (*head, *told)])
    sums = (invoice.total, invoice.subsidy, invoice.share)
    writer.writerow([cell(value) for value in (*head, None, None, invoice.interviews, "totaal", *sums, None)])
    return "\ufeff" + text.getvalue()
