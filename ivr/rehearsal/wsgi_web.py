"""Carries the carrier's requests into a WSGI application in the same process: the house's web door without a socket."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

from ivr.rehearsal.transport import Reply

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Headers(dict[str, str]):
    """Header names as a client knows them: in any case."""

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key.lower(), default)


class WsgiWeb:
    """One request at a time; it is over when `request` returns. What the application raises is raised here."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app
        self.requests = 0

    async def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        """See `transport.Web`."""
        self.requests += 1
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, fields: list[tuple[str, str]], _: object = None) -> Callable[[bytes], None]:
            started[:] = [(status, fields)]
            return lambda _: None

        chunks = self._app(_environ(method, url, headers, body or b""), start)
        try:
            content = b"".join(chunks)
        finally:
            if (close := getattr(chunks, "close", None)) is not None:
                close()
        status, fields = started[0]
        return Reply(
            url,
            int(status.split(" ", 1)[0]),
            _Headers((name.lower(), value) for name, value in fields),
            content,
            tuple(value for name, value in fields if name.lower() == "set-cookie"),
        )

    async def close(self) -> None:
        return None


def _environ(method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    parts = urlsplit(url)
    environ = {
        **_server(parts.scheme, parts.netloc),
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote(parts.path, "latin-1"),
        "QUERY_STRING": parts.query,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
    }
    if body or method == "POST":
        environ["CONTENT_LENGTH"] = str(len(body))
    for name, value in headers.items():
        environ[_key(name)] = value
    return environ


@lru_cache(maxsize=16)
def _server(scheme: str, netloc: str) -> Mapping[str, Any]:
    """What is the same in every request to one address."""
    parts = urlsplit(f"{scheme}://{netloc}")
    return {
        "SCRIPT_NAME": "",
        "SERVER_NAME": parts.hostname or "127.0.0.1",
        "SERVER_PORT": str(parts.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "HTTP_HOST": netloc,
    }


@lru_cache(maxsize=64)
def _key(name: str) -> str:
    """Where a header stands in the environment."""
    key = name.upper().replace("-", "_")
    return key if key == "CONTENT_TYPE" else f"HTTP_{key}"
