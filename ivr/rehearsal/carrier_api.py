"""The REST side of the local carrier: Twilio's `/2010-04-01/Accounts/{sid}/Calls` over aiohttp.

Decides who may ask (basic auth), what a request means, and how an answer looks; each satisfies Twilio's OpenAPI
document (tests hold it to that). Calls live in `exchange.py`, lists of them in `call_pages.py`. It listens on
loopback only and makes no call to any telephone.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from ivr.logs import get_logger
from ivr.rehearsal.call_pages import page_of
from ivr.rehearsal.calls import API_VERSION, EVENTS, Call, Target
from ivr.rehearsal.exchange import Exchange
from ivr.rehearsal.faults import Faults
from ivr.rehearsal.rest_parameters import (
    BAD_PARAMETER,
    Fields,
    RestError,
    check_fields,
    check_numbers,
    first,
)
from ivr.rehearsal.timekeeper import Timekeeper

ACCOUNT = "AC" + "0" * 32
TOKEN = "local"  # noqa: S105  (the documented token of a carrier that reaches no network)
MAXIMUM_BODY = 256 * 1024

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = get_logger("carrier")


class CarrierApi:
    """The aiohttp application. `concurrency`: calls that may live at the same time; None: no limit."""

    def __init__(
        self,
        keeper: Timekeeper,
        exchange: Exchange,
        faults: Faults,
        *,
        account_sid: str = ACCOUNT,
        token: str = TOKEN,
        concurrency: int | None = None,
    ) -> None:
        self._keeper = keeper
        self._exchange = exchange
        self._book = exchange.book
        self._faults = faults
        self._account = account_sid
        self._token = token
        self._concurrency = concurrency
        self._asked = 0

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._in_twilios_words], client_max_size=MAXIMUM_BODY)
        root = f"/{API_VERSION}/Accounts/{{account}}/Calls"
        app.router.add_get("/healthz", self._health)
        app.router.add_get(f"{root}.json", self._list, allow_head=False)
        app.router.add_post(f"{root}.json", self._create)
        app.router.add_get(f"{root}/{{sid}}.json", self._fetch, allow_head=False)
        app.router.add_post(f"{root}/{{sid}}.json", self._update)
        app.router.add_delete(f"{root}/{{sid}}.json", self._delete)
        return app

    @web.middleware
    async def _in_twilios_words(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request.path == "/softphone" or request.path.startswith("/softphone/"):
                return await handler(request)  # no Twilio's door: it shows a page and asks for a pass
            if request.path != "/healthz":
                self._authenticate(request)
            with self._keeper.busy(f"{request.method} {request.path}"):
                return await handler(request)
        except RestError as error:
            headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if error.status == 401 else {}
            return _error(error, headers)
        except web.HTTPMethodNotAllowed as error:
            return _error(RestError(405, 20004, "Method not allowed."), {"Allow": error.headers["Allow"]})
        except web.HTTPRequestEntityTooLarge:
            return _error(RestError(413, BAD_PARAMETER, "The request is too large."))
        except web.HTTPException as error:
            return _error(RestError(error.status, 20404, "The requested resource was not found."))

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "status": "ok",
                "now": self._keeper.moment().isoformat(),
                "calls": self._book.total,
                "live": self._book.live,
                "double_calls": self._exchange.double_calls,
                "faults": dict(self._faults.done),
            }
        )

    async def _create(self, request: web.Request) -> web.StreamResponse:
        self._asked += 1
        occasion = str(self._asked)
        fields = await _form(request)
        if self._faults.strikes("rest_429", occasion):
            raise RestError(429, 20429, "Too many requests.")
        to, from_ = check_numbers(fields)
        check_fields(fields)
        if first(fields, "ApplicationSid") is not None:
            raise RestError(400, 21218, "ApplicationSid: this account has no applications.")
        if first(fields, "Url") is None and first(fields, "Twiml") is None:
            raise RestError(400, 21205, "Url or Twiml must be given.")
        if self._concurrency is not None and self._book.live >= self._concurrency:
            raise RestError(429, 10004, "Call concurrency limit exceeded.")
        is_broken = self._faults.strikes("rest_500", occasion)
        if is_broken and self._faults.dice("rest_500 when", occasion).random() < 0.5:
            raise RestError(500, 20500, "Internal server error, no call was made.")
        call = self._call(fields, to, from_)
        if self._faults.strikes("early_webhook", occasion):
            # No moment of the call's time may pass here: the house waits for our answer and holds the clock.
            call.has_no_ring = True
            self._exchange.place(call)
            await _until(lambda: call.is_over or call.documents > 0, 2.0)
        else:
            self._exchange.place(call)
        if is_broken:
            raise RestError(500, 20500, "Internal server error, after the call was made.")
        if self._faults.strikes("rest_lost", occasion) and request.transport is not None:
            request.transport.abort()
        return web.json_response(call.as_json(), status=201)

    def _call(self, fields: Fields, to: str, from_: str) -> Call:
        events = frozenset(event for text in fields.get("StatusCallbackEvent", ()) for event in text.split())
        now = self._keeper.now()
        return Call(
            sid=self._book.new_sid(),
            account_sid=self._account,
            to=to,
            from_=from_,
            target=_target(fields),
            created_at=now,
            updated_at=now,
            status_callback=first(fields, "StatusCallback"),
            status_method=first(fields, "StatusCallbackMethod") or "POST",
            status_events=events & set(EVENTS) or frozenset({"completed"}),
            ring_seconds=int(first(fields, "Timeout") or 60),
            limit_seconds=int(first(fields, "TimeLimit") or 14400),
            machine_detection=first(fields, "MachineDetection") is not None,
            machine_async=first(fields, "AsyncAmd") == "true",
            machine_callback=first(fields, "AsyncAmdStatusCallback"),
            machine_method=first(fields, "AsyncAmdStatusCallbackMethod") or "POST",
        )

    async def _fetch(self, request: web.Request) -> web.Response:
        return web.json_response(self._wanted(request).as_json())

    async def _update(self, request: web.Request) -> web.Response:
        call = self._wanted(request)
        fields = await _form(request)
        check_fields(fields)
        status, url, document = first(fields, "Status"), first(fields, "Url"), first(fields, "Twiml")
        if status is not None and status not in {"canceled", "completed"}:
            raise RestError(400, BAD_PARAMETER, "Status must be canceled or completed.")
        if (url is not None or document is not None) and call.is_over:
            raise RestError(400, 21220, "Call is not in-progress. Cannot redirect.")
        if (limit := first(fields, "TimeLimit")) is not None:
            call.limit_seconds = int(limit)
        if (callback := first(fields, "StatusCallback")) is not None:
            call.status_callback = callback
            call.status_method = first(fields, "StatusCallbackMethod") or "POST"
        if status == "canceled":
            self._exchange.change(call, "cancel")
        elif status == "completed":
            self._exchange.change(call, "hang up")
        elif url is not None or document is not None:
            call.target = _target(fields, call.target)
            self._exchange.change(call, "redirect")
        if status is not None and not call.is_over:
            await _until(lambda: call.is_over or call.wish is None, 1.0)
        return web.json_response(call.as_json())

    async def _delete(self, request: web.Request) -> web.Response:
        self._wanted(request)
        raise RestError(403, 20003, "The record of a call is not deleted here.")

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response(page_of(self._book, request.path, _fields(request.query_string)))

    def _wanted(self, request: web.Request) -> Call:
        call = self._book.get(request.match_info["sid"])
        if call is None:
            raise RestError(404, 20404, f"The requested resource {request.path} was not found.")
        return call

    def _authenticate(self, request: web.Request) -> None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user = password = ""
        right = hmac.compare_digest(f"{user}:{password}".encode(), f"{self._account}:{self._token}".encode())
        if scheme.lower() != "basic" or not right:
            raise RestError(401, 20003, "Authenticate")
        if request.match_info.get("account", self._account) != self._account:
            raise RestError(404, 20404, f"The requested resource {request.path} was not found.")


def _target(fields: Fields, old: Target | None = None) -> Target:
    return Target(
        url=first(fields, "Url"),
        method=first(fields, "Method") or "POST",
        twiml=None if first(fields, "Url") is not None else first(fields, "Twiml"),
        fallback_url=first(fields, "FallbackUrl") or (old.fallback_url if old else None),
        fallback_method=first(fields, "FallbackMethod") or (old.fallback_method if old else "POST"),
    )


def _fields(text: str) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        fields.setdefault(name, []).append(value)
    return fields


async def _form(request: web.Request) -> dict[str, list[str]]:
    if request.content_type != "application/x-www-form-urlencoded":
        await request.read()
        return {}
    try:
        return _fields((await request.read()).decode("utf-8"))
    except ValueError as error:
        raise RestError(400, BAD_PARAMETER, "The body is no form in UTF-8.") from error


async def _until(is_so: Callable[[], bool], seconds: float) -> None:
    """Real time: let other tasks run until something holds, at most so long."""
    for _ in range(round(seconds / 0.005)):
        if is_so():
            return
        await asyncio.sleep(0.005)


def _error(error: RestError, headers: dict[str, str] | None = None) -> web.Response:
    body: dict[str, Any] = {
        "code": error.code,
        "message": error.message,
        "more_info": f"https://www.twilio.com/docs/errors/{error.code}",
        "status": error.status,
    }
    return web.json_response(body, status=error.status, headers=headers or {})
