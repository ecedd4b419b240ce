"""The load generator: a process of its own, plain sockets, requests signed beforehand.

`load.py PLAN.json --connections N [--rate R]`: without a rate as fast as answers come; with one, requests start at
that many per second whatever the answers do (latency from the moment it should have started). Each request takes the
connection that rested longest, so that the webhooks of one call reach different processes, as a carrier's do.
Prints one JSON document.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from ivr.telephony.webhooks import sign

_FORM = {
    "AccountSid": "AC" + "0" * 32,
    "ApiVersion": "2010-04-01",
    "CallStatus": "in-progress",
    "Called": "+31612345678",
    "CalledCountry": "NL",
    "CalledCity": "",
    "CalledState": "",
    "CalledZip": "",
    "Caller": "+31850000000",
    "CallerCountry": "NL",
    "CallerCity": "",
    "Direction": "outbound-api",
    "From": "+31850000000",
    "FromCountry": "NL",
    "To": "+31612345678",
    "ToCountry": "NL",
    "msg": "Gather",
    "FinishedOnKey": "",
}


def requests_of(plan: dict, attempt: str, call_sid: str) -> list[bytes]:
    """The requests of one call, in order, each as the bytes that go over the wire."""
    base, host = plan["base_url"], urlsplit(plan["base_url"]).netloc
    made = []
    for turn, keys in plan["steps"]:
        form = _FORM | {"CallSid": call_sid} | ({"Digits": keys} if keys else {})
        if plan["kind"] == "sample":
            paths = [f"/voice/{attempt}/question/{turn}", f"/voice/{attempt}/answer/{turn}"]
        else:
            paths = [f"/voice/{attempt}/{turn}" + ("" if keys else "/silence")]
        for path in paths:
            body = urlencode(form).encode()
            signature = sign(base + path, {name: [value] for name, value in form.items()}, plan["token"])
            head = (
                f"POST {path} HTTP/1.1\r\nHost: {host}\r\nX-Twilio-Signature: {signature}\r\n"
                "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nAccept: */*\r\n"
                f"User-Agent: TwilioProxy/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            made.append(head.encode() + body)
    return made


class Line:
    """One keep-alive connection."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def send(self, request: bytes) -> int:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(*self._address)
        assert self._reader is not None
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.split("content-length:", 1)[1].split("\r\n", 1)[0]) if "content-length:" in head else 0
        await self._reader.readexactly(length)
        if "connection: close" in head:
            self._writer.close()
            self._writer = None
        return int(head.split(" ", 2)[1])


async def run(plan: dict, connections: int, rate: float | None) -> dict:
    parts = urlsplit(plan["base_url"])
    free: asyncio.Queue[Line] = asyncio.Queue()
    for _ in range(connections):
        free.put_nowait(Line(parts.hostname or "", parts.port or 80))
    calls = [requests_of(plan, *call) for call in plan["calls"]]
    total = sum(len(call) for call in calls)
    taken: list[float] = []
    statuses: Counter[int] = Counter()
    pace = iter(range(total))
    began = time.perf_counter()

    async def walk(mine: list[list[bytes]]) -> None:
        for call in mine:
            for request in call:
                start = time.perf_counter()
                if rate is not None:
                    due = began + next(pace) / rate
                    await asyncio.sleep(max(0.0, due - start))
                    start = due
                line = await free.get()
                try:
                    statuses[await line.send(request)] += 1
                finally:
                    free.put_nowait(line)
                taken.append(time.perf_counter() - start)

    # With a rate there are many more walkers than needed, so that a slow answer holds nobody else up.
    walkers = connections if rate is None else min(len(calls), 1000)
    await asyncio.gather(*(walk(calls[number::walkers]) for number in range(walkers)))
    seconds = time.perf_counter() - began
    ordered = statistics.quantiles(taken, n=1000, method="inclusive") if len(taken) > 1 else [0.0] * 999
    return {
        "requests": len(taken),
        "seconds": seconds,
        "per_second": len(taken) / seconds,
        "p50_ms": ordered[499] * 1000,
        "p99_ms": ordered[989] * 1000,
        "max_ms": max(taken) * 1000,
        "statuses": dict(statuses),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("plan", type=Path)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rate", type=float)
    given = parser.parse_args()
    json.dump(asyncio.run(run(json.loads(given.plan.read_text()), given.connections, given.rate)), sys.stdout)
