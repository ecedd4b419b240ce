"""For somebody with a Twilio account: `python -m scripts.smoke_live --phone +31612345678`.

First Twilio's test credentials (no call, no cost): a good number is taken, a bad one refused. Then, after a yes, one
call to your own telephone: it asks for one key and hangs up. Meanwhile this command is the web server: point
IVR_PUBLIC_BASE_URL (https, a tunnel or proxy) at --port and stop Toets' own. Each webhook's signature is checked, and
the webhooks are written to --out as fixtures: numbers and account replaced, signed anew with the token `fixture`.

Decides nothing about the survey and touches no database. Refuses unless IVR_CARRIER=twilio.
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click
from pydantic import SecretStr

from ivr.errors import CarrierError, RefusedError, UsageError
from ivr.ids import new_id
from ivr.settings import Settings, load_settings
from ivr.survey.turn import Awaits, Turn
from ivr.telephony import twiml
from ivr.telephony.carrier import CallRequest
from ivr.telephony.twilio_carrier import TwilioCarrier
from ivr.telephony.webhooks import (
    MAX_BODY_BYTES,
    SETTINGS_HEADER,
    SIGNATURE_HEADER,
    SignatureCheck,
    first,
    parse_form,
    sign,
    urls_for,
)
from scripts.output import command, note, say

TAKEN, REFUSED = "+15005550006", "+15005550001"
"""Twilio's magic numbers for test credentials: https://www.twilio.com/docs/iam/test-credentials"""
FIXTURE_TOKEN = "fixture"  # noqa: S105  (a known one, on purpose)
_STRANGER = "+31600000000"
_OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_NUMBERS = ("From", "To", "Caller", "Called")


@click.command()
@click.option("--phone", required=True, help="Your own telephone (E.164).")
@click.option("--port", default=8000, show_default=True, help="Where IVR_PUBLIC_BASE_URL leads to.")
@click.option("--out", default=Path("var/smoke_live.jsonl"), show_default=True, type=click.Path(path_type=Path))
@click.option("--test-sid", envvar="TWILIO_TEST_ACCOUNT_SID", help="Test account (TWILIO_TEST_ACCOUNT_SID).")
@click.option("--test-token", envvar="TWILIO_TEST_AUTH_TOKEN", help="Its token (TWILIO_TEST_AUTH_TOKEN).")
@click.option("--seconds", default=120.0, show_default=True, help="How long to wait for the call's end.")
@command
def main(phone: str, port: int, out: Path, test_sid: str | None, test_token: str | None, seconds: float) -> None:
    """Try the account with test credentials, then with one call to your own telephone."""
    settings = load_settings()
    if settings.carrier != "twilio":
        raise RefusedError("This reaches the telephone network: set IVR_CARRIER=twilio and a real account first.")
    if not phone.startswith("+"):
        raise UsageError("Give your number with its country, such as +31612345678.")
    if test_sid and test_token:
        _try_test_credentials(settings, test_sid, test_token)
    else:
        note("No test credentials (TWILIO_TEST_ACCOUNT_SID and _AUTH_TOKEN): that part is passed over.")
    if not click.confirm(f"Ring {phone} now? It costs a few cents.", err=True):
        return
    _ring(settings, phone, port, out, seconds)


def _try_test_credentials(settings: Settings, sid: str, token: str) -> None:
    """A call to a good magic number is taken, one to a bad number refused; neither rings anywhere."""
    plain = {"twilio_api_key": None, "twilio_api_secret": None, "twilio_region": None, "twilio_edge": None}
    changes = {"twilio_account_sid": sid, "twilio_auth_token": SecretStr(token), **plain}
    carrier = TwilioCarrier(settings.model_copy(update=changes))
    taken = carrier.place(_request(settings, TAKEN, from_=TAKEN))
    say(f"test credentials: a good number is taken ({taken.status})")
    try:
        carrier.place(_request(settings, REFUSED, from_=TAKEN))
    except CarrierError as error:
        say(f"test credentials: a bad number is refused (code {error.carrier_code})")
    else:
        raise RefusedError("A number that Twilio documents as invalid was taken: these are no test credentials.")


def _request(settings: Settings, to: str, *, from_: str) -> CallRequest:
    id = new_id()
    urls = urls_for(settings.public_base_url, id, settings.twilio_connection_overrides)
    return CallRequest(
        attempt_id=id,
        to=to,
        from_=from_,
        voice_url=urls.voice,
        fallback_url=urls.fallback,
        status_url=urls.status,
        machine_url=None,
        ring_seconds=settings.ring_seconds,
        limit_seconds=60,
    )


def _ring(settings: Settings, phone: str, port: int, out: Path, seconds: float) -> None:
    request = _request(settings, phone, from_=settings.twilio_from)
    listener = Listener(settings, request.attempt_id, out)
    server = ThreadingHTTPServer(("127.0.0.1", port), listener.handler())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        report = TwilioCarrier(settings).place(request)
        say(f"the call is placed ({report.call_sid}); pick up and press a key")
        deadline = time.monotonic() + seconds
        while not listener.is_over and time.monotonic() < deadline:
            time.sleep(0.2)
    finally:
        server.shutdown()
        server.server_close()
    say(f"{listener.webhooks} webhooks, {listener.refused} with a wrong signature; key: {listener.key or 'none'}")
    say(f"fixtures: {out}")
    if not listener.is_over or listener.refused or not listener.webhooks:
        raise RefusedError("The call did not end as it should. Run `ivr doctor`, and look at Twilio's debugger.")


class Listener:
    """A web server for one call: answers it, checks every signature, writes every webhook down."""

    def __init__(self, settings: Settings, attempt_id: str, out: Path) -> None:
        self._base = settings.public_base_url.rstrip("/")
        self._attempt_id = attempt_id
        self._overrides = settings.twilio_connection_overrides
        self._check = SignatureCheck(self._base, settings.twilio_auth_token.get_secret_value())
        self._out = out
        self._lock = threading.Lock()
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text("", encoding="utf-8")
        self.webhooks = self.refused = 0
        self.key = ""
        self.is_over = False

    def take(self, target: str, body: bytes, signature: str, given: str) -> tuple[int, str]:
        """One webhook: its status and its document."""
        path, _, query = target.partition("?")
        if not path.startswith(f"/voice/{self._attempt_id}/"):
            return 404, ""  # of another call: the test credentials', or one that rang before
        form = parse_form(body)
        verified = self._check.accepts(path, query, form, signature, given)
        status, document = (403, "") if not verified else self._reply(path, form)
        with self._lock:
            self.webhooks += 1
            self.refused += not verified
            kept = _redacted(form)
            line = {
                "method": "POST",
                "url": self._base + target,
                "params": {name: values if len(values) > 1 else values[0] for name, values in kept.items()},
                "signature": sign(self._base + target, kept, FIXTURE_TOKEN),
                "verified": verified,
                "status": status,
                "reply": document,
            }
            with self._out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        return status, document

    def _reply(self, path: str, form: dict[str, list[str]]) -> tuple[int, str]:
        if path.endswith(("/status", "/machine")):
            self.is_over = self.is_over or first(form, "CallStatus") in _OVER
            return 204, ""
        if path.endswith("/0"):
            turn = Turn(asks=(), awaits=Awaits(1, 8.0))
            ask = twiml.render(
                turn,
                base_url=self._base,
                attempt_id=self._attempt_id,
                number=0,
                sounds={},
                text_of=lambda _: "",
                overrides=self._overrides,
            )
            said = '<Say language="nl-NL">Dit is een proef van Toets. Druk op een toets.</Say></Gather>'
            return 200, ask.replace("</Gather>", said)
        self.key = first(form, "Digits") or self.key
        return 200, twiml.farewell(self._base, [], "Dank u wel. Dag.")

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """The request handler class that talks to this listener."""
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = min(int(self.headers.get("Content-Length") or 0), MAX_BODY_BYTES)
                status, document = listener.take(
                    self.path,
                    self.rfile.read(length),
                    self.headers.get(SIGNATURE_HEADER, ""),
                    self.headers.get(SETTINGS_HEADER, ""),
                )
                self.send_response(status)
                self.send_header("Content-Type", "text/xml; charset=utf-8")
                self.send_header("Content-Length", str(len(document.encode())))
                self.end_headers()
                self.wfile.write(document.encode())

            def log_message(self, format: str, *args: Any) -> None:
                """Numbers stay out of every log."""

        return Handler


def _redacted(form: dict[str, list[str]]) -> dict[str, list[str]]:
    """The form with an example number and account, and no places: what may be committed as a fixture."""
    kept: dict[str, list[str]] = {}
    for name, values in form.items():
        if name in _NUMBERS:
            kept[name] = [_STRANGER]
        elif name == "AccountSid":
            kept[name] = ["AC" + "0" * 32]
        else:
            is_place = name.startswith(("From", "To", "Caller", "Called"))
            kept[name] = [""] if is_place else values
    return kept


if __name__ == "__main__":
    main()
