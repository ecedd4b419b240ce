"""`ivr doctor`: is this house able to call? Each finding says what to do; exit code 1 when one is a fault.

Decides what is looked at and in which order. Changes nothing: the carrier is asked for a call that does not exist,
the web server gets one signed report about a call that nobody knows and one with a wrong signature (which its alarm
counter shows as `bad_signature`).
"""

from __future__ import annotations

import contextlib
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

import click
import redis

from ivr.bootstrap import House, open_house
from ivr.errors import CarrierError, CarrierUnknownError, ConfigurationError, MailError, ToetsError
from ivr.mail import open_post
from ivr.settings import unread_names
from ivr.store import lines, prompts, schema
from ivr.telephony.webhooks import SIGNATURE_HEADER, sign
from scripts.output import command, emit, json_option, say

_SECONDS = 10.0
_NOBODYS_CALL = "CA" + "0" * 32

Level = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it stands, and what to do (empty when nothing is)."""

    what: str
    level: Level
    detail: str
    do: str = ""


@click.command()
@json_option
@command
def doctor(as_json: bool) -> None:
    """Check settings, database, Redis, audio, mail, the public URL and the carrier."""
    findings = list(examine())
    is_well = all(finding.level != "fault" for finding in findings)
    if as_json:
        emit({"ok": is_well, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            say(f"{finding.level:<8} {finding.what:<11} {finding.detail}")
            if finding.do:
                say(f"{'':<20} → {finding.do}")
    if not is_well:
        sys.exit(1)


def examine() -> Iterator[Finding]:
    """Everything, one finding after the other; what cannot be looked at is a fault of its own."""
    yield from _names()
    try:
        house = open_house()
    except ConfigurationError as error:
        yield Finding("settings", "fault", error.message, "Mend them; config/env.example explains each.")
        return
    yield from _settings(house)
    for what, look in _LOOKS.items():
        try:
            yield from look(house)
        except Exception as error:  # a check that breaks is a finding, never a trace
            detail = error.message if isinstance(error, ToetsError) else type(error).__name__
            yield Finding(what, "fault", f"could not be checked: {detail}", "Mend what stands above first.")


def _names() -> Iterator[Finding]:
    for name, near in unread_names().items():
        do = f"Did you mean {near}?" if near else "Leave it out, or see config/env.example for the names there are."
        yield Finding("settings", "warning", f"nothing reads {name}", do)


def _settings(house: House) -> Iterator[Finding]:
    settings = house.settings
    carrier = "TWILIO: real telephones ring" if settings.carrier == "twilio" else "local: no telephone rings"
    yield Finding("settings", "ok", f"{settings.env}, carrier {carrier}")
    if settings.carrier == "twilio" and settings.database.startswith("sqlite"):
        yield Finding("settings", "warning", "real calls on SQLite", "Use PostgreSQL when more than one machine calls.")
    try:
        house.catalogue  # noqa: B018  (reads and checks every file of config/)
        house.sealer  # noqa: B018  (reads the key)
    except ToetsError as error:
        yield Finding("settings", "fault", error.message, "Mend the file or the key it names.")


def _database(house: House) -> Iterator[Finding]:
    try:
        at, newest = schema.current(house.database), schema.head()
    except Exception as error:  # whatever the driver raises
        yield Finding(
            "database", "fault", f"cannot be reached ({type(error).__name__})", "Start it, or mend IVR_DATABASE_URL."
        )
        return
    if at != newest:
        yield Finding("database", "fault", f"schema {at or 'none'}, the newest is {newest}", "Run `ivr db upgrade`.")
    else:
        yield Finding("database", "ok", f"schema {newest}")


def _redis(house: House) -> Iterator[Finding]:
    client = redis.Redis.from_url(house.settings.redis, socket_connect_timeout=3, socket_timeout=3)
    try:
        client.ping()
        append_only = client.config_get("appendonly").get("appendonly")  # pyright: ignore[reportAttributeAccessIssue]
    except redis.ResponseError:
        append_only = "unknown"
    except (redis.RedisError, OSError) as error:
        yield Finding(
            "redis",
            "fault",
            f"cannot be reached ({type(error).__name__})",
            "Start it (`ivr run` brings its own), or mend IVR_REDIS_URL. Nothing is lost meanwhile; calls wait.",
        )
        return
    finally:
        client.close()
    if append_only == "no":
        yield Finding("redis", "warning", "forgets its jobs when killed", "Set `appendonly yes` in its configuration.")
    else:
        yield Finding("redis", "ok", "answers")


def _audio(house: House) -> Iterator[Finding]:
    with house.database.read() as session:
        waiting = prompts.unvoiced(session)
    if waiting:
        yield Finding(
            "audio", "warning", f"{len(waiting)} orders wait for audio and are not dialled", "Run `ivr audio render`."
        )
    else:
        yield Finding("audio", "ok", "every order has its audio")
    _ = house.speech  # its engine must open
    yield Finding("audio", "ok", f"engine {house.settings.speech_engine}")


def _mail(house: House) -> Iterator[Finding]:
    is_server = house.settings.mail_url is not None
    try:
        where = open_post(house.settings).look()
    except (MailError, OSError) as error:
        detail = error.message if isinstance(error, MailError) else type(error).__name__
        do = "Check IVR_MAIL_URL: host, port, user and password." if is_server else "Make IVR_VAR_DIR/mail writable."
        yield Finding("mail", "fault", f"cannot be sent ({detail})", f"{do} Mails wait meanwhile.")
        return
    if not is_server and house.settings.env == "production":
        yield Finding("mail", "warning", where, "Set IVR_MAIL_URL: nobody reads these files.")
    else:
        yield Finding("mail", "ok", where)


def _public_url(house: House) -> Iterator[Finding]:
    base = house.settings.public_base_url.rstrip("/")
    status = _ask(f"{base}/healthz")
    if status != 200:
        yield Finding(
            "public url",
            "fault",
            f"{base} answers {status or 'nothing'}",
            "Start the web server (`python -m scripts.serve`), or mend IVR_PUBLIC_BASE_URL, DNS or the proxy.",
        )
        return
    url, form = f"{base}/voice/inbound/status", {"CallSid": _NOBODYS_CALL, "CallStatus": "ringing", "Empty": ""}
    signature = sign(url, {name: [value] for name, value in form.items()}, _token(house))
    good, bad = _ask(url, form, signature), _ask(url, form, "d3Jvbmc=")
    if good == 204 and bad == 403:
        yield Finding("public url", "ok", f"{base} is reached; a signature survives the way")
    elif good == 403:
        yield Finding(
            "public url",
            "fault",
            "a rightly signed request is refused",
            "The proxy changes the path or the body, or the web server runs with another TWILIO_AUTH_TOKEN or "
            "IVR_PUBLIC_BASE_URL than this command.",
        )
    else:
        yield Finding(
            "public url",
            "fault",
            f"signed {good}, wrongly signed {bad}; expected 204 and 403",
            "Something else answers at this address. Point IVR_PUBLIC_BASE_URL at Toets.",
        )


def _carrier(house: House) -> Iterator[Finding]:
    settings = house.settings
    line = None
    # A database that is away was told above; the carrier can be asked all the same.
    with contextlib.suppress(Exception), house.database.read() as session:
        line = lines.get(session, settings.twilio_account_sid, house.clock.now())
    if line is not None and line.is_down:
        yield Finding(
            "carrier", "warning", f"the line is down after {line.failures} failures", "Calls go on once it answers."
        )
    try:
        house.carrier.fetch(_NOBODYS_CALL)
    except CarrierError as error:
        do = "Wait." if error.status == 429 else "Check TWILIO_ACCOUNT_SID, the token or API key, and its region."
        yield Finding("carrier", "fault", f"refuses us (HTTP {error.status}, code {error.carrier_code})", do)
    except CarrierUnknownError as error:
        where = "Start it with `ivr carrier`" if settings.carrier == "local" else "Check the network and TWILIO_EDGE"
        yield Finding("carrier", "fault", error.message, f"{where}, then ask again.")
    else:
        yield Finding("carrier", "ok", "answers, and takes our credentials")


def _token(house: House) -> str:
    return house.settings.twilio_auth_token.get_secret_value()


def _ask(url: str, form: dict[str, str] | None = None, signature: str = "") -> int | None:
    """The HTTP status of a GET, or of a POST of this form; None when nobody answers."""
    body = None if form is None else urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(url, body, {SIGNATURE_HEADER: signature} if form else {})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310  (http or https: settings)
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return None


_LOOKS: dict[str, Callable[[House], Iterator[Finding]]] = {
    "database": _database,
    "redis": _redis,
    "audio": _audio,
    "mail": _mail,
    "public url": _public_url,
    "carrier": _carrier,
}
