"""Settings: the only reader of the environment.

Every field is typed and described here and stands in `config/env.example` (a test holds the two together).
Contradictory sets are refused at start with a sentence that says what to change.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ivr.errors import ConfigurationError
from ivr.settings_faults import NO_ACCOUNT, NO_NUMBER, NO_TOKEN, faults_of, strangers

ROOT = Path(__file__).resolve().parent.parent


def _named(name: str) -> AliasChoices:
    return AliasChoices(name)


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
    web_threads: int = Field(2, ge=1, description="threads per web server process")
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
    calls_per_second: float = Field(
        1.0, gt=0, le=1000, description="calls started per second for the account, over all workers"
    )
    calls_in_flight: int = Field(20, ge=1, description="calls at the same time for the account, over all workers")
    ring_seconds: int = Field(25, ge=5, le=600, description="how long a telephone rings")
    call_limit_seconds: int = Field(1200, ge=60, le=14400, description="a call is ended by the carrier after this long")
    dial_requires: Literal["announcement", "consent"] = Field(
        "announcement",
        description="announcement: announced 2-30 days before or consent ja; consent: consent ja of everyone",
    )

    twilio_account_sid: str = Field(NO_ACCOUNT, validation_alias=_named("TWILIO_ACCOUNT_SID"), description="account")
    twilio_auth_token: SecretStr = Field(
        SecretStr(NO_TOKEN),
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
        NO_NUMBER,
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
    tick_seconds: float = Field(2.0, gt=0, le=60, description="how often the elected clock looks for due work")
    lease_seconds: float = Field(
        60.0, ge=15, le=120, description="after this long an unfinished step is taken over or asked of the carrier"
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
        if faults := list(faults_of(self)):
            raise ValueError(" ".join(faults))
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
    def webhook_key_pairs(self) -> list[tuple[str, str]]:
        """Ids and secrets as they are written, also where one is missing or there twice."""
        pairs = (part.strip().partition("=") for part in self.twilio_webhook_keys.get_secret_value().split(","))
        return [(name, secret) for name, equals, secret in pairs if name or equals]

    @property
    def webhook_keys(self) -> dict[str, str]:
        """Secrets by id, for webhooks that name one and are signed by HMAC-SHA256."""
        return dict(self.webhook_key_pairs)

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
    """Read the environment once. Raises ConfigurationError that tells every fault, by the names in the environment."""
    try:
        return Settings()  # pyright: ignore[reportCallIssue]  (every field has a default or an alias)
    except ValidationError as error:
        faults = " ".join(_told(tuple(fault["loc"]), fault["msg"]) for fault in error.errors())
        raise ConfigurationError(f"The settings do not hold together: {faults}") from error


def unread_names() -> dict[str, str | None]:
    """Names in the environment that begin as a setting's and are none: most are misspelt. To each the nearest one."""
    return strangers(Settings, os.environ)


def _told(where: tuple[object, ...], message: str) -> str:
    if not where:
        return message.removeprefix("Value error, ")
    name = str(where[0])
    return f"{name if name.isupper() else f'IVR_{name.upper()}'}: {message}."
