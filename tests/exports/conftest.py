"""What the tests of whole reports share: `run`, the commands on a database of the test's own."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scripts.cli import main
from tests.exports.reporting import Run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `ivr … --json` on a database of this test and gives its document."""
    return commands(tmp_path, monkeypatch)


def commands(folder: Path, patch: pytest.MonkeyPatch) -> Run:
    """The commands on a database in `folder`."""
    patch.setenv("IVR_DATABASE_URL", f"sqlite:///{folder / 'toets.db'}")
    patch.setenv("IVR_VAR_DIR", str(folder))
    patch.setenv("IVR_ENCRYPTION_KEY", b64encode(bytes(range(32))).decode())

    def call(*arguments: str | Path) -> dict[str, Any]:
        result = CliRunner().invoke(main, [*map(str, arguments), "--json"], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return call
