"""The first command on a fresh machine may be any: each makes the database it needs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from scripts.cli import main


@pytest.mark.parametrize(
    "command",
    [
        ("fieldwork", "status", "--json"),
        ("order", "list", "--json"),
        ("ledger", "--json"),
        ("export", "out", "--json"),
    ],
)
def test_a_command_makes_the_database_that_is_not_there(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith(("IVR_", "TWILIO_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("IVR_DATABASE_URL", f"sqlite:///{tmp_path}/fresh.db")
    monkeypatch.setenv("IVR_VAR_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    assert isinstance(json.loads(done.output.splitlines()[-1]), dict)


def test_in_production_an_old_database_is_left_to_the_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_ENV", "production")
    monkeypatch.setenv("IVR_ENCRYPTION_KEY", "A" * 43 + "=")
    monkeypatch.setenv("IVR_SECRET_KEY", "long and random")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "token")
    monkeypatch.setenv("IVR_DATABASE_URL", f"sqlite:///{tmp_path}/fresh.db")
    done = CliRunner().invoke(main, ["fieldwork", "status", "--json"])
    assert done.exit_code == 1
    assert json.loads(done.output.splitlines()[0])["error"]["code"] == "schema"
