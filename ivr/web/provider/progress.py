"""How far it is: counts up to last night, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from flask import render_template

from ivr.fieldwork import outlook
from ivr.store import boards, ledger
from ivr.web.pages.access import allow, the_house
from ivr.web.provider.door import blueprint, last_midnight, own


@dataclass
class Bill:
    """What the interviews of an order came to."""

    order_id: int
    period: tuple
    interviews: int = 0
    subsidy: Decimal = Decimal(0)
    share: Decimal = Decimal(0)


@blueprint.get("")
@allow("provider")
def overview() -> str:
    provider_id, _ = own()
    until = last_midnight()
    with the_house().database.read() as session:
        rows = boards.daily_rows(session, provider_id, until)
    return render_template("provider/overview.html", cells=[outlook.view(row) for row in rows], until=until)


@blueprint.get("/kosten")
@allow("provider")
def bill() -> str:
    """Per order how many interviews counted, what Blik op Werk pays of them, and what the provider does."""
    _, name = own()
    until = last_midnight()
    with the_house().database.read() as session:
        lines = [line for line in ledger.lines(session, name) if line.at < until]
    bills: dict[int, Bill] = {}
    for line in lines:
        kept = bills.setdefault(line.order_id, Bill(line.order_id, (line.period_from, line.period_to)))
        kept.interviews += -1 if line.reverses is not None else 1
        kept.subsidy += line.subsidy
        kept.share += line.provider_share
    return render_template("provider/bill.html", bills=list(bills.values()), until=until)
