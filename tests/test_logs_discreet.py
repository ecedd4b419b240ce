"""What a line of the log may hold: one event, ids, and nothing of a person; also where a library writes it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SECRETS = ("Jansen", "0612345678", "612345678", "+31 6 12345678", "helemaal niet tevreden", "jansen@example")

PROGRAM = """
import logging
import sqlalchemy as sa
from ivr import logs
from ivr.store import Database
import warnings

logs.configure_logs(json_lines=True)
log = logs.get_logger("tests.program")
logs.bind(attempt_id="a" * 32, job="dial")
log.info("plain", result="placed", calls=3)
log.info("by_key", name="Jansen", email="jansen@example.org", value="helemaal niet tevreden", phone=31612345678)
log.info("by_look", note="bel +31 6 12345678", numbers=["0612345678"], row={"telefoon": "x", "note": "0612345678"})
log.info("as_a_number", caller_id=31612345678, count=25)
log.info("two\\nlines", note="one\\ntwo")
try:
    raise ValueError("Jansen zei helemaal niet tevreden\\nop 0612345678")
except ValueError as error:
    log.error("by_exception", exc_info=error)
    logging.getLogger("some.library").exception("it broke for 0612345678")
database = Database("sqlite://")
with database.engine.begin() as session:
    session.exec_driver_sql("CREATE TABLE answers (value TEXT CHECK (length(value) < 3))")
    try:
        session.execute(sa.text("INSERT INTO answers VALUES (:value)"), {"value": "helemaal niet tevreden"})
    except sa.exc.IntegrityError as error:
        log.error("by_database", detail=str(error))
        trace = f"Traceback\\n  File x\\n{error}\\nJansen"
        logging.getLogger("rq.worker").error("[Job %s]: exception raised while executing (%s)\\n%s", "1", "dial", trace)
warnings.warn('of a library\\nJansen')
logs.clear()
log.info("cleared")
"""


@pytest.fixture(scope="module")
def lines() -> list[dict[str, object]]:
    """What a process of its own wrote in production's format."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_every_line_is_one_json_document_with_one_event(lines: list[dict[str, object]]) -> None:
    assert [line["event"] for line in lines] == [
        "plain",
        "by_key",
        "by_look",
        "as_a_number",
        "two\nlines",
        "by_exception",
        "it broke for ‹number›",
        "by_database",
        "[Job 1]: exception raised while executing (dial)",
        "<string>:30: UserWarning: of a library",
        "cleared",
    ]
    assert all({"level", "timestamp", "module"} <= set(line) for line in lines)


def test_ids_that_were_bound_stand_on_every_line_until_they_are_cleared(lines: list[dict[str, object]]) -> None:
    *bound, last = lines
    assert all(line["attempt_id"] == "a" * 32 and line["job"] == "dial" for line in bound)
    assert "attempt_id" not in last


def test_no_line_holds_a_name_a_number_or_an_answer(lines: list[dict[str, object]]) -> None:
    text = json.dumps(lines, ensure_ascii=False)
    assert [secret for secret in SECRETS if secret in text] == []


def test_an_exception_is_its_class_and_where_it_came_from(lines: list[dict[str, object]]) -> None:
    (line,) = [line for line in lines if line["event"] == "by_exception"]
    assert line["error"] == "ValueError"
    assert "<module>" in str(line["where"])
    assert "exception" not in line


def test_counts_and_words_of_our_own_are_left_alone(lines: list[dict[str, object]]) -> None:
    assert (lines[0]["result"], lines[0]["calls"]) == ("placed", 3)
    assert (lines[3]["caller_id"], lines[3]["count"]) == ("‹number›", 25)
