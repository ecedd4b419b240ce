"""Reads a TwiML document and refuses what Twilio would refuse.

12100: not a document at all. 12200: a verb, attribute or nesting that a survey call may not hold; real Twilio
knows more verbs (Dial, Record, …), which this carrier has no use for and therefore refuses loudly.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

MAXIMUM_BYTES = 64 * 1024
KEYS = frozenset("0123456789*#")
_METHODS = frozenset({"GET", "POST"})
_INPUTS = frozenset({"dtmf", "speech"})

_ATTRIBUTES: dict[str, frozenset[str]] = {
    "Play": frozenset({"loop", "digits"}),
    "Say": frozenset({"voice", "language", "loop"}),
    "Pause": frozenset({"length"}),
    "Redirect": frozenset({"method"}),
    "Hangup": frozenset(),
    "Reject": frozenset({"reason"}),
    "Gather": frozenset(
        {"action", "method", "input", "timeout", "numDigits", "finishOnKey", "actionOnEmptyResult"}
        | {"language", "hints", "speechTimeout", "speechModel", "enhanced", "bargeIn", "profanityFilter"}
        | {"partialResultCallback", "partialResultCallbackMethod", "debug"}
    ),
}


class DocumentError(Exception):
    """A document that ends the call unless the fallback saves it. `code` is Twilio's number."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Play:
    url: str
    loop: int = 1


@dataclass(frozen=True, slots=True)
class Say:
    text: str
    loop: int = 1


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: int = 1


@dataclass(frozen=True, slots=True)
class Redirect:
    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Hangup:
    pass


@dataclass(frozen=True, slots=True)
class Reject:
    pass


@dataclass(frozen=True, slots=True)
class Gather:
    """action None: the same document. digits None: only the time-out or a finishing key ends the input."""

    action: str | None = None
    method: str = "POST"
    takes_keys: bool = True
    timeout: int = 5
    digits: int | None = None
    finish_on: frozenset[str] = frozenset("#")
    acts_on_nothing: bool = False
    nested: tuple[Play | Say | Pause, ...] = ()


Verb = Play | Say | Pause | Redirect | Hangup | Reject | Gather
Audible = Play | Say | Pause


def parse(body: bytes) -> tuple[Verb, ...]:
    """The verbs of a document, in order. DocumentError if it is not one."""
    if len(body) > MAXIMUM_BYTES:
        raise DocumentError(11750, "the document is over 64 kB")
    if re.search(rb"<!(DOCTYPE|ENTITY)", body, re.IGNORECASE):
        raise DocumentError(12100, "a document type or an entity has no place in TwiML")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314  (entities are refused above; the sender is the house)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DocumentError(12100, f"not XML: {error}") from error
    if root.tag != "Response":
        raise DocumentError(12100, f"the root is <{root.tag}>, not <Response>")
    if root.attrib:
        raise DocumentError(12200, "<Response> has no attributes")
    return tuple(_verb(element, first=index == 0) for index, element in enumerate(root))


def _verb(element: ElementTree.Element, *, first: bool = False) -> Verb:
    name = element.tag
    allowed = _ATTRIBUTES.get(name)
    if allowed is None:
        raise DocumentError(12200, f"<{name}> is not a verb this carrier knows")
    if unknown := set(element.attrib) - allowed:
        raise DocumentError(12200, f"<{name}> has no attribute {', '.join(sorted(unknown))}")
    if len(element) and name != "Gather":
        raise DocumentError(12200, f"<{name}> holds text only")
    text = (element.text or "").strip()
    get = element.attrib.get
    match name:
        case "Play":
            if not text:
                raise DocumentError(12200, "<Play> without an address")
            return Play(text, _number(element, "loop", 1, minimum=0))
        case "Say":
            return Say(text, _number(element, "loop", 1, minimum=0))
        case "Pause":
            return Pause(_number(element, "length", 1, minimum=1))
        case "Redirect":
            if not text:
                raise DocumentError(12100, "<Redirect> without an address")
            return Redirect(text, _method(get("method")))
        case "Hangup":
            return Hangup()
        case "Reject":
            if not first:
                raise DocumentError(12200, "<Reject> must be the first verb")
            return Reject()
        case _:
            return _gather(element)


def _gather(element: ElementTree.Element) -> Gather:
    get = element.attrib.get
    inputs = frozenset((get("input") or "dtmf").split())
    if not inputs or inputs - _INPUTS:
        raise DocumentError(12200, f"input={get('input')!r} is neither dtmf nor speech")
    finish_on = frozenset(get("finishOnKey", "#"))
    if finish_on - KEYS:
        raise DocumentError(12200, f"finishOnKey={get('finishOnKey')!r} is not a key")
    empty = get("actionOnEmptyResult", "false").lower()
    if empty not in {"true", "false"}:
        raise DocumentError(12200, f"actionOnEmptyResult={empty!r} is neither true nor false")
    nested = tuple(_verb(child) for child in element)
    for verb in nested:
        if not isinstance(verb, Play | Say | Pause):
            raise DocumentError(12200, f"<{type(verb).__name__}> may not stand in <Gather>")
    return Gather(
        action=(get("action") or "").strip() or None,
        method=_method(get("method")),
        takes_keys="dtmf" in inputs,
        timeout=5 if get("timeout") == "auto" else _number(element, "timeout", 5, minimum=0),
        digits=_number(element, "numDigits", 0, minimum=1) or None,
        finish_on=finish_on,
        acts_on_nothing=empty == "true",
        nested=nested,  # pyright: ignore[reportArgumentType]  (narrowed by the loop above)
    )


def _number(element: ElementTree.Element, name: str, default: int, *, minimum: int) -> int:
    text = element.attrib.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,9}", text) or int(text) < minimum:
        raise DocumentError(12200, f"{name}={text!r} of <{element.tag}> is not a whole number from {minimum}")
    return int(text)


def _method(text: str | None) -> str:
    method = (text or "POST").upper()
    if method not in _METHODS:
        raise DocumentError(12200, f"method={text!r} is neither GET nor POST")
    return method
