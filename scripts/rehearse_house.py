"""A whole house in one process for `ivr rehearse`: real store, stages and web door, on the season's clock and line.

Decides what plays the part of processes: a tick is what the elected clock does, a job is a coroutine of the season's
clock, a webhook is a call of the WSGI application. Everything lies in a folder that is thrown away; no setting of the
environment reaches it.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from ivr.bootstrap import House
from ivr.errors import InvariantError
from ivr.rehearsal.calls import Call
from ivr.rehearsal.season_clock import SeasonClock
from ivr.rehearsal.season_line import SeasonLine
from ivr.rehearsal.wsgi_web import WsgiApp
from ivr.settings import Settings
from ivr.store import schema
from ivr.survey.disposition import CallReport
from ivr.telephony.carrier import CallRequest
from ivr.telephony.webhooks import call_status

APP = "ivr.web.app:create_app"
"""The web door, by the name under which a server loads it: doors do not import each other."""

CALLS_PER_SECOND = 1.0
CALLS_IN_FLIGHT = 60
LEASE_SECONDS = 60.0


class AloneSettings(Settings):
    """Settings that look at no environment: a rehearsal meets nobody's database, key or account."""

    @classmethod
    def settings_customise_sources(cls, settings_cls: Any, init_settings: Any, **_: Any) -> tuple[Any, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return (init_settings,)


class HouseClock:
    """The season's clock as the house knows clocks. Nobody in one process may wait for another inside a call."""

    def __init__(self, clock: SeasonClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def sleep_until(self, moment: datetime) -> None:
        if moment > self.now():
            raise InvariantError("A stage wanted to wait; in a rehearsal its job begins when it is due.")

    def promise(self, token: str, grace_seconds: float = 3.0) -> None: ...

    def keep(self, token: str) -> None: ...

    def rest(self) -> None: ...


class LineCarrier:
    """The season's line as the house knows carriers."""

    def __init__(self, line: SeasonLine) -> None:
        self._line = line

    def place(self, request: CallRequest) -> CallReport:
        call = self._line.place(
            to=request.to,
            from_=request.from_,
            voice_url=request.voice_url,
            fallback_url=request.fallback_url,
            status_url=request.status_url,
            machine_url=request.machine_url,
            ring_seconds=request.ring_seconds,
            limit_seconds=request.limit_seconds,
        )
        # The answer is written before the call begins, whatever has happened by the time it arrives.
        return CallReport(call.sid, "queued")

    def fetch(self, call_sid: str) -> CallReport | None:
        call = self._line.fetch(call_sid)
        return None if call is None else _report(call)

    def find(self, to: str, since: datetime) -> list[CallReport]:
        # Twilio's moments are whole seconds.
        first = int(since.timestamp())
        return [_report(call) for call in self._line.find(to) if call.created_at >= first]

    def end(self, call_sid: str) -> None:
        self._line.end(call_sid)


def _report(call: Call) -> CallReport:
    moment = call.ended_at or call.started_at or call.created_at
    return CallReport(
        call_sid=call.sid,
        status=call_status(call.status),
        answered_by=call.answered_by,
        duration_seconds=call.duration,
        at=datetime.fromtimestamp(int(moment), UTC),
    )


@dataclass(frozen=True)
class RehearsalHouse(House):
    """A house whose clock is handed in. Give it its line with `connect` once the web door is open."""

    season_clock: SeasonClock

    @cached_property
    def clock(self) -> HouseClock:  # pyright: ignore[reportIncompatibleVariableOverride]
        return HouseClock(self.season_clock)


def open_rehearsal(folder: Path, seed: str, clock: SeasonClock) -> RehearsalHouse:
    """An empty house in `folder`. The same seed hashes and seals with the same key, so that codes are the same."""
    key = base64.b64encode(hashlib.sha256(f"rehearsal/{seed}".encode()).digest()).decode()
    values: dict[str, Any] = {
        "var_dir": folder,
        "database_url": f"sqlite:///{folder / 'rehearsal.db'}",
        "encryption_key": key,
        "machine_detection": True,
        "calls_per_second": CALLS_PER_SECOND,
        "calls_in_flight": CALLS_IN_FLIGHT,
        "lease_seconds": LEASE_SECONDS,
    }
    settings = AloneSettings(**values)
    house = RehearsalHouse(settings, clock)
    schema.upgrade(house.database)
    return house


def web_door(house: House) -> WsgiApp:
    """The WSGI application of this house, loaded as a server does."""
    module, _, factory = APP.partition(":")
    return getattr(importlib.import_module(module), factory)(house).wsgi_app
