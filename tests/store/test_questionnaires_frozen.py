"""Frozen questionnaires: a version that was used never changes and can always be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from ivr.catalogue import load_catalogue
from ivr.errors import NotFoundError, RefusedError
from ivr.settings import ROOT
from ivr.store import Database, questionnaires, tables

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
BOTH = load_catalogue(ROOT / "config").questionnaires


@pytest.mark.parametrize("id", sorted(BOTH))
def test_a_frozen_questionnaire_comes_back_as_it_was(database: Database, id: str) -> None:
    with database.write() as session:
        questionnaires.freeze(session, BOTH[id], NOON)
    with database.read() as session:
        assert questionnaires.load(session, id, BOTH[id].version) == BOTH[id]


def test_freezing_again_changes_nothing(database: Database) -> None:
    with database.write() as session:
        questionnaires.freeze(session, BOTH["inburgering"], NOON)
        questionnaires.freeze(session, BOTH["inburgering"], NOON + timedelta(days=1))
        (row,) = session.execute(sa.select(tables.questionnaires)).all()
    assert row.frozen_at == NOON


def test_the_same_version_with_other_words_is_refused(database: Database) -> None:
    first = BOTH["inburgering"]
    changed = replace(first, questions=(replace(first.questions[0], text="Iets heel anders?"), *first.questions[1:]))
    with database.write() as session:
        questionnaires.freeze(session, first, NOON)
    with database.write() as session, pytest.raises(RefusedError, match="new version"):
        questionnaires.freeze(session, changed, NOON)
    with database.write() as session:
        questionnaires.freeze(session, replace(changed, version=first.version + 1), NOON)
        assert questionnaires.load(session, first.id, first.version) == first
        assert questionnaires.load(session, first.id, first.version + 1).questions[0].text == "Iets heel anders?"


def test_a_version_that_was_never_used_is_not_found(database: Database) -> None:
    with database.read() as session, pytest.raises(NotFoundError):
        questionnaires.load(session, "inburgering", 99)


def test_what_one_database_knows_another_does_not(database: Database, tmp_path_factory: pytest.TempPathFactory) -> None:
    with database.write() as session:
        questionnaires.freeze(session, BOTH["inburgering"], NOON)
        questionnaires.load(session, "inburgering", BOTH["inburgering"].version)
    other = Database(f"sqlite:///{tmp_path_factory.mktemp('other') / 'other.db'}")
    with other.write() as session:
        tables.metadata.create_all(session)
        with pytest.raises(NotFoundError):
            questionnaires.load(session, "inburgering", BOTH["inburgering"].version)
    other.dispose()
