"""Twilio's REST client as our Carrier: for Twilio itself, any compatible service, and the local carrier.

Decides where requests go and which of the three endings an error means. Leaves limits, back-off and looking
up lost calls to the stages `dialling` and `reconciling`. Importing this module costs 0.2-0.4 s: only the
worker does it, never the web process.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from requests.exceptions import ConnectTimeout, RequestException
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from ivr.errors import (
    CarrierBusyError,
    CarrierError,
    CarrierUnknownError,
    CarrierUnreachableError,
    ConfigurationError,
    UsageError,
)
from ivr.settings import Settings
from ivr.survey.disposition import CallReport
from ivr.telephony.carrier import CallRequest
from ivr.telephony.webhooks import call_status

REST_TIMEOUT_SECONDS = 10
"""Twilio's own default is none at all: a lost answer would hold a worker for ever."""

STATUS_EVENTS = ["initiated", "ringing", "answered", "completed"]

_FOUND_AT_MOST = 50
_NOT_IN_PROGRESS = 21220  # https://www.twilio.com/docs/api/errors/21220


class TwilioCarrier:
    """Places and looks up calls over Twilio's REST API (2010-04-01).

    With IVR_CARRIER=local it talks to loopback only, past any proxy; ConfigurationError when
    IVR_CARRIER_URL points anywhere else.
    """

    def __init__(self, settings: Settings, *, timeout_seconds: float = REST_TIMEOUT_SECONDS) -> None:
        # max_retries=0: creating a call is not idempotent, a retry would ring the same person twice.
        http = TwilioHttpClient(timeout=timeout_seconds, max_retries=0)
        local = settings.carrier == "local"
        if local:
            _refuse_beyond_loopback(settings.carrier_url)
            if http.session is not None:
                http.session.trust_env = False
        base_url = settings.carrier_url if local else settings.twilio_base_url
        token = settings.twilio_auth_token.get_secret_value()
        secret = settings.twilio_api_secret
        self._client = Client(
            username=settings.twilio_api_key or settings.twilio_account_sid,
            password=secret.get_secret_value() if secret is not None else token,
            account_sid=settings.twilio_account_sid,
            region=None if base_url else settings.twilio_region,
            edge=None if base_url else settings.twilio_edge,
            http_client=http,
            # Not empty, or the client reads TWILIO_REGION from the real environment behind the settings' back.
            environment={"TOETS": "settings"},
        )
        if base_url:
            self._client.api.base_url = base_url.rstrip("/")

    def place(self, request: CallRequest) -> CallReport:
        """Ask for the call; see `Carrier.place` for the three endings."""
        options: dict[str, Any] = {}
        if request.machine_url is not None:
            # Asynchronous: the callee hears the greeting at once, the verdict comes in a request of its own.
            options = {
                "machine_detection": "Enable",
                "async_amd": "true",
                "async_amd_status_callback": request.machine_url,
                "async_amd_status_callback_method": "POST",
            }
        with _endings("place the call"):
            call = self._client.calls.create(
                to=request.to,
                from_=request.from_,
                url=request.voice_url,
                method="POST",
                fallback_url=request.fallback_url,
                fallback_method="POST",
                status_callback=request.status_url,
                status_callback_method="POST",
                status_callback_event=STATUS_EVENTS,
                timeout=request.ring_seconds,
                time_limit=request.limit_seconds,
                **options,
            )
            return _report(call)

    def fetch(self, call_sid: str) -> CallReport | None:
        """How the call stands; None when the carrier does not know it."""
        try:
            with _endings("fetch the call"):
                return _report(self._client.calls(call_sid).fetch())
        except CarrierError as error:
            if error.status == 404:
                return None
            raise

    def find(self, to: str, since: datetime) -> list[CallReport]:
        """Calls to this number that were made at or after `since`, newest first.

        The moment is compared here and not by the carrier: a call that is still queued has no start time yet
        and would fall through its filter.
        """
        moment = since.astimezone(UTC).replace(microsecond=0)
        with _endings("list the calls"):
            calls = self._client.calls.list(to=to, limit=_FOUND_AT_MOST, page_size=_FOUND_AT_MOST)
            made = [(_made_at(call), call) for call in calls]
            recent = [(at, call) for at, call in made if at is None or at >= moment]
            recent.sort(key=lambda pair: pair[0] or datetime.max.replace(tzinfo=UTC), reverse=True)
            return [_report(call) for _, call in recent]

    def end(self, call_sid: str) -> None:
        """Hang up a call that is still up; no error when it has ended already or is not known."""
        try:
            with _endings("end the call"):
                self._client.calls(call_sid).update(status="completed")
        except CarrierError as error:
            if error.status != 404 and error.carrier_code != _NOT_IN_PROGRESS:
                raise


def _refuse_beyond_loopback(url: str) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if parts.scheme != "http" or not is_loopback:
        raise ConfigurationError(
            "IVR_CARRIER=local talks to this machine only: set IVR_CARRIER_URL to http://127.0.0.1:<port>, "
            "or set IVR_CARRIER=twilio to reach the telephone network."
        )


@contextmanager
def _endings(doing: str) -> Iterator[None]:
    """Turn whatever the client raises into the project's errors. No number enters a message: Twilio's own do."""
    try:
        yield
    except TwilioRestException as error:
        code = error.code or None
        if error.status == 429:
            raise CarrierBusyError(
                f"The carrier is busy and refused to {doing}. Wait, then try again.", status=429, carrier_code=code
            ) from None
        if 400 <= error.status < 500 and error.status != 408:
            raise CarrierError(
                f"The carrier refused to {doing} (HTTP {error.status}, code {code or 'none'}). "
                f"See https://www.twilio.com/docs/api/errors/{code or ''}",
                status=error.status,
                carrier_code=code,
            ) from None
        raise CarrierUnknownError(f"Could not {doing}: the carrier answered HTTP {error.status}.") from None
    except RequestException as error:
        if _was_never_sent(error):
            raise CarrierUnreachableError(f"Could not {doing}: no connection to the carrier.") from None
        raise CarrierUnknownError(f"Could not {doing}: the carrier gave no answer ({type(error).__name__}).") from None
    except (TwilioException, UsageError, ValueError, KeyError, TypeError, AttributeError) as error:
        # An answer that is no Call: what became of the request is anybody's guess.
        raise CarrierUnknownError(f"Could not {doing}: unreadable answer ({type(error).__name__}).") from None


def _was_never_sent(error: RequestException) -> bool:
    """Whether the connection failed before anything was said, so that certainly no call was made."""
    if isinstance(error, ConnectTimeout):
        return True
    seen: set[int] = set()
    queue: list[object] = [error]
    while queue:
        cause = queue.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        if isinstance(cause, (NewConnectionError, ConnectTimeoutError, ssl.SSLCertVerificationError)):
            return True
        queue += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
    return False


def _report(call: Any) -> CallReport:
    report = CallReport(
        call_sid=str(call.sid),
        status=call_status(str(call.status)),
        answered_by=call.answered_by or None,
        duration_seconds=None if call.duration in (None, "") else int(call.duration),
    )
    at = _moment(call.end_time) if report.is_final else None
    at = at or _moment(call.start_time) or _moment(call.date_created)
    return CallReport(
        call_sid=report.call_sid,
        status=report.status,
        answered_by=report.answered_by,
        duration_seconds=report.duration_seconds,
        at=at,
    )


def _made_at(call: Any) -> datetime | None:
    return _moment(call.date_created) or _moment(call.start_time)


def _moment(value: object) -> datetime | None:
    if not isinstance(value, datetime):
        return None  # the client leaves a date that it cannot read as text
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
