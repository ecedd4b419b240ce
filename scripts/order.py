"""`ivr order …`: a provider buys telephone interviews."""

from __future__ import annotations

import click

from ivr.errors import UsageError
from scripts.output import command, emit, json_option, parse_period, say
from scripts.ready import intake_rules, ready_house, subsidy_rules


@click.group()
def order() -> None:
    """Buy telephone interviews; list orders."""


@order.command()
@click.option("--provider", required=True, metavar="NAME", help="The provider, as it is known.")
@click.option("--period", required=True, metavar="FROM/TO", help="E.g. 2026-01-01/2026-12-31.")
@click.option("--interviews", required=True, type=int, help="How many successful interviews are bought.")
@click.option("--price", required=True, metavar="EUROS", help="Per successful interview, e.g. 12,50.")
@click.option("--services", metavar="CODES", help="Only clients of these services, e.g. 5,9.")
@json_option
@command
def add(provider: str, period: str, interviews: int, price: str, services: str | None, as_json: bool) -> None:
    """Buy interviews beside the regular route, and see who pays what."""
    from ivr.fieldwork.ordering import parse_services, place_order
    from ivr.survey.billing import parse_price

    days = parse_period(period)
    amount = parse_price(price)
    if amount is None:
        raise UsageError(f"A price is an amount in euros such as 12,50, not {price!r}.")
    house = ready_house()
    chosen = parse_services(services, house.catalogue.services)
    placed = place_order(
        house.database,
        provider,
        days,
        interviews,
        amount,
        chosen,
        intake_rules(house),
        subsidy_rules(house),
        house.clock.now(),
    )
    if as_json:
        emit(placed.to_mapping())
        return
    split = placed.split
    say(f"Order {placed.order_id}: {interviews} interviews at € {_euros(split.price)}, at most € {_euros(split.total)}")
    say(f"  Blik op Werk pays half of {split.subsidised_interviews}: € {_euros(split.subsidy)}")
    say(f"  {placed.provider} pays: € {_euros(split.provider_pays)}")
    say(f"  Only successful interviews are billed. {placed.cases} clients may be called.")


@order.command("list")
@click.option("--provider", metavar="NAME", help="Only this provider.")
@json_option
@command
def list_(provider: str | None, as_json: bool) -> None:
    """All orders with their cells, those of the inburgering track too."""
    from dataclasses import asdict

    from ivr.store import orders

    house = ready_house()
    with house.database.read() as session:
        lines = orders.list_orders(session, provider)
    if as_json:
        documents = []
        for line in lines:
            document = asdict(line)
            begins, ends = document.pop("period_from"), document.pop("period_to")
            documents.append({**document, "period": f"{begins}/{ends}"})
        emit({"orders": documents})
        return
    for line in lines:
        price = "-" if line.price is None else f"€ {_euros(line.price)}"
        voiced = "voiced" if line.is_voiced else "not voiced yet"
        say(
            f"{line.order_id}  {line.provider}  {line.period_from}/{line.period_to}  {line.track}  "
            f"{line.successful}/{line.interviews}  {price}  {line.cases} clients  {voiced}"
        )


def _euros(amount: object) -> str:
    return str(amount).replace(".", ",")
