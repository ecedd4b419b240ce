"""A turn as TwiML: one Gather a turn, silence as an event, the turn's number in the URL.

Decides which verbs a turn becomes; what is said was decided by the engine. Written directly, because a
builder costs more than the whole webhook may and validates nothing; the tests hold every document against
a schema of the verbs and attributes used here (Twilio's documents: TwiML for Programmable Voice).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from xml.sax.saxutils import escape

from ivr.survey.turn import Prompt, Turn
from ivr.telephony.webhooks import fragment, prompt_path, turn_path

Sounds = Mapping[tuple[str, bool], str]
"""Which rendered audio a prompt has: (prompt id, slow) → sha256 of the WAV."""

MAX_BYTES = 4096
SILENCE_PROMPT = "stilte"
"""Half a second of nothing, so that 2.5 s can be waited for where a carrier knows whole seconds only."""

_HEAD = '<?xml version="1.0" encoding="UTF-8"?><Response>'
_TAIL = "</Response>"
_SAY = '<Say language="nl-NL" voice="Polly.Laura-Neural">'

HANGUP = f"{_HEAD}<Hangup/>{_TAIL}"
"""The document that ends a call without a word."""


def render(
    turn: Turn,
    *,
    base_url: str,
    attempt_id: str,
    number: int,
    sounds: Sounds,
    text_of: Callable[[Prompt], str],
    overrides: str = "",
) -> str:
    """The document for this turn, the `number`th reply of the call.

    sounds: the rendered prompts. text_of is asked only for a prompt without audio, which is then read out by
    the carrier's own voice; the caller raises the alarm there. overrides: see `webhooks.urls_for`.
    """
    parts = [_HEAD, *(_spoken(prompt, base_url, sounds, text_of) for prompt in turn.announces)]
    if turn.awaits is None:
        parts += (_spoken(prompt, base_url, sounds, text_of) for prompt in turn.asks)
        parts.append("<Hangup/>")
    else:
        next_url, end = base_url + turn_path(attempt_id, number + 1), escape(fragment(overrides))
        seconds, halves = _whole_seconds(turn.awaits.timeout_seconds, (SILENCE_PROMPT, False) in sounds)
        parts.append(
            f'<Gather input="dtmf" finishOnKey="" numDigits="{turn.awaits.digits}" timeout="{seconds}" '
            f'action="{escape(next_url)}{end}" method="POST">'
        )
        parts += (_spoken(prompt, base_url, sounds, text_of) for prompt in turn.asks)
        if halves:
            parts.append(_play(base_url, sounds[SILENCE_PROMPT, False]))
        parts.append(f'</Gather><Redirect method="POST">{escape(next_url)}/silence{end}</Redirect>')
    parts.append(_TAIL)
    return "".join(parts)


def farewell(base_url: str, sha256s: Sequence[str], text: str) -> str:
    """A document that says one thing and hangs up: the audio when there is any, else the text."""
    said = "".join(_play(base_url, sha256) for sha256 in sha256s) or _say(text)
    return f"{_HEAD}{said}<Hangup/>{_TAIL}"


def _whole_seconds(seconds: float, has_half: bool) -> tuple[int, bool]:
    """Whole seconds of time-out, and whether half a second of silence is played before them."""
    whole = int(seconds)
    rest = seconds - whole
    if rest < 0.25:
        return max(1, whole), False
    if has_half and rest < 0.75 and whole >= 1:
        return whole, True
    return whole + 1, False


def _spoken(prompt: Prompt, base_url: str, sounds: Sounds, text_of: Callable[[Prompt], str]) -> str:
    sha256 = sounds.get((prompt.id, prompt.slow)) or sounds.get((prompt.id, False))
    return _play(base_url, sha256) if sha256 else _say(text_of(prompt))


def _play(base_url: str, sha256: str) -> str:
    return f"<Play>{escape(base_url)}{prompt_path(sha256)}</Play>"


def _say(text: str) -> str:
    return f"{_SAY}{escape(text)}</Say>"
