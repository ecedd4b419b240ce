"""The AAPOR rates of the telephone fieldwork, beside the response of table 1.1 and never instead of it.

RR1 = I / ((I+P) + (R+NC+O) + (UH+UO)); RR2 counts P above as well. COOP1 = I / ((I+P)+R+O), REF1 = R / RR1's
denominator, CON1 = ((I+P)+R+O) / RR1's denominator. A case whose outcome has no group, or group NE (not eligible),
is in none of them; `U` is a case of which nothing is known and counts with UH and UO.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from ivr.survey.scoring_rounding import half_up, percentage


def rates(groups: Mapping[str, int]) -> dict[str, Decimal | None]:
    """The five rates as percentages with one decimal, None where the denominator is empty. `groups`: AAPOR group of
    the case's disposition → cases."""
    of = {name: groups.get(name, 0) for name in ("I", "P", "R", "NC", "O")}
    unknown = sum(groups.get(name, 0) for name in ("U", "UH", "UO"))
    interviewed = of["I"] + of["P"]
    contacted = interviewed + of["R"] + of["O"]
    everyone = contacted + of["NC"] + unknown
    return {
        "RR1": _rate(of["I"], everyone),
        "RR2": _rate(interviewed, everyone),
        "COOP1": _rate(of["I"], contacted),
        "REF1": _rate(of["R"], everyone),
        "CON1": _rate(contacted, everyone),
    }


def per_success(attempts: int, successes: int) -> Decimal | None:
    """Attempts per successful interview, one decimal; None without a success."""
    return half_up(Fraction(attempts, successes), 1) if successes else None


def _rate(part: int, base: int) -> Decimal | None:
    return percentage(part, base, 1) if base else None
