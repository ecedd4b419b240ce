"""The load generator: a process of its own, plain sockets, requests signed beforehand.

`load.py PLAN.json --connections N [--rate R]`: without a rate as fast as answers come; with one, requests start at
that many per second whatever the answers do (latency from the moment it should have started). Each request takes the
connection that rested longest, so that the webhooks of one call reach different processes, as a carrier's do.
With a rate, calls begin one after another, as a carrier's calls per second let them: each question is then asked at
every moment, and not of everybody at once. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from ivr.telephony.webhooks import sign

_CALLS_AT_ONCE = 100
"""So many calls are going on at a rate: enough that a slow answer holds nobody else up."""

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


class Line(asyncio.Protocol):
    """One keep-alive connection with at most one request on its way."""

    def __init__(self, heard: Callable[[Line, int], None]) -> None:
        self._heard = heard
        self._got = b""
        self._ends: int | None = None
        self._transport: asyncio.WriteTransport | None = None
        self.walk: Walk | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def send(self, walk: Walk) -> None:
        assert self._transport is not None
        self.walk = walk
        self._transport.write(walk.request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        if self._ends is None:
            head, found, _ = self._got.partition(b"\r\n\r\n")
            if not found:
                return
            _, _, after = head.lower().partition(b"content-length:")
            self._ends = len(head) + 4 + int(after.partition(b"\r\n")[0] or b"0")
        if len(self._got) >= self._ends:
            status = int(self._got[9:12])
            self._got, self._ends = b"", None
            self._heard(self, status)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.walk is not None:
            raise ConnectionError("the server hung up in the middle of a request") from exc


class Walk:
    """Calls that are made one after the other; each request waits for the answer to the one before."""

    def __init__(self, calls: list[list[bytes]]) -> None:
        self._requests = iter([request for call in calls for request in call])
        self.request = b""
        self.due = 0.0

    def step(self) -> bool:
        """To the next request; False at the end."""
        self.request = next(self._requests, b"")
        return bool(self.request)


async def run(plan: dict, connections: int, rate: float | None) -> dict:
    parts = urlsplit(plan["base_url"])
    calls = [requests_of(plan, *call) for call in plan["calls"]]
    total = sum(len(call) for call in calls)
    number = connections if rate is None else _CALLS_AT_ONCE
    ready = deque(walk for each in range(number) if (walk := Walk(calls[each::number])).step())
    rested: deque[Line] = deque()
    due: deque[Walk] = deque()
    taken: list[float] = []
    statuses: Counter[int] = Counter()
    is_over = asyncio.Event()

    def heard(line: Line, status: int) -> None:
        walk, line.walk = line.walk, None
        assert walk is not None
        taken.append(time.perf_counter() - walk.due)
        statuses[status] += 1
        rested.append(line)
        if walk.step():
            if rate is None:
                walk.due = time.perf_counter()
                due.append(walk)
            else:
                ready.append(walk)
        elif len(taken) == total:
            is_over.set()
        go()

    def go() -> None:
        while due and rested:
            rested.popleft().send(due.popleft())

    loop = asyncio.get_running_loop()
    for _ in range(connections):
        _, line = await loop.create_connection(lambda: Line(heard), parts.hostname, parts.port)
        rested.append(line)
    began = time.perf_counter()
    if rate is None:
        for walk in ready:
            walk.due = began
        due.extend(ready)
        go()
    else:
        to_begin, ready = ready, deque[Walk]()
        for pace in range(total):
            when = began + pace / rate
            if to_begin and pace % 2 == 0:  # the other half goes on with calls that have begun
                ready.appendleft(to_begin.popleft())
            while (wait := when - time.perf_counter()) > 0 or not ready:
                await asyncio.sleep(max(wait, 0.0005))
            walk = ready.popleft()
            walk.due = when
            due.append(walk)
            go()
    await is_over.wait()
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
