"""Frozen questionnaires: what was asked stays readable, whatever becomes of the files in `config/`.

A version is frozen when it is first used. The same version with another text is a mistake of whoever edited
it, and is refused: answers given to one wording must never be counted under another.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ivr.errors import NotFoundError, RefusedError
from ivr.store.session import Database, Session
from ivr.store.tables import questionnaires
from ivr.survey.questionnaire import Questionnaire, from_mapping, to_mapping

_KNOWN: WeakKeyDictionary[sa.Dialect, dict[tuple[str, int], Questionnaire]] = WeakKeyDictionary()
"""What was loaded already, by database (each has a dialect object of its own). A frozen version never changes,
and each webhook needs one."""


def freeze(session: Session, questionnaire: Questionnaire, now: datetime) -> None:
    """Keep this version; harmless when it is kept already.

    RefusedError (`changed_questionnaire`) when the version is kept with another content.
    """
    body = to_mapping(questionnaire)
    digest = _digest(body)
    insert = sqlite.insert if session.dialect.name == "sqlite" else postgresql.insert
    session.execute(
        insert(questionnaires)
        .values(id=questionnaire.id, version=questionnaire.version, sha256=digest, body=body, frozen_at=now)
        .on_conflict_do_nothing()
    )
    kept = session.execute(
        sa.select(questionnaires.c.sha256).where(
            questionnaires.c.id == questionnaire.id, questionnaires.c.version == questionnaire.version
        )
    ).scalar_one()
    if kept != digest:
        raise RefusedError(
            f"Questionnaire {questionnaire.id} version {questionnaire.version} was changed after it was used. "
            "Give the changed questionnaire a new version number.",
            code="changed_questionnaire",
        )


def known(database: Database, id: str, version: int) -> Questionnaire | None:
    """The frozen questionnaire if `load` has read it before in this process; asks nothing of the database."""
    return _KNOWN.get(database.engine.dialect, {}).get((id, version))


def load(session: Session, id: str, version: int) -> Questionnaire:
    """The frozen questionnaire. NotFoundError when this version was never used."""
    known = _KNOWN.setdefault(session.dialect, {})
    if (questionnaire := known.get((id, version))) is not None:
        return questionnaire
    body = session.execute(
        sa.select(questionnaires.c.body).where(questionnaires.c.id == id, questionnaires.c.version == version)
    ).scalar_one_or_none()
    if body is None:
        raise NotFoundError(f"Questionnaire {id} version {version} was never used here.")
    return known.setdefault((id, version), from_mapping(body))


def _digest(body: object) -> str:
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
