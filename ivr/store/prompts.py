"""Prompt bytes and the sentences they were made of, by content; and which order hears which bytes.

Decides nothing: `fieldwork/voicing.py` says what is rendered and when an order may be dialled. Bytes live in the
database, so that every web host serves the same sound; a file is at most a cache of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ivr.errors import NotFoundError
from ivr.store.prepared import Prepared
from ivr.store.session import Session
from ivr.store.tables import order_prompts, orders, prompts, providers, renditions, samples, sounds

_MANY = 400
"""Values in one IN (…): SQLite's older builds take 999 parameters."""


@dataclass(frozen=True, slots=True)
class StoredPrompt:
    """A served prompt without its bytes. `seconds` of sound, `loudness` in LUFS, `size` in bytes."""

    sha256: str
    text: str
    engine: str
    is_slow: bool
    seconds: float
    loudness: float
    size: int


@dataclass(frozen=True, slots=True)
class VoicingOrder:
    """What voicing must know of an order. `services`: those that it was bought for; None: all."""

    id: int
    track: str
    provider: str
    services: frozenset[int] | None
    voiced_at: datetime | None


# -- bytes ------------------------------------------------------------------------------------------------------


def wav(session: Session, sha256: str) -> bytes:
    """The WAV with this name. NotFoundError if there is none."""
    found = session.execute(sa.select(prompts.c.wav).where(prompts.c.sha256 == sha256)).scalar_one_or_none()
    if found is None:
        raise NotFoundError(f"There is no prompt {sha256}. Run `ivr audio render --all`.")
    return bytes(found)


def text(session: Session, sha256: str) -> str:
    """What is said in the WAV with this name. NotFoundError if there is none."""
    found = session.execute(sa.select(prompts.c.text).where(prompts.c.sha256 == sha256)).scalar_one_or_none()
    if found is None:
        raise NotFoundError(f"There is no prompt {sha256}. Run `ivr audio render --all`.")
    return str(found)


def keep(
    session: Session,
    *,
    key: str,
    sha256: str,
    wav: bytes,
    text: str,
    engine: str,
    is_slow: bool,
    seconds: float,
    loudness: float,
    now: datetime,
) -> None:
    """Keep a checked rendition under its content address. Repeating it only mends damaged bytes."""
    row = {
        "sha256": sha256,
        "wav": wav,
        "text": text,
        "engine": engine,
        "is_slow": is_slow,
        "seconds": seconds,
        "loudness": loudness,
        "made_at": now,
    }
    session.execute(_upsert(session, prompts, row, ["sha256"], update=["wav"]))
    session.execute(_upsert(session, renditions, {"key": key, "sha256": sha256}, ["key"], update=["sha256"]))


def renditions_of(session: Session, keys: Iterable[str]) -> dict[str, str]:
    """Those of the rendition keys that have been rendered → sha256."""
    found: dict[str, str] = {}
    for some in _chunks(list(keys)):
        rows = session.execute(sa.select(renditions.c.key, renditions.c.sha256).where(renditions.c.key.in_(some)))
        found.update((row.key, row.sha256) for row in rows)
    return found


def originals(session: Session, keys: Iterable[str]) -> dict[str, bytes]:
    """Those of the sentences that an engine has spoken before: key → its sound file."""
    found: dict[str, bytes] = {}
    for some in _chunks(list(keys)):
        rows = session.execute(sa.select(sounds.c.key, sounds.c.original).where(sounds.c.key.in_(some)))
        found.update((row.key, bytes(row.original)) for row in rows)
    return found


def keep_original(session: Session, *, key: str, engine: str, text: str, original: bytes, now: datetime) -> None:
    """Keep what an engine gave for a sentence, so that it is never asked again."""
    row = {"key": key, "engine": engine, "text": text, "original": original, "made_at": now}
    session.execute(_upsert(session, sounds, row, ["key"], update=[]))


# -- orders -----------------------------------------------------------------------------------------------------


def sounds_of(session: Session, order_id: int, questionnaire_id: str, version: int) -> dict[tuple[str, bool], str]:
    """(prompt id, slow) → sha256 of the WAV that this order's calls play. Empty when it was not voiced for it."""
    rows = session.execute(
        sa.select(order_prompts.c.prompt, order_prompts.c.is_slow, order_prompts.c.sha256).where(
            order_prompts.c.order_id == order_id,
            order_prompts.c.questionnaire == questionnaire_id,
            order_prompts.c.version == version,
        )
    )
    return {(row.prompt, bool(row.is_slow)): row.sha256 for row in rows}


_VOICED = Prepared(
    sa.select(order_prompts.c.questionnaire, order_prompts.c.version)
    .where(order_prompts.c.order_id == sa.bindparam("order"))
    .distinct()
)


def voiced_versions(session: Session, order_id: int) -> dict[str, int]:
    """Questionnaire id → the newest version that the order's prompts were rendered for."""
    return dict(pair for pair in sorted(_VOICED.rows(session, {"order": order_id})))


def all_voiced_versions(session: Session, order_id: int | None = None) -> set[tuple[int, str, int]]:
    """(order, questionnaire, version) of everything that prompts were assigned for, of one order or of all."""
    table = order_prompts.c
    query = sa.select(table.order_id, table.questionnaire, table.version).distinct()
    if order_id is not None:
        query = query.where(table.order_id == order_id)
    return {(row.order_id, row.questionnaire, row.version) for row in session.execute(query)}


def assign(
    session: Session,
    order_id: int,
    questionnaire_id: str,
    version: int,
    wanted: Mapping[tuple[str, bool], str],
) -> None:
    """From now on the order's calls with this version play exactly these prompts."""
    session.execute(
        sa.delete(order_prompts).where(
            order_prompts.c.order_id == order_id,
            order_prompts.c.questionnaire == questionnaire_id,
            order_prompts.c.version == version,
        )
    )
    rows = [
        {
            "order_id": order_id,
            "questionnaire": questionnaire_id,
            "version": version,
            "prompt": prompt,
            "is_slow": is_slow,
            "sha256": sha256,
        }
        for (prompt, is_slow), sha256 in sorted(wanted.items())
    ]
    if rows:
        session.execute(sa.insert(order_prompts), rows)


def mark_voiced(session: Session, order_id: int, now: datetime | None) -> None:
    """Open the gate of an order, or shut it (None)."""
    session.execute(sa.update(orders).where(orders.c.id == order_id).values(voiced_at=now))


def voicing_order(session: Session, order_id: int) -> VoicingOrder:
    """What voicing must know of this order. NotFoundError if there is no such order."""
    row = session.execute(_voicing_orders().where(orders.c.id == order_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no order {order_id}. `ivr order list` shows them.")
    return _voicing_order(row)


def voicing_orders(session: Session) -> list[VoicingOrder]:
    """The same of all orders, oldest first."""
    return [_voicing_order(row) for row in session.execute(_voicing_orders().order_by(orders.c.id))]


def _voicing_orders() -> sa.Select[Any, Any, Any, Any, Any]:
    columns = (orders.c.id, orders.c.track, orders.c.services, orders.c.voiced_at, providers.c.name)
    joined = orders.join(samples, samples.c.id == orders.c.sample_id)
    return sa.select(*columns).select_from(joined.join(providers, providers.c.id == samples.c.provider_id))


def _voicing_order(row: sa.Row[Any, Any, Any, Any, Any]) -> VoicingOrder:
    services = None if row.services is None else frozenset(int(service) for service in row.services)
    return VoicingOrder(row.id, row.track, row.name, services, row.voiced_at)


def unvoiced(session: Session) -> list[int]:
    """Orders that may not be dialled yet, oldest first."""
    return list(
        session.execute(sa.select(orders.c.id).where(orders.c.voiced_at.is_(None)).order_by(orders.c.id)).scalars()
    )


# -- listening --------------------------------------------------------------------------------------------------


def stored(session: Session, names: Iterable[str] | None = None) -> list[StoredPrompt]:
    """Every prompt that is kept, by its name; or those of these names."""
    columns = (prompts.c.sha256, prompts.c.text, prompts.c.engine, prompts.c.is_slow, prompts.c.seconds)
    size = sa.func.length(prompts.c.wav).label("size")
    query = sa.select(*columns, prompts.c.loudness, size).order_by(prompts.c.sha256)
    if names is None:
        return [StoredPrompt(*row) for row in session.execute(query)]
    parts = (query.where(prompts.c.sha256.in_(some)) for some in _chunks(sorted(set(names))))
    return [StoredPrompt(*row) for part in parts for row in session.execute(part)]


def in_use(session: Session) -> list[tuple[int, str, int, str, bool, str]]:
    """(order, questionnaire, version, prompt, slow, sha256) of everything that calls may play."""
    table = order_prompts.c
    rows = session.execute(
        sa.select(
            table.order_id, table.questionnaire, table.version, table.prompt, table.is_slow, table.sha256
        ).order_by(table.order_id, table.questionnaire, table.version, table.prompt, table.is_slow)
    )
    return [(r.order_id, r.questionnaire, r.version, r.prompt, bool(r.is_slow), r.sha256) for r in rows]


def keys_by_name(session: Session) -> dict[str, list[str]]:
    """sha256 → the rendition keys that lead to it."""
    found: dict[str, list[str]] = {}
    for row in session.execute(sa.select(renditions.c.key, renditions.c.sha256).order_by(renditions.c.key)):
        found.setdefault(row.sha256, []).append(row.key)
    return found


def seconds_of(session: Session, names: Iterable[str]) -> dict[str, float]:
    """sha256 → seconds of sound."""
    found: dict[str, float] = {}
    for some in _chunks(sorted(set(names))):
        rows = session.execute(sa.select(prompts.c.sha256, prompts.c.seconds).where(prompts.c.sha256.in_(some)))
        found.update((row.sha256, row.seconds) for row in rows)
    return found


def _chunks(values: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(values), _MANY):
        yield values[start : start + _MANY]


def _upsert(session: Session, table: sa.Table, row: Mapping[str, object], key: list[str], *, update: list[str]):
    insert = postgresql.insert if session.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(**row)
    if update:
        return statement.on_conflict_do_update(
            index_elements=key, set_={name: statement.excluded[name] for name in update}
        )
    return statement.on_conflict_do_nothing(index_elements=key)
