"""`/metrics` for Prometheus: what the processes of this server counted, and how the fieldwork stands.

Decides who may read it: whoever sends the token of IVR_METRICS_TOKEN. Without a token nobody in production, because
behind a proxy everybody comes from this machine; elsewhere programs on this machine. Labels are few and bounded:
states, tracks, outcomes, queues, alarms; never a provider, a cell or a person. Calls, quota and mail are read from
the database, once in some seconds however many ask.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ivr.fieldwork.accounts import wall_clock
from ivr.logs import get_logger
from ivr.store import gauges, leases, mails
from ivr.web.counts import Counts
from ivr.web.pages.access import is_on_this_machine
from ivr.web.pages.shared import Shared
from ivr.web.problems import plain

if TYPE_CHECKING:
    from ivr.bootstrap import House

log = get_logger(__name__)

FRESH_SECONDS = 10.0
CLOCK_LEASE = "clock"


def make_blueprint(house: House, counts: Counts) -> Blueprint:
    """The door `/metrics` of this house."""
    door = Blueprint("metrics", __name__)
    stored = CollectorRegistry(auto_describe=False)
    stored.register(_Stored(house))
    shown = Shared(lambda: generate_latest(stored), FRESH_SECONDS)

    @door.get("/metrics")
    def metrics() -> Response:
        if not _may_read(house):
            refusal = plain("Send IVR_METRICS_TOKEN as `Authorization: Bearer …`.", 401)
            refusal.headers["WWW-Authenticate"] = 'Bearer realm="toets"'
            return refusal
        answer = Response(counts.exposition() + shown.get(), content_type=CONTENT_TYPE_PLAIN_0_0_4)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return door


def _may_read(house: House) -> bool:
    token = house.settings.metrics_token
    if token is None:
        return is_on_this_machine(house)
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    return kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.get_secret_value().encode())


class _Stored(Collector):
    """What the database and Redis know. Each part that is away is told as such and costs nobody the rest."""

    def __init__(self, house: House) -> None:
        self._house = house

    def collect(self) -> Iterator[Metric]:
        yield from self._part("database", self._database)
        yield from self._part("redis", self._queues)

    def _part(self, name: str, read: Callable[[], list[Metric]]) -> Iterator[Metric]:
        try:
            found, up = read(), 1
        except Exception as error:  # whatever it is, the answer is that it is down
            log.warning("metrics_without", part=name, error=type(error).__name__)
            found, up = [], 0
        yield GaugeMetricFamily(f"toets_{name}_up", f"Whether the {name} answered.", value=up)
        yield from found

    def _database(self) -> list[Metric]:
        with self._house.database.read() as session:
            outcomes, open_calls = gauges.calls_by_outcome(session), gauges.open_calls(session)
            quota, down = gauges.quota(session), gauges.lines_down(session)
            unvoiced = gauges.orders_without_audio(session)
            mail = mails.by_state(session)
            is_held = leases.holder_of(session, CLOCK_LEASE, wall_clock()) is not None
        calls = CounterMetricFamily("toets_calls", "Calls that ended, by outcome.", labels=("outcome",))
        for outcome, count in sorted(outcomes.items()):
            calls.add_metric((outcome,), count)
        now = GaugeMetricFamily("toets_calls_open", "Calls that are not over, by state.", labels=("state",))
        for state, count in sorted(open_calls.items()):
            now.add_metric((state,), count)
        post = GaugeMetricFamily("toets_mails", "Mails of the last months, by state.", labels=("state",))
        for state in ("waiting", "sending", "sent", "unknown", "given_up"):
            post.add_metric((state,), mail.get(state, 0))
        return [
            calls,
            now,
            post,
            *_quota(quota),
            GaugeMetricFamily("toets_lines_down", "Lines to the carrier that are out.", value=down),
            GaugeMetricFamily("toets_orders_without_audio", "Orders that wait for their prompts.", value=unvoiced),
            GaugeMetricFamily("toets_clock_held", "Whether some process is the clock.", value=int(is_held)),
        ]

    def _queues(self) -> list[Metric]:
        from ivr import backlog  # RQ comes with it: not at the start of every process

        with backlog.open_redis(self._house.settings.redis) as connection:
            depths, ticks = backlog.depths(connection), backlog.ticks(connection)
        waiting = GaugeMetricFamily("toets_queue_jobs", "Jobs that nobody took yet.", labels=("queue",))
        failed = GaugeMetricFamily("toets_queue_failed_jobs", "Jobs that ended in an error.", labels=("queue",))
        for name, (jobs, failures) in depths.items():
            waiting.add_metric((name,), jobs)
            failed.add_metric((name,), failures)
        return [waiting, failed, _ticks(ticks)]


def _quota(sums: list[gauges.CellSums]) -> list[Metric]:
    labels = ("track", "state")
    told: list[GaugeMetricFamily] = [
        GaugeMetricFamily("toets_cells", "Quota cells, by track and state.", labels=labels),
        GaugeMetricFamily("toets_quota_target", "Interviews that are wanted.", labels=labels),
        GaugeMetricFamily("toets_quota_successful", "Interviews that count.", labels=labels),
        GaugeMetricFamily("toets_quota_in_flight", "Slots that calls hold.", labels=labels),
    ]
    for one in sums:
        values = (one.cells, one.target, one.successful, one.in_flight)
        for family, value in zip(told, values, strict=True):
            family.add_metric((one.track, one.state), value)
    return [*told]


def _ticks(ticks: dict[str, datetime]) -> GaugeMetricFamily:
    name, told = "toets_clock_job_timestamp_seconds", "When the clock last did each of its jobs."
    family = GaugeMetricFamily(name, told, labels=("job",))
    for job, at in ticks.items():
        family.add_metric((job,), at.timestamp())
    return family
