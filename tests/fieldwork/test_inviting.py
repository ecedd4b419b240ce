"""Letters and links: who gets one, that it stays good, what it says, and when a missed call is followed up."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from ivr.errors import ConfigurationError
from ivr.fieldwork import inviting, page_voicing
from ivr.fieldwork.inviting import COLUMNS, Address
from ivr.fieldwork.link_kit import filled, load_kit
from ivr.fieldwork.voicing import Wording
from ivr.settings import ROOT
from ivr.store import Database, links, prompts, samples, tables
from ivr.store.samples import Contact
from ivr.survey.dutch import written_out
from tests.fieldwork.spoken_visit import KIT, SEALER, WALL, knock
from tests.fieldwork.test_voicing import Hummer
from tests.fieldwork.voiced_order import CATALOGUE, NOON, VoicedOrder

ADDRESS = Address("https://toets.example/", "+31850012345", "088 765 43 21")
GSM7 = re.compile(r"[A-Za-z0-9 \n@£$¥èéùìòÇØøÅå_^{}\[~\]|€ÆæßÉ!\"#¤%&'()*+,\-./:;<=>?¡ÄÖÑÜ§¿äöñüà]*")
MOBILE, LANDLINE = "+31612345678", "+31201234567"


@pytest.fixture
def order(sqlite_database: Database) -> VoicedOrder:
    return VoicedOrder(sqlite_database)


def person(order: VoicedOrder, *phones: str, name: str = "Amina", **more: object) -> int:
    case_id = order.person(**more)  # type: ignore[arg-type]
    contact = Contact(first_name=name, last_name="de Vries", phones=phones or (MOBILE,), street="Laan", town="Ede")
    with order.database.write() as session:
        sealed = SEALER.seal(contact.to_mapping())
        session.execute(tables.contacts.insert().values(case_id=case_id, sealed=sealed))
    return case_id


def sample_of(order: VoicedOrder):
    with order.database.read() as session:
        return samples.sample_by_id(session, order.sample_id)


def invite(order: VoicedOrder, kind: str = "letter", *, now=NOON, **more: bool):
    told = (SEALER, CATALOGUE, KIT, ADDRESS, sample_of(order), kind, now)
    return inviting.invite(order.database, *told, **more)  # type: ignore[arg-type]


def rows(done: inviting.Invited) -> list[dict[str, str]]:
    return [dict(zip(COLUMNS, row, strict=True)) for row in done.rows]


def token_of(row: dict[str, str]) -> str:
    return row["link"].rsplit("/", 1)[-1]


# -- links ------------------------------------------------------------------------------------------------------


def test_a_link_opens_its_persons_door_and_holds_nothing_of_them(order: VoicedOrder) -> None:
    case_id = person(order, code="4711")
    (row,) = rows(invite(order))
    visitor = knock(order.database, token_of(row))
    assert isinstance(visitor, links.Visitor)
    assert visitor.case_id == case_id
    assert re.fullmatch(r"https://toets\.example/v(/[a-z2-9]{4})(-[a-z2-9]{4}){6}", row["link"])
    assert not any(part in row["link"] for part in (row["clientnummer"].lower(), "4711", "amina", MOBILE[3:]))


def test_a_link_written_out_again_is_the_same_and_lives_longer(order: VoicedOrder) -> None:
    person(order)
    (first,) = rows(invite(order))
    later = NOON + timedelta(days=30)
    done = invite(order, now=later)
    (second,) = rows(done)
    assert (done.made, done.kept) == (0, 1)
    assert first["link"] == second["link"]
    assert first["geldig_tot"] < second["geldig_tot"]
    assert f"tot en met {written_out(date.fromisoformat(first['geldig_tot']))}." in first["tekst"]
    assert written_out(date(2027, 1, 22)) == "22 januari 2027"
    assert not isinstance(knock(order.database, token_of(first), now=later + timedelta(days=KIT.valid_days)), str)
    assert knock(order.database, token_of(first), now=later + timedelta(days=KIT.valid_days + 2)) == "unknown"


def test_a_renewed_link_shuts_the_old_one(order: VoicedOrder) -> None:
    person(order)
    (old,) = rows(invite(order))
    done = invite(order, renew=True)
    (new,) = rows(done)
    assert done.renewed == 1
    assert knock(order.database, token_of(old)) == "unknown"
    assert not isinstance(knock(order.database, token_of(new)), str)


def test_the_store_keeps_no_link_only_a_keyed_hash(order: VoicedOrder) -> None:
    person(order)
    (row,) = rows(invite(order))
    with order.database.read() as session:
        kept = " ".join(str(value) for value in session.execute(sa.text("SELECT * FROM links")).one())
    plain = token_of(row).replace("-", "")
    assert token_of(row) not in kept
    assert plain not in kept


def test_links_of_many_people_differ_and_use_the_whole_alphabet() -> None:
    made = {inviting._token(SEALER, case_id, "salt") for case_id in range(500)}
    assert len(made) == 500
    assert set("".join(made)) - {"-"} == set(inviting._ALPHABET)


# -- who --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "why",
    [
        {"disposition": "refusal", "is_final": True},
        {"disposition": "opted_out", "is_final": True},
        {"disposition": "withdrawn", "is_final": True},
        {"exclusion": "duplicate"},
        {"cell_id": None, "questionnaire": "regulier", "service": 5},
        {"respondent_group": "commissioner", "respondent": "O1"},
    ],
    ids=lambda why: str(next(iter(why.values()))),
)
def test_who_must_not_be_written_to_gets_no_link(order: VoicedOrder, why: dict[str, object]) -> None:
    person(order, **why)
    assert invite(order).rows == []


def test_whoever_answered_gets_no_further_letter(order: VoicedOrder) -> None:
    case_id = person(order)
    with order.database.write() as session:
        values = {"case_id": case_id, "questionnaire": "inburgering", "version": 1, "mode": "post", "usable": True}
        session.execute(tables.interviews.insert().values(id="a" * 32, started_at=NOON, **values))
    assert invite(order).rows == []


def test_whoever_is_not_called_is_not_told_of_a_call(order: VoicedOrder) -> None:
    person(order, cell_id=None, learning_profile=4)
    (row,) = rows(invite(order))
    assert (row["soort"], row["code"]) == ("brief_web", "")
    assert "bellen u" not in row["tekst"]
    (sms,) = rows(invite(order, "sms"))
    assert sms["soort"] == "sms_web"
    assert "belt" not in sms["tekst"]


def test_an_sms_goes_to_the_mobile_number_and_to_nobody_without_one(order: VoicedOrder) -> None:
    person(order, LANDLINE, MOBILE)
    person(order, LANDLINE, name="Bo")
    done = invite(order, "sms")
    assert [row["telefoon"] for row in rows(done)] == ["06 12345678"]
    assert done.unreached == 1


def test_rung_in_vain_is_told_once(order: VoicedOrder) -> None:
    def attempt(case_id: int, outcome: str, **more: object) -> None:
        line = order.call(case_id, state="closed", outcome=outcome, rang=True, ended_at=NOON, holds_slot=False, **more)
        assert line.attempt_id
        with order.database.write() as session:
            session.execute(tables.cases.update().where(tables.cases.c.id == case_id).values(is_busy=False))

    vain, spoken = person(order), person(order, name="Bo", phone="hash-2")
    person(order, name="Cas", phone="hash-3")  # never called
    attempt(vain, "no_answer")
    attempt(vain, "answering_machine")
    attempt(spoken, "no_answer", phone="hash-2")
    attempt(spoken, "hung_up_introduction", phone="hash-2")
    (row,) = rows(invite(order, "missed"))
    assert (row["voornaam"], row["soort"]) == ("Amina", "gemist")
    assert "Wij belden u" in row["tekst"]
    assert row["code"] in row["tekst"]
    second = invite(order, "missed")
    assert (second.rows, second.told_before) == ([], 1)
    assert len(invite(order, "missed", again=True).rows) == 1


# -- texts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(KIT.letters))
def test_every_text_gives_a_link_a_number_and_says_how_to_refuse(name: str) -> None:
    text = KIT.letters[name]
    for wanted in ("{link}", "{telefoonnummer}", "{echt}"):
        assert wanted in text
    if name in ("brief", "sms", "gemist"):
        assert "{code}" in text
        assert "{bellernummer}" in text
        assert re.search(r"(gebeld worden|[Nn]iet (meer )?bellen)\?", text), "how never to be called"
    if name.startswith("brief"):
        assert "geen gevolgen" in text
        assert "niets te doen" in text


@pytest.mark.parametrize("name", sorted(KIT.letters))
def test_every_sentence_of_a_text_is_short(name: str) -> None:
    for sentence in re.split(r"(?<=[.?!:])\s+", re.sub(r"\{\w+\}", "X", KIT.letters[name])):
        assert len(sentence.split()) <= 12, sentence


@pytest.mark.parametrize("kind", ["sms", "missed"])
def test_an_sms_names_no_school_and_fits_in_two_messages(order: VoicedOrder, kind: str) -> None:
    case_id = person(order)
    if kind == "missed":
        order.call(case_id, state="closed", outcome="busy", rang=True, ended_at=NOON, holds_slot=False)
        with order.database.write() as session:
            session.execute(tables.cases.update().values(is_busy=False))
    (row,) = rows(invite(order, kind))
    assert GSM7.fullmatch(row["tekst"])
    assert len(row["tekst"]) <= 2 * 153
    assert "Taal & Werk" not in row["tekst"]
    assert "Amina" not in row["tekst"]


def test_the_letter_is_filled_and_a_name_with_braces_stays_a_name(order: VoicedOrder) -> None:
    person(order, name="{code}", code="4711")
    (row,) = rows(invite(order))
    assert row["tekst"].startswith("Beste {code} de Vries,")
    for words in ("Taal & Werk", "Uw code is: 4711", row["link"], "085 001 2345", "https://toets.example/echt"):
        assert words in row["tekst"]


def test_an_unknown_placeholder_in_a_letter_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="naaam"):
        filled("brief", "Beste {naaam}", {"naam": "x"})


def test_a_kit_that_lacks_a_letter_or_a_number_is_refused(tmp_path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "links.toml").write_text((ROOT / "config" / "links.toml").read_text("utf-8"))
    with pytest.raises(ConfigurationError, match="brief"):
        load_kit(tmp_path)
    (tmp_path / "links.toml").write_text("[links]\nvalid_days = 0\n")
    with pytest.raises(ConfigurationError, match="valid_days"):
        load_kit(tmp_path)


# -- sounds -----------------------------------------------------------------------------------------------------


def test_every_question_and_answer_of_the_page_gets_its_sound_normal_and_slow(order: VoicedOrder, tmp_path) -> None:
    wording = Wording("088 765 43 21", "blikopwerk.nl", tmp_path)

    def voice(engine: Hummer) -> page_voicing.VoicedPages:
        told = (CATALOGUE, KIT, engine, wording, sample_of(order), [11], NOON)
        return page_voicing.voice_pages(order.database, *told)

    engine = Hummer()
    done = voice(engine)
    questionnaire = CATALOGUE.questionnaires["inburgering"]
    person(order)
    visitor = knock(order.database, token_of(rows(invite(order))[0]), wall=WALL)
    assert isinstance(visitor, links.Visitor)
    ids = [f"{question.id}.text" for question in questionnaire.questions]
    ids += [f"{question.id}.{option.key}" for question in questionnaire.questions for option in question.options]
    ids += [*(f"INB_CIJFER.{grade}" for grade in range(1, 11)), "page_start", "about", "INB_LES.remark"]
    with order.database.read() as session:
        sounds = links.sounds_of(session, visitor, "inburgering", questionnaire.version, ids)
        assert set(sounds) == {(id, slow) for id in ids for slow in (False, True)}
        assert prompts.text(session, sounds["INB_LES.1", False]) == "Altijd: druk op 1."
        assert prompts.text(session, sounds["INB_PRAAT.text", False]).startswith("Is er op school iemand")
    assert done.rendered == done.prompts
    again = voice(spare := Hummer())
    assert (again.rendered, spare.asked) == (0, [])
