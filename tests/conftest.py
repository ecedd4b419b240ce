"""Fixtures that every room's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.store import Database
from ivr.store.tables import metadata


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database with the current schema."""
    database = Database(f"sqlite:///{tmp_path / 'toets.db'}")
    with database.write() as session:
        metadata.create_all(session)
    yield database
    database.dispose()
