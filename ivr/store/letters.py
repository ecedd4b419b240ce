"""Who gets a letter or SMS about the call, with the code that stands in it.

Read by the mailing tool's export, and by the rehearsal's people, who hold "their" letter in the hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from ivr.store.samples import Contact
from ivr.store.sealing import Sealer
from ivr.store.session import Session
from ivr.store.tables import cases, contacts, providers, samples


@dataclass(frozen=True, slots=True)
class Letter:
    """One addressee: `code` are the four digits that tell people on one number apart."""

    provider: str
    period_from: date
    period_to: date
    respondent: str
    contact: Contact
    code: str
    announced_on: date | None


def letters(session: Session, sealer: Sealer, sample_id: int | None = None) -> Iterator[Letter]:
    """The clients who may be telephoned, of one sample or of all, in the order of their delivery."""
    query = (
        sa.select(
            providers.c.name,
            samples.c.period_from,
            samples.c.period_to,
            cases.c.respondent,
            contacts.c.sealed,
            cases.c.code,
            cases.c.announced_on,
        )
        .select_from(cases.join(samples).join(providers).join(contacts, contacts.c.case_id == cases.c.id))
        .where(cases.c.cell_id.is_not(None), cases.c.respondent_group == "client")
        .order_by(cases.c.id)
    )
    if sample_id is not None:
        query = query.where(cases.c.sample_id == sample_id)
    for row in session.execute(query):
        yield Letter(
            provider=row.name,
            period_from=row.period_from,
            period_to=row.period_to,
            respondent=row.respondent,
            contact=Contact.from_mapping(sealer.open(row.sealed)),
            code=row.code,
            announced_on=row.announced_on,
        )
