"""Who pays a purchased interview (rules 5-7 of the survey).

Blik op Werk pays a share (half) of the first interviews (20) that a provider buys in a meetperiode, counted over
all its orders; the provider pays the rest. Interviews of the inburgering cell are no purchase and never come here.
Sums are Decimal euros, rounded half up to cents. Only a successful interview is billed; that is `store/ledger.py`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class SubsidyRules:
    """How far the subsidy goes: the share of the first so many interviews. Configuration, not a constant."""

    first: int = 20
    share: Decimal = Decimal("0.5")


DEFAULT_SUBSIDY = SubsidyRules()
"""As the published scheme has it; `config/fieldwork.toml` may say otherwise."""


@dataclass(frozen=True, slots=True)
class CostSplit:
    """What an order costs when every interview of it succeeds. total = subsidy + provider_pays."""

    interviews: int
    price: Decimal
    subsidised_interviews: int
    subsidy: Decimal
    provider_pays: Decimal
    total: Decimal


def split_order(interviews: int, price: Decimal, ordered_before: int, rules: SubsidyRules) -> CostSplit:
    """The cost of `interviews` at `price`, when `ordered_before` were bought earlier for this provider and period."""
    subsidised = max(0, min(interviews, rules.first - ordered_before))
    total = cents(price * interviews)
    subsidy = cents(price * rules.share * subsidised)
    return CostSplit(interviews, cents(price), subsidised, subsidy, total - subsidy, total)


def subsidy_of(number: int, price: Decimal, rules: SubsidyRules, standing: Collection[Decimal]) -> Decimal:
    """What Blik op Werk pays of the `number`-th (from 1) purchased success of a provider and period.

    standing: the subsidies of the lines of the same order that stand and are among the first so many. Half a cent
    goes to and fro within an order, so that its lines add up to what `split_order` printed, whichever orders and
    withdrawals come in between.
    """
    if number > rules.first:
        return Decimal("0.00")
    return cents(price * rules.share * (len(standing) + 1)) - sum(standing, Decimal("0.00"))


def parse_price(text: str) -> Decimal | None:
    """`12,50` or `12.50` or `12` in whole cents, not negative; None for anything else."""
    plain = text.strip().removeprefix("€").strip().replace(",", ".")
    whole, _, fraction = plain.partition(".")
    if not (whole.isascii() and whole.isdigit()) or len(whole) > 6 or len(fraction) > 2:
        return None
    if "." in plain and not (fraction.isascii() and fraction.isdigit()):
        return None
    return Decimal(plain).quantize(CENT)


def cents(amount: Decimal) -> Decimal:
    """Rounded half up to whole cents."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)
