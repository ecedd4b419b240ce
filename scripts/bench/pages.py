"""The staff pages with 500 cells and 40 000 people: milliseconds until the whole page is there, and kilobytes.

Fills a database as a season leaves one (contacts, calls, interviews, answers), starts the real web server anew for each
page, lets it finish its start (it counts the board once by itself), drops the database from the kernel's cache and asks
for the page: that is "cold", a process's very first view, with everything read from the disk and counted anew (the best
of several starts, the worst, and the processor's share of the best). Then three times more: "warm", with the
processor's share; the board is counted anew each time, because what is kept for its watchers is too old by then.
Kilobytes are the page with stylesheet and scripts: as sent (a page is not compressed, because it holds a secret beside
what was typed), all of it plain, and all of it as gzip would make it.

    python scripts/bench/pages.py [--cells 500] [--people 80] [--starts 3] [--database sqlite:////…] [--json FILE]
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from itsdangerous import URLSafeTimedSerializer

from ivr.bootstrap import House
from ivr.fieldwork import accounts
from ivr.ids import new_id
from ivr.settings import ROOT, Settings
from ivr.store import schema, tables, users
from ivr.store.samples import Contact, phone_hash
from ivr.web.app import SessionsOfPages
from ivr.web.pages.keys import session_key

FRESH_SECONDS = 2.6
"""After so long the board's shared figures are counted anew."""
PAGES = {
    "bord": "/staff",
    "bord, aandacht": "/staff?aandacht=1",
    "cel": "/staff/cel/{cell}",
    "persoon": "/staff/persoon/{person}",
    "logboek": "/staff/logboek",
    "vragenlijst": "/staff/vragenlijsten/laagdrempelig",
}
_FINAL = ("complete", "refusal", "attempts_used_up", "not_in_service", "wrong_person", "partial")
_WAITING = ("no_answer", "busy", "answering_machine", "break_off", "hung_up_introduction", "appointment")


def fill(house: House, cells: int, people: int) -> None:
    """A season: each provider one list, its people called up to six times, a fifth of them interviewed."""
    chance = random.Random(1)  # noqa: S311
    now = datetime.now(UTC).replace(microsecond=0)
    form = house.catalogue.questionnaires["inburgering"]
    rows: dict[sa.Table, list[dict[str, Any]]] = {table: [] for table in tables.metadata.sorted_tables}
    period = {"period_from": date(now.year - 1, 1, 1), "period_to": date(now.year - 1, 12, 31)}
    case_id = 0
    for cell in range(1, cells + 1):
        name = f"Bureau {cell} voor werk en taal"
        rows[tables.providers].append({"id": cell, "name": name, "name_key": name.casefold()})
        rows[tables.samples].append({"id": cell, "provider_id": cell, **period})
        order = {"id": cell, "sample_id": cell, "track": "inburgering", "interviews": 25, "created_at": now}
        rows[tables.orders].append({**order, "voiced_at": now})
        done = 0
        for index in range(people):
            case_id += 1
            kind = chance.choice((*_FINAL, *_WAITING, *["fresh"] * 6))
            done += kind in ("complete", "partial") and done < 25
            calls = 0 if kind == "fresh" else chance.randint(1, 6)
            _person(house, rows, form, chance, now, cell, case_id, index, kind, calls)
        counts = {"target": 25, "capacity": 25, "successful": done, "in_flight": 0}
        rows[tables.cells].append({"id": cell, "order_id": cell, "sample_id": cell, "track": "inburgering", **counts})
        audit = {"at": now, "who": "veldwerk@bureau.example", "what": "cell_paused", "subject": f"cell {cell}"}
        rows[tables.audit].append({**audit, "reason": "vakantie", "details": {}})
    with house.database.write() as session:
        for table, found in rows.items():
            if found:
                session.execute(sa.insert(table), found)
    if house.database.engine.dialect.name == "sqlite":
        with house.database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _person(
    house: House,
    rows: dict[sa.Table, list[dict[str, Any]]],
    form: Any,
    chance: random.Random,
    now: datetime,
    cell: int,
    case_id: int,
    index: int,
    kind: str,
    calls: int,
) -> None:
    is_final = kind in _FINAL
    number = f"+316{10_000_000 + case_id}"
    hashed = phone_hash(house.sealer, number)
    case = {"id": case_id, "sample_id": cell, "cell_id": cell, "respondent_group": "client", "respondent": str(index)}
    case |= {"questionnaire": "inburgering", "route": "telephone", "code": f"{index:04}", "service": 11}
    case |= {"disposition": kind, "is_final": is_final, "attempts": calls, "dialled": calls, "consent": "ja"}
    later = now + timedelta(hours=chance.randint(-5, 90))
    case |= {"next_call_at": None if is_final else later, "created_at": now, "replicate": index // 40}
    rows[tables.cases].append(case)
    contact = Contact(first_name="Voornaam", last_name="Achternaam", phones=(number,))
    rows[tables.contacts].append({"case_id": case_id, "sealed": house.sealer.seal(contact.to_mapping())})
    rows[tables.case_phones].append({"case_id": case_id, "rank": 0, "phone_hash": hashed})
    for number_in_case in range(1, calls + 1):
        at = now - timedelta(hours=chance.randint(1, 24 * 40))
        last = kind if number_in_case == calls and kind != "attempts_used_up" else "no_answer"
        times = dict.fromkeys(("planned_at", "not_before", "not_after", "dialing_at", "placed_at", "ended_at"), at)
        attempt = {"id": new_id(), "case_id": case_id, "cell_id": cell, "number_in_case": number_in_case}
        attempt |= {"phone_hash": hashed, "state": "closed", "outcome": last, "rang": True, **times}
        rows[tables.attempts].append(attempt)
    if kind in ("complete", "partial", "break_off"):
        id = new_id()
        run = {"id": id, "case_id": case_id, "cell_id": cell, "questionnaire": form.id, "version": form.version}
        good = kind != "break_off"
        at = now - timedelta(hours=chance.randint(1, 24 * 40))
        run |= {"mode": "telephone", "started_at": at, "disposition": kind, "usable": good, "successful": good}
        rows[tables.interviews].append({**run, "usable_at": at if good else None})
        for question in form.questions[: None if kind == "complete" else 4]:
            answer = {"interview_id": id, "question": question.id, "value": "x", "mode": "telephone"}
            rows[tables.responses].append({**answer, "answered_at": at})


def sign_in(house: House) -> str:
    """The cookie of somebody who works here."""
    token, now = "bench-token", accounts.wall_clock()
    with house.database.write() as session:
        found = users.find(session, "bench@bureau.example")
        user_id = found.id if found else users.add(session, "bench@bureau.example", "admin", now)
        users.close_sessions(session, user_id)
        users.open_session(session, accounts.token_hash(token), user_id, now, now + timedelta(hours=8))
    app = Flask("bench")
    app.secret_key = session_key(house.settings)
    serializer = SessionsOfPages().get_signing_serializer(app)
    assert isinstance(serializer, URLSafeTimedSerializer)
    text = serializer.dumps({"token": token, "csrf": "bench"})
    return f"toets={text}"


@contextmanager
def server(environment: Mapping[str, str], port: int) -> Iterator[int]:
    """The process group of a server that stands."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", "1", "--blocking-threads", "4", "--log-level", "error"]
    process = subprocess.Popen(
        [*command, "ivr.web.app:create_app"], env=dict(environment), cwd=ROOT, start_new_session=True
    )
    try:
        _wait(f"http://127.0.0.1:{port}/healthz", process)  # then the app stands, and no page was asked for
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310  (loopback)
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("The server does not start.")


def forget_files(database_url: str) -> None:
    """Let the kernel read the database from the disk again."""
    path = Path(database_url.removeprefix("sqlite:///"))
    for file in (path, Path(f"{path}-wal")):
        if database_url.startswith("sqlite") and file.exists():
            handle = os.open(file, os.O_RDONLY)
            os.fsync(handle)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def cpu_ms(group: int) -> float:
    """Milliseconds of processor that the processes of this group have used."""
    ticks = 0
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split() if entry.name.isdigit() else []
        except OSError:
            continue  # it ended meanwhile
        if fields and int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return 1000 * ticks / os.sysconf("SC_CLK_TCK")


def until_idle(group: int) -> None:
    """Wait until the server has done what it does at its start."""
    used, until = -1.0, time.monotonic() + 30
    while used != (now := cpu_ms(group)) and time.monotonic() < until:
        used = now
        time.sleep(0.5)


def ask(port: int, path: str, cookie: str, encoding: str = "identity") -> tuple[float, bytes]:
    """(milliseconds, body) of a page."""
    headers = {"Cookie": cookie, "Accept-Encoding": encoding}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    started = time.perf_counter()
    with urllib.request.urlopen(request) as answer:  # noqa: S310  (loopback)
        body = answer.read()
        assert answer.geturl().endswith(path), f"sent to {answer.geturl()}"
    return 1000 * (time.perf_counter() - started), body


def measure(environment: Mapping[str, str], database_url: str, path: str, cookie: str, starts: int) -> dict[str, Any]:
    cold: list[float] = []
    warm: list[float] = []
    busy: list[float] = []
    warm_busy: list[float] = []
    plain = wire = squeezed = 0
    for _ in range(starts):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with server(environment, port) as group:
            until_idle(group)
            time.sleep(FRESH_SECONDS)  # nothing that was counted at the start is still good
            forget_files(database_url)
            before = cpu_ms(group)
            milliseconds, body = ask(port, path, cookie)
            cold.append(milliseconds)
            busy.append(cpu_ms(group) - before)
            if not warm:
                for _ in range(3):
                    time.sleep(FRESH_SECONDS)
                    before = cpu_ms(group)
                    warm.append(ask(port, path, cookie)[0])
                    warm_busy.append(cpu_ms(group) - before)
                assets = re.findall(r'(?:href|src)="(/assets/[^"]+)"', body.decode())
                parts = [body, *(ask(port, asset, "")[1] for asset in assets)]
                wire = len(body) + sum(len(ask(port, asset, "", "gzip")[1]) for asset in assets)
                plain = sum(map(len, parts))
                squeezed = sum(len(gzip.compress(part, 6)) for part in parts)
    return {
        "cold_ms": round(min(cold), 1),
        "coldest_ms": round(max(cold), 1),
        "cold_cpu_ms": round(min(busy), 1),
        "warm_ms": round(statistics.median(warm), 1),
        "warm_cpu_ms": round(min(warm_busy), 1),
        "kb_sent": round(wire / 1000, 1),
        "kb_plain": round(plain / 1000, 1),
        "kb_gzip": round(squeezed / 1000, 1),
    }


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cells", type=int, default=500)
    options.add_argument("--people", type=int, default=80, help="in each cell")
    options.add_argument("--starts", type=int, default=3, help="of the server, for each page")
    options.add_argument(
        "--database", default="", help="an empty one; without it SQLite in a folder that is thrown away"
    )
    options.add_argument("--json", type=Path)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = asked.database or f"sqlite:///{folder}/toets.db"
        house = House(Settings(var_dir=Path(folder), database_url=url))  # type: ignore[call-arg]
        schema.upgrade(house.database)
        with house.database.read() as session:
            is_empty = session.execute(sa.select(tables.providers.c.id)).first() is None
        if is_empty:
            fill(house, asked.cells, asked.people)
        cookie = sign_in(house)
        with house.database.read() as session:
            count = session.execute(sa.select(sa.func.count()).select_from(tables.attempts)).scalar_one()
            cell, person = session.execute(sa.select(tables.cases.c.cell_id, tables.cases.c.id).limit(1)).one()
        house.database.dispose()
        say(f"{asked.cells} cells, {asked.cells * asked.people} people, {count} calls; {os.cpu_count()} cores")
        own = {"IVR_VAR_DIR": folder, "IVR_DATABASE_URL": url, "PROMETHEUS_MULTIPROC_DIR": folder}
        environment = {**os.environ, **own}
        found = {}
        for name, path in PAGES.items():
            path = path.format(cell=cell, person=person)
            found[name] = measure(environment, url, path, cookie, asked.starts)
            say(f"{name:16} " + "  ".join(f"{figure}={value}" for figure, value in found[name].items()))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
