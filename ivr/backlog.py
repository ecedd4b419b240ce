"""What waits on the queues, what failed there, who works them, and when the clock last did each of its jobs.

The only module of `ivr` that knows RQ, because pages and metrics look at the queues and only the worker works them
(docs/decisions/0011). It shows ids and the class of an error: never an argument's meaning, a message or a trace.
Nothing here dials: a failed dial job can be forgotten, and never run again (it would be a second call).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import redis
from rq import Queue, Worker
from rq.job import Job
from rq.worker import BaseWorker

from ivr.errors import RefusedError

DIALLING, UPKEEP = "dialling", "upkeep"
QUEUES = (DIALLING, UPKEEP)
MAY_RUN_AGAIN = frozenset({UPKEEP})
"""Voicing and mail judge anew what is left to do. A dial job does not: the reconciler judges its attempt."""

SHOWN = 50
CLOCK_KEY = "toets:clock"
_SECONDS = 2.0
_CLASS = re.compile(r"([A-Za-z_][\w.]*)(?::|$)")


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job that ended in an error. `about`: the id it was given. `error`: the exception's class."""

    id: str
    work: str
    about: str
    error: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class QueueState:
    """waiting: jobs that nobody took yet, the oldest since then; running: taken; failed: how many, and the last."""

    name: str
    waiting: int
    oldest_at: datetime | None
    running: int
    failed: int
    failures: tuple[FailedJob, ...]
    may_run_again: bool


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker process as it last said of itself."""

    name: str
    queues: tuple[str, ...]
    state: str
    heartbeat_at: datetime | None
    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """Everything, in one look."""

    queues: tuple[QueueState, ...]
    workers: tuple[WorkerState, ...]
    ticks: dict[str, datetime]


@contextmanager
def open_redis(url: str):
    """Redis for a look: it waits two seconds and no longer. redis.RedisError or OSError when it is away."""
    connection = redis.Redis.from_url(url, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS)
    try:
        yield connection
    finally:
        connection.close()


def depths(connection: redis.Redis) -> dict[str, tuple[int, int]]:
    """Queue → jobs that wait, jobs that failed."""
    found = {}
    for name in QUEUES:
        queue = Queue(name, connection=connection)
        found[name] = (queue.count, queue.failed_job_registry.get_job_count(cleanup=False))
    return found


def look(connection: redis.Redis) -> Backlog:
    """How the queues stand now."""
    workers = tuple(sorted((_worker(one) for one in Worker.all(connection)), key=lambda one: one.name))
    return Backlog(tuple(_queue(name, connection) for name in QUEUES), workers, ticks(connection))


def forget_failed(connection: redis.Redis, name: str) -> int:
    """Forget the failed jobs of this queue; how many. The database knows what is left to do, whatever is forgotten."""
    registry = _known(name, connection).failed_job_registry
    ids = registry.get_job_ids(cleanup=False)
    for id in ids:
        registry.remove(id, delete_job=True)
    return len(ids)


def run_again(connection: redis.Redis, name: str) -> int:
    """Put the failed jobs of this queue on it once more; how many. RefusedError for a queue whose jobs call people."""
    if name not in MAY_RUN_AGAIN:
        raise RefusedError("A dial job is never run again: it could be a second call.", code="never_again")
    registry = _known(name, connection).failed_job_registry
    ids = registry.get_job_ids(cleanup=False)
    for id in ids:
        registry.requeue(id)
    return len(ids)


def note_ticks(connection: redis.Redis, jobs: Iterable[str]) -> None:
    """The clock did these of its jobs just now (real time). Kept in Redis: worth knowing, not worth keeping."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    connection.hset(CLOCK_KEY, mapping=dict.fromkeys(jobs, now))


def ticks(connection: redis.Redis) -> dict[str, datetime]:
    """When the clock last did each of its jobs."""
    kept: dict[bytes, bytes] = connection.hgetall(CLOCK_KEY)  # pyright: ignore[reportAssignmentType]
    return {job.decode(): datetime.fromisoformat(at.decode()) for job, at in sorted(kept.items())}


def _known(name: str, connection: redis.Redis) -> Queue:
    if name not in QUEUES:
        raise RefusedError(f"There is no queue {name!r}.", code="unknown_queue")
    return Queue(name, connection=connection)


def _queue(name: str, connection: redis.Redis) -> QueueState:
    queue = Queue(name, connection=connection)
    first = queue.get_jobs(0, 1)
    registry = queue.failed_job_registry
    ids = registry.get_job_ids(0, SHOWN - 1, desc=True, cleanup=False)
    jobs = Job.fetch_many(ids, connection=connection) if ids else []
    return QueueState(
        name=name,
        waiting=queue.count,
        oldest_at=_aware(first[0].enqueued_at) if first else None,
        running=queue.started_job_registry.get_job_count(cleanup=False),
        failed=registry.get_job_count(cleanup=False),
        failures=tuple(_failed(job) for job in jobs if job is not None),
        may_run_again=name in MAY_RUN_AGAIN,
    )


def _failed(job: Job) -> FailedJob:
    result = job.latest_result()
    return FailedJob(
        id=job.id,
        work=job.func_name.rpartition(".")[2] if job.func_name else "",
        about=str(job.args[0]) if job.args else "",
        error=_error_class(result.exc_string if result is not None else None),
        ended_at=_aware(job.ended_at),
    )


def _error_class(trace: str | None) -> str:
    """The class of a trace's last exception: the first line behind the last frame. What follows may hold anything."""
    lines = (trace or "").splitlines()
    frames = [number for number, line in enumerate(lines) if line.startswith('  File "')]
    for line in lines[frames[-1] + 1 :] if frames else lines[:1]:
        if line and not line[0].isspace():
            found = _CLASS.match(line)
            return found[1].rpartition(".")[2] if found else "unknown"
    return "unknown"


def _worker(worker: BaseWorker) -> WorkerState:
    return WorkerState(
        name=worker.name,
        queues=tuple(worker.queue_names()),
        state=str(worker.get_state()),
        heartbeat_at=_aware(worker.last_heartbeat),
        done=worker.successful_job_count,
        failed=worker.failed_job_count,
    )


def _aware(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
