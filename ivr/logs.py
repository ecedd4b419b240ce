"""Logging: one event name a line, context bound once per request or job.

Decides the format (JSON in production, plain lines elsewhere, always on stderr so that stdout stays one
JSON document for `--json`), also for the lines of libraries. Never logged, by habit and by the processors below: names,
telephone numbers, answers. Of an exception that means its class and where it was raised: its message may hold anything.
Ids are enough to find a thing in the database.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
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
        "phone",
        "phones",
        "number_dialled",
        "first_name",
        "last_name",
        "straat",
        "huisnummer",
        "postcode",
        "plaats",
        "woonplaats",
        "subject",
        "body",
        "answers",
        "form",
    }
)
_IDS = frozenset({"timestamp", "level", "attempt_id", "interview_id", "call_sid"})
_LONGEST = 400
"""Characters of a library's message that are kept: its first line."""
_FRAMES = 12


def mask_numbers(text: str) -> str:
    """`text` with everything that could be a telephone number replaced."""
    return _NUMBER.sub("‹number›", text)


_NOTHING_BOUND: Mapping[str, object] = MappingProxyType({})
_BOUND: ContextVar[Mapping[str, object]] = ContextVar("bound", default=_NOTHING_BOUND)
"""What is bound, as one value: structlog looks through every context variable at each request."""


def _with_ids(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in _BOUND.get().items():
        event.setdefault(name, value)
    return event


def _discreet(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if key not in _IDS:
            event[key] = _withheld(key, value)
    return event


def _withheld(key: str, value: Any) -> Any:
    if key.lower() in _SECRET_KEYS:
        return "‹withheld›"
    if isinstance(value, Mapping):
        return {name: _withheld(str(name), one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_withheld("", one) for one in value]
    if isinstance(value, bool | float) or value is None:
        return value
    masked = mask_numbers(str(value))
    return value if isinstance(value, int) and masked == str(value) else masked


def _where(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """`exc_info` becomes the class of the exception and the places it came by, without a word of its message."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    elif isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        event.setdefault("error", type(error).__name__)
        event["where"] = " > ".join(f"{Path(frame.filename).stem}:{frame.lineno} {frame.name}" for frame in frames)
    return event


def _first_line(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A library's message without what it wrote below: RQ puts a whole trace there."""
    event["event"] = str(event.get("event", "")).partition("\n")[0][:_LONGEST]
    return event


def _named(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["module"] = event["_record"].name
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
            _with_ids,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _where,
            _discreet,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric if isinstance(numeric, int) else logging.INFO),
        logger_factory=lambda *_: structlog.PrintLogger(_STDERR),  # pyright: ignore[reportArgumentType]
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(_STDERR)  # pyright: ignore[reportArgumentType]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                _with_ids,
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _named,
                _first_line,
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _where, _discreet, renderer],
        )
    )
    logging.captureWarnings(json_lines)  # a warning printed by itself would be no JSON
    logging.basicConfig(handlers=[handler], level=max(logging.WARNING, numeric if isinstance(numeric, int) else 0))


def get_logger(name: str) -> Any:
    """A logger whose lines carry `module=name` and whatever is bound to the context."""
    return structlog.get_logger(module=name)


def bind(**ids: object) -> None:
    """Bind ids to every further line of this request or job."""
    _BOUND.set({**_BOUND.get(), **ids})


def clear() -> None:
    """Forget what was bound; call it when the request or job ends."""
    _BOUND.set(_NOTHING_BOUND)
