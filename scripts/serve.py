"""Starts the web server with the settings: granian, several processes, threads for blocking work.

Granian measured fastest of the WSGI servers for our webhook (docs/decisions/0003). It hands over a decoded
path and no raw request target, which is why voice URLs have letters, digits, - _ / only.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from ivr.settings import load_settings


def fresh_metrics_dir(var_dir: Path, port: int) -> Path:
    """An empty folder in which the processes of this server keep their counts: those of its predecessor are over."""
    folder = var_dir.resolve() / f"metrics-{port}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def main() -> None:
    """Become granian: one process id for the service manager to watch."""
    settings = load_settings()
    command = [
        *(sys.executable, "-m", "granian"),
        *("--interface", "wsgi"),
        "--factory",
        *("--host", settings.web_host),
        *("--port", str(settings.web_port)),
        *("--workers", str(settings.web_processes)),
        *("--blocking-threads", str(settings.web_threads)),
        *("--respawn-failed-workers", "--respawn-interval", "0.2"),
        "--no-ws",
        *("--log-level", "warning"),
        "ivr.web.app:create_app",
    ]
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(
        settings.metrics_dir or fresh_metrics_dir(settings.var_dir, settings.web_port)
    )
    os.execv(command[0], command)  # noqa: S606  (no shell, our own argument list)


if __name__ == "__main__":
    main()
