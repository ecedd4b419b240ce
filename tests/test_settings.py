"""Settings: each field is explained in `config/env.example`, and contradictions are refused with a way out."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
from pydantic import AliasChoices

from ivr.errors import ConfigurationError
from ivr.settings import ROOT, Settings, load_settings, unread_names

LINE = re.compile(r"#?([A-Z][A-Z0-9_]+)=(.*)\Z")

REAL_ACCOUNT = {
    "IVR_CARRIER": "twilio",
    "IVR_PUBLIC_BASE_URL": "https://toets.example.org",
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_AUTH_TOKEN": "a real token",
    "TWILIO_FROM": "+31201234567",
}
KEY = "A" * 43 + "="
PRODUCTION = REAL_ACCOUNT | {"IVR_ENV": "production", "IVR_ENCRYPTION_KEY": KEY, "IVR_SECRET_KEY": "s"}
IRELAND = {"TWILIO_REGION": "ie1", "TWILIO_EDGE": "dublin"}


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("IVR_", "TWILIO_")):
            monkeypatch.delenv(name)


def variable(field: str) -> str:
    alias = Settings.model_fields[field].validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"IVR_{field.upper()}"


def example() -> list[tuple[str, str, bool]]:
    """(name, value, whether it is set) for each line of the example that names a setting."""
    lines = (ROOT / "config" / "env.example").read_text(encoding="utf-8").splitlines()
    return [(match[1], match[2], not match[0].startswith("#")) for line in lines if (match := LINE.match(line))]


@pytest.mark.parametrize("field", sorted(Settings.model_fields))
def test_each_setting_is_described_and_stands_in_the_example(field: str) -> None:
    assert Settings.model_fields[field].description
    assert [name for name, _, _ in example()].count(variable(field)) == 1


def test_the_example_names_nothing_that_does_not_exist() -> None:
    assert {name for name, _, _ in example()} == {variable(field) for field in Settings.model_fields}


def test_each_setting_of_the_example_has_a_sentence_above_it() -> None:
    lines = (ROOT / "config" / "env.example").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if LINE.match(line):
            above = number - 1
            while LINE.match(lines[above]):
                above -= 1
            assert lines[above].startswith("# "), line


def test_what_is_commented_out_shows_the_built_in_value() -> None:
    for field in sorted(Settings.model_fields):
        (value,) = [value for name, value, _ in example() if name == variable(field)]
        (is_set,) = [is_set for name, _, is_set in example() if name == variable(field)]
        default = Settings.model_fields[field].default
        if is_set or field.endswith("_dir"):
            continue
        shown = "" if default is None else str(default).lower() if isinstance(default, bool) else str(default)
        assert value == shown, field


def test_the_example_with_its_secrets_filled_in_is_a_production_house(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "IVR_ENCRYPTION_KEY": "A" * 43 + "=",
        "IVR_SECRET_KEY": "long and random",
        "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
        "TWILIO_AUTH_TOKEN": "token",
        "TWILIO_FROM": "+31201234567",
    }
    for name, value, is_set in example():
        if is_set:
            monkeypatch.setenv(name, value.strip('"') or secrets[name])
    settings = load_settings()
    assert settings.env == "production"
    assert settings.speech_engine == "gtts"
    assert settings.carrier == "twilio"


def test_an_empty_value_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IVR_CARRIER", "IVR_CARRIER_LOG", "IVR_ENCRYPTION_KEY", "TWILIO_BASE_URL", "TWILIO_API_KEY"):
        monkeypatch.setenv(name, "")
    assert load_settings() == Settings()  # pyright: ignore[reportCallIssue]
    assert load_settings().carrier_log is None
    assert load_settings().carrier == "local"


def test_a_shell_reads_the_example() -> None:
    shown = subprocess.run(
        ["sh", "-euc", '. config/env.example; printf %s "$IVR_HELP_NUMBER"'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == Settings.model_fields["help_number"].default
    assert not shown.stderr


def test_without_any_setting_nothing_reaches_the_telephone_network() -> None:
    settings = load_settings()
    assert settings.carrier == "local"
    assert settings.carrier_url.startswith("http://127.0.0.1:")
    assert settings.speech_engine == "espeak"
    assert settings.database.startswith("sqlite:///")
    assert settings.redis.startswith("unix://")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"TWILIO_REGION": "ie1"}, "TWILIO_EDGE"),
        ({"TWILIO_EDGE": "dublin"}, "TWILIO_REGION"),
        ({"TWILIO_API_KEY": "SK1"}, "TWILIO_API_SECRET"),
        ({"TWILIO_API_SECRET": "x"}, "TWILIO_API_KEY"),
        ({"IVR_CARRIER": "twilio"}, "TWILIO_ACCOUNT_SID"),
        (REAL_ACCOUNT | {"TWILIO_AUTH_TOKEN": "local"}, "TWILIO_AUTH_TOKEN"),
        (REAL_ACCOUNT | {"IVR_PUBLIC_BASE_URL": "http://toets.example.org"}, "https"),
        (REAL_ACCOUNT | {"IVR_CLOCK": "leaping:/run/clock"}, "IVR_CLOCK"),
        (REAL_ACCOUNT | {"IVR_ENV": "demo"}, "one click"),
        (REAL_ACCOUNT | {"TWILIO_ACCOUNT_SID": "SK" + "1" * 32}, "AC and 32"),
        ({"TWILIO_REGION": "ie1", "TWILIO_EDGE": "ashburn"}, "use dublin"),
        ({"TWILIO_REGION": "ie1", "TWILIO_EDGE": "dublin", "TWILIO_BASE_URL": "https://x.example"}, "Leave either out"),
        ({"TWILIO_FROM": "085 000 00 00"}, r"\+31850000000"),
        ({"TWILIO_CONNECTION_OVERRIDES": "#rc=2"}, "no '#rc'"),
        ({"TWILIO_CONNECTION_OVERRIDES": "rc=9"}, "rc cannot be '9'"),
        ({"TWILIO_CONNECTION_OVERRIDES": "rp=ct,maybe"}, "rp cannot"),
        ({"TWILIO_CONNECTION_OVERRIDES": "rt=99000"}, "rt cannot"),
        ({"TWILIO_WEBHOOK_KEYS": "just-a-secret"}, "id=secret"),
        ({"TWILIO_WEBHOOK_KEYS": "a=b,=c"}, "id=secret"),
        ({"IVR_PUBLIC_BASE_URL": "toets.example.org"}, "https://"),
        ({"IVR_PUBLIC_BASE_URL": "https://toets.example.org/a%20b"}, "in its path"),
        ({"IVR_PUBLIC_BASE_URL": "https://u:p@toets.example.org"}, "no user"),
        ({"IVR_PUBLIC_BASE_URL": "https://toets.example.org/?a=1"}, "no user, query"),
        ({"IVR_ENV": "production"}, "IVR_ENCRYPTION_KEY"),
        ({"IVR_ENV": "production", "IVR_ENCRYPTION_KEY": KEY}, "IVR_SECRET_KEY"),
        ({"IVR_ENV": "production", "IVR_ENCRYPTION_KEY": KEY, "IVR_SECRET_KEY": "s"}, "TWILIO_AUTH_TOKEN"),
        (REAL_ACCOUNT | {"TWILIO_ACCOUNT_SID": ""}, "TWILIO_ACCOUNT_SID"),
        (REAL_ACCOUNT | {"TWILIO_AUTH_TOKEN": ""}, "TWILIO_AUTH_TOKEN"),
        ({"IVR_ENV": "production", "IVR_ENCRYPTION_KEY": "", "IVR_SECRET_KEY": ""}, "IVR_ENCRYPTION_KEY"),
        ({"IVR_DATABASE_URL": "postgresql://localhost/toets"}, r"postgresql\+psycopg"),
        ({"IVR_DATABASE_URL": "mysql://localhost/toets"}, "IVR_DATABASE_URL"),
        ({"IVR_CARRIER": "pigeon"}, "IVR_CARRIER: .* or .twilio."),
        ({"IVR_CALLS_PER_SECOND": "0"}, "IVR_CALLS_PER_SECOND: .* greater than 0"),
        ({"IVR_CALLS_PER_SECOND": "inf"}, "IVR_CALLS_PER_SECOND: .* 1000"),
        ({"IVR_RING_SECONDS": "1"}, "IVR_RING_SECONDS: .* 5"),
        ({"IVR_RING_SECONDS": "601"}, "IVR_RING_SECONDS: .* 600"),
        ({"IVR_RING_SECONDS": "60", "IVR_CALL_LIMIT_SECONDS": "60"}, "ended while it rings"),
        ({"IVR_CALL_LIMIT_SECONDS": "14401"}, "IVR_CALL_LIMIT_SECONDS: .* 14400"),
        ({"IVR_LEASE_SECONDS": "1"}, "IVR_LEASE_SECONDS: .* 15"),
        ({"IVR_LEASE_SECONDS": "3600"}, "IVR_LEASE_SECONDS: .* 120"),
        (REAL_ACCOUNT | {"TWILIO_FROM": ""}, "TWILIO_FROM: a number of your account"),
        (REAL_ACCOUNT | {"TWILIO_API_KEY": "AC" + "2" * 32, "TWILIO_API_SECRET": "x"}, "SK and 32"),
        (REAL_ACCOUNT | {"TWILIO_AUTH_TOKEN": "SK" + "1" * 32}, "not the name of"),
        ({"TWILIO_REGION": "xx9", "TWILIO_EDGE": "dublin"}, "use au1, ie1, us1"),
        (IRELAND | {"TWILIO_BASE_URL": "https://x.example"}, "Leave either out"),
        (REAL_ACCOUNT | {"TWILIO_BASE_URL": "api.example.org"}, "TWILIO_BASE_URL must begin with https://"),
        (REAL_ACCOUNT | {"TWILIO_BASE_URL": "http://api.example.org"}, "TWILIO_BASE_URL needs https"),
        (REAL_ACCOUNT | {"TWILIO_BASE_URL": "https://api.example.org?a=1"}, "TWILIO_BASE_URL has no user, query"),
        ({"TWILIO_CONNECTION_OVERRIDES": "rc=1&rc=2"}, "rc stands there twice"),
        ({"TWILIO_CONNECTION_OVERRIDES": "ct=12000"}, "ct cannot"),
        ({"TWILIO_CONNECTION_OVERRIDES": "rt=9000&tt=3000"}, "rt is longer than tt"),
        ({"TWILIO_CONNECTION_OVERRIDES": "rc=0&rp=5xx"}, "nothing is tried again"),
        ({"TWILIO_WEBHOOK_KEYS": "a=b,a=c"}, "one id two secrets"),
        ({"IVR_CARRIER_URL": "http://carrier.example:8010"}, "this machine only"),
        ({"IVR_CARRIER_URL": "http://127.0.0.1.example:8010"}, "this machine only"),
        ({"IVR_PUBLIC_BASE_URL": "http://127.0.0.1:99999"}, "port that is no port"),
        (REAL_ACCOUNT | {"IVR_PUBLIC_BASE_URL": "https://localhost:8443"}, "localhost is known to this machine"),
        (REAL_ACCOUNT | {"IVR_PUBLIC_BASE_URL": "https://192.168.1.7"}, "192.168.1.7 is known to this machine"),
        (REAL_ACCOUNT | {"IVR_PUBLIC_BASE_URL": "https://toets"}, "public name of your proxy"),
        (PRODUCTION | {"IVR_CARRIER": "local", "IVR_PUBLIC_BASE_URL": "http://toets.example.org"}, "over http anybody"),
        (PRODUCTION | {"IVR_CARRIER": "local", "IVR_CLOCK": "leaping:/run/clock"}, "for the demo and rehearsals"),
        ({"IVR_ENCRYPTION_KEY": "not a key!"}, "IVR_ENCRYPTION_KEY is not base64.*openssl rand -base64 32"),
        ({"IVR_ENCRYPTION_KEY": "c2hvcnQ="}, "IVR_ENCRYPTION_KEY holds 5 bytes; it must hold 32.*openssl rand"),
        (PRODUCTION | {"IVR_ENCRYPTION_KEY": "A" * 42 + "=="}, "IVR_ENCRYPTION_KEY"),
        ({"IVR_CLOCK": "wall"}, "IVR_CLOCK is system, or leaping"),
        ({"IVR_REDIS_URL": "localhost:6379"}, "IVR_REDIS_URL begins with redis://"),
    ],
)
def test_a_contradiction_is_refused_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], says: str
) -> None:
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=says):
        load_settings()


def test_all_contradictions_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TWILIO_REGION": "ie1", "TWILIO_FROM": "085", "TWILIO_API_KEY": "SK1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    for name in ("TWILIO_EDGE", "TWILIO_FROM", "TWILIO_API_SECRET"):
        assert name in refused.value.message
    assert "Value error" not in refused.value.message


def test_a_compatible_service_names_its_accounts_as_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    service = {"TWILIO_BASE_URL": "https://space.example.org/api/v1.0", "TWILIO_ACCOUNT_SID": "3f2a-77"}
    for name, value in (REAL_ACCOUNT | service).items():
        monkeypatch.setenv(name, value)
    assert load_settings().twilio_account_sid == "3f2a-77"


def test_a_service_on_this_machine_reaches_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"TWILIO_BASE_URL": "http://127.0.0.1:8010", "IVR_PUBLIC_BASE_URL": "http://127.0.0.1:8000"}
    for name, value in (REAL_ACCOUNT | here).items():
        monkeypatch.setenv(name, value)
    assert load_settings().public_base_url == "http://127.0.0.1:8000"


def test_connection_overrides_are_taken_as_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_CONNECTION_OVERRIDES", "rc=2&rp=ct,5xx&ct=2000&e=dublin,frankfurt&sni=y")
    assert load_settings().twilio_connection_overrides.startswith("rc=2")


def test_a_complete_account_is_accepted_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (REAL_ACCOUNT | {"TWILIO_REGION": "ie1", "TWILIO_EDGE": "dublin"}).items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.twilio_edge == "dublin"
    assert "a real token" not in repr(settings)


def test_a_misspelt_name_is_told_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_CALLS_PER_SECONDS", "3")
    monkeypatch.setenv("TWILIO_AUTHTOKEN", "x")
    monkeypatch.setenv("IVR_WHATEVER_THIS_IS", "1")
    monkeypatch.setenv("ivr_ring_seconds", "20")
    assert unread_names() == {
        "IVR_CALLS_PER_SECONDS": "IVR_CALLS_PER_SECOND",
        "IVR_WHATEVER_THIS_IS": None,
        "TWILIO_AUTHTOKEN": "TWILIO_AUTH_TOKEN",
    }


def test_each_name_of_the_example_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, _, _ in example():
        monkeypatch.setenv(name, "")
    assert unread_names() == {}
