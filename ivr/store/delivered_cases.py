"""Cases as a delivered list brings them: found, added, updated, and set against others on the same number.

Keeps them and their sealed contacts; which rows get here, and with what values, is decided in
`fieldwork/intake.py` and `fieldwork/commissioners.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import sqlalchemy as sa

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
class Housemate:
    """Another case of the sample that has one of the numbers asked for. `rank` of the number asked for."""

    case_id: int
    respondent: str
    rank: int
    first_name: str
    last_name: str


# Built once: a list of thousands of rows would otherwise spend its time on building the same statements.
_FIND = sa.select(*(cases.c[name] for name in StoredCase.__slots__)).where(
    cases.c.sample_id == sa.bindparam("sample"),
    cases.c.respondent_group == sa.bindparam("group"),
    cases.c.respondent == sa.bindparam("number"),
)
_HOUSEMATES = (
    sa.select(cases.c.id, cases.c.respondent, case_phones.c.phone_hash, contacts.c.sealed)
    .select_from(case_phones.join(cases).join(contacts, contacts.c.case_id == cases.c.id))
    .where(
        case_phones.c.phone_hash.in_(sa.bindparam("hashes", expanding=True)),
        cases.c.sample_id == sa.bindparam("sample"),
        cases.c.respondent_group == "client",
    )
    .order_by(cases.c.id)
)
_CODES = (
    sa.select(cases.c.id, cases.c.code)
    .select_from(case_phones.join(cases))
    .where(case_phones.c.phone_hash.in_(sa.bindparam("hashes", expanding=True)))
)
_ADD = sa.insert(cases).returning(cases.c.id)
_ADD_CONTACT = sa.insert(contacts)
_ADD_PHONES = sa.insert(case_phones)


def find_case(session: Session, sample_id: int, group: Group, respondent: str) -> StoredCase | None:
    """The case of a respondent, or None."""
    row = session.execute(_FIND, {"sample": sample_id, "group": group, "number": respondent}).first()
    return StoredCase(*row) if row else None


def housemates(
    session: Session, sealer: Sealer, sample_id: int, phones: Sequence[str], but_not: int | None
) -> list[Housemate]:
    """The other clients of a sample that have one of `phones` (E.164, in order of rank), with their names."""
    if not phones:
        return []
    rank_of = {phone_hash(sealer, phone): rank for rank, phone in enumerate(phones)}
    found: dict[int, Housemate] = {}
    for row in session.execute(_HOUSEMATES, {"sample": sample_id, "hashes": list(rank_of)}):
        if row.id == but_not or row.id in found:
            continue
        contact = Contact.from_mapping(sealer.open(row.sealed))
        found[row.id] = Housemate(
            row.id, row.respondent, rank_of[row.phone_hash], contact.first_name, contact.last_name
        )
    return list(found.values())


def add_case(
    session: Session, sealer: Sealer, sample_id: int, group: Group, respondent: str, contact: Contact, **values: Any
) -> int:
    """A new case with its contact; its id. `values` are further columns of `cases`."""
    case_id = session.execute(
        _ADD, {"sample_id": sample_id, "respondent_group": group, "respondent": respondent, **values}
    ).scalar_one()
    _keep_contact(session, sealer, case_id, contact, is_client=group == "client")
    return case_id


def update_case(session: Session, sealer: Sealer, case_id: int, group: Group, contact: Contact, **values: Any) -> None:
    """Replace the contact of a case and these of its columns."""
    if values:
        session.execute(sa.update(cases).where(cases.c.id == case_id).values(**values))
    session.execute(sa.delete(contacts).where(contacts.c.case_id == case_id))
    session.execute(sa.delete(case_phones).where(case_phones.c.case_id == case_id))
    _keep_contact(session, sealer, case_id, contact, is_client=group == "client")


def withdraw_consent(session: Session, case_id: int) -> None:
    """A person who was called before now says no: no more calls. A call in the air ends by itself."""
    session.execute(sa.update(cases).where(cases.c.id == case_id).values(consent="nee", next_call_at=None))
    session.execute(
        sa.update(cases)
        .where(cases.c.id == case_id, cases.c.is_final.is_(sa.false()), cases.c.is_busy.is_(sa.false()))
        .values(disposition="withdrawn", is_final=True)
    )


def letter_code(
    session: Session, sealer: Sealer, respondent_key: str, phones: Sequence[str], but_not: int | None, kept: str = ""
) -> str:
    """Four digits that no other case, of any provider, on one of these numbers has.

    `kept` is the code that a letter may carry already: it stays when it is still free. The code cannot be
    guessed without the key.
    """
    taken: set[str] = set()
    if phones:
        hashes = [phone_hash(sealer, phone) for phone in phones]
        taken = {row.code for row in session.execute(_CODES, {"hashes": hashes}) if row.id != but_not}
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


def announce(session: Session, case_ids: Collection[int], announced_on: date, next_call_at: datetime | None) -> None:
    """Set the day of the letter. `next_call_at` goes to cases that were not called and are not final.

    A case that waited too long and was given up (announcement_expired) begins afresh.
    """
    chosen = cases.c.id.in_(case_ids)
    session.execute(sa.update(cases).where(chosen).values(announced_on=announced_on))
    session.execute(
        sa.update(cases)
        .where(chosen, cases.c.disposition == "announcement_expired")
        .values(disposition="fresh", is_final=False)
    )
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


def _keep_contact(session: Session, sealer: Sealer, case_id: int, contact: Contact, *, is_client: bool) -> None:
    session.execute(_ADD_CONTACT, {"case_id": case_id, "sealed": sealer.seal(contact.to_mapping())})
    if is_client and contact.phones:
        session.execute(
            _ADD_PHONES,
            [
                {"case_id": case_id, "rank": rank, "phone_hash": phone_hash(sealer, phone)}
                for rank, phone in enumerate(contact.phones)
            ],
        )
