"""What a person sees when something is not there, not allowed or went wrong: a Dutch page, never a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Blueprint, current_app, g, render_template, request
from werkzeug.exceptions import HTTPException

from ivr.errors import ConfigurationError, NotFoundError, RefusedError, ToetsError, UsageError
from ivr.logs import get_logger
from ivr.web.pages.access import current_user

if TYPE_CHECKING:
    from ivr.web.problems import Alarms

log = get_logger(__name__)

TEXTS = {
    400: ("Dit formulier is niet meer geldig", "Ga terug, laad de bladzijde opnieuw en probeer het nog een keer."),
    401: ("U bent niet (meer) aangemeld", "Meld u opnieuw aan."),
    403: ("Dit is niet voor u", "Uw account mag deze bladzijde niet openen."),
    404: ("Deze bladzijde is er niet", "Misschien is het adres verkeerd overgenomen."),
    405: ("Dit kan hier niet", "Ga terug en probeer het opnieuw."),
    409: ("Dat kan nu niet", "Ga terug, laad de bladzijde opnieuw en kijk hoe het er nu voor staat."),
    413: (
        "Dit is te groot",
        "Een lijst mag hoogstens 5 MB zijn. Haal weg wat er niet in hoort, of vraag het onderzoeksbureau.",
    ),
    429: ("Te vaak geprobeerd", "Wacht even en probeer het dan opnieuw."),
    500: ("Er ging iets mis", "Het ligt aan ons. Probeer het straks opnieuw."),
}
_STATUS = ((UsageError, 400), (NotFoundError, 404), (RefusedError, 409), (ConfigurationError, 500))


def handle(blueprint: Blueprint) -> None:
    """Let errors of this blueprint end in a page."""
    blueprint.register_error_handler(HTTPException, _http)
    blueprint.register_error_handler(ToetsError, _toets)
    blueprint.register_error_handler(Exception, _unforeseen)


def page(status: int, detail: str | None = None) -> tuple[str, int]:
    """The page of a status; `detail` replaces its second sentence."""
    title, sentence = TEXTS.get(status, TEXTS[500 if status >= 500 else 400])
    _let_nobody_be_looked_up_again()
    return render_template("fault.html", title=title, sentence=detail or sentence, status=status), status


def _http(error: HTTPException) -> HTTPException | tuple[str, int]:
    if error.code is None or error.code < 400:
        return error
    return page(error.code)


def _toets(error: ToetsError) -> tuple[str, int]:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    if status == 500:
        log.error("page_failed", endpoint=request.endpoint, code=error.code)
    return page(status)


def _unforeseen(error: Exception) -> tuple[str, int]:
    """What nobody thought of: the place is logged, without the values of anything."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_globals.get('__name__', '')}:{trace.tb_lineno}" if trace else ""
    cast("Alarms", current_app.extensions["alarms"]).sound("server_error", error=type(error).__name__)
    log.error("page_failed", endpoint=request.endpoint, error=type(error).__name__, where=where)
    return page(500)


def _let_nobody_be_looked_up_again() -> None:
    """A page about a fault stands without the database, which may be the fault."""
    try:
        current_user()
    except Exception:
        g.user = None
