"""The signer against the known answers of Twilio's documents and of its client libraries' tests."""

from __future__ import annotations

import pytest

from ivr.rehearsal.signing import compute, sign, signed_url

TOKEN = "12345"
PARAMS = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}


@pytest.mark.parametrize(
    ("url", "signature"),
    [
        ("https://mycompany.com/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("http://mycompany.com:1234/myapp.php?foo=1&bar=2", "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        ("https://mycompany.com:443/myapp.php?foo=1&bar=2", "kvajT1Ptam85bY51eRf/AJRuM3w="),
    ],
)
def test_known_answers(url, signature):
    assert compute(TOKEN, url, PARAMS) == signature


@pytest.mark.parametrize(
    ("url", "enters"),
    [
        ("https://user:secret@a.nl:8443/x?y=1#rc=2", "https://a.nl/x?y=1"),
        ("http://user:secret@a.nl:8000/x?y=1#rc=2", "http://a.nl:8000/x?y=1"),
        ("http://a.nl/x%2Fy?name=%C3%A9", "http://a.nl/x%2Fy?name=%C3%A9"),
        ("https://[::1]:443/x", "https://[::1]/x"),
        ("https://[::1]/x", "https://[::1]/x"),
    ],
)
def test_what_of_the_url_is_signed(url, enters):
    assert signed_url(url) == enters
    assert sign(TOKEN, url, PARAMS) == compute(TOKEN, enters, PARAMS)


def test_parameters_are_sorted_and_blank_ones_count():
    assert sign("t", "http://a/", {"b": "", "a": "1"}) == compute("t", "http://a/a1b")


def test_each_value_of_a_repeated_parameter_enters_once():
    assert sign("t", "http://a/", {"e": ["y", "x", "y"]}) == compute("t", "http://a/exey")


def test_twilios_own_validator_accepts_the_signatures():
    from twilio.request_validator import RequestValidator

    validator = RequestValidator(TOKEN)
    for url in ("https://a.nl/x?y=1", "http://127.0.0.1:8000/voice/abc/1"):
        assert validator.validate(url, PARAMS, sign(TOKEN, url, PARAMS))
