"""The rules of links (config/links.toml) and the texts that carry them (config/letters/), read once.

Decides how a text is filled: every placeholder must be known, and what is filled in is never read as a placeholder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ivr.catalogue import Catalogue, read_toml
from ivr.errors import ConfigurationError
from ivr.survey.phrases import Phrase, phrases_from_mapping

INBURGERING, LAAGDREMPELIG = "inburgering", "laagdrempelig"
_SERVICE_INBURGERING = 11
_SHARED = ("about", "resume", "goodbye_complete", "goodbye_number")
"""What a page says in the words of a call."""
PAGE_PHRASES = ("page_start", "page_resume", "page_unclear", "page_again", "page_grade", "page_number")
LETTERS = ("brief", "brief_web", "sms", "sms_web", "gemist")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_NUMBERS = ("valid_days", "visit_minutes", "rest_hours", "misses_per_hour")


@dataclass(frozen=True)
class LinkKit:
    """How long links and visits live, what the page says, and the letters by name."""

    valid_days: int
    visit_minutes: int
    rest_hours: int
    misses_per_hour: int
    page: Mapping[str, Phrase]
    letters: Mapping[str, str]

    def page_phrases(self, catalogue: Catalogue) -> dict[str, Phrase]:
        """All that a page says besides the questions."""
        return {**self.page, **{id: catalogue.phrases[id] for id in _SHARED}}

    @staticmethod
    def questionnaire_for(service: int) -> str:
        """Service 11 has its own questionnaire; all others get the low-threshold one (domain rule 7)."""
        return INBURGERING if service == _SERVICE_INBURGERING else LAAGDREMPELIG


def load_kit(config_dir: Path) -> LinkKit:
    """ConfigurationError naming file and fault when something is missing or is not what it should be."""
    data = read_toml(config_dir / "links.toml")
    rules = data.get("links", {})
    for name in _NUMBERS:
        if not isinstance(rules.get(name), int) or isinstance(rules[name], bool) or rules[name] < 1:
            raise ConfigurationError(f"links.toml, [links]: {name} must be a whole number of at least 1.")
    page = phrases_from_mapping(data.get("page", {}))
    if set(page) != set(PAGE_PHRASES):
        raise ConfigurationError(f"links.toml: [page] must hold exactly {', '.join(PAGE_PHRASES)}.")
    letters: dict[str, str] = {}
    for name in LETTERS:
        path = config_dir / "letters" / f"{name}.txt"
        try:
            letters[name] = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"letters/{name}.txt cannot be read: {error}.") from error
    return LinkKit(**{name: rules[name] for name in _NUMBERS}, page=page, letters=letters)


def filled(name: str, text: str, values: Mapping[str, str]) -> str:
    """`text` with its placeholders filled. ConfigurationError for one without a value."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise ConfigurationError(f"letters/{name}.txt: {{{match[1]}}} is none of {', '.join(sorted(values))}.")
        return values[match[1]]

    return _PLACEHOLDER.sub(value, text)
