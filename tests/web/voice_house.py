"""A house on SQLite with one voiced order, and a carrier that signs its requests with Twilio's own validator."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask.testing import FlaskClient
from pydantic import SecretStr
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from ivr.bootstrap import House
from ivr.settings import Settings
from ivr.store import Database
from ivr.web.app import create_app
from tests.fieldwork.voiced_order import Line, VoicedOrder

TOKEN = "a token"
BASE = "https://toets.example"
CALL = {
    "AccountSid": "AC" + "0" * 32,
    "From": "+31850000000",
    "To": "+31612345678",
    "CallStatus": "in-progress",
    "ApiVersion": "2010-04-01",
    "Direction": "outbound-api",
    "ToCity": "",
}


def house_at(database: Database, folder: Path, base_url: str = BASE, **more: Any) -> House:
    """The house over this database."""
    return House(
        Settings(
            database_url=database.url,
            redis_url=f"unix://{folder / 'no-redis.sock'}",
            var_dir=folder,
            public_base_url=base_url,
            TWILIO_AUTH_TOKEN=SecretStr(TOKEN),  # type: ignore[call-arg]
            **more,
        )
    )


class Door:
    """The web door of a house, spoken to as a carrier does."""

    def __init__(
        self, database: Database, folder: Path, base_url: str = BASE, *, order: VoicedOrder | None = None, **more: Any
    ) -> None:
        self.house = house_at(database, folder, base_url, **more)
        self.app = create_app(self.house)
        self.client: FlaskClient = self.app.test_client()
        self.base_url = base_url
        self.order = order or VoicedOrder(database)

    def post(
        self,
        path: str,
        form: dict[str, Any],
        *,
        query: str = "",
        token: str = TOKEN,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> TestResponse:
        """A signed POST."""
        target = path + (f"?{query}" if query else "")
        signature = RequestValidator(token).compute_signature(self.base_url + target, MultiDict(form))
        sent = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
        return self.client.post(
            target, data=urlencode(form, doseq=True).encode(), headers=sent | (headers or {}), **more
        )

    def turn(self, line: Line, turn: int, keys: str | None = None) -> TestResponse:
        """A webhook of a turn; no keys is its silence."""
        form = CALL | {"CallSid": line.call_sid} | ({"Digits": keys} if keys else {})
        path = f"/voice/{line.attempt_id}/{turn}" + ("" if keys or turn == 0 else "/silence")
        return self.post(path, form)

    def alarms(self) -> dict[str, int]:
        """The alarms so far."""
        return self.app.extensions["alarms"].counts()
