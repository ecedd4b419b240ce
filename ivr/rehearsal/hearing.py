"""How a person understands what a computer says: by the words, as anybody would.

Reads the questionnaires' TOML files as data, on its own: the record of what was answered must not come from the
code under test. Decides which situation a text describes ("is this the greeting? which question is it? which
keys are offered?"); what somebody then does is decided in `caller.py`.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

Situation = Literal[
    "greeting",
    "not_taking_part",
    "never_check",
    "later_day",
    "later_part",
    "later_check",
    "right_person",
    "person_home",
    "fetching",
    "code",
    "practice",
    "question",
    "grade_check",
    "still_there",
    "same",  # nothing was said, or only the keys of what was asked already
    "unknown",
]

_OPTION = re.compile(r"([^.?!:\n]+):\s*druk op (\d|een|één|nul|sterretje|hekje)\b", re.IGNORECASE)
_KEY_WORDS = {"een": "1", "één": "1", "nul": "0", "sterretje": "*", "hekje": "#"}


def plain(text: str) -> str:
    """`text` as it sounds: small letters, no accents, no punctuation, single spaces."""
    return " ".join(re.findall(r"[a-z0-9]+", _bare(text)))


def _asked(text: str) -> str:
    """`plain`, with each question mark as a word: the voice rises there, so that one hears where a name ends."""
    return " ".join(re.findall(r"[a-z0-9]+|\?", _bare(text)))


def _bare(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


def is_apology(text: str) -> bool:
    """Whether the computer said that something went wrong on its side, so that nobody knows what it kept."""
    return "er gaat bij ons iets mis" in plain(text)


@dataclass(frozen=True)
class KnownQuestion:
    """A question as it stands in the file. options: key → code, in the order in which they are read out."""

    id: str
    kind: str
    options: Mapping[str, str]
    is_aspect: bool
    scale: str
    maximum: int
    pattern: re.Pattern[str]
    weight: int
    labels: frozenset[str] = field(default_factory=frozenset[str])


def read_questionnaires(config_dir: Path) -> tuple[KnownQuestion, ...]:
    """All questions of `config_dir/questionnaires/*.toml`; none when there is no such folder."""
    questions: list[KnownQuestion] = []
    for path in sorted((config_dir / "questionnaires").glob("*.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        questions += [_question(entry) for entry in data.get("questions", ())]
    return tuple(questions)


def _question(entry: Mapping[str, Any]) -> KnownQuestion:
    parts = [_asked(part) for part in re.split(r"\{[a-z]+\}", entry["text"])]
    # A provider may be called anything: each placeholder matches some words, up to what the question says next.
    pattern = r"\b" + r"(?:^|\s+)(.+?)(?:\s+|$)".join(re.escape(part) for part in parts).strip()
    options = {str(option["key"]): str(option["code"]) for option in entry.get("options", ())}
    return KnownQuestion(
        id=entry["id"],
        kind=entry["kind"],
        options=options,
        is_aspect=bool(entry.get("aspect", False)),
        scale=str(entry.get("scale", "")),
        maximum=int(entry.get("maximum", 10 if entry["kind"] == "grade" else 99)),
        pattern=re.compile(pattern),
        weight=sum(len(part) for part in parts),
        labels=frozenset(plain(str(option["text"])) for option in entry.get("options", ())),
    )


@dataclass(frozen=True)
class Understood:
    """What a text means to who hears it. options: what may be chosen, key by label; provider: the name heard."""

    situation: Situation
    question: KnownQuestion | None = None
    options: tuple[tuple[str, str], ...] = ()
    provider: str = ""


class Ear:
    """Understands texts of one set of questionnaires; the same text is thought about once."""

    def __init__(self, questions: tuple[KnownQuestion, ...]) -> None:
        self._questions = questions
        self.understand = lru_cache(maxsize=20_000)(self._understand)

    def _understand(self, lead: str, text: str) -> Understood:
        """lead: what was announced just before; text: what was said while keys were awaited."""
        options = tuple(
            (plain(match[1]), _KEY_WORDS.get(match[2].lower(), match[2])) for match in _OPTION.finditer(text)
        )
        said = plain(text)
        if not said:
            return Understood("same")
        if "u koos een een" in said:
            return Understood("grade_check", options=options)
        found = self._question(_asked(f"{lead} {text}"))
        if found is not None:
            return Understood("question", found[0], options, found[1])
        return Understood(_situation(said, options), options=options)

    def _question(self, said: str) -> tuple[KnownQuestion, str] | None:
        best: tuple[KnownQuestion, str] | None = None
        for question in self._questions:
            if (best is None or question.weight > best[0].weight) and (match := question.pattern.search(said)):
                best = question, (match[1] if match.groups() else "")
        return best


def _situation(said: str, options: tuple[tuple[str, str], ...]) -> Situation:
    labels = [label for label, _ in options]

    def offered(*words: str) -> bool:
        return any(word in label for label in labels for word in words)

    if offered("deze keer niet", "geen nederlands", "verkeerd nummer"):
        return "not_taking_part"
    if offered("meedoen"):
        return "greeting"
    if offered("vanavond", "morgen", "zaterdag", "volgende week") and not offered("ochtend", "middag"):
        return "later_day"
    if offered("ochtend", "middag", "avond"):
        return "later_part"
    if "nooit meer" in said:
        return "never_check"
    if offered("haal"):
        return "person_home"
    if offered("iemand anders") or "brief voor u" in said:
        return "right_person"
    if "wij wachten" in said:
        return "fetching"
    if "vier cijfers" in said:
        return "code"
    if "bent u er nog" in said:
        return "still_there"
    if "is dat goed" in said:
        return "later_check"
    if not options and "druk" in said and re.search(r"druk (dan )?op 1\b", said):
        return "practice"
    if options:
        return "same"
    return "unknown"
