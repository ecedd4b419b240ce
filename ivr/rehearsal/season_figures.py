"""What is counted in a district, and what the counting is fed with."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WRONG = (
    "overshoot", "double_calls", "calls_outside_window", "calls_on_holidays", "opted_out_called", "unannounced_called",
    "answers_lost", "answers_doubled", "answers_misplaced", "stuck_attempts", "leaked_slots",
    "stopped_called", "answered_called", "withdrawn_called",
    "calls_too_soon", "calls_too_many", "successes_miscounted", "unfinished_cells", "surprises",
)  # fmt: skip
"""Figures that must be 0, those of the interface first."""

NO_ANSWER = frozenset({"weet_niet", "niet_begrepen", "geen_antwoord"})


@dataclass(frozen=True, slots=True)
class Kept:
    """An interview as the house kept it: whose it is, by which attempts, and each (question, value), also twice."""

    provider: str
    respondent: str
    attempts: tuple[str, ...]
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Leavings:
    """The end state of a house: its interviews, `ivr fieldwork status`, and what should be over and is not."""

    interviews: Sequence[Kept]
    cells: Sequence[Mapping[str, Any]]
    stuck_attempts: int
    leaked_slots: int
    inbound: Mapping[str, str] = field(default_factory=dict[str, str])
    """The sid of each call by which somebody rang us → its attempt."""


@dataclass(slots=True)
class Figures:
    """Everything that is counted in one district; districts add up."""

    counts: Counter[str] = field(default_factory=Counter)
    days: float = 0.0
    days_off: set[str] = field(default_factory=set[str])
    """Holidays on which there was fieldwork before and after."""
    clock_changes: int = 0
    cells: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """What was wrong, in words without a number or an answer, for who has to find it."""

    def note(self, figure: str, what: str, times: int = 1) -> None:
        self.counts[figure] += times
        self.wrong.append(f"{figure}: {what}")


class Rules:
    """What the questionnaire files say: the aspects in their order and what shows them; the target of rule 3."""

    def __init__(self, config_dir: Path) -> None:
        self.aspects: dict[str, list[Mapping[str, Any]]] = {}
        self.study_of: dict[str, str] = {}
        for path in sorted((config_dir / "questionnaires").glob("*.toml")):
            data = tomllib.loads(path.read_text(encoding="utf-8"))
            self.aspects[data["id"]] = [each for each in data["questions"] if each.get("aspect")]
            self.study_of |= {each["id"]: data["id"] for each in data["questions"]}
        quota = tomllib.loads((config_dir / "fieldwork.toml").read_text(encoding="utf-8"))["quota"]
        self.target: int = quota["inburgering_target"]

    def is_usable(self, study: str, answers: Mapping[str, str]) -> bool:
        """Whether every aspect that these answers show was answered or passed over, and half of them with content."""
        shown: list[str] = []
        for aspect in self.aspects[study]:
            condition = aspect.get("condition")
            if condition is not None:
                if condition["question"] not in answers:
                    return False
                if answers[condition["question"]] not in condition["in"]:
                    continue
            shown.append(aspect["id"])
        if not shown or any(id not in answers for id in shown):
            return False
        return 2 * sum(answers[id] not in NO_ANSWER for id in shown) >= len(shown)
