"""The machine files, the code book, the contacts file and how they reach their directory."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from ivr.errors import NotFoundError, UsageError
from ivr.exports.export import Request, export
from ivr.exports.files import Outbox, aside, harmless
from ivr.exports.machine import question_columns, write_answers
from ivr.store import Database, reading, tables
from ivr.store.samples import Contact
from ivr.store.sealing import Sealer
from tests.exports.exporting import NOON, Room, a_catalogue, machine, people

RESPONSES = (
    "interview_id,provider,period_from,period_to,group,service,questionnaire,questionnaire_version,mode,question,"
    "value,answered_at"
)
INTERVIEWS = (
    "interview_id,provider,period_from,period_to,group,service,questionnaire,questionnaire_version,mode,started_at,"
    "ended_at,disposition,usable,successful,"
)
ATTEMPTS = (
    "attempt_id,case_id,provider,period_from,period_to,number_in_case,planned_at,placed_at,ended_at,outcome,aapor,"
    "duration_seconds"
)
SEALER = Sealer(bytes(range(32)))


def fill(database: Database) -> dict[str, str]:
    """Two providers; one of them with a hostile name and a test call."""
    with database.write() as session:
        room = Room(session)
        first = room.sample("Alfa")
        second = room.sample("=cmd|' /C calc'!A0")
        a = room.case(first, service=11, questionnaire="inburgering", route="telephone")
        b = room.case(first)
        c = room.case(second, respondent_group="commissioner", service=None, questionnaire="opdrachtgever")
        ids = {
            "phone": room.interview(
                a,
                {"INB_LES": "altijd", "INB_CIJFER": "8"},
                questionnaire="inburgering",
                mode="telephone",
                successful=True,
            ),
            "web": room.interview(b, {"LD_C_INFO": "tevreden"}, usable=False, disposition="unusable"),
            "grid": room.interview(c, {"OG_CIJFER": "8.5", "OG_CIJFER_INFO": "7"}, questionnaire="opdrachtgever"),
            "test": room.interview(a, {"INB_LES": "nooit"}, questionnaire="inburgering"),
        }
        room.attempt(a, 1, outcome="no_answer")
        room.attempt(a, 2, outcome="complete", interview_id=ids["phone"], duration_seconds=240)
        room.attempt(a, 3, state="void", placed_at=None, outcome=None)
        room.attempt(a, 4, is_test=True, interview_id=ids["test"])
        room.attempt(a, 5, state="reserved", placed_at=None, ended_at=None, outcome=None)
        person = Contact(
            "Jansje", "=HYPERLINK(1)", ("+31612345678",), "j@example.org", "Dorpsweg", "1", "1234AB", "Ede"
        )
        for case in (a, b, c):
            session.execute(sa.insert(tables.contacts).values(case_id=case, sealed=SEALER.seal(person.to_mapping())))
    return ids


def test_machine_files_have_the_promised_columns(database: Database, tmp_path: Path) -> None:
    fill(database)
    export(database, a_catalogue(), tmp_path / "out", Request())
    heads = {
        name: (tmp_path / "out" / f"{name}.csv").read_text().split("\n")[0]
        for name in ("responses", "interviews", "attempts")
    }
    assert heads["responses"] == RESPONSES
    assert heads["attempts"] == ATTEMPTS
    assert heads["interviews"].startswith(INTERVIEWS)
    assert heads["interviews"].removeprefix(INTERVIEWS).split(",")[:4] == [
        "INB_LES", "INB_ZIEK", "INB_ZIEK_WAT", "INB_CIJFER",
    ]  # fmt: skip
    assert heads["interviews"].endswith("OG_KLACHT_OPL,OG_CIJFER_INFO")


def test_every_answer_stands_once_in_both_forms(database: Database, tmp_path: Path) -> None:
    ids = fill(database)
    export(database, a_catalogue(), tmp_path / "out", Request())
    long = machine(tmp_path / "out" / "responses.csv")
    assert sorted((row["interview_id"], row["question"], row["value"]) for row in long) == sorted(
        [
            (ids["phone"], "INB_LES", "altijd"),
            (ids["phone"], "INB_CIJFER", "8"),
            (ids["web"], "LD_C_INFO", "tevreden"),
            (ids["grid"], "OG_CIJFER", "8.5"),
            (ids["grid"], "OG_CIJFER_INFO", "7"),
        ]
    )
    wide = {row["interview_id"]: row for row in machine(tmp_path / "out" / "interviews.csv")}
    assert set(wide) == {ids["phone"], ids["web"], ids["grid"]}
    phone = wide[ids["phone"]]
    assert (phone["INB_CIJFER"], phone["LD_CIJFER"], phone["usable"], phone["successful"]) == ("8", "", "1", "1")
    assert (phone["started_at"], phone["ended_at"]) == ("2026-01-15T12:00:00Z", "2026-01-15T12:05:00Z")
    assert (wide[ids["web"]]["usable"], wide[ids["web"]]["disposition"]) == ("0", "unusable")
    assert wide[ids["grid"]]["service"] == ""


def test_calls_that_were_never_made_and_test_calls_stay_out(database: Database, tmp_path: Path) -> None:
    fill(database)
    export(database, a_catalogue(), tmp_path / "out", Request())
    rows = machine(tmp_path / "out" / "attempts.csv")
    assert [(row["number_in_case"], row["outcome"], row["aapor"]) for row in rows] == [
        ("1", "no_answer", "3.13"),
        ("2", "complete", "1.1"),
    ]


def test_the_same_data_gives_the_same_bytes(database: Database, tmp_path: Path) -> None:
    fill(database)
    for name in ("one", "two"):
        export(database, a_catalogue(), tmp_path / name, Request())
    first = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()}
    assert {"responses.csv", "manifest.json", "codebook.csv", "ledger.csv"} <= set(first)


def test_manifest_names_every_file_with_its_rows_and_digest(database: Database, tmp_path: Path) -> None:
    import hashlib

    fill(database)
    document = export(database, a_catalogue(), tmp_path / "out", Request())
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["schema_version"] == 1
    assert manifest["files"] == document["files"]
    on_disk = {path.name for path in (tmp_path / "out").iterdir()} - {"manifest.json"}
    assert {one["file"] for one in manifest["files"]} == on_disk
    for one in manifest["files"]:
        assert hashlib.sha256((tmp_path / "out" / one["file"]).read_bytes()).hexdigest() == one["sha256"]
    assert next(one["rows"] for one in manifest["files"] if one["file"] == "responses.csv") == 5


def test_names_and_numbers_stand_in_the_contacts_file_only(database: Database, tmp_path: Path) -> None:
    fill(database)
    export(database, a_catalogue(), tmp_path / "out", Request(with_contacts=True), SEALER)
    for path in (tmp_path / "out").iterdir():
        text = path.read_text(encoding="utf-8-sig")
        assert ("Jansje" in text) == (path.name == "regular_route.csv"), path.name
        assert "12345678" not in text.replace(" ", "") or path.name == "regular_route.csv"
    contacts = people(tmp_path / "out" / "regular_route.csv")
    assert (tmp_path / "out" / "regular_route.csv").stat().st_mode & 0o077 == 0
    assert [row["telefoon"] for row in contacts] == ["06 12345678"]
    assert contacts[0]["achternaam"] == "'=HYPERLINK(1)"


def test_an_export_without_contacts_takes_the_old_contacts_away(database: Database, tmp_path: Path) -> None:
    fill(database)
    out = tmp_path / "out"
    export(database, a_catalogue(), out, Request(with_contacts=True), SEALER)
    (out / "eigen notities.txt").write_text("blijft")
    export(database, a_catalogue(), out, Request())
    assert not (out / "regular_route.csv").exists()
    assert (out / "eigen notities.txt").read_text() == "blijft"
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")] == []


def test_a_failed_export_leaves_the_old_files_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with aside(out, {}) as outbox:
        outbox.machine("a.csv", ["x"], [[1]])
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def breaks():
        yield [2]
        raise RuntimeError("disk")

    with pytest.raises(RuntimeError), aside(out, {}) as outbox:
        outbox.machine("a.csv", ["x"], breaks())
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_provider_and_period_narrow_every_file(database: Database, tmp_path: Path) -> None:
    ids = fill(database)
    export(database, a_catalogue(), tmp_path / "out", Request(provider="alfa"))
    assert {row["interview_id"] for row in machine(tmp_path / "out" / "interviews.csv")} == {ids["phone"], ids["web"]}
    with pytest.raises(NotFoundError):
        export(database, a_catalogue(), tmp_path / "out", Request(provider="Beta"))
    with pytest.raises(UsageError):
        export(database, a_catalogue(), tmp_path / "out", Request(formats=("docx",)))


def test_a_second_usable_questionnaire_is_kept_and_marked(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        room = Room(session)
        case = room.case(room.sample("Alfa"))
        later = room.interview(case, {"LD_CIJFER": "2"}, mode="post", at=NOON + timedelta(days=1))
        first = room.interview(case, {"LD_CIJFER": "9"}, mode="web")
    export(database, a_catalogue(), tmp_path / "out", Request())
    assert machine(tmp_path / "out" / "superseded.csv") == [{"interview_id": later, "counted_interview_id": first}]
    assert len(machine(tmp_path / "out" / "interviews.csv")) == 2


def test_since_keeps_interviews_that_changed_later(database: Database, tmp_path: Path) -> None:
    fill(database)
    with database.write() as session:
        room = Room(session)
        later = room.interview(1, {"INB_LES": "vaak"}, questionnaire="inburgering", at=NOON + timedelta(days=3))
    export(database, a_catalogue(), tmp_path / "out", Request(since=datetime(2026, 1, 17, tzinfo=UTC)))
    assert [row["interview_id"] for row in machine(tmp_path / "out" / "interviews.csv")] == [later]
    assert [row["value"] for row in machine(tmp_path / "out" / "responses.csv")] == ["vaak"]


def test_every_column_and_code_stands_in_the_code_book(database: Database, tmp_path: Path) -> None:
    fill(database)
    export(database, a_catalogue(), tmp_path / "out", Request())
    book = machine(tmp_path / "out" / "codebook.csv")
    columns = {(row["file"], row["column"]) for row in book}
    for name in ("responses", "interviews", "attempts"):
        header = (tmp_path / "out" / f"{name}.csv").read_text().split("\n")[0].split(",")
        assert {(f"{name}.csv", column) for column in header} <= columns
    labels = {(row["questionnaire"], row["column"], row["value"]): row["label"] for row in book}
    assert labels["regulier", "LD_AANGERADEN", "ja"] == "Ja"


@pytest.mark.parametrize("text", ["=1+1", "+31", "-x", "@a", "\t=1", "\r=1", " =1", "＝1", "-", "-1+2"])
def test_a_cell_that_could_run_is_disarmed(text: str) -> None:
    assert harmless(text) == "'" + text


@pytest.mark.parametrize("text", ["Alfa", "-3", "0,5", "a=b", "", "'=1"])
def test_a_cell_that_cannot_run_is_left_alone(text: str) -> None:
    assert harmless(text) == text


def test_ids_never_look_like_a_number() -> None:
    from ivr.ids import new_id

    ids = {new_id() for _ in range(2000)}
    assert len(ids) == 2000
    assert not any(re.search(r"\d{7}", id) for id in ids)


def test_both_forms_hold_the_same_answers_whatever_was_asked(database: Database, tmp_path: Path) -> None:
    asked = ["LD_C_INFO", "LD_CIJFER", "LD_AANGERADEN", "LD_FREQ", "INB_LES", "INB_CIJFER", "OG_CIJFER"]
    hostile = ['a,"b"', "=1+1", "twee\nregels", "%s %", "é😀", ""]
    with database.write() as session:
        room = Room(session)
        sample = room.sample("Alfa")
        for number in range(2 ** len(asked)):
            questions = [id for bit, id in enumerate(asked) if number >> bit & 1]
            values = {id: hostile[(number + place) % 6] for place, id in enumerate(questions)}
            at = NOON + timedelta(seconds=number, milliseconds=250 * (number % 2))
            room.interview(room.case(sample), values, at=at)
    export(database, a_catalogue(), tmp_path / "out", Request())
    long = machine(tmp_path / "out" / "responses.csv")
    wide = machine(tmp_path / "out" / "interviews.csv")
    assert len(wide) == 2 ** len(asked)
    answers = {(row["interview_id"], id): row[id] for row in wide for id in asked if row[id]}
    assert {(row["interview_id"], row["question"]): row["value"] for row in long if row["value"]} == answers
    assert len(long) == len(asked) * 2 ** (len(asked) - 1)
    keys = [(row["interview_id"], row["question"].encode()) for row in long]
    assert keys == sorted(keys)
    began = {row["interview_id"]: row["started_at"] for row in wide}
    assert all(row["answered_at"] == began[row["interview_id"]] for row in long)


def test_the_wide_file_is_the_same_without_the_long_one(database: Database, tmp_path: Path) -> None:
    fill(database)
    with database.read() as session:
        samples = reading.find_samples(session)
        columns = question_columns({}, reading.question_ids(session, None))
        for name, with_long in (("both", True), ("wide", False)):
            (tmp_path / name).mkdir()
            write_answers(session, Outbox(tmp_path / name), samples, None, columns, None, with_long=with_long)
    assert (tmp_path / "both" / "interviews.csv").read_bytes() == (tmp_path / "wide" / "interviews.csv").read_bytes()
    assert not (tmp_path / "wide" / "responses.csv").exists()
