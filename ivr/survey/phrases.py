"""What the call says besides the questions: one phrase, one id.

Placeholders in a text: {dienstverlener} {minuten} {telefoonnummer} {webadres}. Never a person's name.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrase:
    """A spoken text of the call, outside the questionnaire. Loaded from `config/phrases.toml`."""

    id: str
    text: str
    has_slow: bool = True
    """Whether the call may repeat it slowly, so that a slow variant must be rendered too."""
