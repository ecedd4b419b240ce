"""Is this process alive, and is the house ready: for load balancers and the operator.

`/healthz` asks nothing of anybody. `/readyz` asks the database (without it nothing works: 503), Redis (without it
calls only start later) and whether every open order has its audio.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from flask import Blueprint, Response, jsonify

from ivr.bootstrap import House
from ivr.logs import get_logger
from ivr.store import prompts
from ivr.web.problems import Alarms, plain

log = get_logger(__name__)

_SECONDS = 1.0


def make_blueprint(house: House, alarms: Alarms) -> Blueprint:
    """The two health pages of this house."""
    pages = Blueprint("health", __name__)
    redis = _Redis(lambda: house.settings.redis)

    @pages.get("/healthz")
    def alive() -> Response:
        return plain("ok", 200)

    @pages.get("/readyz")
    def ready() -> tuple[Response, int]:
        database, audio = _database_and_audio(house)
        states = {"database": database, "redis": redis.state(), "audio": audio}
        return jsonify(
            {"ready": database == "ok", **states, "alarms": alarms.counts()}
        ), 200 if database == "ok" else 503

    return pages


def _database_and_audio(house: House) -> tuple[str, str]:
    from ivr.store import schema  # Alembic comes with it: not at the start of every process

    try:
        if not schema.is_current(house.database):
            return "old schema: run ivr db upgrade", "unknown"
        with house.database.read() as session:
            waiting = len(prompts.unvoiced(session))
    except Exception as error:  # whatever it is, the answer is that it is down
        log.warning("database_down", error=type(error).__name__)
        return "down", "unknown"
    return "ok", "ok" if waiting == 0 else f"{waiting} orders wait for audio: run ivr audio render"


class _Redis:
    """Asks whether Redis answers, over a connection that is kept; one that broke is made anew by the client."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url

    @cached_property
    def _client(self) -> Any:
        from redis import Redis  # not at the start of every process

        # Asked for here: where the socket lies makes a folder, which a house that nobody asks for has no need of.
        return Redis.from_url(self._url(), socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS)

    def state(self) -> str:
        """`ok` or `down`."""
        from redis.exceptions import RedisError

        try:
            self._client.ping()
        except (RedisError, OSError) as error:
            log.warning("redis_down", error=type(error).__name__)
            return "down"
        return "ok"
