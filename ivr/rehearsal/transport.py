"""How the carrier's requests travel to the house: signed, logged, retried, with a ceiling, to loopback only.

Decides what Twilio's documents say of webhook transport: 15 s for everything (real time), one retry on a
failed connection (the URL's fragment can ask for more), at most ten redirects, cookies kept within a call,
an idempotency token that is the same over retries. What a reply means is decided by `twiml_player.py`.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import quote_plus, urljoin, urlsplit, urlunsplit

import aiohttp
from yarl import URL

from ivr.rehearsal.calls import Call
from ivr.rehearsal.listeners import Delivery
from ivr.rehearsal.overrides import Overrides
from ivr.rehearsal.signing import Params, sign
from ivr.rehearsal.timekeeper import Timekeeper

CEILING_SECONDS = 15.0
MAXIMUM_REDIRECTS = 10
MAXIMUM_REPLY_BYTES = 8 * 1024 * 1024


class WebhookError(Exception):
    """A request that gave no usable reply. `code` is Twilio's number; `delivery` says what may have happened."""

    def __init__(self, code: int, message: str, delivery: Delivery) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.delivery: Delivery = delivery


@dataclass(frozen=True, slots=True)
class Reply:
    """What the house answered. url: where it finally came from; relative addresses refer to it."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    set_cookies: tuple[str, ...] = ()

    @property
    def is_fine(self) -> bool:
        return 200 <= self.status < 300


class Web(Protocol):
    """Carries one request, once. An `aiohttp` session, or (in `ivr rehearse`) the WSGI app itself."""

    async def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        """WebhookError with code 11205 (`undelivered`: no connection) or 11200 (`uncertain`: sent, no answer)."""
        ...

    async def close(self) -> None: ...


def is_loopback(url: str) -> bool:
    """Whether this URL points at this machine; a local carrier goes nowhere else."""
    try:
        return _is_this_machine(urlsplit(url).hostname or "")
    except ValueError:
        return False


@lru_cache(maxsize=256)
def _is_this_machine(host: str) -> bool:
    return host == "localhost" or ipaddress.ip_address(host).is_loopback


class HttpWeb:
    """Real HTTP, connections kept alive. Must be made inside the event loop."""

    def __init__(self, ceiling_seconds: float = CEILING_SECONDS) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30, use_dns_cache=True),
            timeout=aiohttp.ClientTimeout(total=ceiling_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        for attempt in (1, 2):
            try:
                async with self._session.request(
                    method, URL(url, encoded=True), headers=headers, data=body, allow_redirects=False
                ) as answer:
                    content = await answer.content.read(MAXIMUM_REPLY_BYTES)
                    while not answer.content.at_eof():
                        if len(content) >= MAXIMUM_REPLY_BYTES:
                            raise WebhookError(11750, "the reply is over 8 MB", "uncertain")
                        content += await answer.content.read(MAXIMUM_REPLY_BYTES)
                    return Reply(
                        url, answer.status, answer.headers, content, tuple(answer.headers.getall("Set-Cookie", ()))
                    )
            except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError) as error:
                if isinstance(error, aiohttp.ClientConnectorError):
                    raise WebhookError(11205, f"no connection: {error}", "undelivered") from error
                raise WebhookError(11200, "no answer in time", "uncertain") from error
            except aiohttp.ServerDisconnectedError as error:
                # An idle connection that the server closed in the same moment: nothing was read of the request.
                # Twilio opens a new one too; a GET may simply be sent again.
                if attempt == 1 and method in {"GET", "HEAD"}:
                    continue
                raise WebhookError(11200, "the connection broke", "uncertain") from error
            except TimeoutError as error:
                raise WebhookError(11200, "no answer in 15 s", "uncertain") from error
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise WebhookError(11200, f"no answer: {error!r}", "uncertain") from error
        raise AssertionError("the loop above always returns or raises")

    async def close(self) -> None:
        await self._session.close()


class JsonLines:
    """A file that gets one JSON object a line, at once; None writes nowhere."""

    def __init__(self, path: Path | None) -> None:
        self._file: IO[str] | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")

    @property
    def is_kept(self) -> bool:
        """Whether anything is written anywhere."""
        return self._file is not None

    def write(self, line: Mapping[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class Webhooks:
    """Sends webhooks of calls. One per carrier; `log` gets every request that was tried."""

    def __init__(self, keeper: Timekeeper, web: Web, token: str, log: JsonLines) -> None:
        self._keeper = keeper
        self._web = web
        self._token = token
        self._log = log
        self._tokens = str(uuid.uuid4())[:-12]
        self.sent = 0

    async def send(
        self, call: Call, method: str, url: str, params: Params, *, token: str | None = None, times: int = 1
    ) -> Reply:
        """The final reply, whatever its status. WebhookError when there is none.

        token: the idempotency token of an earlier sending of the same request. times: send it so often, as a
        network does that lost the first answer; the last reply counts.
        """
        if not is_loopback(url):
            raise WebhookError(11210, "the local carrier calls this machine only", "undelivered")
        # A random beginning and a number are as unique as a whole random one, and cost no system call a webhook.
        token = token or f"{self._tokens}{self.sent:012x}"
        overrides = Overrides.of(url)
        reply = None
        for _ in range(max(1, times)):
            tries = 0
            while True:
                tries += 1
                try:
                    reply = await self._follow(call, method, url, params, token)
                except WebhookError as error:
                    kind = "ct" if error.delivery == "undelivered" else "rt"
                    if tries <= overrides.retries and kind in overrides.on and error.code in {11200, 11205}:
                        continue
                    raise
                if not reply.is_fine and tries <= overrides.retries and f"{reply.status // 100}xx" in overrides.on:
                    continue
                break
        assert reply is not None
        return reply

    async def _follow(self, call: Call, method: str, url: str, params: Params, token: str) -> Reply:
        for _ in range(MAXIMUM_REDIRECTS + 1):
            reply = await self._once(call, method, url, params, token)
            if reply.status not in {301, 302, 303, 307, 308}:
                return reply
            url = urljoin(reply.url, reply.headers.get("Location", ""))
            if reply.status in {301, 302, 303}:
                method, params = "GET", {}
            if not is_loopback(url):
                raise WebhookError(11210, "redirected away from this machine", "uncertain")
        raise WebhookError(11215, "more than ten redirects", "uncertain")

    async def _once(self, call: Call, method: str, url: str, params: Params, token: str) -> Reply:
        address, user = _bare(url)
        form = _form(params)
        if method == "GET" and form:
            address += ("&" if urlsplit(address).query else "?") + form
        signature = sign(self._token, address, params if method == "POST" else None)
        headers = {
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            "X-Twilio-Signature": signature,
            "I-Twilio-Idempotency-Token": token,
        }
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        if user is not None:
            headers["Authorization"] = f"Basic {base64.b64encode(':'.join(user).encode()).decode()}"
        host = urlsplit(address).hostname or ""
        if cookies := "; ".join(f"{name}={value}" for (place, name), value in call.cookies.items() if place == host):
            headers["Cookie"] = cookies
        self.sent += 1
        body = form.encode() if method == "POST" else None
        if not self._log.is_kept:
            reply = await self._web.request(method, address, headers, body)
        else:
            line: dict[str, Any] = {
                "method": method,
                "url": address,
                "params": dict(params) if method == "POST" else {},
                "signature": signature,
                "status": None,
                "reply": "",
                "call_sid": call.sid,
                "sent_at": datetime.fromtimestamp(self._keeper.now(), UTC).isoformat(timespec="milliseconds"),
            }
            try:
                reply = await self._web.request(method, address, headers, body)
                line["status"] = reply.status
                line["reply"] = reply.body.decode("utf-8", "replace")
            except WebhookError as error:
                line["error"] = str(error)
                raise
            finally:
                self._log.write(line)
        _remember(call, host, reply.set_cookies)
        return reply


async def fetch(web: Web, url: str, headers: Mapping[str, str] | None = None) -> Reply:
    """GET without parameters, signature or cookies, as media are fetched. WebhookError if there is no reply."""
    if not is_loopback(url):
        raise WebhookError(11210, "the local carrier calls this machine only", "undelivered")
    try:
        return await web.request("GET", _bare(url)[0], {"Accept": "*/*", **(headers or {})}, None)
    except asyncio.CancelledError:
        raise


_quoted = lru_cache(maxsize=2048)(quote_plus)
"""The same few names, numbers and words stand in every form of a call."""


def _form(params: Params) -> str:
    """These parameters as a form, as `urllib.parse.urlencode` writes it."""
    return "&".join(
        f"{_quoted(name)}={_quoted(one)}"
        for name, value in params.items()
        for one in (value if isinstance(value, list) else (value,))
    )


def _bare(url: str) -> tuple[str, tuple[str, str] | None]:
    """`url` without user and fragment, and the user and password that stood in it."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    return urlunsplit((parts.scheme, host, parts.path or "/", parts.query, "")), (name, password) if at else None


def _remember(call: Call, host: str, set_cookies: tuple[str, ...]) -> None:
    for text in set_cookies:
        try:
            jar = SimpleCookie(text)
        except CookieError:
            continue
        for name, morsel in jar.items():
            if morsel["max-age"] == "0":
                call.cookies.pop((host, name), None)
            else:
                call.cookies[host, name] = morsel.value
