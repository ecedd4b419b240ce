"""What goes wrong, mapped to HTTP once; and the alarms that an operator must see.

Decides status codes and that nobody gets a stack trace. A voice view has its own rule, because the carrier reads
an HTML page as TwiML: whatever breaks there, the person on the line hears an apology and the call ends.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from flask import Flask, Response, make_response, request
from werkzeug.exceptions import HTTPException

from ivr.errors import NotFoundError, RefusedError, ToetsError, UsageError
from ivr.logs import get_logger, mask_numbers
from ivr.web.pages import faults

log = get_logger(__name__)

_STATUS: tuple[tuple[type[ToetsError], int], ...] = ((UsageError, 400), (NotFoundError, 404), (RefusedError, 409))


class Alarms:
    """Counts, per process, what should not happen: `bad_signature`, `unsigned`, `no_audio`, `voice_error`, …"""

    def __init__(self, counted: Callable[[str], None] = lambda _name: None) -> None:
        """`counted` hears of each alarm too: what adds up the processes of this server."""
        self._counted = counted
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def sound(self, name: str, **ids: object) -> None:
        """Count one and write one line."""
        with self._lock:
            self._counts[name] += 1
        self._counted(name)
        log.warning("alarm", alarm=name, **ids)

    def counts(self) -> dict[str, int]:
        """How often each alarm was raised since the process began."""
        with self._lock:
            return dict(self._counts)


def status_of(error: ToetsError) -> int:
    """The HTTP status of an error of ours."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def plain(text: str, status: int) -> Response:
    """A short answer that no carrier takes for TwiML."""
    return Response(text + "\n", status=status, content_type="text/plain; charset=utf-8")


def register(app: Flask, alarms: Alarms, apology: Callable[[], Response]) -> None:
    """Map every error to an answer. apology: what a person on the line hears when a voice view breaks."""

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        if error.response is not None:
            return error.response  # pyright: ignore[reportReturnType]  (made by our own abort(response))
        if request.blueprint is None and "text/html" in request.headers.get("Accept", ""):
            # An address that does not exist belongs to nobody; whoever opens it in a browser is a person.
            return make_response(faults.page(error.code or 500))
        answer = plain(error.description or error.name, error.code or 500)
        if error.code == 405:
            answer.headers.extend(error.get_headers())  # pyright: ignore[reportArgumentType]
            answer.content_type = "text/plain; charset=utf-8"
        return answer

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Response:
        is_ours = isinstance(error, ToetsError)
        detail = mask_numbers(error.message) if is_ours else type(error).__name__
        if request.endpoint is not None and request.endpoint.startswith("voice.hear"):
            alarms.sound("voice_error", error=detail)
            # The trace may show what was keyed; the place where it broke is enough.
            log.error("voice_error", error=detail, where=_place(error))
            return apology()
        if is_ours and status_of(error) < 500:
            return plain(detail, status_of(error))
        alarms.sound("server_error", error=detail)
        log.error("server_error", error=detail, where=_place(error))
        return plain("Er ging iets mis. Probeer het later opnieuw.", 500)


def _place(error: BaseException) -> str:
    """File and line where an error was raised, without the values of anything."""
    trace = error.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '')}:{trace.tb_lineno}"
