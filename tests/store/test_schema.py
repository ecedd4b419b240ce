"""The migrations make what tables.py says, on both databases, and take it away again."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from ivr.store import Database, schema
from ivr.store.tables import metadata


def test_migrations_make_exactly_the_tables(database: Database) -> None:
    with database.read() as session:
        context = MigrationContext.configure(session, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
        assert schema.is_current(database)


def test_upgrade_of_a_current_database_changes_nothing(database: Database) -> None:
    assert schema.upgrade(database) == schema.head()


def test_downgrade_takes_everything_away_and_upgrade_brings_it_back(database: Database) -> None:
    assert schema.downgrade(database, "base") == ""
    with database.read() as session:
        assert set(sa.inspect(session).get_table_names()) <= {"alembic_version"}
    assert not schema.is_current(database)
    schema.upgrade(database)
    assert schema.is_current(database)


def test_answers_and_turns_survive_being_laid_anew(database: Database) -> None:
    with database.write() as session:
        for statement in (
            "INSERT INTO providers (id, name, name_key) VALUES (1, 'A', 'a')",
            "INSERT INTO samples (id, provider_id, period_from, period_to) VALUES (1, 1, '2026-01-01', '2026-12-31')",
            "INSERT INTO cases (id, sample_id, respondent_group, respondent, service, questionnaire, code, route,"
            " created_at) VALUES (1, 1, 'client', 'C1', 1, 'laagdrempelig', '1234', 'telephone', '2026-01-01')",
            "INSERT INTO interviews (id, case_id, questionnaire, version, mode, started_at)"
            " VALUES ('i', 1, 'laagdrempelig', 1, 'telephone', '2026-01-01')",
            "INSERT INTO attempts (id, case_id, number_in_case, state, planned_at, not_before, not_after)"
            " VALUES ('a', 1, 1, 'closed', '2026-01-01', '2026-01-01', '2026-01-02')",
            "INSERT INTO responses VALUES ('i', 'LD_CIJFER', '8', 'telephone', '2026-01-01 10:00:00.123456')",
            "INSERT INTO turns VALUES ('a', 3, 'key', '{}', '2026-01-01 10:00:00.123456')",
        ):
            session.exec_driver_sql(statement)

    def rows() -> list[tuple[object, ...]]:
        with database.read() as session:
            tables = ("responses", "turns")
            return [tuple(row) for name in tables for row in session.exec_driver_sql(f"SELECT * FROM {name}")]

    before = rows()
    assert len(before) == 2
    schema.downgrade(database, "0006")
    assert rows() == before
    schema.upgrade(database)
    assert rows() == before


def test_a_database_made_by_the_migrations_lays_its_answers_by_key_as_the_tables_say(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL has no such choice")
    with database.read() as session:
        made = dict(session.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'table'").all())
    by_key = {table.name for table in metadata.tables.values() if not table.dialect_options["sqlite"]["with_rowid"]}
    assert by_key == {"responses", "turns"}
    assert {name for name, statement in made.items() if "WITHOUT ROWID" in statement} == by_key


def test_two_open_calls_to_one_telephone_are_refused_by_the_database_itself(database: Database) -> None:
    names = {index["name"] for index in sa.inspect(database.engine).get_indexes("attempts")}
    assert {"uq_attempts_open_case", "uq_attempts_open_phone"} <= names


def test_a_cell_above_its_capacity_is_refused_by_the_database_itself(database: Database) -> None:
    with database.write() as session:
        session.exec_driver_sql("INSERT INTO providers (id, name, name_key) VALUES (1, 'A', 'a')")
        session.exec_driver_sql(
            "INSERT INTO samples (id, provider_id, period_from, period_to) VALUES (1, 1, '2026-01-01', '2026-12-31')"
        )
        session.exec_driver_sql(
            "INSERT INTO orders (id, sample_id, track, interviews, created_at)"
            " VALUES (1, 1, 'inburgering', 1, '2026-01-01')"
        )
        session.exec_driver_sql(
            "INSERT INTO cells (order_id, sample_id, track, target, capacity, in_flight)"
            " VALUES (1, 1, 'inburgering', 1, 1, 1)"
        )
    with pytest.raises(sa.exc.IntegrityError), database.write() as session:
        session.exec_driver_sql("UPDATE cells SET in_flight = 2")
