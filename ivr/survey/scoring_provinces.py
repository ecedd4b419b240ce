"""From a postcode's four digits to its province."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

UNKNOWN = "onbekend"


class Provinces:
    """Looks provinces up in ranges: province → pairs of first and last postcode, both included."""

    def __init__(self, ranges: Mapping[str, Sequence[Sequence[int]]]) -> None:
        ordered = sorted((int(first), int(last), name) for name, pairs in ranges.items() for first, last in pairs)
        self._ranges = ordered
        self._firsts = [first for first, _, _ in ordered]
        self.names: tuple[str, ...] = (*sorted(ranges), UNKNOWN)

    def of(self, postcode4: str | None) -> str:
        """The province of `1234`; `onbekend` for no postcode or one outside the table."""
        if postcode4 is None or len(postcode4) != 4 or not (postcode4.isascii() and postcode4.isdigit()):
            return UNKNOWN
        code = int(postcode4)
        index = bisect_right(self._firsts, code) - 1
        if index < 0 or code > self._ranges[index][1]:
            return UNKNOWN
        return self._ranges[index][2]
