"""`ivr audio`: one document on stdout, faults as exit codes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import soundfile
from click.testing import CliRunner

from scripts.audio import audio


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("IVR_VAR_DIR", str(tmp_path))
    monkeypatch.setenv("IVR_DATABASE_URL", f"sqlite:///{tmp_path / 'toets.db'}")
    return CliRunner()


def test_a_prompt_is_rendered_to_a_file(runner: CliRunner, tmp_path: Path) -> None:
    result = runner.invoke(audio, ["play", "INB_LES", "--slow", "--out", str(tmp_path / "les.wav")])
    assert result.exit_code == 0, result.output
    assert "Geeft uw leraar goed les?" in result.stdout
    assert soundfile.info(io.BytesIO((tmp_path / "les.wav").read_bytes())).subtype == "ULAW"


def test_a_prompt_that_does_not_exist_exits_with_1(runner: CliRunner) -> None:
    result = runner.invoke(audio, ["play", "INB_NIETS"])
    assert result.exit_code == 1
    assert "There is no prompt 'INB_NIETS'" in result.output


def test_a_database_without_orders_has_nothing_to_render_and_no_faults(runner: CliRunner) -> None:
    rendered = json.loads(runner.invoke(audio, ["render", "--json"]).stdout)
    assert rendered == {"engine": "espeak", "dry_run": False, "orders": []}
    result = runner.invoke(audio, ["check", "--json"])
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"prompts": 0, "seconds": 0, "findings": []})


def test_an_unknown_order_is_refused_in_json(runner: CliRunner) -> None:
    result = runner.invoke(audio, ["render", "--order", "7", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.output.splitlines()[0])["error"]["code"] == "not_found"
