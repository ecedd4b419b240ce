"""`ivr ledger`: each purchased interview that succeeded, and who pays it."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal

import click

from scripts.output import command, emit, json_option, say
from scripts.ready import ready_house


@click.command()
@click.option("--provider", metavar="NAME", help="Only this provider.")
@json_option
@command
def ledger(provider: str | None, as_json: bool) -> None:
    """Each purchased interview and who pays it; a withdrawal is a line that takes another back."""
    from ivr.store import ledger as book

    house = ready_house()
    with house.database.read() as session:
        lines = book.lines(session, provider)
    sums = {
        name: sum((getattr(line, name) for line in lines), Decimal("0.00"))
        for name in ("price", "subsidy", "provider_share")
    }
    if as_json:
        documents = []
        for line in lines:
            document = asdict(line)
            begins, ends = document.pop("period_from"), document.pop("period_to")
            documents.append({**document, "period": f"{begins}/{ends}"})
        billed = sum(1 if line.reverses is None else -1 for line in lines)
        emit(
            {
                "lines": documents,
                "interviews": billed,
                "total": sums["price"],
                "subsidy": sums["subsidy"],
                "provider_pays": sums["provider_share"],
            }
        )
        return
    for line in lines:
        say(
            f"{line.at:%Y-%m-%d}  {line.provider}  order {line.order_id}  no. {line.number}  "
            f"€ {line.price} = {line.subsidy} + {line.provider_share}"
            + (f"  takes back line {line.reverses}" if line.reverses else "")
        )
    say(f"Total € {sums['price']}: Blik op Werk € {sums['subsidy']}, providers € {sums['provider_share']}")
