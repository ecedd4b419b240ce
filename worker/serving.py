"""A worker on one queue that never gives up: Redis may be killed, restarted, emptied.

RQ's SimpleWorker runs jobs in its own process. The forking worker would cost some 16 ms a job and a new connection
to everything, to protect against jobs that leak or crash; ours are one HTTP request with a time-out, and a process
that dies is started again by whatever keeps the house running. A killed worker costs nothing: its attempt is found.
"""

from __future__ import annotations

import time

import redis
from rq import Queue, SimpleWorker

from ivr.logs import get_logger
from worker import parts, queues

log = get_logger(__name__)

WORKER_TTL, MAINTENANCE_SECONDS = 25, 10
"""A killed worker is noticed by RQ after some 90 s with these, after 13 minutes by default."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0


class _Worker(SimpleWorker):
    """A SimpleWorker that remembers that it was told to stop."""

    was_told_to_stop = False

    def request_stop(self, signum: int, frame: object) -> None:
        self.was_told_to_stop = True
        super().request_stop(signum, frame)  # pyright: ignore[reportArgumentType]


def serve(name: str) -> None:
    """Work on this queue until the process is told to stop."""
    settings = parts.house().settings
    pause = FIRST_PAUSE_SECONDS
    while True:
        connection = queues.connect(settings.redis)
        began = time.monotonic()
        try:
            worker = _Worker(
                [Queue(name, connection=connection)],
                connection=connection,
                worker_ttl=WORKER_TTL,
                maintenance_interval=MAINTENANCE_SECONDS,
                log_job_description=False,
            )
            worker.work(logging_level="WARNING")
            if worker.was_told_to_stop:
                return
        except (redis.RedisError, OSError) as error:
            log.warning("queue_away", queue=name, error=type(error).__name__)
        finally:
            connection.close()
        if time.monotonic() - began > LONGEST_PAUSE_SECONDS:
            pause = FIRST_PAUSE_SECONDS
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
