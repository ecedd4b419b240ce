"""The people of each cell, counted in one pass over all of them: what a board of 500 cells shows.

Decides how it is counted, for speed: the database joins what is known of a cell's people into one text, and the text is
counted here. Grouping in SQL gives half as many rows as there are people, in three statements, at twice the price.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import sqlalchemy as sa

from ivr.store.admission import Bounds
from ivr.store.session import Session
from ivr.store.tables import cases

_BETWEEN, _WITHIN = ",", " "

Chance = Literal["final", "callable", "unannounced", "stuck"]
"""callable: may be called now or later, or is in a call. unannounced: waits for a letter. stuck: neither final nor
callable."""

_CHANCES: dict[str, Chance] = {"f": "final", "c": "callable", "u": "unannounced", "s": "stuck"}


class Kind(NamedTuple):
    """What is counted together. attempts: calls that count; dialled: all calls."""

    disposition: str
    chance: Chance
    attempts: int
    dialled: int


@dataclass(slots=True)
class Headcount:
    """Of one cell. cases: people by disposition; open_cases: not final; callable_cases: of those the ones that can be
    called now or later, or are in a call; worked_cases: final and dialled; dialled: calls so far; kinds: all of it."""

    cases: dict[str, int] = field(default_factory=dict)
    open_cases: int = 0
    callable_cases: int = 0
    worked_cases: int = 0
    dialled: int = 0
    kinds: dict[Kind, int] = field(default_factory=dict)


def of_cells(session: Session, bounds: Bounds | None, only: Collection[int] | None = None) -> dict[int, Headcount]:
    """The people of all cells, or of `only` these. Without `bounds` nobody says who may still be called: then
    `callable_cases` is 0."""
    facts = (
        cases.c.disposition,
        _chance(bounds),
        sa.cast(cases.c.attempts, sa.String),
        sa.cast(cases.c.dialled, sa.String),
    )
    known: sa.ColumnElement[str] = facts[0]
    for fact in facts[1:]:
        known = known.concat(_WITHIN).concat(fact)
    query = (
        sa.select(cases.c.cell_id, sa.func.aggregate_strings(known, _BETWEEN))
        .where(cases.c.cell_id.is_not(None) if only is None else cases.c.cell_id.in_(only))
        .group_by(cases.c.cell_id)
    )
    seen: dict[str, Kind] = {}
    return {cell_id: _counted(text, seen) for cell_id, text in session.execute(query)}


def _chance(bounds: Bounds | None) -> sa.ColumnElement[str]:
    is_final = (cases.c.is_final.is_(sa.true()), "f")
    if bounds is None:
        return sa.case(is_final, else_="s")
    permitted: sa.ColumnElement[bool] = cases.c.consent == "ja"
    if not bounds.consent_only:
        unasked = sa.and_(cases.c.consent.is_(None), cases.c.announced_on >= bounds.announced_from)
        permitted = sa.or_(permitted, unasked)
    return sa.case(
        is_final,
        (cases.c.exclusion.is_not(None), "s"),
        (cases.c.is_busy.is_(sa.true()), "c"),
        (sa.and_(cases.c.next_call_at.is_not(None), permitted), "c"),
        (sa.and_(cases.c.announced_on.is_(None), cases.c.consent.is_(None)), "u"),
        else_="s",
    )


def _counted(text: str, seen: dict[str, Kind]) -> Headcount:
    """`seen`: what was read before; a hundred kinds of people make up a whole season."""
    count = Headcount()
    for known, people in Counter(text.split(_BETWEEN)).items():
        kind = seen.get(known)
        if kind is None:
            disposition, chance, attempts, dialled = known.split(_WITHIN)
            kind = seen[known] = Kind(disposition, _CHANCES[chance], int(attempts), int(dialled))
        disposition, chance, _, dialled = kind
        count.kinds[kind] = people
        count.cases[disposition] = count.cases.get(disposition, 0) + people
        count.dialled += dialled * people
        if chance == "final":
            count.worked_cases += people if dialled else 0
        else:
            count.open_cases += people
            count.callable_cases += people if chance == "callable" else 0
    return count
