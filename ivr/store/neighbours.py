"""Who already has the numbers of a batch of delivered rows: read once, and kept up as the rows are taken in.

Keeps what was read and what became of it, so that a list of thousands of rows asks three questions a batch and not
five a row. What follows from it (a duplicate, a shared number, a code) is decided in `fieldwork/intake.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from ivr.store import optouts
from ivr.store.delivered_cases import StoredCase, find_cases
from ivr.store.samples import Contact, opened
from ivr.store.sealing import Sealer
from ivr.store.session import Session
from ivr.store.tables import case_phones, cases, contacts


@dataclass(frozen=True, slots=True)
class Housemate:
    """Another client of the sample that has one of the numbers asked for. rank: of that number, the lowest if two."""

    respondent: str
    rank: int
    first_name: str
    last_name: str


@dataclass(eq=False, slots=True)
class _Neighbour:
    """Somebody on a number. case_id: None as long as it is not stored. names: None as long as nobody asked.

    sealed: the contact of a client of this sample; None for everybody else, and for who was erased.
    """

    case_id: int | None
    respondent: str
    code: str
    sealed: bytes | None
    names: tuple[str, str] | None


_AROUND = (
    sa.select(
        case_phones.c.phone_hash,
        cases.c.id,
        cases.c.respondent,
        cases.c.code,
        sa.case(
            (
                sa.and_(cases.c.sample_id == sa.bindparam("sample"), cases.c.respondent_group == "client"),
                contacts.c.sealed,
            )
        ).label("sealed"),
    )
    .select_from(case_phones.join(cases).outerjoin(contacts, contacts.c.case_id == cases.c.id))
    .where(case_phones.c.phone_hash.in_(sa.bindparam("hashes", expanding=True)))
    .order_by(cases.c.id)
)


class Neighbours:
    """What stands about a batch of clients of one sample. respondents and hashes: all that the batch names.

    stored: the clients of these respondents that are there already. opted_out: which of the hashes are never called.
    """

    def __init__(
        self, session: Session, sealer: Sealer, sample_id: int, respondents: Collection[str], hashes: Collection[str]
    ) -> None:
        self._sealer = sealer
        self._on: defaultdict[str, list[_Neighbour]] = defaultdict(list)
        self.stored: dict[str, StoredCase] = find_cases(session, sample_id, "client", respondents)
        self.opted_out: set[str] = optouts.which(session, hashes)
        if not hashes:
            return
        known: dict[int, _Neighbour] = {}
        for row in session.execute(_AROUND, {"sample": sample_id, "hashes": list(hashes)}):
            one = known.get(row.id)
            if one is None:
                one = known[row.id] = _Neighbour(row.id, row.respondent, row.code, row.sealed, None)
            self._on[row.phone_hash].append(one)

    def housemates(self, hashes: Sequence[str], but_not: int | None) -> list[Housemate]:
        """The other clients of the sample on these numbers (in order of rank), with their names."""
        found: dict[int, Housemate] = {}
        for rank, phone_hash in enumerate(hashes):
            for one in self._on.get(phone_hash, ()):
                if id(one) in found or (but_not is not None and one.case_id == but_not):
                    continue
                names = self._names(one)
                if names is not None:
                    found[id(one)] = Housemate(one.respondent, rank, *names)
        return list(found.values())

    def codes(self, hashes: Sequence[str], but_not: int | None) -> set[str]:
        """The letters' codes of everybody else on these numbers, of any provider."""
        return {
            one.code
            for phone_hash in hashes
            for one in self._on.get(phone_hash, ())
            if but_not is None or one.case_id != but_not
        }

    def keep(self, case_id: int | None, respondent: str, contact: Contact, hashes: Sequence[str], code: str) -> None:
        """From now on this client has these numbers and this code. case_id: None when it is new."""
        if case_id is not None:
            for there in self._on.values():
                there[:] = [one for one in there if one.case_id != case_id]
        one = _Neighbour(case_id, respondent, code, None, (contact.first_name, contact.last_name))
        for phone_hash in hashes:
            self._on[phone_hash].append(one)

    def _names(self, one: _Neighbour) -> tuple[str, str] | None:
        if one.names is None and one.sealed is not None:
            contact = opened(self._sealer, one.sealed)
            one.names = contact.first_name, contact.last_name
        return one.names
