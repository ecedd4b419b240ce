"""The opponents of the bench, one application each (`servers:constant`, `servers:signed`, …).

constant: a Flask route that returns constant TwiML, the floor. signed: with the form and the signature.
nostore: the whole webhook, only nothing is kept. raw: the whole webhook on the bare driver, as well as we could write
it: one read, the same engine, one conditional write; SQLite behind the same queue of writers. The ceiling.
The sample stands in `sample.py`.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from datetime import UTC, datetime
from typing import Any

import orjson
from common import questionnaire as form_of
from common import reply_of, sounds, steps
from flask import Flask, Response, abort, request

from ivr.settings import load_settings
from ivr.store.session import to_json
from ivr.survey import interview as engine
from ivr.survey.turn import Turn
from ivr.telephony import twiml
from ivr.telephony.webhooks import SIGNATURE_HEADER, SignatureCheck, first, parse_form, signal_of

_TWIML = "text/xml; charset=utf-8"


def _signed(check: SignatureCheck) -> dict[str, list[str]]:
    environ = request.environ
    form = parse_form(environ["wsgi.input"].read(request.content_length or 0))
    if not check.accepts(
        environ["PATH_INFO"], environ["QUERY_STRING"], form, request.headers.get(SIGNATURE_HEADER, "")
    ):
        abort(403)
    return form


def _check() -> SignatureCheck:
    settings = load_settings()
    return SignatureCheck(settings.public_base_url, settings.twilio_auth_token.get_secret_value())


def _render(attempt_id: str, number: int, said: Turn) -> Response:
    document = twiml.render(
        said,
        base_url=os.environ["IVR_PUBLIC_BASE_URL"],
        attempt_id=attempt_id,
        number=number,
        sounds=sounds(),
        text_of=lambda prompt: prompt.id,
    )
    return Response(document, content_type=_TWIML)


def constant() -> Flask:
    app = Flask("constant")
    step = steps()[1][0]
    document = _example(step.said)

    @app.post("/voice/<attempt_id>/<int:turn>")
    @app.post("/voice/<attempt_id>/<int:turn>/silence")
    def answer(attempt_id: str, turn: int) -> Response:
        return Response(document, content_type=_TWIML)

    return app


def _example(said: Turn) -> str:
    base = os.environ["IVR_PUBLIC_BASE_URL"]
    return twiml.render(
        said, base_url=base, attempt_id="a" * 32, number=5, sounds=sounds(), text_of=lambda prompt: prompt.id
    )


def signed() -> Flask:
    app, check, document = Flask("signed"), _check(), _example(steps()[1][0].said)

    @app.post("/voice/<attempt_id>/<int:turn>")
    @app.post("/voice/<attempt_id>/<int:turn>/silence")
    def answer(attempt_id: str, turn: int) -> Response:
        _signed(check)
        return Response(document, content_type=_TWIML)

    return app


def nostore() -> Flask:
    app, check, form = Flask("nostore"), _check(), form_of()
    standing = {step.turn: engine.dump(step.before) for step in steps()[1]}

    @app.post("/voice/<attempt_id>/<int:turn>")
    @app.post("/voice/<attempt_id>/<int:turn>/silence")
    def answer(attempt_id: str, turn: int) -> Response:
        signal = signal_of(_signed(check))
        state, said = engine.advance(form, engine.load(standing[turn]), signal)
        to_json(engine.dump(state))
        return _render(attempt_id, turn, said)

    return app


def raw() -> Flask:
    app, check, form = Flask("raw"), _check(), form_of()
    url = load_settings().database
    store = _RawSqlite(url) if url.startswith("sqlite") else _RawPostgres(url)

    @app.post("/voice/<attempt_id>/<int:turn>")
    @app.post("/voice/<attempt_id>/<int:turn>/silence")
    def answer(attempt_id: str, turn: int) -> Response:
        fields = _signed(check)
        row = store.read(attempt_id)
        if row is None or row["call_sid"] != first(fields, "CallSid") or row["turn"] != turn - 1:
            abort(409)  # the bench sends no repeats; the real door answers them
        before = engine.load(row["dialogue"])
        state, said = engine.advance(form, before, signal_of(fields))
        values = {
            "id": attempt_id,
            "before": turn - 1,
            "turn": turn,
            "dialogue": to_json(engine.dump(state)),
            "reply": to_json(reply_of(said)),
            "interview": row["interview_id"],
            "question": said.records[0].question if said.records else None,
            "value": said.records[0].value if said.records else None,
            "at": datetime.now(UTC),
            "outcome": state.outcome,
        }
        if not store.write(values, counts=state.usable and not before.usable):
            abort(409)
        return _render(attempt_id, turn, said)

    return app


class _RawSqlite:
    def __init__(self, url: str) -> None:
        from ivr.store import Database
        from ivr.store.session import prepare_sqlite

        self._prepare, self._path = prepare_sqlite, url.removeprefix("sqlite:///")
        self._queue, self._local = Database(url).queue, threading.local()

    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._local, "connection"):
            self._local.connection = sqlite3.connect(self._path, timeout=30)
            self._prepare(self._local.connection, None)
        return self._local.connection

    def read(self, id: str) -> dict[str, Any] | None:
        row = (
            self._connection()
            .execute("SELECT call_sid, turn, dialogue, interview_id FROM attempts WHERE id = ?", (id,))
            .fetchone()
        )
        return row and {"call_sid": row[0], "turn": row[1], "dialogue": orjson.loads(row[2]), "interview_id": row[3]}

    def write(self, values: dict[str, Any], *, counts: bool) -> bool:
        values["at"] = values["at"].replace(tzinfo=None).isoformat(" ", "microseconds")
        run = self._connection().execute
        with self._queue:
            run("BEGIN IMMEDIATE")
            moved = run(
                "UPDATE attempts SET turn = :turn, dialogue = :dialogue "
                "WHERE id = :id AND turn = :before AND state = 'placed'",
                values,
            )
            if moved.rowcount != 1:
                run("ROLLBACK")
                return False
            run("INSERT INTO turns VALUES (:id, :turn, 'key', :reply, :at)", values)
            if values["question"]:
                run(
                    "INSERT INTO responses VALUES (:interview, :question, :value, 'telephone', :at) ON CONFLICT DO "
                    "UPDATE SET value = excluded.value, mode = excluded.mode, answered_at = excluded.answered_at",
                    values,
                )
            if counts:
                run("UPDATE interviews SET usable = 1, usable_at = :at, successful = 1 WHERE id = :interview", values)
                run(
                    "UPDATE cells SET in_flight = in_flight - 1, successful = successful + 1 "
                    "WHERE id = (SELECT cell_id FROM attempts WHERE id = :id)",
                    values,
                )
                run("UPDATE attempts SET holds_slot = 0 WHERE id = :id", values)
            if values["outcome"]:
                run("UPDATE interviews SET disposition = :outcome, ended_at = :at WHERE id = :interview", values)
            run("COMMIT")
        return True


_MOVED = (
    "WITH moved AS (UPDATE attempts SET turn = %(turn)s, dialogue = %(dialogue)s::jsonb "
    "WHERE id = %(id)s AND turn = %(before)s AND state = 'placed' RETURNING id, cell_id), "
    "turned AS (INSERT INTO turns SELECT id, %(turn)s, 'key', %(reply)s::jsonb, %(at)s FROM moved)"
)
_ANSWERED = (
    ", answered AS (INSERT INTO responses SELECT %(interview)s, %(question)s, %(value)s, 'telephone', %(at)s "
    "FROM moved ON CONFLICT (interview_id, question) DO UPDATE SET value = excluded.value, mode = excluded.mode, "
    "answered_at = excluded.answered_at)"
)
_COUNTED = (
    ", counted AS (UPDATE interviews SET usable = true, usable_at = %(at)s, successful = true "
    "WHERE id = %(interview)s), "
    "spent AS (UPDATE cells SET in_flight = in_flight - 1, successful = successful + 1 FROM moved "
    "WHERE cells.id = moved.cell_id)"
)
_ENDED = ", ended AS (UPDATE interviews SET disposition = %(outcome)s, ended_at = %(at)s WHERE id = %(interview)s)"


class _RawPostgres:
    def __init__(self, url: str) -> None:
        self._dsn, self._local = url.replace("postgresql+psycopg://", "postgresql://"), threading.local()

    def _connection(self) -> Any:
        import psycopg

        if not hasattr(self._local, "connection"):
            self._local.connection = psycopg.connect(self._dsn, autocommit=True)
        return self._local.connection

    def read(self, id: str) -> dict[str, Any] | None:
        row = (
            self._connection()
            .execute("SELECT call_sid, turn, dialogue, interview_id FROM attempts WHERE id = %s", (id,))
            .fetchone()
        )
        return row and {"call_sid": row[0], "turn": row[1], "dialogue": row[2], "interview_id": row[3]}

    def write(self, values: dict[str, Any], *, counts: bool) -> bool:
        parts = [_MOVED, _ANSWERED if values["question"] else "", _COUNTED if counts else ""]
        parts += [_ENDED if values["outcome"] else "", " SELECT count(*) FROM moved"]
        return self._connection().execute("".join(parts), values).fetchone()[0] == 1
