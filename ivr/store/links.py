"""Links to the spoken questions: who gets one, whose one is, and which sounds its pages play.

Decides which links open a door: not expired, fieldwork not closed, nothing withdrawn; an unknown link and a link that
opens nothing (any more) are one answer of one query. Who is invited, and for how long, is `fieldwork/inviting.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ivr.store.samples import Contact
from ivr.store.sealing import Sealer
from ivr.store.session import Session
from ivr.store.tables import attempts, cases, cells, contacts, interviews, order_prompts, providers, samples
from ivr.store.tables_accounts import throttles
from ivr.store.tables_links import links, page_prompts

_CHUNK = 400
_CLOSED = ("withdrawn", "deceased")
_CAN_LISTEN = (
    cases.c.respondent_group == "client",
    sa.or_(cases.c.cell_id.is_not(None), cases.c.questionnaire.in_(("laagdrempelig", "inburgering"))),
)
_NOT_INVITED = ("refusal", "never_call_again", "opted_out", "complaint", *_CLOSED)


@dataclass(frozen=True, slots=True)
class Link:
    """A person's link. `missed_at`: when a missed-call SMS was last written out."""

    case_id: int
    salt: str
    expires_at: datetime
    missed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever came in by a link, as far as a page needs to know; nothing of the person."""

    case_id: int
    sample_id: int
    cell_id: int | None
    order_id: int | None
    provider: str
    service: int


@dataclass(frozen=True, slots=True)
class Invitee:
    """Somebody who may get a letter or SMS. `link` is None for whoever has none yet."""

    case_id: int
    respondent: str
    service: int
    is_called: bool
    code: str
    announced_on: date | None
    contact: Contact
    link: Link | None


def find(session: Session, token_hash: str, now: datetime) -> Visitor | None:
    """Whose link this is, if it opens the door now."""
    row = session.execute(
        sa.select(
            cases.c.id,
            cases.c.sample_id,
            cases.c.cell_id,
            cells.c.order_id,
            providers.c.name,
            sa.func.coalesce(cases.c.service, 0),
        )
        .select_from(
            links.join(cases, cases.c.id == links.c.case_id)
            .join(samples, samples.c.id == cases.c.sample_id)
            .join(providers, providers.c.id == samples.c.provider_id)
            .outerjoin(cells, cells.c.id == cases.c.cell_id)
        )
        .where(
            links.c.token_hash == token_hash,
            links.c.expires_at > now,
            sa.func.coalesce(cells.c.state, "open") != "closed",
            cases.c.disposition.not_in(_CLOSED),
        )
    ).one_or_none()
    return None if row is None else Visitor(*row)


def misses(session: Session, key: str) -> tuple[int, datetime] | None:
    """How often something was tried under this throttle, and since when. Counting is in `users.py`; this only looks."""
    row = session.execute(sa.select(throttles.c.tries, throttles.c.changed_at).where(throttles.c.key == key)).first()
    return None if row is None else (row.tries, row.changed_at)


def services_of(session: Session, sample_id: int) -> frozenset[int]:
    """The services of the sample's clients who can get a link."""
    rows = session.execute(
        sa.select(sa.func.coalesce(cases.c.service, 0)).where(cases.c.sample_id == sample_id, *_CAN_LISTEN).distinct()
    )
    return frozenset(rows.scalars())


def invitees(session: Session, sealer: Sealer, sample_id: int) -> Iterator[Invitee]:
    """The clients of a sample who can answer by a link and have not yet, in the order of their delivery.

    Those who are called, and of the others those who get a questionnaire that can be listened to. Nobody who
    answered usably by any mode, refused, opted out or is outside the net sample.
    """
    answered = sa.select(interviews.c.id).where(interviews.c.case_id == cases.c.id, interviews.c.usable.is_(True))
    columns = (
        cases.c.id,
        cases.c.respondent,
        sa.func.coalesce(cases.c.service, 0).label("service"),
        cases.c.cell_id,
        cases.c.code,
        cases.c.announced_on,
        contacts.c.sealed,
        *(links.c[name] for name in ("case_id", "salt", "expires_at", "missed_at")),
    )
    rows = session.execute(
        sa.select(*columns)
        .select_from(cases.join(contacts, contacts.c.case_id == cases.c.id).outerjoin(links))
        .where(
            cases.c.sample_id == sample_id,
            *_CAN_LISTEN,
            cases.c.exclusion.is_(None),
            cases.c.disposition.not_in(_NOT_INVITED),
            ~answered.exists(),
        )
        .order_by(cases.c.id)
    )
    for row in rows:
        link = None if row.salt is None else Link(row.id, row.salt, row.expires_at, row.missed_at)
        yield Invitee(
            case_id=row.id,
            respondent=row.respondent,
            service=row.service,
            is_called=row.cell_id is not None,
            code=row.code,
            announced_on=row.announced_on,
            contact=Contact.from_mapping(sealer.open(row.sealed)),
            link=link,
        )


def put(session: Session, case_id: int, *, token_hash: str, salt: str, expires_at: datetime, now: datetime) -> None:
    """Give a person this link; one that was there opens nothing any more."""
    insert = (postgresql.insert if session.dialect.name == "postgresql" else sqlite.insert)(links)
    row = {"case_id": case_id, "token_hash": token_hash, "salt": salt, "made_at": now, "expires_at": expires_at}
    changes = {name: insert.excluded[name] for name in row if name != "case_id"}
    session.execute(insert.values(row).on_conflict_do_update(index_elements=["case_id"], set_=changes))


def extend(session: Session, case_id: int, expires_at: datetime) -> None:
    """Let the person's link open the door until then."""
    session.execute(sa.update(links).where(links.c.case_id == case_id).values(expires_at=expires_at))


def note_missed(session: Session, case_ids: Iterable[int], now: datetime) -> None:
    """A missed-call SMS to these people has been written out."""
    wanted = list(case_ids)
    for start in range(0, len(wanted), _CHUNK):
        some = wanted[start : start + _CHUNK]
        session.execute(sa.update(links).where(links.c.case_id.in_(some)).values(missed_at=now))


def rung_in_vain(session: Session, sample_id: int, outcomes: Collection[str]) -> dict[int, datetime]:
    """Who was rung and never spoken to (all calls ended in one of `outcomes`), with the moment of the last call.

    Only people who may still be called, and who are in no call now.
    """
    ended = sa.func.max(attempts.c.ended_at)
    spoken = sa.func.sum(sa.case((attempts.c.outcome.in_(list(outcomes)), 0), else_=1))
    rows = session.execute(
        sa.select(attempts.c.case_id, ended)
        .join(cases, cases.c.id == attempts.c.case_id)
        .where(
            cases.c.sample_id == sample_id,
            cases.c.is_busy.is_(False),
            cases.c.is_final.is_(False),
            attempts.c.state == "closed",
            attempts.c.is_test.is_(False),
            attempts.c.rang.is_(True),
        )
        .group_by(attempts.c.case_id)
        .having(spoken == 0)
    )
    return {row[0]: row[1] for row in rows}


# -- sounds -----------------------------------------------------------------------------------------------------


def assign_sounds(
    session: Session, sample_id: int, questionnaire: str, version: int, sounds: Mapping[tuple[str, bool], str]
) -> None:
    """From now on the pages of this sample and questionnaire version play exactly these: (prompt, slow) → sha256."""
    where = (
        page_prompts.c.sample_id == sample_id,
        page_prompts.c.questionnaire == questionnaire,
        page_prompts.c.version == version,
    )
    session.execute(sa.delete(page_prompts).where(*where))
    fixed = {"sample_id": sample_id, "questionnaire": questionnaire, "version": version}
    rows = [{**fixed, "prompt": id, "is_slow": slow, "sha256": sha} for (id, slow), sha in sorted(sounds.items())]
    if rows:
        session.execute(sa.insert(page_prompts), rows)


def sounds_of(
    session: Session, visitor: Visitor, questionnaire: str, version: int, ids: Collection[str]
) -> dict[tuple[str, bool], str]:
    """(prompt, slow) → sha256 of those of `ids` that have been voiced: for the page, or else for the calls."""
    found: dict[tuple[str, bool], str] = {}
    for table, owner, id in (
        (order_prompts, order_prompts.c.order_id, visitor.order_id),
        (page_prompts, page_prompts.c.sample_id, visitor.sample_id),
    ):
        rows = session.execute(
            sa.select(table.c.prompt, table.c.is_slow, table.c.sha256).where(
                owner == id,
                table.c.questionnaire == questionnaire,
                table.c.version == version,
                table.c.prompt.in_(list(ids)),
            )
        )
        found.update({(row.prompt, bool(row.is_slow)): row.sha256 for row in rows})
    return found
