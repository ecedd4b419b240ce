"""What a person believes to have answered, by the rules everybody was told: one key, one meaning.

This is the people's own record, kept without looking at the house: which value each question must have in the
end. The rules are those that are read out or were decided for the call: an option's key is its answer; `*` and 9
cost nothing; `#` twice is "niet begrepen"; three silences or three wrong keys are "geen antwoord"; a lone 1 as a
grade is read back; a number ends by a pause or `#`.
"""

from __future__ import annotations

from typing import Literal

from ivr.rehearsal.hearing import KnownQuestion

NIET_BEGREPEN = "niet_begrepen"
GEEN_ANTWOORD = "geen_antwoord"
TRIES = 3
UNCLEAR_TRIES = 2
DENIALS = 3
FREE_KEYS = 8
"""Keys that cost no try, per question; after so many the computer takes them as wrong."""


class AnswerBook:
    """answers: question id → value that the house has acknowledged. uncertain: values whose request was sent but
    never acknowledged, so that either is right. surprises: what the house said that its rules do not explain.
    """

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.uncertain: dict[str, str] = {}
        self.surprises: list[str] = []
        self._question: KnownQuestion | None = None
        self._phase: Literal["open", "digit", "check", "settled"] = "settled"
        self._entered = ""
        self._forget()

    def _forget(self) -> None:
        self._silences = self._wrong = self._unclear = self._free = self._denials = 0

    def hears_question(self, question: KnownQuestion) -> None:
        """The computer put this question (for the first time, or again)."""
        if self._question is not None and question.id == self._question.id:
            if self._phase == "settled" and self.uncertain.pop(question.id, None) is None:
                self.surprises.append(f"{question.id} was asked again after it had been answered")
            self._phase = "open"
            return
        if self._question is not None:
            self._goes_on()
        self._question, self._phase, self._entered = question, "open", ""
        self._forget()

    def hears_check(self) -> None:
        """A lone 1 was read back."""
        if self._phase != "check":
            self.surprises.append("a one was read back that nobody had entered")
            self._phase, self._silences = "check", 0

    def hears_end(self) -> None:
        """The questions are over, or something else than a question is asked."""
        self._goes_on()

    def _goes_on(self) -> None:
        question = self._question
        if question is None:
            return
        if self._phase != "settled":
            self.surprises.append(f"{question.id} was passed over too early")
        elif question.id in self.uncertain:
            # Whatever broke, the house went on to the next question: it had the answer.
            self.answers[question.id] = self.uncertain.pop(question.id)
        self._question, self._phase = None, "settled"

    def brings(self, digits: str, *, certain: bool) -> str | None:
        """These keys (empty: silence) were brought to the house; `certain`: it acknowledged them.

        Gives the question that they settled, if they did.
        """
        if self._question is None or self._phase == "settled":
            return None
        for key in digits or [""]:
            value = self._value(self._question, key)
            if value is not None:
                (self.answers if certain else self.uncertain)[self._question.id] = value
                self._phase = "settled"
                return self._question.id
        return None

    def doubts(self, question: str) -> None:
        """The answer to the keys that settled this question was an apology: nobody knows whether they were kept."""
        if question in self.answers:
            self.uncertain[question] = self.answers.pop(question)

    def _value(self, question: KnownQuestion, key: str) -> str | None:
        """What this key (empty: silence) settles, or None."""
        if self._phase == "digit":
            return self._second_digit(question, key)
        if self._phase == "check":
            return self._checked(key)
        if key == "":
            return self._silent()
        if key == "#":
            return self._not_understood()
        if key in question.options:
            return question.options[key]
        if question.kind != "single" and key.isdigit():
            if 0 < int(key) * 10 <= question.maximum:
                self._phase, self._entered = "digit", key
                return None
            return str(int(key))
        return self._is_free(key)

    def _second_digit(self, question: KnownQuestion, key: str) -> str | None:
        if key in {"", "#"}:
            if question.kind == "grade":
                self._phase, self._silences = "check", 0
                return None
            return self._entered
        if key == "*" and self._free < FREE_KEYS:
            self._phase, self._free = "open", self._free + 1
            return None
        whole = self._entered + key
        self._phase = "open"
        if whole.isdigit() and int(whole) <= question.maximum:
            return str(int(whole))
        return self._mistaken()

    def _checked(self, key: str) -> str | None:
        if key == "":
            return self._silent()
        if key == "1":
            return self._entered
        if key == "0":
            return f"{self._entered}0"
        if key == "2":
            self._denials += 1
            self._silences = 0
            self._phase = "open"
            return GEEN_ANTWOORD if self._denials >= DENIALS else None
        if key == "#":
            return self._not_understood()
        return self._is_free(key)

    def _is_free(self, key: str) -> str | None:
        if key in {"*", "9"} and self._free < FREE_KEYS:
            self._free += 1
            return None
        return self._mistaken()

    def _silent(self) -> str | None:
        self._silences += 1
        return GEEN_ANTWOORD if self._silences >= TRIES else None

    def _mistaken(self) -> str | None:
        self._wrong += 1
        return GEEN_ANTWOORD if self._wrong >= TRIES else None

    def _not_understood(self) -> str | None:
        self._unclear += 1
        return NIET_BEGREPEN if self._unclear >= UNCLEAR_TRIES else None
