"""Providers, samples and the contacts of their cases.

A sample is one provider's delivered list of one meetperiode. Decides nothing: who is taken in, on which route
and in which cell, is decided by `fieldwork/intake.py` and `survey/`. Writing the cases of a delivered list is in
`delivered_cases.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ivr.errors import NotFoundError
from ivr.store.sealing import Sealer
from ivr.store.session import Session
from ivr.store.tables import case_phones, cases, contacts, providers, samples

TRIAL_KEY = " test calls"
"""The key of the provider under which test calls are kept (`trials.py`): no name that is delivered gives it."""


@dataclass(frozen=True, slots=True)
class Contact:
    """How a person can be reached. `phones` are E.164, telefoon before telefoon2; empty texts are unknown."""

    first_name: str = ""
    last_name: str = ""
    phones: tuple[str, ...] = ()
    email: str = ""
    street: str = ""
    house_number: str = ""
    postcode: str = ""
    town: str = ""

    def to_mapping(self) -> dict[str, Any]:
        """JSON-safe, for sealing."""
        return {name: getattr(self, name) for name in self.__slots__} | {"phones": list(self.phones)}

    @classmethod
    def from_mapping(cls, data: dict[str, Any]) -> Contact:
        """The contact that `to_mapping` gave."""
        return cls(**{**data, "phones": tuple(data.get("phones", ()))})


@dataclass(frozen=True, slots=True)
class Sample:
    """One provider's list of one period. `provider` as first spelled."""

    id: int
    provider: str
    period_from: date
    period_to: date
    seed: int


def name_key(name: str) -> str:
    """By what a provider is recognised: any case, any spacing."""
    return " ".join(name.split()).casefold()


def find_sample(session: Session, provider: str, period: tuple[date, date]) -> Sample | None:
    """The sample of a provider and period, or None."""
    row = session.execute(
        _sample_query().where(
            providers.c.name_key == name_key(provider),
            samples.c.period_from == period[0],
            samples.c.period_to == period[1],
        )
    ).first()
    return Sample(*row) if row else None


def get_sample(session: Session, provider: str, period: tuple[date, date]) -> Sample:
    """The sample of a provider and period; NotFoundError when no list was ever delivered."""
    sample = find_sample(session, provider, period)
    if sample is None:
        raise NotFoundError(
            f"No list of {provider!r} for {period[0]}/{period[1]} is known. "
            "Import it with `ivr sample import`, and spell provider and period as there."
        )
    return sample


def ensure_sample(session: Session, provider: str, period: tuple[date, date]) -> Sample:
    """The sample of a provider and period, made when it is new."""
    _insert_unless_there(session, providers, name=" ".join(provider.split()), name_key=name_key(provider))
    provider_id = session.execute(
        sa.select(providers.c.id).where(providers.c.name_key == name_key(provider))
    ).scalar_one()
    _insert_unless_there(session, samples, provider_id=provider_id, period_from=period[0], period_to=period[1])
    return get_sample(session, provider, period)


def sample_by_id(session: Session, sample_id: int) -> Sample:
    """The sample with this id; NotFoundError."""
    row = session.execute(_sample_query().where(samples.c.id == sample_id)).first()
    if row is None:
        raise NotFoundError(f"There is no sample {sample_id}.")
    return Sample(*row)


_SEALED = sa.select(contacts.c.sealed).where(contacts.c.case_id == sa.bindparam("case"))


def contact(session: Session, sealer: Sealer, case_id: int) -> Contact:
    """The opened contact of a case; NotFoundError when there is none (any more: erased)."""
    sealed = session.execute(_SEALED, {"case": case_id}).scalar()
    if sealed is None:
        raise NotFoundError(f"Case {case_id} has no contact data (any more).")
    return opened(sealer, sealed)


def opened(sealer: Sealer, sealed: bytes) -> Contact:
    """The contact that was sealed in this."""
    return Contact.from_mapping(sealer.open(sealed))


def phone_hash(sealer: Sealer, e164: str) -> str:
    """How a number stands in `case_phones` and `opt_outs`."""
    return sealer.hash("phone", e164)


def phone_hashes(session: Session, case_id: int) -> list[tuple[int, str, bool]]:
    """(rank, hash, is_dead) of a case's numbers, telefoon first."""
    query = (
        sa.select(case_phones.c.rank, case_phones.c.phone_hash, case_phones.c.is_dead)
        .where(case_phones.c.case_id == case_id)
        .order_by(case_phones.c.rank)
    )
    return [(row.rank, row.phone_hash, row.is_dead) for row in session.execute(query)]


def cases_on_phone(session: Session, hashes: list[str]) -> list[int]:
    """Ids of all cases, of any provider, that have one of these numbers."""
    query = sa.select(case_phones.c.case_id).where(case_phones.c.phone_hash.in_(hashes)).distinct()
    return list(session.execute(query.order_by(case_phones.c.case_id)).scalars())


def was_called(session: Session, sample_id: int) -> bool:
    """Whether anyone of the sample was ever dialled."""
    query = sa.select(cases.c.id).where(cases.c.sample_id == sample_id, cases.c.dialled > 0).limit(1)
    return session.execute(query).first() is not None


def _sample_query() -> sa.Select[int, str, date, date, int]:
    return sa.select(
        samples.c.id, providers.c.name, samples.c.period_from, samples.c.period_to, samples.c.seed
    ).select_from(samples.join(providers))


def _insert_unless_there(session: Session, table: sa.Table, **values: Any) -> None:
    # Two imports may open the same provider at the same moment: the loser finds the winner's row.
    insert = postgresql.insert if session.dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(table).values(**values).on_conflict_do_nothing())
