"""What both sides of the bench share: the workload, and databases that hold it.

Every call stands at its first question; the load generator then answers all of them with the same keys. So the
n-th webhook of each call is the same work for each server.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ivr.catalogue import Catalogue, load_catalogue
from ivr.ids import new_id
from ivr.settings import ROOT
from ivr.speech import script
from ivr.store import Database, questionnaires, tables
from ivr.survey import interview as engine
from ivr.survey import turn as words
from ivr.survey.questionnaire import Questionnaire
from ivr.survey.turn import Keypress, Signal, Silence, Turn

TOKEN = "bench"  # noqa: S105  (nobody's)
QUESTIONNAIRE = "inburgering"
FIRST = "111"
"""Taking part, being the right person, practice."""
_DAYS = (
    ("vanavond", ("avond",)),
    ("morgen", ("ochtend", "middag", "avond")),
    ("volgende_week", ("ochtend", "middag", "avond")),
)


@dataclass(frozen=True)
class Step:
    """The webhook after turn `turn - 1`: its keys ("" is silence), the state before it and the turn that follows."""

    turn: int
    keys: str
    before: engine.Interview
    after: engine.Interview
    said: Turn


@cache
def catalogue() -> Catalogue:
    return load_catalogue(ROOT / "config")


@cache
def questionnaire() -> Questionnaire:
    return catalogue().questionnaires[QUESTIONNAIRE]


@cache
def steps() -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """(webhooks before the first question, webhooks from its answer to the end of the call)."""
    form = questionnaire()
    state, said = engine.begin(form, engine.Occasion(service=11, days=_DAYS))
    walked: list[Step] = [Step(0, "", state, state, said)]
    for number, key in enumerate(FIRST, start=1):
        before = state
        state, said = engine.advance(form, state, Keypress(key))
        walked.append(Step(number, key, before, state, said))
    cut = len(walked)
    while said.awaits is not None:
        keys = ("7" if said.asks[-1].id == "INB_CIJFER" else "1") if said.asks else ""
        signal: Signal = Keypress(keys) if keys else Silence()
        before = state
        state, said = engine.advance(form, state, signal)
        walked.append(Step(len(walked), keys, before, state, said))
    return tuple(walked[:cut]), tuple(walked[cut:])


@cache
def sounds() -> dict[tuple[str, bool], str]:
    values = script.spoken_values(provider="Taal & Werk", minutes=5, help_number="088 1234567", web_address="x.nl")
    texts = script.texts_for(questionnaire(), catalogue().phrases, values)
    return {(text.id, text.slow): hashlib.sha256(f"{text.id}{text.slow}".encode()).hexdigest() for text in texts}


def reply_of(said: Turn) -> dict[str, Any]:
    return {
        "turn": words.to_mapping(Turn(said.announces, said.asks, said.awaits)),
        "questionnaire": questionnaire().id,
        "version": questionnaire().version,
    }


def fill(database: Database, calls: int) -> list[tuple[str, str]]:
    """An order with audio and so many calls at their first question; gives (attempt id, CallSid) of each."""
    now = datetime.now(UTC).replace(microsecond=0)
    last = steps()[0][-1]
    ids = [(new_id(), f"CA{new_id()}", new_id()) for _ in range(calls)]
    with database.write() as session:

        def insert(table: sa.Table, **values: Any) -> int:
            return session.execute(sa.insert(table).values(**values).returning(table.c.id)).scalar_one()

        questionnaires.freeze(session, questionnaire(), now)
        provider = insert(tables.providers, name="Taal & Werk", name_key="taal & werk")
        period = {"period_from": date(2026, 1, 1), "period_to": date(2026, 12, 31)}
        sample = insert(tables.samples, provider_id=provider, **period)
        order = insert(
            tables.orders, sample_id=sample, track="inburgering", interviews=calls, created_at=now, voiced_at=now
        )
        cell = insert(
            tables.cells,
            order_id=order,
            sample_id=sample,
            track="inburgering",
            target=calls,
            capacity=calls,
            in_flight=calls,
        )
        made = {"engine": "none", "seconds": 1.0, "loudness": -18.0, "made_at": now}
        session.execute(
            sa.insert(tables.prompts),
            [
                {"sha256": sha256, "wav": b"", "text": prompt, "is_slow": slow, **made}
                for (prompt, slow), sha256 in sounds().items()
            ],
        )
        version = {"order_id": order, "questionnaire": questionnaire().id, "version": questionnaire().version}
        session.execute(
            sa.insert(tables.order_prompts),
            [
                {**version, "prompt": prompt, "is_slow": slow, "sha256": sha256}
                for (prompt, slow), sha256 in sounds().items()
            ],
        )
        person = {
            "sample_id": sample,
            "respondent_group": "client",
            "service": 11,
            "learning_profile": 1,
            "questionnaire": "inburgering",
            "route": "telephone",
            "cell_id": cell,
            "code": "1234",
            "is_busy": True,
            "dialled": 1,
            "created_at": now,
        }
        session.execute(
            sa.insert(tables.cases),
            [{"id": number, "respondent": f"C{number}", **person} for number in range(1, calls + 1)],
        )
        session.execute(
            sa.insert(tables.interviews),
            [
                {
                    "id": interview,
                    "case_id": number,
                    "cell_id": cell,
                    "questionnaire": questionnaire().id,
                    "version": questionnaire().version,
                    "mode": "telephone",
                    "started_at": now,
                }
                for number, (_, _, interview) in enumerate(ids, start=1)
            ],
        )
        call = {
            "cell_id": cell,
            "number_in_case": 1,
            "state": "placed",
            "holds_slot": True,
            "planned_at": now,
            "not_before": now,
            "not_after": now + timedelta(hours=1),
            "placed_at": now,
            "turn": last.turn,
            "dialogue": engine.dump(last.after),
        }
        session.execute(
            sa.insert(tables.attempts),
            [
                {"id": id, "case_id": number, "phone_hash": id, "call_sid": sid, "interview_id": interview, **call}
                for number, (id, sid, interview) in enumerate(ids, start=1)
            ],
        )
        session.execute(
            sa.insert(tables.turns),
            [
                {"attempt_id": id, "turn": last.turn, "signal": "key", "reply": reply_of(last.said), "at": now}
                for id, _, _ in ids
            ],
        )
    return [(id, sid) for id, sid, _ in ids]


def settled(database: Database, calls: int) -> dict[str, int]:
    """What must be true after all calls were answered: nothing lost, nothing doubled."""
    answers = len({record.question for step in steps()[1] for record in step.said.records})
    with database.read() as session:
        kept = session.execute(sa.select(sa.func.count()).select_from(tables.responses)).scalar_one()
        turns = session.execute(sa.select(sa.func.count()).select_from(tables.turns)).scalar_one()
        cell = session.execute(sa.select(tables.cells.c.successful, tables.cells.c.in_flight)).one()
    return {
        "answers_missing": calls * answers - kept,
        "turns_missing": calls * (1 + len(steps()[1])) - turns,
        "not_counted": calls - cell.successful,
        "slots_left": cell.in_flight,
    }


def write_plan(file: Path, base_url: str, calls: list[tuple[str, str]], kind: str) -> None:
    """What the load generator sends. kind: `voice`, or `sample` for the two webhooks a question of Twilio's sample."""
    plan = {
        "base_url": base_url,
        "kind": kind,
        "token": TOKEN,
        "calls": calls,
        "steps": [(step.turn, step.keys) for step in steps()[1]],
    }
    file.write_text(json.dumps(plan))


def environment(base_url: str, database_url: str, var: Path) -> dict[str, str]:
    """The environment of a server: nothing of ours but what it needs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IVR_", "TWILIO_"))}
    return kept | {
        "IVR_DATABASE_URL": database_url,
        "IVR_VAR_DIR": str(var),
        "IVR_PUBLIC_BASE_URL": base_url,
        "IVR_LOG_LEVEL": "WARNING",
        "TWILIO_AUTH_TOKEN": TOKEN,
        "IVR_ENCRYPTION_KEY": "A" * 43 + "=",
        "PYTHONPATH": f"{Path(__file__).parent}{os.pathsep}{ROOT}",
    }
