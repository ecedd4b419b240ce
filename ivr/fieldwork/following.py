"""How a provider follows its interviews: once a day, and only as far as nobody can be recognised in it.

Decides: the figures of a day are worked out when they are first asked for, hold what happened up to the midnight
before, are written down, and stay as they are until the next midnight. A list of fewer people than the scores' minimum
shows no count: with one client on it, "1 van 25" would tell who took part.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from ivr.fieldwork import outlook
from ivr.store import Database, boards, daily
from ivr.store.daily import Figures, Head
from ivr.survey.callplan import ZONE, local_date
from ivr.survey.forecast import Forecast

DAYS = 14
"""Days with successes that are listed one by one: the newest."""


@dataclass(frozen=True, slots=True)
class Stand:
    """One cell as its provider sees it. `by_day`: (day, successes), the newest first; empty when too few are on it."""

    head: Head
    figures: Figures
    is_hidden: bool
    by_day: tuple[tuple[date, int], ...]

    @property
    def is_done(self) -> bool:
        """Whether nobody is called for it any more."""
        return self.figures.state in {"filled", "exhausted", "closed"}

    @property
    def forecast(self) -> Forecast | None:
        """Where it will end; None once nobody is called any more."""
        seen = self.figures
        if seen.expected is None or seen.low is None or seen.high is None:
            return None
        return Forecast(seen.expected, seen.low, seen.high)


def midnight(now: datetime) -> datetime:
    """The beginning of today in Amsterdam, UTC: what happened after it is shown tomorrow."""
    return datetime.combine(local_date(now), time(), ZONE).astimezone(UTC)


def stands(database: Database, provider_id: int, now: datetime, minimum_n: int) -> list[Stand]:
    """How a provider's cells stand today: those that run first, then by meetperiode, the newest first."""
    today, until = local_date(now), midnight(now)
    with database.read() as session:
        heads = daily.heads(session, provider_id)
        ids = [head.cell_id for head in heads]
        known = daily.figures(session, ids, today)
        fresh = _worked_out(session, provider_id, until, set(ids) - set(known)) if len(known) < len(ids) else []
    if fresh:
        with database.write() as session:
            daily.write_down(session, today, fresh)
            known = daily.figures(session, ids, today)  # whoever was first is right
    with database.read() as session:
        counted = Counter(
            (cell_id, local_date(moment)) for cell_id, moment in daily.successes(session, provider_id, until)
        )
    found = []
    for head in heads:
        if head.cell_id not in known:  # ordered in this very moment
            continue
        figures = known[head.cell_id]
        is_hidden = figures.people < minimum_n
        days = sorted(((day, n) for (cell_id, day), n in counted.items() if cell_id == head.cell_id), reverse=True)
        found.append(Stand(head, figures, is_hidden, () if is_hidden else tuple(days[:DAYS])))
    return sorted(found, key=lambda stand: stand.is_done)  # what runs comes first


def _worked_out(session: daily.Session, provider_id: int, until: datetime, missing: set[int]) -> list[Figures]:
    people = daily.people(session, provider_id)
    made = []
    for row in boards.daily_rows(session, provider_id, until):
        if row.id in missing:
            seen = outlook.view(row)
            outcome = seen.forecast
            made.append(
                Figures(
                    row.id,
                    row.target,
                    row.successful,
                    people.get(row.id, 0),
                    seen.state,
                    row.is_voiced,
                    outcome.expected if outcome else None,
                    outcome.low if outcome else None,
                    outcome.high if outcome else None,
                )
            )
    return made
