"""The signature and the forms. Known answers: Twilio's document on request validation and its client's own tests."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from ivr.errors import UsageError
from ivr.survey.turn import Keypress, Silence
from ivr.telephony.webhooks import (
    MAX_FIELDS,
    SignatureCheck,
    parse_form,
    redacted,
    report_of,
    sign,
    signal_of,
    urls_for,
)

TOKEN = "12345"
KNOWN_FORM = {
    "CallSid": ["CA1234567890ABCDE"],
    "Caller": ["+14158675309"],
    "Digits": ["1234"],
    "From": ["+14158675309"],
    "To": ["+18005551212"],
}
PATH = "/voice/0123456789abcdef0123456789abcdef/3"


def accepted(base_url: str, form: dict[str, list[str]], signature: str, *, query: str = "", settings: str = "") -> bool:
    return SignatureCheck(base_url, TOKEN).accepts(PATH, query, form, signature, settings)


@pytest.mark.parametrize(
    ("url", "signature"),
    [
        ("https://mycompany.com/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("http://mycompany.com:1234/myapp.php?foo=1&bar=2", "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        ("https://mycompany.com:443/myapp.php?foo=1&bar=2", "kvajT1Ptam85bY51eRf/AJRuM3w="),
    ],
)
def test_the_published_answers_come_out(url: str, signature: str) -> None:
    assert sign(url, KNOWN_FORM, TOKEN) == signature


def test_user_and_password_are_dropped_before_signing() -> None:
    signature = sign(f"https://toets.example{PATH}", KNOWN_FORM, TOKEN)
    assert accepted("https://user:secret@toets.example", KNOWN_FORM, signature)


@pytest.mark.parametrize(
    ("base_url", "signed_base"),
    [
        ("https://toets.example", "https://toets.example"),
        ("https://toets.example:443", "https://toets.example"),
        ("https://toets.example:8443", "https://toets.example"),
        ("https://toets.example:8443", "https://toets.example:8443"),
        ("https://toets.example", "https://toets.example:443"),
        ("http://toets.example", "http://toets.example"),
        ("http://toets.example", "http://toets.example:80"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://toets.example/", "https://toets.example"),
        ("https://toets.example/survey", "https://toets.example/survey"),
    ],
)
def test_a_port_is_signed_as_the_carrier_may_sign_it(base_url: str, signed_base: str) -> None:
    assert accepted(base_url, KNOWN_FORM, sign(signed_base + PATH, KNOWN_FORM, TOKEN))


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"Digits": [""], "CallSid": ["CA1"]},
        {"FromCity": ["'s-Hertogenbosch"], "Digits": ["#"]},
        {"Name": ["Café ☎ José"], "Ünïcode": ["ja"]},
        {"Path": ["a%2Fb/c?d=e&f=g+h i"]},
        {"Event": ["ringing", "initiated", "ringing"], "A": ["1"]},
        {"b": ["1"], "B": ["2"], "a": ["3"], "_": ["4"]},
        {"Digits": ["12*#"]},
    ],
)
@pytest.mark.parametrize("query", ["", "foo=1&bar=2", "name=Jos%C3%A9&path=a%2Fb", "x=1&x=2&x=", "a=b%20c+d"])
def test_what_twilio_signs_is_accepted(form: dict[str, list[str]], query: str) -> None:
    target = f"https://toets.example{PATH}" + (f"?{query}" if query else "")
    signature = RequestValidator(TOKEN).compute_signature(target, MultiDict(form))
    body = urlencode(form, doseq=True).encode()
    assert accepted("https://toets.example", parse_form(body), signature, query=query)


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=8)


@given(st.dictionaries(NAMES, st.lists(NAMES, min_size=1, max_size=3), max_size=6))
def test_own_signature_equals_twilios(form: dict[str, list[str]]) -> None:
    theirs = RequestValidator(TOKEN).compute_signature("https://toets.example/voice/x/0", MultiDict(form))
    assert sign("https://toets.example/voice/x/0", form, TOKEN) == theirs
    assert parse_form(urlencode(form, doseq=True).encode()) == form


@pytest.mark.parametrize(
    "form",
    [
        KNOWN_FORM | {"Digits": ["1235"]},
        KNOWN_FORM | {"Digits": ["1234", "5"]},
        KNOWN_FORM | {"Extra": [""]},
        KNOWN_FORM | {"Extra": ["1"]},
        {name: values for name, values in KNOWN_FORM.items() if name != "To"},
    ],
)
def test_a_changed_parameter_is_refused(form: dict[str, list[str]]) -> None:
    assert not accepted("https://toets.example", form, sign(f"https://toets.example{PATH}", KNOWN_FORM, TOKEN))


@pytest.mark.parametrize("signature", ["", "nonsense", "é", "A" * 10_000, "RSOYDt4T1cUTdK1PDd93/VVr8B8"])
def test_a_wrong_signature_is_refused(signature: str) -> None:
    assert not accepted("https://toets.example", KNOWN_FORM, signature)


def test_another_host_scheme_query_or_token_is_refused() -> None:
    good = sign(f"https://toets.example{PATH}", KNOWN_FORM, TOKEN)
    assert accepted("https://toets.example", KNOWN_FORM, good)
    assert not accepted("https://other.example", KNOWN_FORM, good)
    assert not accepted("http://toets.example", KNOWN_FORM, good)
    assert not accepted("https://toets.example", KNOWN_FORM, good, query="a=1")
    assert not SignatureCheck("https://toets.example", "other").accepts(PATH, "", KNOWN_FORM, good)


@pytest.mark.parametrize(
    "path", ["/voice/a b/0", "/voice/é/0", "/voice/a%2Fb/0", "/voice/a.b/0", "voice/a", "/voice/a\n"]
)
def test_a_path_that_can_be_spelt_in_two_ways_is_refused(path: str) -> None:
    signature = sign(f"https://toets.example{path}", KNOWN_FORM, TOKEN)
    assert not SignatureCheck("https://toets.example", TOKEN).accepts(path, "", KNOWN_FORM, signature)


def test_sha256_needs_the_shared_key_that_the_request_names() -> None:
    check = SignatureCheck("https://toets.example", TOKEN, {"sk1": "shared secret"})
    url = f"https://toets.example{PATH}"
    theirs = RequestValidator("shared secret").compute_signature(url, MultiDict(KNOWN_FORM), "HMAC_SHA256")
    header = "key=sk1,algorithm=HMAC_SHA256"
    assert check.accepts(PATH, "", KNOWN_FORM, theirs, header)
    assert not check.accepts(PATH, "", KNOWN_FORM, theirs)
    assert not check.accepts(PATH, "", KNOWN_FORM, theirs, "key=sk2,algorithm=HMAC_SHA256")
    assert not check.accepts(PATH, "", KNOWN_FORM, theirs, "key=sk1,algorithm=HMAC_MD5")
    empty = RequestValidator("").compute_signature(url, MultiDict(KNOWN_FORM), "HMAC_SHA256")
    assert not check.accepts(PATH, "", KNOWN_FORM, empty, "key=sk2,algorithm=HMAC_SHA256")
    plain = sign(url, KNOWN_FORM, TOKEN)
    assert check.accepts(PATH, "", KNOWN_FORM, plain, "algorithm=HMAC_SHA1")


def test_a_form_that_is_none_is_refused() -> None:
    for body in (b"a=%FF", "a=é".encode(), b"&".join([b"a=1"] * (MAX_FIELDS + 1))):
        with pytest.raises(UsageError):
            parse_form(body)


def test_keys_are_read_and_everything_else_is_silence() -> None:
    assert signal_of({"Digits": ["12"]}) == Keypress("12")
    assert signal_of({"Digits": ["#"]}) == Keypress("#")
    assert signal_of({"Digits": ["*0"]}) == Keypress("*0")
    for form in ({}, {"Digits": [""]}, {"Digits": ["hangup"]}, {"Digits": []}):
        assert signal_of(form) == Silence()


def test_a_status_callback_becomes_a_report() -> None:
    report = report_of(
        {
            "CallSid": ["CA1"],
            "CallStatus": ["completed"],
            "SequenceNumber": ["3"],
            "CallDuration": ["61"],
            "Timestamp": ["Mon, 23 Nov 2026 15:00:00 +0000"],
        }
    )
    assert (report.status, report.sequence_number, report.duration_seconds) == ("completed", 3, 61)
    assert report.at == datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    assert report.is_final


def test_a_machine_verdict_never_ends_a_call() -> None:
    report = report_of({"CallSid": ["CA1"], "AnsweredBy": ["machine_start"], "MachineDetectionDuration": ["2100"]})
    assert (report.status, report.answered_by, report.is_final) == ("in-progress", "machine_start", False)


@pytest.mark.parametrize("form", [{}, {"CallSid": ["CA1"]}, {"CallSid": ["CA1"], "CallStatus": ["eaten"]}])
def test_a_report_of_nothing_is_refused(form: dict[str, list[str]]) -> None:
    with pytest.raises(UsageError):
        report_of(form)


def test_what_is_kept_of_a_form_holds_no_number_and_no_key() -> None:
    kept = redacted(KNOWN_FORM | {"CallStatus": ["ringing"], "CalledCity": ["ASSEN"]})
    assert kept == {"CallSid": "CA1234567890ABCDE", "CallStatus": "ringing"}


def test_the_urls_of_a_call_carry_only_the_attempt() -> None:
    urls = urls_for("https://toets.example/", "0123456789abcdef0123456789abcdef")
    root = "https://toets.example/voice/0123456789abcdef0123456789abcdef"
    assert urls.voice == f"{root}/0"
    assert (urls.fallback, urls.status, urls.machine) == (f"{root}/fallback", f"{root}/status", f"{root}/machine")
    urls = urls_for("https://toets.example/", "0123456789abcdef0123456789abcdef", "rc=2&rp=all")
    assert urls.voice == f"{root}/0#rc=2&rp=all"
    assert urls.status == f"{root}/status#rc=2&rp=all"


def test_signatures_need_nothing_of_twilios_client() -> None:
    code = "import sys, ivr.telephony.webhooks, ivr.telephony.twiml; print([m for m in sys.modules if 'twilio' in m])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
