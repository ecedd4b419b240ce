"""What a web process counts while it works: webhooks with their time, and alarms.

Decides what is counted here and what is not: only what leaves no row. Calls, quota and mail are counted where they lie,
in the database (`web/metrics.py`). One web server is several processes; with PROMETHEUS_MULTIPROC_DIR each keeps its
numbers in a file there and any of them can add all up (docs/decisions/0011). A webhook itself only notes its time; a
thread beside it puts the notes into that file each second, because writing there costs more than the noting.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from time import perf_counter, sleep

from flask import Blueprint, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

KINDS = {
    "voice.hear_keys": "key",
    "voice.hear_silence": "silence",
    "voice.hear_inbound": "inbound",
    "voice.hear_fallback": "fallback",
    "voice.note": "status",
}
"""A webhook's kind by its view; a machine's verdict comes in at the same view as a status."""

KNOWN_ALARMS = (
    "bad_signature",
    "unsigned",
    "unknown_attempt",
    "no_audio",
    "voice_error",
    "server_error",
    "fallback",
    "bad_status",
)
"""Shown as 0 from the beginning, so that the first one is already a rise."""

WRITE_EVERY_SECONDS = 1.0

SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
"""Bounds of the latency histogram. 15 s is where the carrier gives up."""


class Counts:
    """The counters of this process. Names of what is exposed: `toets_webhook_seconds`, `toets_alarms_total`."""

    def __init__(self, shared: Path | None = None) -> None:
        """`shared`: the folder in which the processes of this web server keep their numbers; None: this one alone."""
        self._shared = shared
        self._registry = CollectorRegistry()
        self._webhooks = Histogram(
            "toets_webhook_seconds",
            "Time from a webhook's view being chosen to its answer, by kind and HTTP status.",
            ("kind", "status"),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._alarms = Counter("toets_alarms", "What should not happen, by name.", ("alarm",), registry=self._registry)
        for name in KNOWN_ALARMS:
            self._alarms.labels(name)
        # Looking a child up by its labels costs a lock and some string work at each webhook; once is enough.
        self._children: dict[tuple[str, int], Histogram] = {}
        self._notes: deque[tuple[str, int, float]] = deque()
        self._writer: threading.Thread | None = None
        self._lock = threading.Lock()

    def watch(self, door: Blueprint) -> None:
        """Time every request of this blueprint, also those that end in an error. Call it before it is registered."""

        @door.before_request
        def begin() -> None:
            g.began = perf_counter()

        @door.after_request
        def end(response: Response) -> Response:
            kind = KINDS.get(request.endpoint or "", "other")
            if kind == "status" and request.path.endswith("/machine"):
                kind = "machine"
            self._notes.append((kind, response.status_code, perf_counter() - g.began))
            if self._writer is None:
                self._start()
            return response

    def _start(self) -> None:
        # At the first webhook, not earlier: a process that was forked after this would have no thread.
        with self._lock:
            if self._writer is None:
                self._writer = threading.Thread(target=self._keep_writing, name="counts", daemon=True)
                self._writer.start()

    def _keep_writing(self) -> None:
        while True:
            sleep(WRITE_EVERY_SECONDS)
            # On a full disk these numbers are lost, and not the thread: notes that nobody takes away would pile up.
            with suppress(OSError):
                self._write()

    def _write(self) -> None:
        while True:
            try:
                kind, status, seconds = self._notes.popleft()
            except IndexError:
                return
            child = self._children.get((kind, status))
            if child is None:
                child = self._children[kind, status] = self._webhooks.labels(kind, str(status))
            child.observe(seconds)

    def alarm(self, name: str) -> None:
        """One more of these."""
        self._alarms.labels(name).inc()

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format, of all processes that share."""
        self._write()
        if self._shared is None:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together, path=str(self._shared))
        return generate_latest(together)
