"""What the call says besides the questions: one phrase, one id.

Decides which phrases there must be; their texts stand in `config/phrases.toml`.
Placeholders in a text: {dienstverlener} {minuten} {telefoonnummer} {webadres}. Never a person's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ivr.errors import ConfigurationError

PLACEHOLDERS = ("dienstverlener", "minuten", "telefoonnummer", "webadres")

_ASKED = [
    "greeting",
    "greeting_inbound",
    "greeting_minutes",
    "greeting_voluntary",
    "greeting_menu",
    "not_taking_part",
    "never_check",
    "later_day",
    "later_vanavond",
    "later_morgen",
    "later_zaterdag",
    "later_volgende_week",
    "later_part",
    "later_ochtend",
    "later_middag",
    "later_avond",
    "later_vanavond_avond",
    "later_morgen_ochtend",
    "later_morgen_middag",
    "later_morgen_avond",
    "later_zaterdag_ochtend",
    "later_zaterdag_middag",
    "later_zaterdag_avond",
    "later_volgende_week_ochtend",
    "later_volgende_week_middag",
    "later_volgende_week_avond",
    "later_check",
    "right_person",
    "person_home",
    "code",
    "practice",
    "grade_check",
    "still_there",
]
_SAID = [
    "fetch_start",
    "fetch_wait",
    "fetch_over",
    "code_wrong",
    "code_failed",
    "practice_help",
    "practice_help_more",
    "practice_done",
    "practice_skipped",
    "about",
    "about_keys",
    "resume",
    "wrong_key",
    "which_keys",
    "go_on",
    "goodbye_complete",
    "goodbye_partial",
    "goodbye_break_off",
    "goodbye_refusal",
    "goodbye_never",
    "goodbye_later",
    "goodbye_later_any",
    "goodbye_introduction",
    "goodbye_no_interaction",
    "goodbye_wrong_person",
    "goodbye_language",
    "goodbye_number",
    "goodbye_question",
    "goodbye_not_now",
]
_TO_CALLERS = ["inbound_full", "inbound_later", "inbound_done", "inbound_closed", "inbound_unknown"]
_BY_THE_DOORS = ["voicemail", "technical_apology", *_TO_CALLERS]

NEEDED: Mapping[str, bool] = {
    **dict.fromkeys(_ASKED, True),
    **dict.fromkeys(_SAID, False),
    **dict.fromkeys(_BY_THE_DOORS, False),
}
"""Every phrase there must be: id → whether the engine may repeat it slowly."""

BEFORE_THE_PERSON: frozenset[str] = frozenset(
    [*_ASKED, "fetch_start", "fetch_wait", "fetch_over", "code_wrong", "code_failed", "voicemail", "technical_apology"]
) - {"practice", "grade_check", "still_there"}
"""What a housemate may hear: these name no provider."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A spoken text of the call, outside the questionnaire. Loaded from `config/phrases.toml`."""

    id: str
    text: str
    has_slow: bool = True
    """Whether the call may repeat it slowly, so that a slow variant must be rendered too."""


def phrases_from_mapping(data: Mapping[str, Any]) -> dict[str, Phrase]:
    """The phrases of `phrases.toml` by id. ConfigurationError when a table has another shape."""
    phrases: dict[str, Phrase] = {}
    for id, table in data.items():
        if not isinstance(table, dict) or not set(table) <= {"text", "slow"}:  # pyright: ignore[reportUnknownArgumentType]
            raise ConfigurationError(f"phrases, {id}: expected a table with text and, if need be, slow = false.")
        text, slow = table.get("text", ""), table.get("slow", True)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        if not isinstance(text, str) or not isinstance(slow, bool):
            raise ConfigurationError(f"phrases, {id}: text must be a text between quotes, slow true or false.")
        phrases[id] = Phrase(id, text.strip(), slow)
    return phrases
