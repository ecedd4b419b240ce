"""The clock: one elected process that plans, puts jobs on the queues, and finds what got lost.

Decides how often to look, and nothing about calls: each tick calls the stages, which read from the database what is
due. Two clocks would do no harm (every step is conditional), only double work; a lease row elects one, in real time.
Redis gets only jobs that are due now. When it is away the reservations wait in the database, and are put on the
queue again after a lease.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import redis

from ivr import backlog
from ivr.bootstrap import House
from ivr.clock import SystemClock
from ivr.errors import ConfigurationError
from ivr.fieldwork import machines, mailing, noticing, planning, reconciling, retention, voicing
from ivr.logs import get_logger
from ivr.store import leases
from worker import jobs, parts, queues

log = get_logger(__name__)

LEASE = "clock"
LEASE_SECONDS = 20.0
"""Real seconds after which another clock takes over from one that was killed."""

LONGEST_REAL_SLEEP = timedelta(seconds=5)
"""On the wall clock, look at least this often: new samples and orders come in unannounced."""

VOICE_AGAIN_SECONDS = 300.0
"""Real seconds after which the voicing of an order is put on the queue again if it has not happened."""

ERASE_EVERY = timedelta(hours=6)
"""How often to look for contact data whose time is over."""

MAIL_EVERY_SECONDS = 60.0
"""Real seconds between two looks for mail that is due."""

NOTE_EVERY_SECONDS = 5.0
"""Real seconds between two notes of what the clock did, for the page of the queues and for /metrics."""

DIAL_GRACE_SECONDS, VOICE_GRACE_SECONDS = 5.0, 600.0


@dataclass
class Schedule:
    """What the clock remembers between ticks; nothing that would be missed if it were killed."""

    house: House
    connection: redis.Redis
    holder: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")
    reconciled_at: datetime | None = None
    swept_at: datetime | None = None
    erased_at: datetime | None = None
    voicing: dict[int, float] = field(default_factory=dict)
    renewed: float = -LEASE_SECONDS
    mail_rules: noticing.Rules | None = None
    mailed: float = -MAIL_EVERY_SECONDS
    did: set[str] = field(default_factory=set)
    noted: float = -NOTE_EVERY_SECONDS

    def tick(self) -> datetime:
        """Do what is due; the moment to look again."""
        house, limits = self.house, parts.limits_of(self.house.settings)
        now = house.clock.now()
        self._upkeep(now)
        for attempt_id in planning.plan(house.database, house.catalogue, house.calendar, now, limits):
            self._dial(attempt_id)
        self.did.add("plan")
        if house.settings.machine_detection:
            machines.hang_up_on(house.database, house.catalogue, house.carrier)
            self.did.add("machines")
        if self.reconciled_at is None or now - self.reconciled_at >= timedelta(seconds=limits.lease_seconds / 4):
            self.reconciled_at = now
            self._reconcile(now, limits)
            self.did.add("reconcile")
        self._note()
        due = planning.next_due(house.database, house.catalogue, house.calendar, now, limits)
        return min(due, now + LONGEST_REAL_SLEEP) if isinstance(house.clock, SystemClock) else due

    def is_elected(self) -> bool:
        """Whether this process is the clock (for the next LEASE_SECONDS of real time)."""
        if time.monotonic() - self.renewed < LEASE_SECONDS / 4:
            return True
        with self.house.database.write() as session:
            elected = leases.acquire(session, LEASE, self.holder, datetime.now(UTC), LEASE_SECONDS)
            if not elected and (dead := _dead_here(leases.holder_of(session, LEASE, datetime.now(UTC)))) is not None:
                leases.give_up(session, LEASE, dead)
                elected = leases.acquire(session, LEASE, self.holder, datetime.now(UTC), LEASE_SECONDS)
        self.renewed = time.monotonic() if elected else -LEASE_SECONDS
        return elected

    def resign(self) -> None:
        """Let another clock begin at once."""
        with self.house.database.write() as session:
            leases.give_up(session, LEASE, self.holder)

    def _dial(self, attempt_id: str) -> None:
        # The promise comes first: a leaping clock must not leap while the job is on its way.
        self.house.clock.promise(attempt_id, DIAL_GRACE_SECONDS)
        try:
            queues.put_dial(self.connection, attempt_id)
        except redis.RedisError as error:
            self.house.clock.keep(attempt_id)
            log.warning("queue_away", attempt_id=attempt_id, error=type(error).__name__)

    def _reconcile(self, now: datetime, limits: planning.Limits) -> None:
        house = self.house
        found = reconciling.reconcile(
            house.database,
            house.catalogue,
            house.calendar,
            house.carrier,
            house.sealer,
            now,
            lease_seconds=limits.lease_seconds,
            longest_call_seconds=house.settings.call_limit_seconds,
        )
        for attempt_id in found.requeue:
            self._dial(attempt_id)
        if found.requeue or found.adopted or found.closed or found.unknown or found.slots or found.expired:
            log.info(
                "reconciled",
                requeued=len(found.requeue),
                adopted=found.adopted,
                closed=found.closed,
                unknown=found.unknown,
                slots=found.slots,
                expired=found.expired,
            )

    def _upkeep(self, now: datetime) -> None:
        if self.swept_at is None or now - self.swept_at >= timedelta(seconds=30):
            self.swept_at = now
            planning.sweep(self.house.database, self.house.catalogue, now)
            self.did.add("sweep")
        if self.erased_at is None or now - self.erased_at >= ERASE_EVERY:
            self.erased_at = now
            retention.erase_due(self.house.database, self.house.catalogue, now)
            self.did.add("erase")
        self._mail(now)
        with self.house.database.read() as session:
            pending = voicing.pending(session)
        for order_id in pending:
            asked = self.voicing.get(order_id)
            if asked is not None and time.monotonic() - asked < VOICE_AGAIN_SECONDS:
                continue
            self.house.clock.promise(jobs.voice_promise(order_id), VOICE_GRACE_SECONDS)
            try:
                queues.put_voice(self.connection, order_id)
                self.voicing[order_id] = time.monotonic()
            except redis.RedisError as error:
                self.house.clock.keep(jobs.voice_promise(order_id))
                log.warning("queue_away", order_id=order_id, error=type(error).__name__)

    def _mail(self, now: datetime) -> None:
        # People live in real time: a demo or rehearsal that leaps over weeks writes to nobody.
        if not isinstance(self.house.clock, SystemClock) or time.monotonic() - self.mailed < MAIL_EVERY_SECONDS:
            return
        self.mailed = time.monotonic()
        try:
            self.mail_rules = self.mail_rules or noticing.load_rules(self.house.settings.config_dir / "mail")
            if mailing.is_due(self.house.database, self.mail_rules, now):
                queues.put_mail(self.connection)
            self.did.add("mail")
        except (redis.RedisError, ConfigurationError) as error:
            # Calls do not wait for mail.
            log.warning("mail_not_looked_at", error=type(error).__name__)

    def _note(self) -> None:
        if time.monotonic() - self.noted < NOTE_EVERY_SECONDS:
            return
        self.noted = time.monotonic()
        try:
            backlog.note_ticks(self.connection, self.did)
            self.did.clear()
        except redis.RedisError as error:
            log.debug("ticks_not_noted", error=type(error).__name__)


def _dead_here(holder: str | None) -> str | None:
    """The holder, when it was a process of this machine that is gone: then nobody need wait for its lease to end."""
    host, _, pid = (holder or "").rpartition(":")
    if host != socket.gethostname() or not pid.isdecimal():
        return None
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return holder
    except PermissionError:
        pass
    return None


def run() -> None:
    """Be the clock, or wait to become it, until told to stop. Survives whatever goes away and comes back."""
    house = parts.house()
    schedule = Schedule(house, queues.connect(house.settings.redis))
    try:
        while True:
            try:
                if not schedule.is_elected():
                    time.sleep(1)
                    continue
                house.clock.sleep_until(schedule.tick())
            except Exception as error:
                # A database that restarts, a timekeeper that is away: the next tick reads again what is due.
                log.error("tick_failed", error=type(error).__name__, exc_info=error)
                time.sleep(0.5)
    finally:
        try:
            schedule.resign()
        except Exception as error:
            log.warning("lease_not_given_up", error=type(error).__name__)
