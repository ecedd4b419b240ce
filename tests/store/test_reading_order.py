"""What the exports read: ordered for merging, in the same bytes on both databases, without test calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ivr.store import Database, reading, tallies
from tests.exports.exporting import NOON, Room


def test_interviews_and_their_answers_come_in_one_order(database: Database) -> None:
    with database.write() as session:
        room = Room(session)
        sample = room.sample("Alfa")
        for _ in range(40):
            room.interview(room.case(sample), {"LD_FREQ": "3", "LD_C_INFO": "tevreden", "LD_CIJFER": "8"})
    with database.read() as session:
        reading.begin_snapshot(session)
        ids = [row[0] for row in reading.stream_interviews(session, None, None)]
        joined = list(reading.stream_responses(session, None, None, with_moments=True))
    answers = [(row[0], question) for row in joined for question in row[1].split(reading.JOINT)]
    assert ids == sorted(ids)
    assert answers == sorted(answers)
    assert [row[0] for row in joined] == ids
    parts = [part.split(reading.JOINT) for part in joined[0][1:]]
    assert parts[:3] == [["LD_CIJFER", "LD_C_INFO", "LD_FREQ"], ["8", "tevreden", "3"], ["web"] * 3]
    assert [at[:19] for at in parts[3]] == ["2026-01-15T12:00:00"] * 3


def test_moments_are_utc_text_cut_to_seconds(database: Database) -> None:
    with database.write() as session:
        room = Room(session)
        at = datetime(2026, 3, 31, 23, 59, 59, 999_999, tzinfo=UTC)
        room.interview(room.case(room.sample("Alfa")), {"LD_CIJFER": "8"}, at=at, ended_at=None)
    with database.read() as session:
        (row,) = reading.stream_interviews(session, None, None)
        (answer,) = reading.stream_responses(session, None, None, with_moments=True)
    assert row[7:9] == ("2026-03-31T23:59:59Z", None)
    assert answer[4][:19] == "2026-03-31T23:59:59", "what writes it cuts the fraction off"


def test_answers_of_a_test_call_are_never_read(database: Database) -> None:
    with database.write() as session:
        room = Room(session)
        sample = room.sample("Alfa")
        case = room.case(sample)
        interview = room.interview(case, {"LD_CIJFER": "1"})
        room.attempt(case, is_test=True, interview_id=interview)
    with database.read() as session:
        assert list(reading.stream_interviews(session, None, None)) == []
        assert list(reading.stream_responses(session, None, None, with_moments=True)) == []
        assert list(reading.stream_attempts(session, None, None)) == []
        assert list(tallies.answers(session, [sample], [])) == []
        assert [row[8:] for row in tallies.records(session, [sample])] == [(0, 1)]


def test_only_the_first_usable_questionnaire_of_a_person_is_counted(database: Database) -> None:
    with database.write() as session:
        room = Room(session)
        sample = room.sample("Alfa")
        case = room.case(sample)
        room.interview(case, {"LD_CIJFER": "2"}, usable=False, at=NOON - timedelta(days=2))
        room.interview(case, {"LD_CIJFER": "8"}, mode="web", at=NOON)
        room.interview(case, {"LD_CIJFER": "5"}, mode="telephone", at=NOON + timedelta(days=1))
        out = room.case(sample, exclusion="not_sampled")
        room.interview(out, {"LD_CIJFER": "1"})
    with database.read() as session:
        counted = list(tallies.answers(session, [sample], ["undeliverable"]))
        forms = list(tallies.questionnaires(session, [sample], ["undeliverable"]))
    assert counted == [(sample, "client", 5, "LD_CIJFER", "8", 1)]
    assert [row[-1] for row in forms] == [1]


def test_a_call_that_rang_reached_its_person(database: Database) -> None:
    with database.write() as session:
        room = Room(session)
        sample = room.sample("Alfa")
        for values in (
            {"rang": True},
            {"outcome": "answering_machine"},
            {"outcome": "busy"},
            {"rang": True, "is_test": True},
        ):
            room.attempt(room.case(sample, route="telephone"), **values)
    with database.read() as session:
        reached = {row[7]: row[-1] for row in tallies.records(session, [sample])}
    assert reached == {1: 2, 0: 2}


def test_the_mailing_tool_gets_who_has_not_answered(database: Database) -> None:
    with database.write() as session:
        room = Room(session)
        sample = room.sample("Alfa")
        waiting = room.case(sample)
        room.interview(room.case(sample), {"LD_CIJFER": "8"})
        room.case(sample, route="telephone")
        room.case(sample, exclusion="not_sampled")
        room.case(sample, disposition="never_call_again")
    with database.read() as session:
        assert [row[0] for row in reading.stream_regular_route(session, [sample])] == [waiting]
