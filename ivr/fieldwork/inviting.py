"""Stage: who gets a letter or SMS, with which code, link and words (`ivr links export`).

Decides what a link is and how long it works. A link is made from the key and a random salt in the store, so the same
link can be written out again (a reminder, a lost file) although only its keyed hash is kept; `renew` gives everyone
another one and shuts the old ones. It works until `valid_days` after it was last written out (or after an announcement
that is still to come): whoever gets a letter can use it. Nobody's name, number or client number is in a link.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from ivr.catalogue import Catalogue
from ivr.fieldwork.link_kit import LinkKit, filled
from ivr.store import Database, Session, events, links, people
from ivr.store.links import Invitee
from ivr.store.samples import Sample
from ivr.store.sealing import Sealer
from ivr.survey.callplan import ZONE, local_date
from ivr.survey.dutch import written_out
from ivr.survey.phone_text import national

Kind = Literal["letter", "sms", "missed"]

COLUMNS = (
    "clientnummer",
    "voornaam",
    "achternaam",
    "straat",
    "huisnummer",
    "postcode",
    "plaats",
    "email",
    "telefoon",
    "code",
    "link",
    "geldig_tot",
    "soort",
    "tekst",
)

_ALPHABET = "abcdefghjkmnpqrstvwxyz23456789"
"""No i, l, o, u, 0 or 1: a link must survive being copied from paper."""
_SIGNS = 28
"""log2(30) × 28 = 137 bits."""
_GROUP = 4
_READ_AS = str.maketrans({"i": "j", "l": "j", "1": "j", "o": "q", "0": "q", "u": "v"})
_MOBILE = "+316"
_IN_VAIN = frozenset({"no_answer", "busy", "answering_machine", "no_interaction", "technical"})


@dataclass(frozen=True, slots=True)
class Address:
    """Where people reach us: base of links, the number that calls, the number of a human."""

    base_url: str
    from_number: str
    help_number: str


@dataclass(frozen=True, slots=True)
class Invited:
    """The rows of the file, and what became of the links.

    unreached: left out, no mobile number for an SMS. told_before: left out, an earlier file for missed calls had them.
    """

    rows: Sequence[tuple[str, ...]]
    made: int
    kept: int
    renewed: int
    unreached: int
    told_before: int


def invite(
    database: Database,
    sealer: Sealer,
    catalogue: Catalogue,
    kit: LinkKit,
    address: Address,
    sample: Sample,
    kind: Kind,
    now: datetime,
    *,
    renew: bool = False,
    again: bool = False,
) -> Invited:
    """Make what links are missing and fill everyone's text.

    kind: letter (everyone), sms (who has a mobile number), missed (of those the ones rung in vain, once each unless
    `again`). Committed when this returns.
    """
    rows: list[tuple[str, ...]] = []
    made = kept = renewed = unreached = told_before = 0
    with database.write() as session:
        everyone = list(links.invitees(session, sealer, sample.id))
        if kind == "missed":
            rung = links.rung_in_vain(session, sample.id, _IN_VAIN)
            in_vain = [one for one in everyone if one.case_id in rung]
            everyone = [one for one in in_vain if again or not _was_told(one)]
            told_before = len(in_vain) - len(everyone)
        for one in everyone:
            phone = _phone(one, kind)
            if kind != "letter" and not phone:
                unreached += 1
                continue
            token, expires_at = _link(session, sealer, kit, one, now, renew=renew)
            made, kept = made + (one.link is None), kept + (one.link is not None and not renew)
            renewed += one.link is not None and renew
            rows.append(_row(catalogue, kit, address, sample, kind, one, phone, token, expires_at))
        if kind == "missed":
            told = [one.case_id for one in everyone if _phone(one, kind)]
            links.note_missed(session, told, now)
    return Invited(rows, made, kept, renewed, unreached, told_before)


@dataclass(frozen=True, slots=True)
class PersonalLink:
    """A person's own way to the spoken questions, and the last day on which it works."""

    url: str
    valid_until: date


def link_for(
    database: Database, sealer: Sealer, kit: LinkKit, base_url: str, case_id: int, now: datetime, *, who: str
) -> PersonalLink | None:
    """The link of one person, made when there is none, for staff who pass it on; written in the audit log.

    None when the person gets no letter either: answered already, refused, or taken no part in. NotFoundError.
    """
    with database.write() as session:
        place = people.person(session, case_id)[1]
        everyone = links.invitees(session, sealer, place.sample_id)
        one = next((one for one in everyone if one.case_id == case_id), None)
        if one is None:
            return None
        token, expires_at = _link(session, sealer, kit, one, now, renew=False)
        events.write_audit(session, now, who=who, what="case_link", subject=f"case {case_id}", cell=place.cell_id)
    return PersonalLink(f"{base_url.rstrip('/')}/v/{token}", _last_day(expires_at))


def services_of(database: Database, sample_id: int) -> frozenset[int]:
    """The services of a sample's clients: they decide which questionnaires its pages must be able to say."""
    with database.read() as session:
        return links.services_of(session, sample_id)


def token_hash(sealer: Sealer, token: str) -> str:
    """How a link stands in the store; capitals, dashes and look-alike signs of a copied link do not matter."""
    plain = "".join(sign for sign in token.lower() if sign.isalnum())[: _SIGNS + 1]
    return sealer.hash("link", plain.translate(_READ_AS))


def _token(sealer: Sealer, case_id: int, salt: str) -> str:
    number = int(sealer.hash("link token", f"{case_id}:{salt}"), 16)
    signs: list[str] = []
    for _ in range(_SIGNS):
        number, sign = divmod(number, len(_ALPHABET))
        signs.append(_ALPHABET[sign])
    return "-".join("".join(signs[start : start + _GROUP]) for start in range(0, _SIGNS, _GROUP))


def _link(
    session: Session, sealer: Sealer, kit: LinkKit, one: Invitee, now: datetime, *, renew: bool
) -> tuple[str, datetime]:
    """The person's token and until when it works."""
    since = max(one.announced_on or date.min, local_date(now))
    end = datetime.combine(since + timedelta(days=kit.valid_days + 1), time(), ZONE)
    link = None if renew else one.link
    if link is None:
        salt = secrets.token_hex(16)
        token = _token(sealer, one.case_id, salt)
        links.put(session, one.case_id, token_hash=token_hash(sealer, token), salt=salt, expires_at=end, now=now)
        return token, end
    if end > link.expires_at:
        links.extend(session, one.case_id, end)
    return _token(sealer, one.case_id, link.salt), max(end, link.expires_at)


def _last_day(expires_at: datetime) -> date:
    return (expires_at.astimezone(ZONE) - timedelta(minutes=1)).date()


def _was_told(one: Invitee) -> bool:
    return one.link is not None and one.link.missed_at is not None


def _phone(one: Invitee, kind: Kind) -> str:
    """The number for the file: of an SMS the first mobile one, else the first."""
    phones = one.contact.phones
    if kind != "letter":
        phones = tuple(phone for phone in phones if phone.startswith(_MOBILE))
    return phones[0] if phones else ""


def _row(
    catalogue: Catalogue,
    kit: LinkKit,
    address: Address,
    sample: Sample,
    kind: Kind,
    one: Invitee,
    phone: str,
    token: str,
    expires_at: datetime,
) -> tuple[str, ...]:
    contact = one.contact
    base = address.base_url.rstrip("/")
    last_day = _last_day(expires_at)
    name = " ".join(part for part in (contact.first_name, contact.last_name) if part)
    # Whoever is not called must not be told that a computer will call.
    letter = {"letter": "brief", "sms": "sms", "missed": "gemist"}[kind]
    if not one.is_called:
        letter = {"brief": "brief_web", "sms": "sms_web"}.get(letter, letter)
    values = {
        "naam": name or "meneer of mevrouw",
        "dienstverlener": sample.provider,
        "minuten": str(catalogue.questionnaires[kit.questionnaire_for(one.service)].minutes),
        "code": one.code,
        "link": f"{base}/v/{token}",
        "echt": f"{base}/echt",
        "bellernummer": national(address.from_number),
        "telefoonnummer": address.help_number,
        "geldig_tot": written_out(last_day),
    }
    return (
        one.respondent,
        contact.first_name,
        contact.last_name,
        contact.street,
        contact.house_number,
        contact.postcode,
        contact.town,
        contact.email,
        national(phone) if phone else "",
        one.code if one.is_called else "",
        values["link"],
        last_day.isoformat(),
        letter,
        filled(letter, kit.letters[letter], values),
    )
