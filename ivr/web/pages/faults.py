"""What a person sees when something is not there, not allowed or went wrong: a Dutch page, never a trace."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from werkzeug.exceptions import HTTPException

from ivr.errors import ConfigurationError, NotFoundError, RefusedError, ToetsError, UsageError
from ivr.logs import get_logger

log = get_logger(__name__)

TEXTS = {
    400: ("Dit formulier is niet meer geldig", "Ga terug, laad de bladzijde opnieuw en probeer het nog een keer."),
    401: ("U bent niet (meer) aangemeld", "Meld u opnieuw aan."),
    403: ("Dit is niet voor u", "Uw account mag deze bladzijde niet openen."),
    404: ("Deze bladzijde is er niet", "Misschien is het adres verkeerd overgenomen."),
    405: ("Dit kan hier niet", "Ga terug en probeer het opnieuw."),
    409: ("Dat kan nu niet", ""),
    413: ("Dit bestand is te groot", "Een lijst mag hoogstens 20 MB zijn."),
    429: ("Te vaak geprobeerd", "Wacht even en probeer het dan opnieuw."),
    500: ("Er ging iets mis", "Het ligt aan ons. Probeer het straks opnieuw."),
}
_STATUS = ((UsageError, 400), (NotFoundError, 404), (RefusedError, 409), (ConfigurationError, 500))


def handle(blueprint: Blueprint) -> None:
    """Let errors of this blueprint end in a page."""
    blueprint.register_error_handler(HTTPException, _http)
    blueprint.register_error_handler(ToetsError, _toets)


def page(status: int, detail: str | None = None) -> tuple[str, int]:
    """The page of a status; `detail` replaces its second sentence."""
    title, sentence = TEXTS.get(status, TEXTS[500])
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
