"""The mail stage: makes what is due, once, and sends what waits.

Decides how a mail comes exactly once: the day's or week's *round* is claimed by one row in the transaction that fills
the outbox; a mail is taken in hand by its state, committed, and only then given to the server. Whoever is killed in
between leaves a mail of which nobody knows whether it went out: that one is not sent again by itself (`ivr mail again`
does), as an attempt of which nobody knows is not dialled again. A server that is away costs a wait, never a mail.

Runs in the upkeep worker, so that a slow server holds up no call. What is said: `noticing.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ivr.catalogue import Catalogue
from ivr.errors import MailError, TryLaterError, UnknownMailError
from ivr.fieldwork import following, noticing, outlook, working
from ivr.fieldwork.noticing import Letter, Rules, Words
from ivr.fieldwork.working import Rulebook
from ivr.logs import get_logger
from ivr.mail import Post
from ivr.settings import Settings
from ivr.store import Database, boards, mails, users
from ivr.store.users import User
from ivr.survey.scoring import rules_from_mapping

log = get_logger(__name__)

STAFF, PROVIDER = "staff", "provider"
ENOUGH_PUT_OFF = 3
LOST_AFTER = timedelta(minutes=10)
"""A mail in hand for so long has no sender any more: one try takes a minute at most."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the stage works with. `url`: where the pages are. `minimum_n`: fewer people on a list show no count."""

    database: Database
    rulebook: Rulebook
    rules: Rules
    words: Words
    url: str
    consent_only: bool
    minimum_n: int

    @classmethod
    def from_settings(cls, database: Database, catalogue: Catalogue, settings: Settings) -> Desk:
        """With the rules and words of `config/mail/`. ConfigurationError when those do not hold together."""
        folder = settings.config_dir / "mail"
        return cls(
            database=database,
            rulebook=catalogue,
            rules=noticing.load_rules(folder),
            words=noticing.load_words(folder),
            url=settings.public_base_url.rstrip("/"),
            consent_only=settings.dial_requires == "consent",
            minimum_n=rules_from_mapping(catalogue.scoring).minimum_n,
        )


@dataclass(frozen=True, slots=True)
class Addressed:
    """A mail and for whom it is."""

    to: User
    letter: Letter


def is_due(database: Database, rules: Rules, now: datetime) -> bool:
    """Whether there is anything to make or to send; two or three rows are looked at."""
    with database.read() as session:
        is_to_make = any(not mails.is_made(session, kind, span) for kind, span in _spans(rules, now))
        return is_to_make or bool(mails.waiting(session, now))


def run(desk: Desk, post: Post, now: datetime) -> dict[str, int]:
    """Make what is due and send what waits. How many were made, sent, put off, given up, unknown."""
    done = {"made": 0, "sent": 0, "later": 0, "given_up": 0, "unknown": 0}
    for kind, span in _spans(desk.rules, now):
        done["made"] += _make(desk, kind, span, now)
    with desk.database.write() as session:
        done["unknown"] += mails.lose(session, now - LOST_AFTER, now)
        mails.forget(session, now - desk.rules.keep)
        ids = mails.waiting(session, now)
    if done["unknown"]:
        log.warning("mail_interrupted", mails=done["unknown"])
    put_off = 0
    for mail_id in ids:
        if (end := _send(desk, post, mail_id, now)) is not None:
            done[end] += 1
            put_off = put_off + 1 if end == "later" else 0
        if put_off == ENOUGH_PUT_OFF:
            break  # the server is away: the others need not each find that out by a time-out
    if any(done.values()):
        log.info("mail", **done)
    return done


def preview(desk: Desk, kind: str, now: datetime) -> list[Addressed]:
    """What would go out now, were it due; nothing is kept or sent."""
    return _staff(desk, now) if kind == STAFF else _providers(desk, now)


def _spans(rules: Rules, now: datetime) -> list[tuple[str, str]]:
    due = ((STAFF, noticing.staff_span(rules, now)), (PROVIDER, noticing.provider_span(rules, now)))
    return [(kind, span) for kind, span in due if span is not None]


def _make(desk: Desk, kind: str, span: str, now: datetime) -> int:
    with desk.database.read() as session:
        if mails.is_made(session, kind, span):
            return 0
    # Read outside the transaction that claims: it looks at every person, and writers must not wait for it.
    made = preview(desk, kind, now)
    with desk.database.write() as session:
        if not mails.claim_round(session, kind, span, now, len(made)):
            return 0
        for one in made:
            mails.add(session, kind, span, one.to.id, one.letter.subject, one.letter.body, now)
    return len(made)


def _staff(desk: Desk, now: datetime) -> list[Addressed]:
    rules = desk.rules
    bounds = working.bounds_at(desk.rulebook.fieldwork, now, consent_only=desk.consent_only)
    with desk.database.read() as session:
        people = [one for one in _readers(session) if one.role in rules.staff_roles]
        if not people:
            return []
        cells = outlook.by_attention(boards.cell_rows(session, now - timedelta(hours=1), bounds))
        traffic = boards.traffic(session, now)
        calls = mails.last_calls(session)
        lately = mails.outcomes_between(session, now - rules.recent, now)
        earlier = mails.outcomes_between(session, now - rules.recent - rules.before, now - rules.recent)
    letter = noticing.staff_letter(
        rules,
        desk.words,
        now,
        desk.url,
        cells,
        calls,
        noticing.Line(traffic.down, traffic.down_until),
        noticing.refusals_jump(rules, lately, earlier),
    )
    return [Addressed(one, letter) for one in people] if letter is not None else []


def _providers(desk: Desk, now: datetime) -> list[Addressed]:
    with desk.database.read() as session:
        people = [one for one in _readers(session) if one.role == "provider" and one.wants_mail]
        successes = mails.last_successes(session) if people else {}
    letters: dict[int, Letter | None] = {}
    for one in people:
        assert one.provider_id is not None  # the table's CHECK
        assert one.provider is not None
        if one.provider_id not in letters:
            stands = following.stands(desk.database, one.provider_id, now, desk.minimum_n)
            letters[one.provider_id] = noticing.provider_letter(
                desk.rules, desk.words, following.midnight(now), desk.url, one.provider, stands, successes
            )
    found = ((one, letters[one.provider_id]) for one in people if one.provider_id is not None)
    return [Addressed(one, letter) for one, letter in found if letter is not None]


def _readers(session: mails.Session) -> list[User]:
    """Accounts whose owner took the invitation up: an address that nobody ever answered from gets no mail."""
    return [one for one in users.all_users(session) if one.is_active and one.has_password and not one.is_demo]


def _send(desk: Desk, post: Post, mail_id: int, now: datetime) -> str | None:
    with desk.database.write() as session:
        mail = mails.claim(session, mail_id, now)
    if mail is None:
        return None
    try:
        post.send(mail.to, mail.subject, mail.body, name=f"toets-{mail.kind}-{mail.span}-{mail.id}", at=now)
    except MailError as error:
        return _failed(desk, mail, error, now)
    except OSError as error:  # files that cannot be written
        return _failed(desk, mail, TryLaterError(type(error).__name__), now)
    with desk.database.write() as session:
        mails.settle(session, mail.id, "sent", now)
    return "sent"


def _failed(desk: Desk, mail: mails.Mail, error: MailError, now: datetime) -> str:
    is_late = now - mail.made_at >= desk.rules.give_up
    if isinstance(error, UnknownMailError):
        state = end = "unknown"
    elif isinstance(error, TryLaterError) and not is_late:
        state, end = "waiting", "later"
    else:
        state = end = "given_up"
    wait = noticing.next_wait(desk.rules, mail.tries)
    with desk.database.write() as session:
        mails.settle(session, mail.id, state, now, error=error.message, not_before=now + wait)
    log.warning("mail_failed", mail_id=mail.id, state=state, tries=mail.tries, error=error.message)
    return end
