"""Prompt bytes by content, and which order plays which."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from ivr.errors import NotFoundError
from ivr.store import Database, Session, prompts
from ivr.store.tables import orders, providers, samples
from ivr.store.tables import prompts as prompts_table

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def an_order(session: Session, id: int = 1, track: str = "inburgering", services: list[int] | None = None) -> int:
    session.execute(sa.insert(providers).values(id=id, name=f"Aanbieder {id}", name_key=f"aanbieder {id}"))
    session.execute(
        sa.insert(samples).values(id=id, provider_id=id, period_from=date(2025, 1, 1), period_to=date(2025, 12, 31))
    )
    session.execute(
        sa.insert(orders).values(id=id, sample_id=id, track=track, interviews=25, created_at=NOW, services=services)
    )
    return id


def kept(session: Session, key: str, wav: bytes, text: str = "Ja.") -> str:
    name = hashlib.sha256(wav).hexdigest()
    prompts.keep(
        session,
        key=key,
        sha256=name,
        wav=wav,
        text=text,
        engine="espeak",
        is_slow=False,
        seconds=1.5,
        loudness=-20.0,
        now=NOW,
    )
    return name


def test_bytes_come_back_under_their_hash(database: Database) -> None:
    with database.write() as session:
        name = kept(session, "k1", b"geluid")
        assert prompts.wav(session, name) == b"geluid"
        assert prompts.text(session, name) == "Ja."
        assert prompts.renditions_of(session, ["k1", "k2"]) == {"k1": name}


def test_keeping_twice_changes_nothing_and_mends_damaged_bytes(database: Database) -> None:
    with database.write() as session:
        name = kept(session, "k1", b"geluid")
        session.execute(sa.update(prompts_table).values(wav=b"kapot"))
        assert kept(session, "k1", b"geluid") == name
        assert prompts.wav(session, name) == b"geluid"
        assert len(prompts.stored(session)) == 1


def test_two_keys_may_lead_to_the_same_bytes_and_a_key_may_move(database: Database) -> None:
    with database.write() as session:
        one = kept(session, "k1", b"een")
        kept(session, "k2", b"een")
        assert prompts.keys_by_name(session) == {one: ["k1", "k2"]}
        two = kept(session, "k2", b"twee")
        assert prompts.renditions_of(session, ["k1", "k2"]) == {"k1": one, "k2": two}


def test_unknown_names_are_not_found(database: Database) -> None:
    with database.read() as session:
        for ask in (prompts.wav, prompts.text):
            with pytest.raises(NotFoundError, match="ivr audio render"):
                ask(session, "0" * 64)
        with pytest.raises(NotFoundError, match="ivr order list"):
            prompts.voicing_order(session, 7)


def test_a_sentence_is_kept_once_and_never_replaced(database: Database) -> None:
    with database.write() as session:
        for original in (b"eerst", b"later"):
            prompts.keep_original(session, key="s", engine="gtts", text="Ja.", original=original, now=NOW)
        assert prompts.originals(session, ["s", "t"]) == {"s": b"eerst"}


def test_more_keys_than_one_statement_takes_are_looked_up(database: Database) -> None:
    with database.write() as session:
        names = {f"k{number}": kept(session, f"k{number}", b"%d" % number) for number in range(900)}
        assert prompts.renditions_of(session, names) == names


def test_an_order_plays_exactly_what_was_assigned_last(database: Database) -> None:
    with database.write() as session:
        order = an_order(session)
        one, two = kept(session, "k1", b"een"), kept(session, "k2", b"twee")
        prompts.assign(session, order, "inburgering", 1, {("greeting", False): one, ("oud", False): one})
        prompts.assign(session, order, "inburgering", 1, {("greeting", False): two, ("greeting", True): one})
        prompts.assign(session, order, "inburgering", 2, {("greeting", False): one})
        assert prompts.sounds_of(session, order, "inburgering", 1) == {
            ("greeting", False): two,
            ("greeting", True): one,
        }
        assert prompts.sounds_of(session, order, "laagdrempelig", 1) == {}
        assert prompts.voiced_versions(session, order) == {"inburgering": 2}
        assert prompts.seconds_of(session, [one, two, one]) == {one: 1.5, two: 1.5}


def test_only_orders_without_voice_are_unvoiced(database: Database) -> None:
    with database.write() as session:
        first, second = an_order(session, 1), an_order(session, 2, "purchased", [5, 9])
        assert prompts.unvoiced(session) == [first, second]
        prompts.mark_voiced(session, first, NOW)
        assert prompts.unvoiced(session) == [second]
        assert prompts.voicing_order(session, first).voiced_at == NOW
        assert prompts.voicing_order(session, second).services == frozenset({5, 9})
        assert [order.provider for order in prompts.voicing_orders(session)] == ["Aanbieder 1", "Aanbieder 2"]
        prompts.mark_voiced(session, first, None)
        assert prompts.unvoiced(session) == [first, second]
