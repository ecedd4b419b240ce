"""Fixtures that every room's tests share.

`database` runs a test twice, on SQLite and on PostgreSQL (marker `postgres`); `sqlite_database` once, for rooms in
which the database is not the question. Every test gets a database of its own, copied from a template.
"""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.store import Database, schema
from ivr.survey.disposition import Outcome, outcomes_from_mapping
from ivr.survey.fieldwork_rules import FieldworkRules, rules_from_mapping

sys.path.insert(0, str(Path(__file__).parent))  # helpers that tests share, such as postgres_server

CONFIG = Path(__file__).parent.parent / "config"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database at the current schema, to be copied."""
    path = tmp_path_factory.mktemp("template") / "toets.db"
    database = Database(f"sqlite:///{path}")
    schema.upgrade(database)
    with database.read() as session:
        session.exec_driver_sql("SELECT 1")
    database.dispose()
    assert not Path(f"{path}-wal").exists(), "the template is still open"
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[object]:
    """A PostgreSQL server for this session (with xdist: for this worker), with a template at the current schema."""
    from postgres_server import PostgresServer

    server = PostgresServer()
    try:
        server.administer("CREATE DATABASE toets_template")
        database = Database(server.url("toets_template"))
        try:
            schema.upgrade(database)
        finally:
            database.dispose()
        yield server
    finally:
        server.stop()


def _postgres_database(server: object) -> Iterator[Database]:
    name = server.fresh("toets_template")  # type: ignore[attr-defined]
    database = Database(server.url(name))  # type: ignore[attr-defined]
    yield database
    database.dispose()
    server.drop(name)  # type: ignore[attr-defined]


@pytest.fixture
def sqlite_database(tmp_path: Path, sqlite_template: Path) -> Iterator[Database]:
    """An empty SQLite database at the current schema."""
    path = tmp_path / "toets.db"
    shutil.copyfile(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    yield database
    database.dispose()


@pytest.fixture
def postgres_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty PostgreSQL database at the current schema. Mark tests that use it directly with `postgres`."""
    yield from _postgres_database(request.getfixturevalue("postgres_server"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> Database:
    """An empty database at the current schema; the test runs on each kind."""
    return request.getfixturevalue("sqlite_database" if request.param == "sqlite" else "postgres_database")


@pytest.fixture(scope="session")
def rules() -> FieldworkRules:
    """The rules of config/fieldwork.toml."""
    return rules_from_mapping(tomllib.loads((CONFIG / "fieldwork.toml").read_text("utf-8")))


@pytest.fixture(scope="session")
def outcomes() -> dict[str, Outcome]:
    """The outcomes of config/outcomes.toml."""
    return outcomes_from_mapping(tomllib.loads((CONFIG / "outcomes.toml").read_text("utf-8")))
