"""Settings: the only reader of the environment.

Every field is typed and described here and stands in `config/env.example` (a test holds the two together).
Contradictory sets are refused at start with a sentence that says what to change.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ivr.errors import ConfigurationError

ROOT = Path(__file__).resolve().parent.parent


def _named(name: str) -> AliasChoices:
    return AliasChoices(name)


_EDGES = {"ie1": ("dublin",), "au1": ("sydney",)}
"""Where a region's own hosts are; the United States (us1) are reached through any edge."""
_OVERRIDES = {
    "rc": r"[0-5]",
    "rp": r"(ct|rt|4xx|5xx|all)(,(ct|rt|4xx|5xx|all))*",
    "ct": r"[1-9]\d{2,4}",
    "rt": r"[1-9]\d{2,4}",
    "tt": r"[1-9]\d{2,4}",
    "e": r"[a-z][a-z0-9-]*(,[a-z][a-z0-9-]*)*",
    "sni": r"[yn]",
}
"""Twilio's "Connection overrides": tries again, on what, connect, read and total time-out (ms), edges, TLS name."""


def _fault_of_overrides(text: str) -> str | None:
    for part in text.split("&") if text else ():
        name, _, value = part.partition("=")
        if name not in _OVERRIDES:
            return f"there is no {name!r}, only {', '.join(_OVERRIDES)}"
        if not re.fullmatch(_OVERRIDES[name], value) or (name in {"ct", "rt", "tt"} and int(value) > 15_000):
            return f"{name} cannot be {value!r}"
    return None


def _fault_of_base(url: str) -> str | None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "must begin with https:// (or http:// on this machine) and a host"
    if parts.username or parts.query or parts.fragment or "?" in url or "#" in url:
        return "has no user, query or fragment"
    if not re.fullmatch(r"[A-Za-z0-9_/-]*", parts.path):
        return "may have letters, digits, - and _ in its path only"
    return None


def _fault_of_mail(url: str) -> str | None:
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps", "smtp+starttls"} or not parts.hostname:
        return "begins with smtps://, smtp+starttls:// or smtp://, and a host"
    if parts.path.strip("/") or parts.query or parts.fragment:
        return "ends with the port"
    if parts.scheme == "smtp" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        return "needs smtps:// or smtp+starttls:// for another machine: smtp:// hides nothing on the way"
    if bool(parts.username) != bool(parts.password):
        return "has both a user and a password, or neither"
    return None


class Settings(BaseSettings):
    """All settings. Field `x` is read from `IVR_X`; fields that begin with `twilio_` from `TWILIO_…`."""

    # An empty value counts as absent: an example that was not filled in must not pass for an account or a key.
    model_config = SettingsConfigDict(env_prefix="IVR_", env_ignore_empty=True, extra="ignore", frozen=True)

    env: Literal["development", "production", "demo"] = Field(
        "development",
        description="production refuses made-up keys and writes JSON logs; demo signs in with one click on loopback",
    )
    var_dir: Path = Field(ROOT / "var", description="where embedded parts keep their files")
    config_dir: Path = Field(ROOT / "config", description="questionnaires, phrases and rules")
    audio_dir: Path = Field(ROOT / "audio", description="human recordings and the manifest of what ships")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    database_url: str = Field(
        "", description="sqlite:////absolute/path or postgresql+psycopg://…; empty: SQLite in var_dir"
    )
    redis_url: str = Field("", description="redis://… or unix://…; empty: the embedded Redis in var_dir")
    encryption_key: SecretStr | None = Field(
        None,
        description="32 bytes, base64: seals contact data and keys the hashes of numbers; outside production one is made beside the database",
    )
    secret_key: SecretStr | None = Field(
        None, description="signs browser sessions; outside production one is made in var_dir"
    )

    public_base_url: str = Field(
        "http://127.0.0.1:8000",
        description="how the carrier and people reach the web server; signatures are computed over it",
    )
    web_host: str = Field("127.0.0.1", description="address the web server listens on")
    web_port: int = Field(8000, ge=0, le=65535, description="port the web server listens on")
    web_processes: int = Field(2, ge=1, description="web server processes")
    web_threads: int = Field(4, ge=1, description="threads per web server process")
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=5,
        description="proxies of our own in front of the web server; as many entries of X-Forwarded-For and -Proto are believed",
    )
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="who sends it as bearer may read /metrics; without one nobody may in production, elsewhere this machine",
    )
    metrics_dir: Path | None = Field(
        None,
        validation_alias=_named("PROMETHEUS_MULTIPROC_DIR"),
        description="where the processes of one web server share their counts; `scripts.serve` sets it, nobody else need",
    )

    carrier: Literal["local", "twilio"] = Field(
        "local", description="local never leaves loopback; twilio reaches the telephone network"
    )
    carrier_url: str = Field("http://127.0.0.1:8010", description="the local carrier's REST address")
    carrier_log: Path | None = Field(
        None, description="file to which the local carrier writes each webhook as a JSON line"
    )
    calls_per_second: float = Field(1.0, gt=0, description="calls started per second for the account, over all workers")
    calls_in_flight: int = Field(20, ge=1, description="calls at the same time for the account, over all workers")
    ring_seconds: int = Field(25, ge=5, le=600, description="how long a telephone rings")
    call_limit_seconds: int = Field(1200, ge=60, description="a call is ended by the carrier after this long")
    dial_requires: Literal["announcement", "consent"] = Field(
        "announcement",
        description="announcement: announced 2-30 days before or consent ja; consent: consent ja of everyone",
    )

    twilio_account_sid: str = Field(
        "AC" + "0" * 32, validation_alias=_named("TWILIO_ACCOUNT_SID"), description="account"
    )
    twilio_auth_token: SecretStr = Field(
        SecretStr("local"),
        validation_alias=_named("TWILIO_AUTH_TOKEN"),
        description="signs webhooks; also the REST password unless an API key is set",
    )
    twilio_api_key: str | None = Field(
        None, validation_alias=_named("TWILIO_API_KEY"), description="API key (SK…), used for REST instead of the token"
    )
    twilio_api_secret: SecretStr | None = Field(
        None, validation_alias=_named("TWILIO_API_SECRET"), description="secret of the API key"
    )
    twilio_from: str = Field(
        "+31850000000",
        validation_alias=_named("TWILIO_FROM"),
        description="number that is shown and can be called back (E.164)",
    )
    twilio_region: str | None = Field(
        None, validation_alias=_named("TWILIO_REGION"), description="ie1 for Ireland; only together with the edge"
    )
    twilio_edge: str | None = Field(
        None, validation_alias=_named("TWILIO_EDGE"), description="dublin for Ireland; only together with the region"
    )
    twilio_base_url: str | None = Field(
        None, validation_alias=_named("TWILIO_BASE_URL"), description="REST address of a Twilio-compatible service"
    )
    twilio_connection_overrides: str = Field(
        "",
        validation_alias=_named("TWILIO_CONNECTION_OVERRIDES"),
        description="fragment of every URL the carrier gets, such as rc=2&rp=all: how it connects and tries again",
    )
    twilio_webhook_keys: SecretStr = Field(
        SecretStr(""),
        validation_alias=_named("TWILIO_WEBHOOK_KEYS"),
        description="shared keys of webhooks signed by HMAC-SHA256: id=secret, several with commas; the token signs others",
    )
    machine_detection: bool = Field(False, description="ask the carrier for asynchronous machine detection")

    speech_engine: Literal["espeak", "gtts"] = Field(
        "espeak", description="espeak: offline, in a process of its own; gtts: production"
    )
    help_number: str = Field("088 123 45 67", description="number of a human, read aloud at the end of a call")
    web_address: str = Field("blikopwerk.nl", description="web address that is read aloud")

    clock: str = Field("system", description="system, or leaping:/path/of/socket in demo and rehearsal")
    tick_seconds: float = Field(2.0, gt=0, description="how often the elected clock looks for due work")
    lease_seconds: float = Field(
        60.0, gt=0, description="after this long an unfinished step is taken over or asked of the carrier"
    )
    workers: int = Field(1, ge=1, description="dialling workers that `make run` and the demo start")

    mail_url: SecretStr | None = Field(
        None,
        description="smtp+starttls:// or smtps://user:password@host:port, or smtp:// on this machine; empty: files in var_dir/mail",
    )
    mail_from: str = Field("Toets <toets@localhost>", description="sender of the mail to staff and providers")

    api_tokens: str = Field(
        "", description="who may fetch files for the report pipeline: name=sha256 of the token, several with commas"
    )
    pipeline_dir: Path | None = Field(
        None, description="where published periods lie, shared by all web servers; empty: pipeline in var_dir"
    )

    @model_validator(mode="after")
    def _coherent(self) -> Settings:
        if (self.twilio_region is None) != (self.twilio_edge is None):
            raise ValueError(
                "TWILIO_REGION and TWILIO_EDGE go together (Ireland: ie1 with dublin): "
                "a region alone builds a host that no longer works. Set both or neither."
            )
        pair = (self.twilio_region, self.twilio_edge)
        if self.twilio_region in _EDGES and self.twilio_edge not in _EDGES[self.twilio_region]:
            raise ValueError(
                f"TWILIO_REGION={pair[0]} is not reached through TWILIO_EDGE={pair[1]}: "
                f"use {' or '.join(_EDGES[self.twilio_region])}."
            )
        if self.twilio_base_url and self.twilio_region:
            raise ValueError(
                "TWILIO_BASE_URL names another service; TWILIO_REGION and TWILIO_EDGE are Twilio's own. Leave either out."
            )
        if not re.fullmatch(r"\+[1-9]\d{6,14}", self.twilio_from):
            raise ValueError("TWILIO_FROM is a number with its country, such as +31850000000, without spaces.")
        if not all(name and secret for name, secret in self._webhook_keys):
            raise ValueError("TWILIO_WEBHOOK_KEYS takes id=secret pairs with commas, as the carrier shows them.")
        if fault := _fault_of_overrides(self.twilio_connection_overrides):
            raise ValueError(f"TWILIO_CONNECTION_OVERRIDES: {fault}. It looks like rc=2&rp=ct,5xx.")
        if self.database_url and not self.database_url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("IVR_DATABASE_URL begins with sqlite:/// (a fourth / for /…) or postgresql+psycopg://.")
        if fault := _fault_of_base(self.public_base_url):
            raise ValueError(f"IVR_PUBLIC_BASE_URL {fault}: signatures are computed over exactly this address.")
        if (self.twilio_api_key is None) != (self.twilio_api_secret is None):
            raise ValueError("TWILIO_API_KEY and TWILIO_API_SECRET go together. Set both or neither.")
        if self.carrier == "twilio":
            if self.twilio_account_sid == "AC" + "0" * 32 or self.twilio_auth_token.get_secret_value() == "local":
                raise ValueError("IVR_CARRIER=twilio needs TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN of a real account.")
            if not re.fullmatch(r"AC[0-9a-fA-F]{32}", self.twilio_account_sid):
                raise ValueError("TWILIO_ACCOUNT_SID is AC and 32 hexadecimal digits; an API key (SK…) goes elsewhere.")
            if self.env == "demo":
                raise ValueError("IVR_ENV=demo signs in with one click: never together with IVR_CARRIER=twilio.")
            if not self.public_base_url.startswith("https://"):
                raise ValueError("IVR_CARRIER=twilio needs an https IVR_PUBLIC_BASE_URL that the carrier can reach.")
            if self.clock != "system":
                raise ValueError("IVR_CARRIER=twilio needs IVR_CLOCK=system: real people live in real time.")
        if self.mail_url is not None and (fault := _fault_of_mail(self.mail_url.get_secret_value())):
            raise ValueError(f"IVR_MAIL_URL {fault}.")
        if not re.search(r"[^@\s<>]+@[^@\s<>]+", self.mail_from) or "\n" in self.mail_from:
            raise ValueError("IVR_MAIL_FROM needs an address, such as Toets <toets@example.org>.")
        if any(not re.fullmatch(r"[0-9a-f]{64}", digest) for digest in self.api_token_hashes.values()):
            raise ValueError("IVR_API_TOKENS takes name=sha256 pairs with commas; `ivr api token NAME` prints one.")
        if self.env == "production" and (self.encryption_key is None or self.secret_key is None):
            raise ValueError(
                "IVR_ENV=production needs IVR_ENCRYPTION_KEY and IVR_SECRET_KEY: made-up keys would be lost with the machine."
            )
        if self.env == "production" and self.twilio_auth_token.get_secret_value() == "local":
            raise ValueError(
                "IVR_ENV=production needs a TWILIO_AUTH_TOKEN of your own: everybody knows the local carrier's, "
                "and could sign webhooks with it."
            )
        return self

    @cached_property
    def pipeline(self) -> Path:
        """Where published periods lie."""
        return self.pipeline_dir or self.var_dir / "pipeline"

    @cached_property
    def api_token_hashes(self) -> dict[str, str]:
        """Name → SHA-256 (hex) of the tokens that open the pipeline's API."""
        pairs = [part.strip().partition("=") for part in self.api_tokens.split(",") if part.strip()]
        return {name.strip(): digest.strip().lower() for name, _, digest in pairs}

    @property
    def _webhook_keys(self) -> list[tuple[str, str]]:
        pairs = (part.strip().partition("=") for part in self.twilio_webhook_keys.get_secret_value().split(","))
        return [(name, secret) for name, equals, secret in pairs if name or equals]

    @property
    def webhook_keys(self) -> dict[str, str]:
        """Secrets by id, for webhooks that name one and are signed by HMAC-SHA256."""
        return dict(self._webhook_keys)

    @cached_property
    def database(self) -> str:
        """The database URL, with the embedded default filled in."""
        return self.database_url or f"sqlite:///{(self.var_dir / 'toets.db').resolve()}"

    @cached_property
    def redis(self) -> str:
        """The Redis URL, with the embedded default (a socket in `var_dir`) filled in."""
        return self.redis_url or f"unix://{self.run_dir / 'redis.sock'}"

    @cached_property
    def run_dir(self) -> Path:
        """Where sockets lie: `var_dir`, or a short private place when its path is too long for a socket (107 bytes)."""
        directory = self.var_dir.resolve()
        if len(str(directory).encode()) <= 80:
            return directory
        digest = hashlib.sha256(str(directory).encode()).hexdigest()[:12]
        short = Path(tempfile.gettempdir()) / f"toets-{os.getuid()}-{digest}"
        short.mkdir(mode=0o700, exist_ok=True)
        return short


def load_settings() -> Settings:
    """Read the environment once. Raises ConfigurationError with one line per fault."""
    try:
        return Settings()  # pyright: ignore[reportCallIssue]  (every field has a default or an alias)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'settings'}: {fault['msg']}" for fault in error.errors()
        )
        raise ConfigurationError(f"The settings do not hold together: {faults}") from error
