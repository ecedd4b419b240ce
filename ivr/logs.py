"""Logging: one event name a line, context bound once per request or job.

Decides the format (JSON in production, plain lines elsewhere, always on stderr so that stdout stays one
JSON document for `--json`). Never logged, by habit and by the processor below: names, telephone numbers,
answers. Ids are enough to find a thing in the database.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_NUMBER = re.compile(r"(?<![0-9A-Za-z-])(?:\+|00)?\d[\d \-().]{7,}\d(?![0-9A-Za-z])")
_SECRET_KEYS = frozenset(
    {
        "digits",
        "to",
        "from",
        "from_",
        "caller",
        "called",
        "name",
        "voornaam",
        "achternaam",
        "telefoon",
        "email",
        "answer",
        "value",
        "token",
        "password",
    }
)


def mask_numbers(text: str) -> str:
    """`text` with everything that could be a telephone number replaced."""
    return _NUMBER.sub("‹number›", text)


def _discreet(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if key.lower() in _SECRET_KEYS:
            event[key] = "‹withheld›"
        elif isinstance(value, str) and key not in {"timestamp", "level", "attempt_id", "interview_id", "call_sid"}:
            event[key] = mask_numbers(value)
    return event


class _Stderr:
    """Standard error as it is when a line is written; a line that cannot be written is lost, and nothing else.

    A test runner or a daemon may have closed the stream there was at first. On a full disk the apology to whoever is
    on the line matters more than the line about it.
    """

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()


_STDERR = _Stderr()
"""One for all: structlog keeps a lock for each stream that it ever saw."""


def configure_logs(*, json_lines: bool, level: str = "INFO") -> None:
    """Set up structlog and the standard library's logging for this process."""
    numeric = logging.getLevelName(level.upper())
    renderer: Any = (
        structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _discreet,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric if isinstance(numeric, int) else logging.INFO),
        logger_factory=lambda *_: structlog.PrintLogger(_STDERR),  # pyright: ignore[reportArgumentType]
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(stream=sys.stderr, level=max(logging.WARNING, numeric if isinstance(numeric, int) else 0))


def get_logger(name: str) -> Any:
    """A logger whose lines carry `module=name` and whatever is bound to the context."""
    return structlog.get_logger(module=name)


def bind(**ids: object) -> None:
    """Bind ids to every further line of this request or job."""
    structlog.contextvars.bind_contextvars(**ids)


def clear() -> None:
    """Forget what was bound; call it when the request or job ends."""
    structlog.contextvars.clear_contextvars()
