"""What the fragment of a webhook's URL asks of its connection: how often to try again, and after what."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit


@dataclass(slots=True)
class Overrides:
    """Connection overrides in a URL's fragment: `#rc=2&rp=ct,5xx`."""

    retries: int = 1
    on: frozenset[str] = field(default_factory=lambda: frozenset({"ct"}))

    @classmethod
    def of(cls, url: str) -> Overrides:
        if "#" not in url:
            return cls()
        wishes = dict(parse_qsl(urlsplit(url).fragment))
        retries = wishes.get("rc", "1")
        on = frozenset(wishes.get("rp", "ct").split(","))
        if "all" in on:
            on = frozenset({"ct", "rt", "4xx", "5xx"})
        return cls(retries=min(int(retries), 5) if retries.isdigit() else 1, on=on)
