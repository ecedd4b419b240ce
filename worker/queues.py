"""The queues, and how a job is put on one.

Decides: one queue a worker (a worker on two queues that dies right after the pop loses the job for good), no RQ
retry ever (it would run a side effect a second time: a second call), no results kept, and job ids and arguments
that say nothing of a person. A job that gets lost is found in the database by the reconciler.
"""

from __future__ import annotations

import redis
from rq import Queue

from ivr.backlog import DIALLING, QUEUES, UPKEEP

__all__ = ["DIALLING", "QUEUES", "UPKEEP", "connect", "put_dial", "put_mail", "put_voice"]

DIAL_SECONDS = 60
"""A dial job is one request with a time-out of its own; one that takes this long hangs."""

VOICE_SECONDS = 1800
"""Rendering all prompts of an order, with gTTS and its pauses."""

MAIL_SECONDS = 600
"""All mail that waits, each with its time-outs; what is left is taken up again."""

STALE_SECONDS = 600
"""A job that nobody took for so long vanishes; the reconciler puts its attempt on the queue again."""

FAILED_SECONDS = 24 * 3600
"""How long a failed job can be looked at."""


def connect(url: str) -> redis.Redis:
    """Redis at `url` (`redis://…`, `unix://…`). Connects at first use."""
    return redis.Redis.from_url(url, socket_connect_timeout=5)


def put_dial(connection: redis.Redis, attempt_id: str) -> None:
    """Put the dialling of this attempt on its queue. redis.RedisError when Redis is away."""
    _put(connection, DIALLING, "worker.jobs.dial", attempt_id, DIAL_SECONDS)


def put_voice(connection: redis.Redis, order_id: int) -> None:
    """Put the rendering of this order's prompts on its queue. redis.RedisError when Redis is away."""
    _put(connection, UPKEEP, "worker.jobs.voice", order_id, VOICE_SECONDS)


def put_mail(connection: redis.Redis) -> None:
    """Put the making and sending of mail that is due on its queue. redis.RedisError when Redis is away."""
    _put(connection, UPKEEP, "worker.jobs.mail", None, MAIL_SECONDS)


def _put(connection: redis.Redis, name: str, function: str, argument: str | int | None, seconds: int) -> None:
    Queue(name, connection=connection).enqueue_call(
        function,
        args=() if argument is None else (argument,),
        timeout=seconds,
        result_ttl=0,
        ttl=STALE_SECONDS,
        failure_ttl=FAILED_SECONDS,
    )
