"""How many rows of a delivered list were rejected, and why: counts, for the account of the fieldwork.

A file is known by its digest: the same one again replaces its counts, a corrected one adds its own. Nothing is kept of
the rows themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from ivr.store.session import Session
from ivr.store.tables_providers import rejections


def keep(session: Session, sample_id: int, group: str, file: str, counts: Mapping[str, int]) -> None:
    """Keep how many rows of this file were rejected with which code. group: client or commissioner."""
    of_file = {"sample_id": sample_id, "respondent_group": group, "file": file}
    session.execute(sa.delete(rejections).where(*(rejections.c[name] == value for name, value in of_file.items())))
    rows = [{**of_file, "code": code, "rows": count} for code, count in sorted(counts.items())]
    if rows:
        session.execute(sa.insert(rejections), rows)


def counts(session: Session, sample_ids: list[int]) -> Iterator[tuple[Any, ...]]:
    """(sample_id, group, code, rows) over all files of these samples."""
    columns = (rejections.c.sample_id, rejections.c.respondent_group, rejections.c.code)
    statement = sa.select(*columns, sa.func.sum(rejections.c.rows)).group_by(*columns).order_by(*columns)
    for row in session.execute(statement.where(rejections.c.sample_id.in_(sample_ids))):
        yield (*row[:3], int(row[3]))
