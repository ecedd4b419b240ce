"""`regular_route.csv`: whom the mailing tool must still reach. The only file with names and numbers.

Holds everyone on the regular route whom nothing excludes and of whom nothing usable was heard by any mode. A
number is written as people in the Netherlands read it (`06 12345678`): an E.164 number begins with `+`, which
would have to be disarmed, and a spreadsheet would turn the bare digits into a number without its zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ivr.errors import NotFoundError
from ivr.store import Session, reading
from ivr.store import samples as contacts
from ivr.store.reading import SampleRow
from ivr.store.sealing import Sealer
from ivr.survey.phone_text import national

HEADER = (
    "provider", "meetperiode_van", "meetperiode_tot", "groep", "nummer", "voornaam", "achternaam", "email", "telefoon",
    "telefoon2", "straat", "huisnummer", "postcode", "plaats", "dienst", "vragenlijst",
)  # fmt: skip


def rows(
    session: Session, sealer: Sealer, services: Mapping[int, str], samples: Sequence[SampleRow]
) -> Iterator[tuple]:
    """One row per person; someone whose contact data was erased is left out."""
    heads = {one.id: (one.provider, one.period_from.isoformat(), one.period_to.isoformat()) for one in samples}
    for case_id, sample_id, group, respondent, service, questionnaire in reading.stream_regular_route(
        session, [one.id for one in samples]
    ):
        try:
            person = contacts.contact(session, sealer, case_id)
        except NotFoundError:
            continue
        phones = [national(number) for number in person.phones[:2]] + ["", ""]
        yield (
            *heads[sample_id], {"client": "clienten", "commissioner": "opdrachtgevers"}[group], respondent,
            person.first_name, person.last_name, person.email, phones[0], phones[1], person.street,
            person.house_number, person.postcode, person.town, services.get(service, ""), questionnaire,
        )  # fmt: skip
