"""A house on loopback with one order that is voiced in short beeps, and a local carrier with a softphone beside it."""

from __future__ import annotations

import asyncio
import hashlib
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import sqlalchemy as sa
from flask import Flask

from ivr import passes
from ivr.bootstrap import House
from ivr.rehearsal.population import NobodyHome
from ivr.rehearsal.service import LocalCarrier, Plan
from ivr.settings import Settings
from ivr.store import Database, tables
from ivr.web.app import create_app
from tests.fieldwork.voiced_order import VoicedOrder

SECONDS = 0.25
"""Each prompt's length: a whole interview passes in a few seconds."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@dataclass(frozen=True)
class World:
    """What a test of the softphone stands in."""

    url: str
    carrier: LocalCarrier
    house: House
    order: VoicedOrder
    loop: asyncio.AbstractEventLoop

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        """All rows of a table."""
        return self.order.rows(table)

    def run(self, work: Any) -> Any:
        """Run a coroutine in the carrier's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)


def beep(words: str) -> bytes:
    """A µ-law WAV of SECONDS, its bytes unlike those of any other words."""
    size = int(8000 * SECONDS)
    tone = bytes(0xFF if (index // 10) % 2 else 0x7F for index in range(size))
    head = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 7, 1, 8000, 8000, 1, 8, 0)
    note = words.encode() + b"\0" * (len(words.encode()) % 2)
    chunks = head + struct.pack("<4sI", b"note", len(note)) + note + struct.pack("<4sI", b"data", size) + tone
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def make_audible(database: Database) -> None:
    """Give every prompt of the database a real sound, under its real name."""
    table, uses = tables.prompts, tables.order_prompts
    with database.write() as session:
        for row in session.execute(sa.select(table)).all():
            wav = beep(f"{row.sha256} {row.text}")
            name = hashlib.sha256(wav).hexdigest()
            session.execute(sa.insert(table).values({**row._mapping, "sha256": name, "wav": wav, "seconds": SECONDS}))
            session.execute(sa.update(uses).where(uses.c.sha256 == row.sha256).values(sha256=name))
            session.execute(sa.delete(table).where(table.c.sha256 == row.sha256))


@contextmanager
def open_world(database: Database, folder: Path) -> Iterator[World]:
    """Everything up, on ports of its own; down again afterwards."""
    order = VoicedOrder(database)
    make_audible(database)
    server = make_server("127.0.0.1", 0, Flask("nobody"), _Server, _Quiet)
    url = f"http://127.0.0.1:{server.server_port}"
    common: dict[str, Any] = {"var_dir": folder, "database_url": database.url, "public_base_url": url, "env": "demo"}
    key = passes.load_key(Settings(**common))
    loop = asyncio.new_event_loop()
    threads = [
        threading.Thread(target=loop.run_forever, daemon=True),
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True),
    ]
    carrier = LocalCarrier(Plan(port=0, house_url=url, softphone_key=key, calls_per_second=50, seed=1), NobodyHome())
    threads[0].start()
    asyncio.run_coroutine_threadsafe(carrier.open(), loop).result(10)
    house = House(Settings(**common, carrier_url=carrier.url))
    house.__dict__["database"] = database
    server.set_app(create_app(house))
    threads[1].start()
    try:
        yield World(url, carrier, house, order, loop)
    finally:
        asyncio.run_coroutine_threadsafe(carrier.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        server.shutdown()
        for thread in threads:
            thread.join(10)
        server.server_close()
        loop.close()
        if "carrier" in house.__dict__:
            house.carrier._client.http_client.session.close()  # type: ignore[attr-defined]
