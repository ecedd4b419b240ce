"""Cases as a delivered list brings them: found, added, updated, and set against others on the same number.

Keeps them and their sealed contacts; which rows get here, and with what values, is decided in
`fieldwork/intake.py` and `fieldwork/commissioners.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import sqlalchemy as sa

from ivr.store import events
from ivr.store.samples import Contact, phone_hash
from ivr.store.sealing import Sealer
from ivr.store.session import Session
from ivr.store.tables import case_phones, cases, contacts

Group = Literal["client", "commissioner"]


@dataclass(frozen=True, slots=True)
class StoredCase:
    """What an import must know of a case that is there already."""

    id: int
    route: str
    fingerprint: str | None
    cell_id: int | None
    code: str
    consent: str | None
    announced_on: date | None
    disposition: str
    is_final: bool
    exclusion: str | None
    dialled: int
    is_busy: bool

    @property
    def was_called(self) -> bool:
        """Whether a call was placed, or one is in the air."""
        return self.dialled > 0 or self.is_busy


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case to be added. hashes: of the numbers of `contact`, in order. values: further columns of `cases`."""

    respondent: str
    contact: Contact
    hashes: Sequence[str]
    values: Mapping[str, Any]


# Built once: a list of thousands of rows would otherwise spend its time on building the same statements.
_FIND = sa.select(*(cases.c[name] for name in StoredCase.__slots__)).where(
    cases.c.sample_id == sa.bindparam("sample"),
    cases.c.respondent_group == sa.bindparam("group"),
    cases.c.respondent == sa.bindparam("number"),
)
_FIND_ALL = sa.select(*(cases.c[name] for name in StoredCase.__slots__), cases.c.respondent).where(
    cases.c.sample_id == sa.bindparam("sample"),
    cases.c.respondent_group == sa.bindparam("group"),
    cases.c.respondent.in_(sa.bindparam("numbers", expanding=True)),
)
_ADD = sa.insert(cases).returning(cases.c.id, sort_by_parameter_order=True)
_ADD_CONTACT = sa.insert(contacts)
_ADD_PHONES = sa.insert(case_phones)


def find_case(session: Session, sample_id: int, group: Group, respondent: str) -> StoredCase | None:
    """The case of a respondent, or None."""
    row = session.execute(_FIND, {"sample": sample_id, "group": group, "number": respondent}).first()
    return StoredCase(*row) if row else None


def find_cases(session: Session, sample_id: int, group: Group, respondents: Collection[str]) -> dict[str, StoredCase]:
    """The cases of these respondents, as far as they are there, by respondent."""
    if not respondents:
        return {}
    rows = session.execute(_FIND_ALL, {"sample": sample_id, "group": group, "numbers": list(respondents)})
    return {respondent: StoredCase(*columns) for *columns, respondent in rows}


def add_case(
    session: Session, sealer: Sealer, sample_id: int, group: Group, respondent: str, contact: Contact, **values: Any
) -> int:
    """A new case with its contact; its id. `values` are further columns of `cases`."""
    hashes = [phone_hash(sealer, phone) for phone in contact.phones]
    return add_cases(session, sealer, sample_id, group, [NewCase(respondent, contact, hashes, values)])[0]


def add_cases(session: Session, sealer: Sealer, sample_id: int, group: Group, new: Sequence[NewCase]) -> Sequence[int]:
    """New cases with their contacts, in a few statements for all; their ids in the same order.

    All `values` must name the same columns.
    """
    if not new:
        return []
    ids = (
        session.execute(
            _ADD,
            [
                {"sample_id": sample_id, "respondent_group": group, "respondent": each.respondent, **each.values}
                for each in new
            ],
        )
        .scalars()
        .all()
    )
    _keep_contacts(
        session,
        sealer,
        [(id, each.contact, each.hashes if group == "client" else ()) for id, each in zip(ids, new, strict=True)],
    )
    return ids


def update_case(session: Session, sealer: Sealer, case_id: int, group: Group, contact: Contact, **values: Any) -> None:
    """Replace the contact of a case and these of its columns."""
    if values:
        session.execute(sa.update(cases).where(cases.c.id == case_id).values(**values))
    session.execute(sa.delete(contacts).where(contacts.c.case_id == case_id))
    session.execute(sa.delete(case_phones).where(case_phones.c.case_id == case_id))
    hashes = [phone_hash(sealer, phone) for phone in contact.phones] if group == "client" else ()
    _keep_contacts(session, sealer, [(case_id, contact, hashes)])


def withdraw_consent(session: Session, case_id: int) -> None:
    """A person who was called before now says no: no more calls. A call in the air ends by itself."""
    session.execute(sa.update(cases).where(cases.c.id == case_id).values(consent="nee", next_call_at=None))
    session.execute(
        sa.update(cases)
        .where(cases.c.id == case_id, cases.c.is_final.is_(sa.false()), cases.c.is_busy.is_(sa.false()))
        .values(disposition="withdrawn", is_final=True)
    )


def letter_code(sealer: Sealer, respondent_key: str, taken: Collection[str], kept: str = "") -> str:
    """Four digits that are not `taken`: by no other case, of any provider, on one of the person's numbers.

    `kept` is the code that a letter may carry already: it stays when it is still free. The code cannot be
    guessed without the key.
    """
    if kept and kept not in taken:
        return kept
    code = int(sealer.hash("letter code", respondent_key), 16) % 10_000
    for step in range(10_000):
        candidate = f"{(code + step * 7919) % 10_000:04d}"  # 7919 and 10 000 share no factor: every code is tried
        if candidate != "0000" and candidate not in taken:
            return candidate
    return f"{code:04d}"


def self_referred_emails(session: Session, sample_id: int) -> set[str]:
    """Hashes of the e-mail addresses of the clients who are their own commissioner (zelfmelders)."""
    query = sa.select(cases.c.email_hash).where(
        cases.c.sample_id == sample_id,
        cases.c.respondent_group == "client",
        cases.c.is_self_referred.is_(sa.true()),
        cases.c.email_hash.is_not(None),
    )
    return set(session.execute(query).scalars())


def take_self_referred_off(session: Session, sample_id: int) -> None:
    """Take zelfmelders off the commissioners' list, and put back those who are none (any more)."""
    self_referred = sa.select(cases.c.email_hash).where(
        cases.c.sample_id == sample_id,
        cases.c.respondent_group == "client",
        cases.c.is_self_referred.is_(sa.true()),
        cases.c.email_hash.is_not(None),
    )
    commissioner = sa.and_(cases.c.sample_id == sample_id, cases.c.respondent_group == "commissioner")
    session.execute(
        sa.update(cases)
        .where(commissioner, cases.c.exclusion.is_(None), cases.c.email_hash.in_(self_referred))
        .values(exclusion="self_referred")
    )
    session.execute(
        sa.update(cases)
        .where(commissioner, cases.c.exclusion == "self_referred", cases.c.email_hash.not_in(self_referred))
        .values(exclusion=None)
    )


def commissioners_on(
    session: Session, sealer: Sealer, sample_id: int, email_hash: str, but_not: int | None
) -> list[tuple[str, str]]:
    """(opdrachtgevernummer, name) of the other commissioners with this e-mail address."""
    query = (
        sa.select(cases.c.id, cases.c.respondent, contacts.c.sealed)
        .select_from(cases.join(contacts, contacts.c.case_id == cases.c.id))
        .where(
            cases.c.sample_id == sample_id,
            cases.c.respondent_group == "commissioner",
            cases.c.email_hash == email_hash,
        )
    )
    return [
        (row.respondent, sealer.open(row.sealed)["last_name"]) for row in session.execute(query) if row.id != but_not
    ]


def announce(
    session: Session, case_ids: Collection[int], announced_on: date, next_call_at: datetime | None, now: datetime
) -> None:
    """Set the day of the letter. `next_call_at` goes to cases that were not called and are not final.

    A case that waited too long and was given up (announcement_expired) begins afresh.
    """
    chosen = cases.c.id.in_(case_ids)
    session.execute(sa.update(cases).where(chosen).values(announced_on=announced_on))
    expired = sa.and_(chosen, cases.c.disposition == "announcement_expired")
    for case_id in session.execute(sa.select(cases.c.id).where(expired).with_for_update()).scalars().all():
        told = {"before": "announcement_expired", "after": "fresh", "by": "announced"}
        events.add(session, "disposition", now, case_id=case_id, **told)
    session.execute(sa.update(cases).where(expired).values(disposition="fresh", is_final=False))
    session.execute(
        sa.update(cases)
        .where(
            chosen,
            cases.c.cell_id.is_not(None),
            cases.c.is_final.is_(sa.false()),
            sa.or_(cases.c.dialled == 0, cases.c.next_call_at.is_(None)),
            cases.c.is_busy.is_(sa.false()),
        )
        .values(next_call_at=next_call_at)
    )


def _keep_contacts(session: Session, sealer: Sealer, of: Sequence[tuple[int, Contact, Sequence[str]]]) -> None:
    """Of each: case, contact, and the hashes of its numbers (none for a commissioner: nobody calls one)."""
    session.execute(
        _ADD_CONTACT,
        [{"case_id": case_id, "sealed": sealer.seal(contact.to_mapping())} for case_id, contact, _ in of],
    )
    phones = [
        {"case_id": case_id, "rank": rank, "phone_hash": each}
        for case_id, _, hashes in of
        for rank, each in enumerate(hashes)
    ]
    if phones:
        session.execute(_ADD_PHONES, phones)
