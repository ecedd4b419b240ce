"""What the network does to us on a bad day, seeded, with a rate for each kind.

Faults of the network and of the REST side are carried out by the carrier; those of people (a stray key, a
hang-up in mid-prompt) by the population, which then knows that it did so. None of them breaks Twilio's
documented promises: each has been seen by somebody.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, fields

from ivr.errors import UsageError


@dataclass(frozen=True, slots=True)
class Rates:
    """The chance (0-1) of each kind of fault at each occasion for it."""

    duplicate: float = 0.0
    """a status callback comes twice"""
    reorder: float = 0.0
    """a status callback comes after the one that follows it"""
    delay: float = 0.0
    """a status callback comes up to five minutes late"""
    drop: float = 0.0
    """a status callback never comes"""
    answer_twice: float = 0.0
    """the webhook with somebody's keys is sent twice; the second reply counts"""
    answer_late: float = 0.0
    """a webhook with keys comes once more, after the call has ended"""
    early_webhook: float = 0.0
    """the first webhook comes before the REST side has answered the request for the call"""
    hang_up: float = 0.0
    """somebody hangs up in the middle of a prompt"""
    stray_key: float = 0.0
    """somebody presses any key in the middle of a prompt"""
    rest_429: float = 0.0
    """the REST side refuses: too many requests"""
    rest_500: float = 0.0
    """the REST side breaks; the call is made in half of these cases"""
    rest_lost: float = 0.0
    """the call is made, the connection breaks before the answer"""
    verdict_late: float = 0.0
    """the machine verdict comes after the call has ended"""

    @classmethod
    def parse(cls, text: str) -> Rates:
        """`0.1` (each kind) or `drop=0.2,rest_429=0.05`. UsageError for anything else."""
        names = [each.name for each in fields(cls)]
        try:
            if "=" not in text:
                rates = dict.fromkeys(names, float(text))
            else:
                pairs = (part.split("=", 1) for part in text.split(",") if part)
                rates = {name.strip(): float(value) for name, value in pairs}
        except ValueError as error:
            raise UsageError(f"Faults look like 0.1 or drop=0.2,delay=0.1, not {text!r}.") from error
        if unknown := set(rates) - set(names):
            raise UsageError(f"No such fault: {', '.join(sorted(unknown))}. There are: {', '.join(names)}.")
        if any(not 0 <= rate <= 1 for rate in rates.values()):
            raise UsageError("The chance of a fault lies between 0 and 1.")
        return cls(**rates)


class Faults:
    """Throws the dice. Each throw is seeded by the occasion, so it does not depend on what else happens."""

    def __init__(self, rates: Rates | None = None, seed: int = 0) -> None:
        self.rates = rates or Rates()
        self._seed = seed
        self.done: Counter[str] = Counter()
        self._throw = random.Random()  # noqa: S311  (play, not secrets)

    def strikes(self, kind: str, occasion: str) -> bool:
        """Whether this fault happens at this occasion ("CA… 3")."""
        rate: float = getattr(self.rates, kind)
        if rate <= 0:
            return False
        # The first throw of `dice`, without making new ones.
        self._throw.seed(self._occasion(kind, occasion))
        strikes = self._throw.random() < rate
        if strikes:
            self.done[kind] += 1
        return strikes

    def dice(self, kind: str, occasion: str) -> random.Random:
        """Further dice for the same occasion (how late? which key?)."""
        return random.Random(self._occasion(kind, occasion))  # noqa: S311  (play, not secrets)

    def _occasion(self, kind: str, occasion: str) -> str:
        return f"{self._seed}/{kind}/{occasion}"
