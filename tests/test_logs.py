"""Where log lines go."""

from __future__ import annotations

import io
import sys

import pytest
import structlog

from ivr.logs import configure_logs, get_logger


def test_a_line_goes_to_standard_error_as_it_is_when_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that ran in this process before, on an error stream closed since, silences and breaks nothing."""
    was = structlog.get_config()
    log = get_logger("tests")
    first, second = io.StringIO(), io.StringIO()
    try:
        monkeypatch.setattr(sys, "stderr", first)
        configure_logs(json_lines=True)
        log.warning("one")
        assert '"one"' in first.getvalue()
        first.close()
        monkeypatch.setattr(sys, "stderr", second)
        log.warning("two")
    finally:
        structlog.configure(**was)
    assert '"two"' in second.getvalue()


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def test_a_line_that_cannot_be_written_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk the warning about the first failure must not be the second one."""
    was = structlog.get_config()
    try:
        monkeypatch.setattr(sys, "stderr", FullDisk())
        configure_logs(json_lines=True)
        get_logger("tests").warning("one")
        third = io.StringIO()
        monkeypatch.setattr(sys, "stderr", third)
        get_logger("tests").warning("two")
    finally:
        structlog.configure(**was)
    assert '"two"' in third.getvalue()
