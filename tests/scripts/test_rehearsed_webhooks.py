"""Every webhook of a rehearsal, by other people's yardsticks: Twilio's validator, the TwiML schema, the interface.

The season is one provider's with every fault at one in ten, so that repeats and error paths are among the documents.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from ivr.rehearsal.carrier_api import TOKEN
from ivr.rehearsal.transport import JsonLines
from scripts import rehearse
from tests.telephony.twiml_schema import check_twiml

FIELDS = {"method", "url", "params", "signature", "status", "reply", "call_sid", "sent_at"}


@pytest.fixture(scope="module")
def webhooks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The carrier log of one provider's season."""
    log = tmp_path_factory.mktemp("season") / "carrier.jsonl"
    with pytest.MonkeyPatch.context() as patch, closing(JsonLines(log)) as lines:
        patch.setattr(rehearse, "JsonLines", lambda _: lines)
        with pytest.raises(SystemExit) as left:
            rehearse.rehearse.main(["--providers", "1", "--seed", "5", "--faults", "0.1", "--processes", "1", "--json"])
        assert not left.value.code
    return [json.loads(line) for line in Path(log).read_text(encoding="utf-8").splitlines()]


@pytest.mark.timeout(600)  # the season: some five seconds of work, on a machine that may be busy with other things
def test_twilios_validator_accepts_every_webhook_and_none_that_was_changed(webhooks: list[dict[str, Any]]) -> None:
    is_twilios = RequestValidator(TOKEN).validate
    assert len(webhooks) > 200
    for line in webhooks:
        assert set(line) >= FIELDS
        form: MultiDict[str, str] = MultiDict(line["params"] if line["method"] == "POST" else {})
        assert is_twilios(line["url"], form, line["signature"]), line["url"]
        assert not is_twilios(line["url"], MultiDict(form) | {"CallSid": "CA" + "f" * 32}, line["signature"])


@pytest.mark.timeout(600)
def test_every_document_of_a_rehearsal_is_valid_twiml(webhooks: list[dict[str, Any]]) -> None:
    verbs: Counter[str] = Counter()
    for line in webhooks:
        if line["url"].rsplit("/", 1)[1] in {"status", "machine"}:
            assert (line["status"], line["reply"]) == (204, ""), line["url"]
            continue
        assert line["status"] == 200, line["url"]
        verbs.update(verb.tag for verb in check_twiml(line["reply"]).iter())
    assert set(verbs) == {"Response", "Gather", "Play", "Redirect", "Hangup"}
    assert verbs["Gather"] > 100
