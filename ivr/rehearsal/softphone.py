"""The softphone: a telephone in a browser, in the carrier's own process; real webhooks, real sounds, real time.

Decides who may use it (a pass of the house, shown as the first message; loopback; the page's own origin), which
numbers it has, and that whatever it begins is begun by the house as a test call (`/softphone/lijn/begin`). What
happens in a call is `softphone_line.py`'s and the exchange's; the page is `static/softphone.*`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from ivr import passes
from ivr.errors import RefusedError
from ivr.logs import get_logger
from ivr.rehearsal.calls import Call, Target
from ivr.rehearsal.exchange import Exchange
from ivr.rehearsal.listeners import Population, Reception
from ivr.rehearsal.softphone_line import Line
from ivr.rehearsal.timekeeper import Timekeeper
from ivr.rehearsal.transport import Web, WebhookError, is_loopback

STATIC = Path(__file__).parent / "static"
_FILES = {"softphone.css": "text/css", "softphone.js": "text/javascript", "softphone_sound.js": "text/javascript"}
_PASS_WITHIN_SECONDS = 10.0
_HEARTBEAT_SECONDS = 20.0
WAYS = ("called", "known", "unknown")

FAULTS = {
    "pass": "Deze telefoon is verlopen. Open hem opnieuw vanuit Toets.",
    "carrier": "De centrale nam het gesprek niet aan. Wacht even en probeer het opnieuw.",
    "not_voiced": "Deze vragen zijn nog niet ingesproken. Ga terug naar Toets.",
    "unreachable": "Toets antwoordt niet. Draait het nog?",
    "busy": "Er is al een gesprek.",
}
OTHER_FAULT = "Dit lukte niet. Ga terug naar Toets en begin opnieuw."

log = get_logger("softphone")


class _Beside:
    """All numbers there are, the softphone's among them."""

    def __init__(self, softphone: Softphone, others: Population) -> None:
        self._softphone = softphone
        self._others = others

    def receives(self, number: str, call_sid: str, voice_url: str, at: float) -> Reception:
        if passes.is_softphone(number):
            return self._softphone.receives(number, call_sid)
        return self._others.receives(number, call_sid, voice_url, at)


class Softphone:
    """The softphones of one carrier: any number of windows, each a line of its own."""

    def __init__(self, house_url: str, key: bytes, web_side: Web, keeper: Timekeeper, account_sid: str) -> None:
        self._house = house_url.rstrip("/")
        self._key = key
        self._web = web_side
        self._keeper = keeper
        self._account = account_sid
        self._exchange: Exchange | None = None
        self._lines: dict[str, Line] = {}
        self._windows: set[web.WebSocketResponse] = set()

    def beside(self, others: Population) -> Population:
        """`others`, and the softphone's numbers with them."""
        return _Beside(self, others)

    def open(self, application: web.Application, exchange: Exchange) -> None:
        """Hang the page and its stream on the carrier's application."""
        self._exchange = exchange
        application.router.add_get("/softphone", self._page)
        application.router.add_get("/softphone/lijn", self._stream)
        application.router.add_get("/softphone/{name}", self._file)
        application.on_shutdown.append(self._close)

    def receives(self, number: str, call_sid: str) -> Reception:
        """What happens when a softphone's number rings: its line, or nobody."""
        line = self._lines.get(number)
        call = None if self._exchange is None else self._exchange.book.get(call_sid)
        if line is None or call is None or self._exchange is None:
            return Reception("not_in_service")
        return line.rings(self._exchange, call) if line.is_free else Reception("busy", 1.0)

    # -- page and stream --------------------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.Response:
        return self._static(request, "softphone.html", "text/html")

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in _FILES:
            raise web.HTTPNotFound
        return self._static(request, name, _FILES[name])

    def _static(self, request: web.Request, name: str, kind: str) -> web.Response:
        sounds = urlsplit(self._house)
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
            f"connect-src 'self' ws://{request.host}; media-src {sounds.scheme}://{sounds.netloc}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        headers = {
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
        }
        return web.Response(body=(STATIC / name).read_bytes(), content_type=kind, charset="utf-8", headers=headers)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        origin = urlsplit(request.headers.get("Origin", ""))
        # A page elsewhere, or one that rebinds its name to this machine, is not the softphone's page.
        if origin.netloc != request.host or not is_loopback(f"http://{request.host}/"):
            raise web.HTTPForbidden(text="The softphone's stream is for its own page.")
        window = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS, max_msg_size=8192)
        await window.prepare(request)
        self._windows.add(window)
        try:
            await self._serve(window)
        finally:
            self._windows.discard(window)
        return window

    async def _serve(self, window: web.WebSocketResponse) -> None:
        try:
            first = await window.receive(timeout=_PASS_WITHIN_SECONDS)
            text = str(_message(first.data).get("pass", "")) if first.type == WSMsgType.TEXT else ""
            claim = passes.read(self._key, text)
        except (RefusedError, TimeoutError, ValueError, KeyError):
            await window.send_json({"type": "fault", "code": "pass", "text": FAULTS["pass"]})
            await window.close()
            return
        line = Line(lambda sid: self._standing(text, sid))
        tasks = [asyncio.create_task(self._send(window, line)), asyncio.create_task(line.watch())]
        line.tell("ready", **{name: claim.get(name, "") for name in ("title", "provider", "home")})
        log.info("softphone_opened")
        try:
            async for message in window:
                if message.type == WSMsgType.TEXT:
                    await self._do(line, text, _message(message.data))
        finally:
            # Whoever closes the window has hung up.
            line.hang_up()
            for task in tasks:
                task.cancel()
            self._lines.pop(line.number, None)

    async def _send(self, window: web.WebSocketResponse, line: Line) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await window.send_json(await line.outbox.get())

    async def _do(self, line: Line, text: str, wish: Mapping[str, Any]) -> None:
        match wish.get("do"):
            case "answer":
                line.decide("answers")
            case "hang_up":
                line.hang_up()
            case "key":
                line.press(str(wish.get("key", "")))
            case "call" if wish.get("way") in WAYS:
                await self._begin(line, text, str(wish["way"]))
            case _:
                pass

    async def _close(self, _: web.Application) -> None:
        for window in list(self._windows):
            await window.close(code=1001)

    # -- what the house is asked ------------------------------------------------------------------------------

    async def _begin(self, line: Line, text: str, way: str) -> None:
        """Let the house begin a test call: it rings this line, or expects its call."""
        if not line.is_free or self._exchange is None:
            line.tell("fault", code="busy", text=FAULTS["busy"])
            return
        # Another number each time: what the house still has open on the last one is in nobody's way.
        self._lines.pop(line.number, None)
        line.number = self._free_number()
        self._lines[line.number] = line
        status, answer = await self._ask(text, "POST", "begin", {"way": way, "number": line.number})
        if status != 201 or answer is None:
            code = "unreachable" if answer is None else str(answer.get("code", ""))
            line.tell("fault", code=code, text=FAULTS.get(code, OTHER_FAULT))
        elif way != "called":
            now = self._keeper.now()
            door = f"{self._house}/voice/inbound"
            call = Call(
                sid=self._exchange.book.new_sid(),
                account_sid=self._account,
                to=str(answer["house_number"]),
                from_=line.number,
                target=Target(url=door, fallback_url=f"{door}/fallback"),
                created_at=now,
                updated_at=now,
                status_callback=f"{door}/status",
            )
            line.dials(self._exchange, call)

    async def _standing(self, text: str, sid: str) -> Mapping[str, Any] | None:
        status, answer = await self._ask(text, "GET", f"stand/{sid}", None)
        return answer if status == 200 else None

    async def _ask(
        self, text: str, method: str, path: str, body: Mapping[str, Any] | None
    ) -> tuple[int, dict[str, Any] | None]:
        """(HTTP status, JSON) of the house's door for softphones; (0, None) when it does not answer."""
        headers = {"Authorization": f"Bearer {text}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        try:
            reply = await self._web.request(method, f"{self._house}/softphone/lijn/{path}", headers, data)
            return reply.status, json.loads(reply.body)
        except (WebhookError, ValueError) as error:
            log.warning("house_unreachable", error=type(error).__name__)
            return 0, None

    def _free_number(self) -> str:
        while True:
            number = f"{passes.NUMBERS}{secrets.randbelow(10**6):06}"
            if number not in self._lines:
                return number


def _message(data: str) -> dict[str, Any]:
    """A message of the window; empty when it is none."""
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
