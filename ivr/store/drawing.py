"""What a draw and the mailing tool's outcomes change in the cases of a sample.

Who is drawn is decided in `fieldwork/sampling.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from ivr.store.samples import name_key
from ivr.store.session import Session
from ivr.store.tables import case_phones, cases, interviews, providers, samples

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class DrawCase:
    """A client as the draw sees it."""

    id: int
    respondent: str
    route: str
    service: int | None
    consent: str | None
    announced_on: date | None
    cell_id: int | None
    exclusion: str | None
    is_final: bool
    has_phone: bool


def clients_to_draw(session: Session, sample_id: int) -> list[DrawCase]:
    """All clients of a sample that are in it, or were left out only by an earlier draw."""
    has_phone = sa.exists().where(case_phones.c.case_id == cases.c.id)
    query = (
        sa.select(
            cases.c.id,
            cases.c.respondent,
            cases.c.route,
            cases.c.service,
            cases.c.consent,
            cases.c.announced_on,
            cases.c.cell_id,
            cases.c.exclusion,
            cases.c.is_final,
            has_phone,
        )
        .where(
            cases.c.sample_id == sample_id,
            cases.c.respondent_group == "client",
            sa.or_(cases.c.exclusion.is_(None), cases.c.exclusion == "not_sampled"),
        )
        .order_by(cases.c.respondent, cases.c.id)
    )
    return [DrawCase(*row[:9], bool(row[9])) for row in session.execute(query)]


def has_answers(session: Session, sample_id: int) -> bool:
    """Whether anyone of the sample's clients answered anything already, by whatever mode."""
    query = (
        sa.select(interviews.c.id)
        .select_from(interviews.join(cases, interviews.c.case_id == cases.c.id))
        .where(cases.c.sample_id == sample_id, cases.c.respondent_group == "client")
        .limit(1)
    )
    return session.execute(query).first() is not None


def leave_out(session: Session, case_ids: Sequence[int]) -> None:
    """Mark cases as not sampled: outside the net sample, in no cell, never called."""
    for chunk in _chunks(case_ids):
        session.execute(
            sa.update(cases)
            .where(cases.c.id.in_(chunk))
            .values(exclusion="not_sampled", cell_id=None, next_call_at=None, position=0, replicate=0)
        )


def take_in(session: Session, case_ids: Sequence[int]) -> None:
    """Undo `leave_out` of an earlier draw."""
    for chunk in _chunks(case_ids):
        session.execute(sa.update(cases).where(cases.c.id.in_(chunk)).values(exclusion=None))


def reorder(session: Session, sample_id: int, seed: int, unordered: int) -> None:
    """Keep the seed, and let every case of a cell wait for a new place in the random order."""
    session.execute(sa.update(samples).where(samples.c.id == sample_id).values(seed=seed))
    session.execute(
        sa.update(cases).where(cases.c.sample_id == sample_id, cases.c.cell_id.is_not(None)).values(position=unordered)
    )


def respondents_of(
    session: Session, provider: str, period_from: date, respondent: str, group: str | None
) -> list[tuple[int, str, str | None]]:
    """(case id, group, outcome elsewhere) of a respondent in the periods that begin on `period_from`."""
    query = (
        sa.select(cases.c.id, cases.c.respondent_group, cases.c.outcome_elsewhere)
        .select_from(
            cases.join(samples, cases.c.sample_id == samples.c.id).join(
                providers, samples.c.provider_id == providers.c.id
            )
        )
        .where(
            providers.c.name_key == name_key(provider),
            samples.c.period_from == period_from,
            cases.c.respondent == respondent,
        )
        .order_by(cases.c.id)
    )
    if group is not None:
        query = query.where(cases.c.respondent_group == group)
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def note_outcome(session: Session, case_ids: Collection[int], outcome: str) -> None:
    """Keep what the mailing tool learnt of these cases."""
    session.execute(sa.update(cases).where(cases.c.id.in_(case_ids)).values(outcome_elsewhere=outcome))


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
