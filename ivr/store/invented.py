"""Fills an empty database with invented interviews, for measuring only. Nothing here resembles a person.

Goes around the stages on purpose: a million interviews through the door would take hours, and what is measured is
the way out. Rows are made in the order of their ids, like an archive that grew.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa

from ivr.store.session import Session
from ivr.store.tables import cases, interviews, providers, responses, samples

BATCH = 5_000
PROVIDERS = 500
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def fill(session: Session, count: int, questions: Sequence[tuple[str, Sequence[str]]], seed: int = 1) -> None:
    """Put `count` usable web interviews in, each with an answer to every question (id, possible values)."""
    chance = random.Random(seed)  # noqa: S311  (invented answers, not secrets)
    numbers = range(1, PROVIDERS + 1)
    named = [{"id": n, "name": f"Dienstverlener {n:03}", "name_key": f"dienstverlener {n:03}"} for n in numbers]
    session.execute(sa.insert(providers), named)
    period = {"period_from": date(2026, 1, 1), "period_to": date(2026, 12, 31)}
    session.execute(sa.insert(samples), [{"id": n, "provider_id": n, **period} for n in numbers])
    people = iter(range(1, count + 1))
    while batch := list(islice(people, BATCH)):
        _insert(session, cases, (_case(number) for number in batch))
        ids = [(f"{number:016x}{chance.getrandbits(64):016x}", number) for number in batch]
        _insert(session, interviews, (_interview(id, number) for id, number in ids))
        _insert(session, responses, _answers(ids, questions, chance))


def _case(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "sample_id": 1 + number % PROVIDERS,
        "respondent_group": "client",
        "respondent": f"B{number}",
        "service": 1 + number % 10,
        "questionnaire": "regulier",
        "route": "regular",
        "code": "0000",
        "created_at": START,
    }


def _interview(id: str, number: int) -> dict[str, Any]:
    at = START + timedelta(seconds=number)
    return {
        "id": id,
        "case_id": number,
        "questionnaire": "regulier",
        "version": 1,
        "mode": "web",
        "started_at": at,
        "ended_at": at + timedelta(minutes=6),
        "disposition": "complete",
        "usable": True,
        "usable_at": at + timedelta(minutes=4),
    }


def _answers(
    ids: Sequence[tuple[str, int]], questions: Sequence[tuple[str, Sequence[str]]], chance: random.Random
) -> Iterator[dict[str, Any]]:
    for id, number in ids:
        at = START + timedelta(seconds=number)
        for question, values in questions:
            value = values[int(chance.random() * len(values))]
            yield {"interview_id": id, "question": question, "value": value, "mode": "web", "answered_at": at}


def _insert(session: Session, table: sa.Table, rows: Iterator[dict[str, Any]]) -> None:
    session.execute(sa.insert(table), list(rows))
