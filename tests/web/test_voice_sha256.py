"""Webhooks signed by HMAC-SHA256 with a shared key: let in when the key is configured, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from ivr.store import Database
from tests.telephony.twiml_schema import check_twiml
from tests.web.voice_house import BASE, CALL, Door

NAMED = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"


def signed(secret: str, path: str, form: dict[str, str], settings: str) -> dict[str, str]:
    """The headers of a webhook as Twilio's own client would compute them."""
    signature = RequestValidator(secret).compute_signature(BASE + path, MultiDict(form), "HMAC_SHA256")
    return {"X-Twilio-Signature": signature, "X-Twilio-Webhooks-Signature-Settings": settings}


@pytest.mark.parametrize(
    ("configured", "secret", "settings", "status"),
    [
        ("webhooks_sharedkey_1=s3cret=,other=x", "s3cret=", NAMED, 200),
        ("webhooks_sharedkey_1=s3cret=", "guessed", NAMED, 403),
        ("other=s3cret=", "s3cret=", NAMED, 403),
        ("", "s3cret=", NAMED, 403),
        ("webhooks_sharedkey_1=s3cret=", "s3cret=", "", 403),
        ("webhooks_sharedkey_1=s3cret=", "s3cret=", "key=webhooks_sharedkey_1,algorithm=HMAC_MD5", 403),
    ],
)
def test_a_shared_key_lets_in_what_it_signed(
    sqlite_database: Database, tmp_path: Path, configured: str, secret: str, settings: str, status: int
) -> None:
    door = Door(sqlite_database, tmp_path, TWILIO_WEBHOOK_KEYS=configured)
    line = door.order.call(door.order.person())
    path, form = f"/voice/{line.attempt_id}/0", CALL | {"CallSid": line.call_sid}
    answer = door.post(path, form, headers=signed(secret, path, form, settings))
    assert answer.status_code == status
    assert door.alarms() == ({} if status == 200 else {"bad_signature": 1})
    if status == 200:
        check_twiml(answer.text)


def test_webhooks_signed_with_the_token_are_let_in_beside_it(sqlite_database: Database, tmp_path: Path) -> None:
    door = Door(sqlite_database, tmp_path, TWILIO_WEBHOOK_KEYS="webhooks_sharedkey_1=s3cret=")
    assert door.turn(door.order.call(door.order.person()), 0).status_code == 200
