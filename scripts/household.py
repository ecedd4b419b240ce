"""The processes of a whole house on one machine, for `ivr run` and `ivr demo`: who starts, with what, in what order."""

from __future__ import annotations

import fcntl
import os
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from ivr.errors import ConfigurationError
from ivr.settings import Settings
from scripts.embedded import redis_command, wait_for_redis
from scripts.processes import Processes, python


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_taken(port: int) -> bool:
    """Whether somebody listens on this loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def environment(settings: Settings, **changes: str) -> dict[str, str]:
    """What the children get: our environment, with the embedded defaults spelled out."""
    return {
        **os.environ,
        "IVR_VAR_DIR": str(settings.var_dir.resolve()),
        "IVR_DATABASE_URL": settings.database,
        "IVR_REDIS_URL": settings.redis,
        "PYTHONUNBUFFERED": "1",
        **changes,
    }


def wait_for_page(url: str, processes: Processes, name: str, seconds: float = 90.0) -> None:
    """Return when `url` answers 200. ConfigurationError with the process's last words when it does not."""
    deadline = time.monotonic() + seconds
    problem: object = "no answer"
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2) as reply:  # noqa: S310  (our own loopback address)
                if reply.status == 200:
                    return
        except (urllib.error.URLError, OSError) as error:
            problem = error
        time.sleep(0.05)
    raise ConfigurationError(f"{name} does not answer at {url} ({problem}). Its log ends:\n{processes.log_tail(name)}")


def start_redis(processes: Processes, settings: Settings) -> None:
    """The embedded Redis, unless IVR_REDIS_URL names one."""
    if not settings.redis_url:
        processes.start("redis", redis_command(settings.run_dir / "redis.sock", settings.var_dir.resolve() / "redis"))
    wait_for_redis(settings.redis)


def start_carrier(processes: Processes, options: Mapping[str, str], port: int) -> None:
    """The local carrier on `port`; `options` are flags of `ivr carrier`."""
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    processes.start("carrier", python("-m", "scripts.cli", "carrier", "--port", str(port), *flags))
    wait_for_page(f"http://127.0.0.1:{port}/healthz", processes, "carrier")


def start_house(processes: Processes, settings: Settings, port: int) -> None:
    """Web server, dialling workers, upkeep and the clock."""
    processes.start("web", python("-m", "scripts.serve"))
    wait_for_page(f"http://127.0.0.1:{port}/healthz", processes, "web")
    for number in range(1, settings.workers + 1):
        processes.start(f"worker-{number}", python("-m", "worker", "dialling"))
    processes.start("upkeep", python("-m", "worker", "upkeep"))
    processes.start("clock", python("-m", "worker", "clock"))


def refuse_taken_port(port: int, setting: str) -> None:
    """ConfigurationError when somebody listens on `port` already."""
    if is_taken(port):
        raise ConfigurationError(
            f"Port {port} is taken. Stop what listens there, or choose another with {setting} "
            "(and IVR_PUBLIC_BASE_URL)."
        )


def refuse_deaf_address(public_base_url: str, port: int) -> None:
    """ConfigurationError when webhooks for this machine would go to a port on which the web server does not listen."""
    parts = urlsplit(public_base_url)
    called = parts.port or (443 if parts.scheme == "https" else 80)
    if parts.hostname in {"127.0.0.1", "localhost", "::1"} and called != port:
        raise ConfigurationError(
            f"IVR_PUBLIC_BASE_URL is {public_base_url}, but the web server listens on port {port} (IVR_WEB_PORT): "
            "no call would reach it. Set both to the same port."
        )


def hold_port(port: int, setting: str) -> socket.socket:
    """Keep `port` for this process and what it starts, until the socket is closed or we die.

    ConfigurationError when somebody listens on it already, or another `ivr run` keeps it and does not listen yet:
    granian shares a port with whoever asks for it, so that each house would get half of the other's webhooks.
    """
    kept = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # A name without a file (Linux): it belongs to this machine's network as the port does, and is gone with us.
        kept.bind(f"\0toets-port-{port}")
        refuse_taken_port(port, setting)
    except OSError as error:
        kept.close()
        raise ConfigurationError(
            f"Another `ivr run` starts on port {port}. Stop it, or choose another port with {setting} "
            "(and IVR_PUBLIC_BASE_URL)."
        ) from error
    except ConfigurationError:
        kept.close()
        raise
    return kept


def hold(directory: Path) -> IO[bytes]:
    """Keep `directory` for this process, until the file is closed or we die. ConfigurationError when another has it."""
    file = (directory / "running.lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise ConfigurationError(
            f"Another `ivr run` works in {directory}. Stop it, or give this one an IVR_VAR_DIR of its own."
        ) from error
    return file


def prepare(path: Path) -> Path:
    """`path`, made if it was not there."""
    path.mkdir(parents=True, exist_ok=True)
    return path
