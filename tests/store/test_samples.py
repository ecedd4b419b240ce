"""Providers, samples, contacts."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from ivr.errors import NotFoundError
from ivr.store import Database, samples
from ivr.store.delivered_cases import add_case, letter_code, update_case
from ivr.store.neighbours import Neighbours
from ivr.store.sealing import Sealer

NOW = datetime(2026, 10, 5, 7, 0, tzinfo=UTC)
PERIOD = (date(2026, 1, 1), date(2026, 12, 31))
SEALER = Sealer(bytes(range(32)))


def keep(database: Database, respondent: str, *phones: str, code: str = "0001") -> int:
    with database.write() as session:
        sample = samples.ensure_sample(session, "Taalhuis", PERIOD)
        return add_case(
            session,
            SEALER,
            sample.id,
            "client",
            respondent,
            samples.Contact(first_name="Zoë", phones=phones),
            questionnaire="regulier",
            route="regular",
            code=code,
            created_at=NOW,
        )


def test_a_provider_is_known_in_any_case_and_spacing(database: Database) -> None:
    with database.write() as session:
        first = samples.ensure_sample(session, " Taalhuis  Noord ", PERIOD)
        assert samples.ensure_sample(session, "taalhuis noord", PERIOD) == first
        assert first.provider == "Taalhuis Noord"
        assert samples.sample_by_id(session, first.id) == first
        other = samples.ensure_sample(session, "Taalhuis Noord", (date(2025, 1, 1), date(2025, 12, 31)))
    assert other.id != first.id


def test_an_unknown_sample_is_told_with_what_to_do(database: Database) -> None:
    with database.read() as session, pytest.raises(NotFoundError, match="ivr sample import"):
        samples.get_sample(session, "Niemand", PERIOD)


def test_a_contact_opens_as_it_was_kept_and_can_be_replaced(database: Database) -> None:
    case_id = keep(database, "1", "+31612345678", "+31201234567")
    with database.write() as session:
        assert samples.contact(session, SEALER, case_id).phones == ("+31612345678", "+31201234567")
        assert [rank for rank, _, _ in samples.phone_hashes(session, case_id)] == [0, 1]
        update_case(session, SEALER, case_id, "client", samples.Contact(email="a@b.nl"))
        assert samples.contact(session, SEALER, case_id) == samples.Contact(email="a@b.nl")
        assert samples.phone_hashes(session, case_id) == []
        with pytest.raises(NotFoundError):
            samples.contact(session, SEALER, case_id + 1)


def test_a_letter_code_differs_from_all_on_the_number_and_is_kept_while_free(database: Database) -> None:
    first = keep(database, "1", "+31612345678", code="1111")
    with database.read() as session:
        sample = samples.get_sample(session, "Taalhuis", PERIOD)
        hashes = [samples.phone_hash(SEALER, "+31612345678")]
        around = Neighbours(session, SEALER, sample.id, ["1"], hashes)
    kept = letter_code(SEALER, "x", around.codes(hashes, but_not=None), "2222")
    other = letter_code(SEALER, "x", around.codes(hashes, but_not=None), "1111")
    own = letter_code(SEALER, "x", around.codes(hashes, but_not=first), "1111")
    assert (kept, own) == ("2222", "1111")
    assert other != "1111"
    assert len(other) == 4


def test_cases_are_found_by_number(database: Database) -> None:
    ids = [keep(database, str(n), "+31612345678") for n in range(2)]
    with database.read() as session:
        assert samples.cases_on_phone(session, [samples.phone_hash(SEALER, "+31612345678")]) == ids
        assert samples.cases_on_phone(session, [samples.phone_hash(SEALER, "+31612345679")]) == []
