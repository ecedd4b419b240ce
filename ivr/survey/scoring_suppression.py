"""Which groups are too small to be shown, and which must be hidden with them.

A group whose base n is below the minimum shows no figures. Where a total of the groups is shown, whoever subtracts
the shown groups from it is left with the hidden ones together; if those are fewer than the minimum, the smallest
shown group is hidden as well. Suppression looks at the base, never at the count of a category.
"""

from __future__ import annotations

from collections.abc import Mapping


def hidden_groups(bases: Mapping[str, int], minimum: int, *, total_is_shown: bool = True) -> frozenset[str]:
    """The names of the groups that must not be shown. `bases`: base n per group; the groups do not overlap.

    Empty groups hide nothing and are not hidden: there is nobody in them.
    """
    peopled = {name: n for name, n in bases.items() if n > 0}
    hidden = {name for name, n in peopled.items() if n < minimum}
    if hidden and total_is_shown and sum(peopled[name] for name in hidden) < minimum:
        rest = sorted((n, name) for name, n in peopled.items() if name not in hidden)
        if rest:
            hidden.add(rest[0][1])
    return frozenset(hidden)


def hides_total(bases: Mapping[str, int], minimum: int) -> bool:
    """Whether a total over these groups must stay away because the groups that are hidden from it are, together,
    fewer than the minimum: the shown groups, subtracted, would reveal them. A total below the minimum hides too."""
    total = sum(bases.values())
    left = sum(n for n in bases.values() if 0 < n < minimum)
    return total < minimum or 0 < left < minimum
