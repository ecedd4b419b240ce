"""What our documents must be: valid by `twiml.xsd` (Twilio's TwiML documents), and of our own pattern besides."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from lxml import etree

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).with_name("twiml.xsd")))

ALLOWED: dict[str, tuple[set[str], set[str]]] = {
    # verb: (attributes, children)
    "Response": (set(), {"Play", "Say", "Gather", "Redirect", "Hangup"}),
    "Gather": ({"input", "finishOnKey", "numDigits", "timeout", "action", "method"}, {"Play", "Say"}),
    "Play": (set(), set()),
    "Say": ({"language", "voice"}, set()),
    "Redirect": ({"method"}, set()),
    "Hangup": (set(), set()),
}
MUST_HAVE_TEXT = {"Play", "Say", "Redirect"}


def check_twiml(document: str) -> ElementTree.Element:
    """The document, parsed. AssertionError for anything that the schema does not allow."""
    assert len(document.encode()) <= 4096
    SCHEMA.assertValid(etree.fromstring(document.encode()))
    root = ElementTree.fromstring(document.encode())
    assert root.tag == "Response"
    for verb in root.iter():
        attributes, children = ALLOWED[verb.tag]
        assert set(verb.attrib) <= attributes, verb.tag
        assert {child.tag for child in verb} <= children, verb.tag
        if verb.tag in MUST_HAVE_TEXT:
            assert (verb.text or "").strip()
        else:
            assert not (verb.text or "").strip()
        if "timeout" in verb.attrib:
            assert 1 <= int(verb.attrib["timeout"]) <= 60
            assert 1 <= int(verb.attrib["numDigits"]) <= 10
    verbs = [verb.tag for verb in root]
    assert verbs.count("Gather") <= 1
    # Every document says what comes next, and nothing stands behind it.
    assert verbs[-1] in {"Redirect", "Hangup"}
    assert verbs.count("Redirect") + verbs.count("Hangup") == 1
    if "Gather" in verbs:
        assert verbs[-2:] == ["Gather", "Redirect"]
    return root
