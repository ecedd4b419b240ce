"""What it cost: the orders with their sums, and of each its invoice, to print and as a file."""

from __future__ import annotations

from flask import Response, abort, render_template, request, url_for

from ivr.exports import invoice
from ivr.exports.invoice import Invoice
from ivr.fieldwork.following import midnight
from ivr.store import ledger, orders
from ivr.web.pages.access import allow, the_house
from ivr.web.provider.door import as_file, blueprint, own, stands
from ivr.web.provider.ordering import read_offer

PAGE = 10
"""Orders on a screen, the newest first; the sum is of all."""


@blueprint.get("/kosten")
@allow("provider")
def costs() -> str:
    """Per order how many interviews counted, what Blik op Werk pays of them, and what the provider does."""
    every, typed = list(reversed(_invoices())), request.args.get("pagina", "1")
    pages = max(1, -(-len(every) // PAGE))
    page = min(max(1, int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 1), pages)
    return render_template(
        "provider/costs.html",
        invoices=every[(page - 1) * PAGE : page * PAGE],
        every=every,
        page=page,
        pages=pages,
        page_url=lambda number: url_for("provider.costs", pagina=number),
        until=midnight(the_house().clock.now()),
    )


@blueprint.get("/kosten/<int:order_id>")
@allow("provider")
def order_invoice(order_id: int) -> str:
    offer = read_offer(the_house().settings.config_dir)
    return render_template("provider/invoice.html", invoice=_invoice(order_id), sender=offer.sender)


@blueprint.get("/kosten/<int:order_id>/factuur.csv")
@allow("provider")
def invoice_file(order_id: int) -> Response:
    return as_file(invoice.as_csv(_invoice(order_id)), f"factuur-{order_id}.csv")


def _invoice(order_id: int) -> Invoice:
    found = next((one for one in _invoices() if one.order_id == order_id), None)
    return found if found is not None else abort(404)


def _invoices() -> list[Invoice]:
    """Of every purchased order of whoever is signed in, in the order they were placed."""
    (_, name), until = own(), midnight(the_house().clock.now())
    done = {stand.head.order_id for stand in stands() if stand.is_done}
    with the_house().database.read() as session:
        placed = orders.list_orders(session, name)
        lines = ledger.lines(session, name)
    return [
        invoice.make(
            one.order_id,
            one.provider,
            (one.period_from, one.period_to),
            one.interviews,
            one.price,
            lines,
            until,
            is_done=one.order_id in done,
        )
        for one in placed
        if one.price is not None
    ]
