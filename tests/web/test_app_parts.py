"""The application as a whole: what it imports, and that errors end in short plain answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from flask import Flask

from ivr.errors import ConfigurationError, NotFoundError, RefusedError, UsageError
from ivr.store import Database
from ivr.web import problems
from ivr.web.app import create_app
from tests.web.voice_house import house_at


def test_the_web_process_imports_no_rest_client_no_speech_and_no_tables_of_pandas() -> None:
    code = "import sys, ivr.web.app; print(sorted(m for m in sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(shown.stdout.replace("'", "").strip("[]\n").split(", "))
    assert "flask" in loaded
    assert not {"twilio", "twilio.rest", "gtts", "pandas", "numpy", "rq", "alembic", "soundfile"} & loaded


def test_two_applications_live_in_one_process(sqlite_database: Database, tmp_path: Path) -> None:
    first, second = (create_app(house_at(sqlite_database, tmp_path)) for _ in range(2))
    first.extensions["alarms"].sound("bad_signature")
    assert second.extensions["alarms"].counts() == {}
    assert {"voice", "prompts", "health"} <= set(first.blueprints)


def test_an_error_of_ours_has_its_status_and_its_words_and_others_say_nothing() -> None:
    app, alarms = Flask("probe"), problems.Alarms()
    problems.register(app, alarms, lambda: problems.plain("apology", 200))
    raised = {
        "usage": (UsageError("use it well"), 400),
        "gone": (NotFoundError("no such thing"), 404),
        "refused": (RefusedError("not now"), 409),
        "settings": (ConfigurationError("the secret is abc"), 500),
        "bug": (ValueError("06 12345678"), 500),
    }
    for name, (error, _) in raised.items():

        def view(error: Exception = error) -> str:
            raise error

        app.add_url_rule(f"/{name}", name, view)
    client = app.test_client()
    for name, (error, status) in raised.items():
        answer = client.get(f"/{name}")
        assert (answer.status_code, answer.mimetype) == (status, "text/plain")
        assert (str(error) in answer.text) == (status < 500)
    assert alarms.counts() == {"server_error": 2}
