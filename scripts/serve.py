"""Starts the web server with the settings: granian, several processes, threads for blocking work.

Granian measured fastest of the WSGI servers for our webhook (docs/decisions/0003). It hands over a decoded
path and no raw request target, which is why voice URLs have letters, digits, - _ / only.
"""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from ivr.settings import load_settings
from scripts.processes import die_with

APPLICATION = "ivr.web.app"
"""Known by name only, as to any web server: scripts do not look into the web room."""


def fresh_metrics_dir(var_dir: Path, port: int) -> Path:
    """An empty folder in which the processes of this server keep their counts: those of its predecessor are over."""
    folder = var_dir.resolve() / f"metrics-{port}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def create_app() -> Any:
    """The web application, in one of granian's processes: those outlive a master that is killed with -9."""
    if (master := multiprocessing.parent_process()) is not None and master.pid is not None:
        die_with(master.pid)
    app = importlib.import_module(APPLICATION).create_app()
    # What lives as long as the process is not looked through again and again: a full collection costs a silence.
    gc.collect()
    gc.freeze()
    return app


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
        "scripts.serve:create_app",
    ]
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(
        settings.metrics_dir or fresh_metrics_dir(settings.var_dir, settings.web_port)
    )
    os.execv(command[0], command)  # noqa: S606  (no shell, our own argument list)


if __name__ == "__main__":
    main()
