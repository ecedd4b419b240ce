"""Ordering telephone interviews, with the split of the costs shown while the number is typed."""

from __future__ import annotations

import secrets
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from flask import redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from ivr.errors import ConfigurationError, RefusedError, UsageError
from ivr.fieldwork.delivering import check_period, intake_rules
from ivr.fieldwork.ordering import parse_services, place_order
from ivr.store import orders, samples
from ivr.survey.billing import CostSplit, SubsidyRules, parse_price, split_order
from ivr.survey.callplan import local_date
from ivr.web.pages.access import allow, the_house
from ivr.web.provider.door import PERIOD_FAULTS, blueprint, known_periods, own, read_period, suggested_period


@dataclass(frozen=True, slots=True)
class Offer:
    """config/pages.toml: the price of one interview in euros, how many an order may hold, who sends the invoice."""

    price: Decimal
    at_least: int
    at_most: int
    sender: tuple[str, ...]


@cache
def read_offer(config_dir: Path) -> Offer:
    """ConfigurationError when config/pages.toml is missing or holds no price."""
    path = config_dir / "pages.toml"
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        order, sender = document["order"], tuple(str(line) for line in document["invoice"]["sender"])
        price = parse_price(str(order["price"]))
        offer = Offer(price, int(order["at_least"]), int(order["at_most"]), sender) if price else None
    except (OSError, KeyError, ValueError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"{path.name} must hold [order] with price, at_least and at_most, and [invoice] with sender ({error})."
        ) from error
    if offer is None:
        raise ConfigurationError(f"{path.name}: price must be an amount such as 24.50.")
    return offer


@blueprint.get("/bestellen")
@allow("provider")
def order() -> tuple[str, int]:
    return _page()


@blueprint.get("/bestellen/kosten")
@allow("provider")
def cost() -> str:
    """The split for what is typed now: the part of the page that htmx fetches."""
    return render_template("provider/cost.html", split=_split(), offer=_offer())


@blueprint.post("/bestellen")
@allow("provider")
def place() -> tuple[str, int] | Response:
    if "rekenen" in request.form:  # without JavaScript the costs are shown after a press
        return _page(None if _interviews() else _impossible(), 200 if _interviews() else 422)
    # Pressing twice is one order: the form's own number works once.
    nonce = session.pop("order", None)
    if nonce is None or nonce != request.form.get("bestelling"):
        return _page("Deze bestelling is al verstuurd, of de bladzijde is te oud. Kijk eerst bij Voortgang.", 409)
    house, (_, name) = the_house(), own()
    interviews, now = _interviews(), house.clock.now()
    if interviews is None:
        return _page(_impossible(), 422)
    try:
        period = read_period(request.form.get("van", ""), request.form.get("tot", ""))
        check_period(known_periods(), period, local_date(now))
        services = parse_services(",".join(request.form.getlist("dienst")), house.catalogue.services)
        place_order(
            house.database,
            name,
            period,
            interviews,
            _offer().price,
            services,
            intake_rules(house.catalogue),
            _subsidy(),
            now,
        )
    except (UsageError, RefusedError) as error:
        return _page(PERIOD_FAULTS.get(error.code, "Dit kan zo niet. Kijk naar de meetperiode en de diensten."), 422)
    return redirect(url_for("provider.overview", besteld="ja"), 303)  # type: ignore[return-value]


def _impossible() -> str:
    return f"Kies een aantal van {_offer().at_least} tot en met {_offer().at_most}."


def _page(problem: str | None = None, status: int = 200) -> tuple[str, int]:
    house = the_house()
    session["order"] = secrets.token_urlsafe(12)
    first, last = suggested_period(known_periods())
    page = render_template(
        "provider/order.html",
        problem=problem,
        offer=_offer(),
        split=_split(),
        typed=request.values,
        first=request.values.get("van") or first.isoformat(),
        last=request.values.get("tot") or last.isoformat(),
        services={code: label for code, label in house.catalogue.services.items() if code not in (11, 12)},
        nonce=session["order"],
    )
    return page, status


def _split() -> CostSplit | None:
    """The costs of what is typed, after what was ordered before in the same period; None while it is no number."""
    interviews = _interviews()
    if interviews is None:
        return None
    _, name = own()
    before = 0
    try:
        period = read_period(request.values.get("van", ""), request.values.get("tot", ""))
    except UsageError:
        period = None
    if period is not None:
        with the_house().database.read() as read:
            sample = samples.find_sample(read, name, period)
            before = orders.ordered_interviews(read, sample.id) if sample else 0
    return split_order(interviews, _offer().price, before, _subsidy())


def _interviews() -> int | None:
    typed, offer = request.values.get("aantal", "").strip(), _offer()
    if not (typed.isascii() and typed.isdigit() and len(typed) < 6):
        return None
    return int(typed) if offer.at_least <= int(typed) <= offer.at_most else None


def _offer() -> Offer:
    return read_offer(the_house().settings.config_dir)


def _subsidy() -> SubsidyRules:
    rules = the_house().catalogue.fieldwork
    return SubsidyRules(rules.subsidy_first, rules.subsidy_share)
