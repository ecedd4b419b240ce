"""The people of each cell, counted in one pass over all of them: what a board of 500 cells shows.

Decides how it is counted, for speed: the database joins what is known of a cell's people into one text, and the text is
counted here, or known from before when it is the same. Grouping in SQL gives half as many rows as there are people, in
three statements, at twice the price.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

import sqlalchemy as sa

from ivr.store.admission import Bounds
from ivr.store.session import Session
from ivr.store.tables import cases
from ivr.survey.forecast import Progress

SUCCEEDED = ("complete", "partial")
STOPPED = ("quota_full", "answered_elsewhere", "announcement_expired", "opted_out", "withdrawn")
"""Ended by something else than their own calls: they say nothing of how people answer."""

_BETWEEN = ","
_FINAL, _CALLABLE, _UNANNOUNCED, _STUCK = "F", "C", "U", "S"
"""Chance: final; may be called now or later, or is in a call; waits for a letter; neither final nor callable. Capitals,
so that they part a disposition from the figures after it."""
_CALLS = 1000
"""Calls that count × this + all calls: one figure to write instead of two, a third of the statement's price."""


@dataclass(slots=True)
class Headcount:
    """Of one cell. cases: people by disposition; open_cases: not final; callable_cases: of those the ones that can be
    called now or later, or are in a call; worked_cases: final and dialled; dialled: calls so far; progress: people by
    the calls behind them, by number of calls.

    Of a list that nobody was called from, who waits for a letter counts as waiting: its fieldwork is to come.
    """

    cases: dict[str, int] = field(default_factory=dict)
    open_cases: int = 0
    callable_cases: int = 0
    worked_cases: int = 0
    dialled: int = 0
    progress: tuple[Progress, ...] = ()


Counted = dict[int, tuple[str, Headcount]]
"""What was counted before, by cell, with the text it was counted from."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is counted together. attempts: calls that count; dialled: all calls."""

    disposition: str
    is_open: int
    is_callable: int
    is_worked: int
    attempts: int
    dialled: int
    standing: int

    @classmethod
    def read(cls, text: str) -> _Kind:
        at = next(index for index, sign in enumerate(text) if sign.isupper())
        disposition, chance, (attempts, dialled) = text[:at], text[at], divmod(int(text[at + 1 :]), _CALLS)
        is_open = chance != _FINAL
        if disposition in SUCCEEDED:
            standing = "succeeded"
        elif disposition in STOPPED:
            standing = "stopped"
        elif not is_open:
            standing = "left"
        else:
            is_to_come = chance == _CALLABLE or (chance == _UNANNOUNCED and disposition == "fresh")
            standing = "waiting" if is_to_come else "stopped"
        is_worked = not is_open and dialled > 0
        return cls(disposition, is_open, chance == _CALLABLE, is_worked, attempts, dialled, _STANDINGS.index(standing))


_STANDINGS = ("succeeded", "left", "waiting", "stopped")
"""As `Progress` has them."""


def of_cells(
    session: Session, bounds: Bounds | None, only: Collection[int] | None = None, before: Counted | None = None
) -> dict[int, Headcount]:
    """The people of all cells, or of `only` these. Without `bounds` nobody says who may still be called: then
    `callable_cases` is 0.

    `before`: what the same question gave last time, and gets what it gives now; a cell that is as it was is not counted
    again.
    """
    known = cases.c.disposition.concat(_chance(bounds)).concat(
        sa.cast(cases.c.attempts * _CALLS + cases.c.dialled, sa.String)
    )
    query = (
        sa.select(cases.c.cell_id, sa.func.aggregate_strings(known, _BETWEEN))
        .where(cases.c.cell_id.is_not(None) if only is None else cases.c.cell_id.in_(only))
        .group_by(cases.c.cell_id)
    )
    before = {} if before is None else before
    kinds: dict[str, _Kind] = {}
    now: Counted = {}
    for cell_id, text in session.execute(query):
        held = before.get(cell_id)
        now[cell_id] = held if held is not None and held[0] == text else (text, _counted(text, kinds))
    before.clear()
    before.update(now)
    return {cell_id: count for cell_id, (_, count) in now.items()}


def _chance(bounds: Bounds | None) -> sa.ColumnElement[str]:
    is_final = (cases.c.is_final.is_(sa.true()), _FINAL)
    if bounds is None:
        return sa.case(is_final, else_=_STUCK)
    permitted: sa.ColumnElement[bool] = cases.c.consent == "ja"
    if not bounds.consent_only:
        unasked = sa.and_(cases.c.consent.is_(None), cases.c.announced_on >= bounds.announced_from)
        permitted = sa.or_(permitted, unasked)
    return sa.case(
        is_final,
        (cases.c.exclusion.is_not(None), _STUCK),
        (cases.c.is_busy.is_(sa.true()), _CALLABLE),
        (sa.and_(cases.c.next_call_at.is_not(None), permitted), _CALLABLE),
        (sa.and_(cases.c.announced_on.is_(None), cases.c.consent.is_(None)), _UNANNOUNCED),
        else_=_STUCK,
    )


def _counted(text: str, kinds: dict[str, _Kind]) -> Headcount:
    """`kinds`: what was read before; a hundred kinds of people make up a whole season."""
    count = Headcount()
    by_calls: dict[int, list[int]] = {}
    for known, people in Counter(text.split(_BETWEEN)).items():
        kind = kinds.get(known)
        if kind is None:
            kind = kinds[known] = _Kind.read(known)
        count.cases[kind.disposition] = count.cases.get(kind.disposition, 0) + people
        count.dialled += kind.dialled * people
        count.worked_cases += kind.is_worked * people
        count.open_cases += kind.is_open * people
        count.callable_cases += kind.is_callable * people
        standings = by_calls.get(kind.attempts)
        if standings is None:
            standings = by_calls[kind.attempts] = [0] * len(_STANDINGS)
        standings[kind.standing] += people
    count.progress = tuple(Progress(calls, *standings) for calls, standings in sorted(by_calls.items()))
    return count
