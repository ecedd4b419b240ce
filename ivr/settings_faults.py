"""Which settings cannot be together, each with a sentence that says what to change.

Decides nothing about a single field's type or range: `settings.py` declares those. All faults are told at once, so
that nobody mends one to meet the next.
"""

from __future__ import annotations

import base64
import difflib
import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from pydantic import AliasChoices

if TYPE_CHECKING:
    from ivr.settings import Settings

NO_ACCOUNT, NO_TOKEN, NO_NUMBER = "AC" + "0" * 32, "local", "+31850000000"
"""What stands there until somebody has an account: the local carrier's own, and a number that belongs to nobody."""

_EDGES = {"ie1": ("dublin",), "au1": ("sydney",), "us1": ()}
"""Where a region's own hosts are; the United States are reached through any edge."""

_KEY_BYTES = 32

_MS = r"[1-9]\d{2,4}"
_OVERRIDES = {
    "rc": r"[0-5]",
    "rp": r"(ct|rt|4xx|5xx|all)(,(ct|rt|4xx|5xx|all))*",
    "ct": _MS,
    "rt": _MS,
    "tt": _MS,
    "e": r"[a-z][a-z0-9-]*(,[a-z][a-z0-9-]*)*",
    "sni": r"[yn]",
}
"""Twilio's "Connection overrides": tries again, on what, connect, read and total time-out (ms), edges, TLS name."""
_MOST_MS = {"ct": 10_000, "rt": 15_000, "tt": 15_000}


def faults_of(settings: Settings) -> Iterator[str]:
    """Each thing that does not hold together, as a whole sentence."""
    yield from _of_twilio(settings)
    yield from _of_urls(settings)
    if settings.carrier == "twilio":
        yield from _of_real_calls(settings)
    yield from _of_the_house(settings)
    if settings.env == "production":
        yield from _of_production(settings)


def _of_twilio(s: Settings) -> Iterator[str]:
    """What contradicts itself whether or not Twilio is used."""
    if (s.twilio_region is None) != (s.twilio_edge is None):
        yield (
            "TWILIO_REGION and TWILIO_EDGE go together (Ireland: ie1 with dublin): "
            "a region alone builds a host that no longer works. Set both or neither."
        )
    elif s.twilio_region is not None and s.twilio_edge is not None:
        edges = _EDGES.get(s.twilio_region)
        if edges is None:
            yield f"TWILIO_REGION={s.twilio_region} is no region of Twilio's: use {', '.join(sorted(_EDGES))}."
        elif edges and s.twilio_edge not in edges:
            yield (
                f"TWILIO_REGION={s.twilio_region} is not reached through TWILIO_EDGE={s.twilio_edge}: "
                f"use {' or '.join(edges)}."
            )
    if s.twilio_base_url and (s.twilio_region or s.twilio_edge):
        yield "TWILIO_BASE_URL names another service; TWILIO_REGION and TWILIO_EDGE are Twilio's own. Leave either out."
    if not re.fullmatch(r"\+[1-9]\d{6,14}", s.twilio_from):
        yield f"TWILIO_FROM is a number with its country, such as {NO_NUMBER}, without spaces."
    if (s.twilio_api_key is None) != (s.twilio_api_secret is None):
        yield "TWILIO_API_KEY and TWILIO_API_SECRET go together. Set both or neither."
    names = [name for name, _ in s.webhook_key_pairs]
    if not all(name and secret for name, secret in s.webhook_key_pairs):
        yield "TWILIO_WEBHOOK_KEYS takes id=secret pairs with commas, as the carrier shows them."
    elif len(set(names)) < len(names):
        yield "TWILIO_WEBHOOK_KEYS gives one id two secrets. Leave the old one out."
    if fault := _of_overrides(s.twilio_connection_overrides):
        yield f"TWILIO_CONNECTION_OVERRIDES: {fault}. It looks like rc=2&rp=ct,5xx."


def _of_urls(s: Settings) -> Iterator[str]:
    if fault := _of_base(s.public_base_url):
        yield f"IVR_PUBLIC_BASE_URL {fault}: signatures are computed over exactly this address."
    if s.twilio_base_url:
        parts = _split(s.twilio_base_url)
        if fault := _of_base(s.twilio_base_url, path=r"[A-Za-z0-9_./-]*"):
            yield f"TWILIO_BASE_URL {fault}."
        elif parts is not None and parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            yield "TWILIO_BASE_URL needs https://: the account's password travels over it."
    if s.carrier == "local":
        parts = _split(s.carrier_url)
        if parts is None or parts.scheme != "http" or not is_loopback(parts.hostname or ""):
            yield (
                "IVR_CARRIER=local talks to this machine only: set IVR_CARRIER_URL to http://127.0.0.1:<port>, "
                "or set IVR_CARRIER=twilio to reach the telephone network."
            )


def _of_real_calls(s: Settings) -> Iterator[str]:
    """What IVR_CARRIER=twilio needs: an account, a number of one's own, an address that it reaches, real time."""
    token = s.twilio_auth_token.get_secret_value()
    service = _split(s.twilio_base_url or "https://api.twilio.com")
    is_here = service is not None and is_loopback(service.hostname or "")
    if s.twilio_account_sid == NO_ACCOUNT or token == NO_TOKEN:
        yield "IVR_CARRIER=twilio needs TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN of a real account."
    elif not s.twilio_base_url:
        # Compatible services have account names of their own form.
        if not re.fullmatch(r"AC[0-9a-fA-F]{32}", s.twilio_account_sid):
            yield "TWILIO_ACCOUNT_SID is AC and 32 hexadecimal digits; an API key (SK…) goes elsewhere."
        if re.fullmatch(r"(AC|SK)[0-9a-fA-F]{32}", token):
            yield "TWILIO_AUTH_TOKEN is the account's token, not the name of an account (AC…) or an API key (SK…)."
        if s.twilio_api_key is not None and not re.fullmatch(r"SK[0-9a-fA-F]{32}", s.twilio_api_key):
            yield "TWILIO_API_KEY is SK and 32 hexadecimal digits; the account (AC…) goes into TWILIO_ACCOUNT_SID."
    if s.twilio_from == NO_NUMBER:
        yield "IVR_CARRIER=twilio needs TWILIO_FROM: a number of your account, which people see and can call back."
    if s.env == "demo":
        yield "IVR_ENV=demo signs in with one click: never together with IVR_CARRIER=twilio."
    if s.clock != "system":
        yield "IVR_CARRIER=twilio needs IVR_CLOCK=system: real people live in real time."
    public = _split(s.public_base_url)
    if public is None or is_here:
        return
    if public.scheme != "https":
        yield "IVR_CARRIER=twilio needs an https IVR_PUBLIC_BASE_URL that the carrier can reach."
    elif is_private(public.hostname or ""):
        yield (
            "IVR_CARRIER=twilio needs an IVR_PUBLIC_BASE_URL that the carrier can reach: "
            f"{public.hostname} is known to this machine or network only. Use the public name of your proxy or tunnel."
        )


def _of_the_house(s: Settings) -> Iterator[str]:
    if s.ring_seconds >= s.call_limit_seconds:
        yield "IVR_RING_SECONDS must be less than IVR_CALL_LIMIT_SECONDS: a call would be ended while it rings."
    if s.database_url and not s.database_url.startswith(("sqlite:///", "postgresql+psycopg://")):
        yield "IVR_DATABASE_URL begins with sqlite:/// (a fourth / for /…) or postgresql+psycopg://."
    if s.redis_url and not s.redis_url.startswith(("redis://", "rediss://", "unix://")):
        yield "IVR_REDIS_URL begins with redis://, rediss:// or unix://."
    if s.clock != "system" and not re.fullmatch(r"leaping:.+", s.clock):
        yield "IVR_CLOCK is system, or leaping: and the path of a socket."
    if s.mail_url is not None and (fault := _of_mail(s.mail_url.get_secret_value())):
        yield f"IVR_MAIL_URL {fault}."
    if not re.search(r"[^@\s<>]+@[^@\s<>]+", s.mail_from) or "\n" in s.mail_from:
        yield "IVR_MAIL_FROM needs an address, such as Toets <toets@example.org>."
    if s.encryption_key is not None and (fault := _of_key(s.encryption_key.get_secret_value())):
        yield f"IVR_ENCRYPTION_KEY {fault}. Make one with: openssl rand -base64 32"
    if any(not re.fullmatch(r"[0-9a-f]{64}", digest) for digest in s.api_token_hashes.values()):
        yield "IVR_API_TOKENS takes name=sha256 pairs with commas; `ivr api token NAME` prints one."


def _of_production(s: Settings) -> Iterator[str]:
    if s.encryption_key is None or s.secret_key is None:
        yield (
            "IVR_ENV=production needs IVR_ENCRYPTION_KEY and IVR_SECRET_KEY: "
            "made-up keys would be lost with the machine."
        )
    if s.twilio_auth_token.get_secret_value() == NO_TOKEN:
        yield (
            "IVR_ENV=production needs a TWILIO_AUTH_TOKEN of your own: everybody knows the local carrier's, "
            "and could sign webhooks with it."
        )
    if s.clock != "system" and s.carrier == "local":
        yield "IVR_ENV=production needs IVR_CLOCK=system: a clock that leaps is for the demo and rehearsals."
    public = _split(s.public_base_url)
    if public is not None and public.scheme == "http" and not is_loopback(public.hostname or "") and public.hostname:
        yield "IVR_ENV=production needs an https IVR_PUBLIC_BASE_URL: over http anybody on the way reads answers."


def strangers(settings: type[Settings], names: Iterable[str]) -> dict[str, str | None]:
    """Names of the environment that look like ours and that no field reads, each with the nearest that one does."""
    known = {
        str(field.validation_alias.choices[0]) if isinstance(field.validation_alias, AliasChoices) else f"IVR_{name}"
        for name, field in settings.model_fields.items()
    }
    known = {name.upper() for name in known}
    found: dict[str, str | None] = {}
    for name in sorted(names):
        # Settings are read whatever their case, as pydantic does.
        if name.upper().startswith(("IVR_", "TWILIO_")) and name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.75)
            found[name] = near[0] if near else None
    return found


def is_loopback(host: str) -> bool:
    """Whether this host is this machine, by its name or address alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_private(host: str) -> bool:
    """Whether no carrier can reach this host: this machine, an address of a private network, a name without a dot."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost"))


def _split(url: str) -> SplitResult | None:
    """The parts of a URL; None when there is no reading it (a port that is none)."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _of_overrides(text: str) -> str | None:
    given: dict[str, str] = {}
    for part in text.split("&") if text else ():
        name, _, value = part.partition("=")
        if name not in _OVERRIDES:
            return f"there is no {name!r}, only {', '.join(_OVERRIDES)}"
        if name in given:
            return f"{name} stands there twice"
        if not re.fullmatch(_OVERRIDES[name], value) or (name in _MOST_MS and int(value) > _MOST_MS[name]):
            return f"{name} cannot be {value!r}"
        given[name] = value
    for name in ("ct", "rt"):
        if name in given and "tt" in given and int(given[name]) > int(given["tt"]):
            return f"{name} is longer than tt, the time for everything"
    if given.get("rc") == "0" and "rp" in given:
        return "rp says after what to try again, and rc=0 that nothing is tried again"
    return None


def _of_key(text: str) -> str | None:
    try:
        key = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        return "is not base64"
    return None if len(key) == _KEY_BYTES else f"holds {len(key)} bytes; it must hold {_KEY_BYTES}"


def _of_base(url: str, path: str = r"[A-Za-z0-9_/-]*") -> str | None:
    parts = _split(url)
    if parts is None:
        return "has a port that is no port"
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "must begin with https:// (or http:// on this machine) and a host"
    if parts.username or parts.query or parts.fragment or "?" in url or "#" in url:
        return "has no user, query or fragment"
    if not re.fullmatch(path, parts.path):
        return "may have letters, digits, - and _ in its path only"
    return None


def _of_mail(url: str) -> str | None:
    parts = _split(url)
    if parts is None or parts.scheme not in {"smtp", "smtps", "smtp+starttls"} or not parts.hostname:
        return "begins with smtps://, smtp+starttls:// or smtp://, and a host"
    if parts.path.strip("/") or parts.query or parts.fragment:
        return "ends with the port"
    if parts.scheme == "smtp" and not is_loopback(parts.hostname):
        return "needs smtps:// or smtp+starttls:// for another machine: smtp:// hides nothing on the way"
    if bool(parts.username) != bool(parts.password):
        return "has both a user and a password, or neither"
    return None
