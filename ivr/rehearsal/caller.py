"""A synthetic person on the line: hears words, thinks, presses keys, and remembers what was answered.

Reacts to each situation as a person of that mood would. Knows nothing of turns, URLs or TwiML: only what can be
heard (`hearing.py`), who they are (`people.py`), and their own record (`answerbook.py`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from ivr.rehearsal.answerbook import AnswerBook
from ivr.rehearsal.hearing import Ear, Situation, Understood, is_apology
from ivr.rehearsal.listeners import HANG_UP, Act, Delivery, Sound
from ivr.rehearsal.people import Habits, Mood, Person, answer_key

KEYS = "0123456789*#"
_THINKS = (0.5, 4.0)
_NEXT_DIGIT = (0.3, 0.9)
_SLOW_DIGIT = (3.0, 4.5)

Done = Callable[["Caller"], None]


class Caller:
    """One call, seen from the person's end.

    code: what stands in their letter. record: what is known of this call; `done` is told when it is over.
    """

    def __init__(
        self,
        person: Person,
        mood: Mood,
        dice: random.Random,
        ear: Ear,
        habits: Habits,
        record: dict[str, Any],
        done: Done,
        code: Callable[[], str | None],
    ) -> None:
        self.person = person
        self.mood = mood
        self.book = AnswerBook()
        self.record = record
        self.transcript: list[dict[str, Any]] = []
        self._dice = dice
        self._ear = ear
        self._habits = habits
        self._done = done
        self._code = code
        self._lead = ""
        self._situation: Situation = "unknown"
        self._understood = Understood("unknown")
        self._meant: list[str] = []
        self._asked = 0
        self._provider = ""
        self._brought: dict[str, Any] | None = None
        self._settled: str | None = None
        self._housemate = mood == "takes_part" and dice.random() < habits.housemate_answers

    # -- what the carrier calls -------------------------------------------------------------------------------

    def listens(self, sounds: Sequence[Sound], *, keys_count: bool, at: float) -> Sequence[Act]:
        text = " ".join(sound.text for sound in sounds if sound.text)
        seconds = sum(sound.seconds for sound in sounds)
        if is_apology(text):
            self._hears_apology()
        self._brought = self._settled = None
        if text:
            self._remember(at, heard=text)
        if not keys_count:
            self._lead = f"{self._lead} {text}".strip()
            if self.mood == "hangs_up" and self._dice.random() < 0.4:
                return [Act(self._dice.uniform(0, seconds), HANG_UP)]
            return self._strays(seconds, keys=False)
        understood = self._ear.understand(self._lead, text)
        self._lead = ""
        self._takes_in(understood)
        acts = self._strays(seconds, keys=True) or self._reacts(understood, seconds)
        if acts:
            self._remember(at, means=[act.key for act in acts])
        return acts

    def submitted(self, digits: str, delivery: Delivery) -> None:
        self._remember(None, pressed=digits, delivery=delivery)
        self._brought = self.transcript[-1]
        if delivery == "undelivered":
            return
        if self._meant and digits == self._meant[0]:
            self._meant.pop(0)
        elif digits:
            self._meant.clear()
        if self._situation in {"question", "grade_check"}:
            self._settled = self.book.brings(digits, certain=delivery == "acknowledged")

    def ended(self, how: str, at: float) -> None:
        # After an apology the questions are not over: the call is.
        if how == "completed" and not self.record.get("apologised"):
            self.book.hears_end()
        self.record["ended"] = how
        self.record["ended_at"] = datetime.fromtimestamp(at, UTC).isoformat()
        self._done(self)

    def _hears_apology(self) -> None:
        """What the keys of just now became is unknown, whatever the status of the reply was. Earlier ones stand."""
        self.record["apologised"] = True
        if self._brought is not None and self._brought["delivery"] == "acknowledged":
            self._brought["delivery"] = "uncertain"
        if self._settled is not None:
            self.book.doubts(self._settled)

    # -- understanding ----------------------------------------------------------------------------------------

    def _takes_in(self, understood: Understood) -> None:
        if understood.situation in {"same", "unknown"}:
            return
        was, self._situation = self._situation, understood.situation
        if understood.situation == "question" and understood.question is not None:
            if was != "question" or self._understood.question != understood.question:
                self._meant.clear()
            self.book.hears_question(understood.question)
            if understood.provider:
                self._provider = self.record["provider"] = understood.provider
        elif understood.situation == "grade_check":
            self.book.hears_check()
        elif was in {"question", "grade_check"}:
            self.book.hears_end()
        if understood.situation != "grade_check":
            self._understood = understood

    # -- acting -----------------------------------------------------------------------------------------------

    def _strays(self, seconds: float, *, keys: bool) -> list[Act]:
        if seconds > 0 and self._dice.random() < self._habits.stray_hang_up:
            return [Act(self._dice.uniform(0, seconds), HANG_UP)]
        if keys and seconds > 0 and self._dice.random() < self._habits.stray_key:
            self._meant.clear()
            return [Act(self._dice.uniform(0, seconds), self._dice.choice(KEYS))]
        return []

    def _reacts(self, understood: Understood, seconds: float) -> list[Act]:
        if self._meant:
            # Still on the way to a number: the next digit follows the last one.
            slow = _SLOW_DIGIT if self._dice.random() < self._habits.slow_ten else _NEXT_DIGIT
            return [Act(self._dice.uniform(*slow), self._meant[0])]
        match self._situation:
            case "question":
                return self._answers(understood, seconds)
            case "grade_check":
                return self._presses("1", seconds)
            case _:
                return self._in_menu(seconds)

    def _answers(self, understood: Understood, seconds: float) -> list[Act]:
        question = self._understood.question
        if question is None:
            return []
        if understood.situation == "question" and self.record["questions"][-1:] != [question.id]:
            self.record["questions"].append(question.id)
            self._asked += 1
            leaves = self._habits.breaks_off_first if self._asked == 1 else self._habits.breaks_off_next
            if self._dice.random() < leaves:
                return [Act(self._dice.uniform(0, seconds + 2), HANG_UP)]
        odd = self._odd_key()
        if odd is not None:
            return [] if odd == "" else self._presses(odd, seconds)
        keys = answer_key(self.person, question, self._provider)
        self._meant = list(keys)
        early = self.person.barges_in and self._dice.random() < 0.5
        return self._presses(keys[0], seconds, early=early)

    def _odd_key(self) -> str | None:
        """A slip, a question, silence (empty), or None: a proper answer."""
        habits = self._habits
        odd = (
            (habits.wrong_key, self._dice.choice("678")),
            (habits.silence, ""),
            (habits.again, "*"),
            (habits.which_keys, "9"),
            (habits.not_understood, "#"),
        )
        chance = self._dice.random()
        for probability, key in odd:
            if chance < probability:
                return key
            chance -= probability
        return None

    def _in_menu(self, seconds: float) -> list[Act]:
        match self.mood:
            case "silent":
                return []
            case "hangs_up":
                return [Act(self._dice.uniform(0, seconds + 3), HANG_UP)]
            case _:
                keys = self._menu_keys()
        if keys is None:
            return []
        if keys == HANG_UP:
            return [Act(seconds + self._dice.uniform(*_THINKS), HANG_UP)]
        if len(keys) > 1:
            start = seconds + self._dice.uniform(1, 4)
            return [Act(start + 0.8 * index, key) for index, key in enumerate(keys)]
        return self._presses(keys, seconds)

    def _menu_keys(self) -> str | None:
        mood = self.mood
        willing = mood == "takes_part"
        match self._situation:
            case "greeting":
                return "1" if willing else "2" if mood == "later" else "3"
            case "not_taking_part":
                return {"never_again": "2", "wrong_person": "3", "no_dutch": "4"}.get(mood, "1")
            case "right_person":
                return "2" if self._housemate else "1"
            case "person_home":
                return self._dice.choice("12")
            case "fetching":
                if self._dice.random() < 0.4:
                    return None
                self._housemate = False
                return "1"
            case "code":
                return self._code() or HANG_UP
            case "later_day" | "later_part":
                keys = [key for _, key in self._understood.options] or ["1"]
                return self._dice.choice(keys)
            case _:
                return "1"

    def _presses(self, key: str, seconds: float, *, early: bool = False) -> list[Act]:
        if early and seconds > 0:
            return [Act(seconds * self._dice.uniform(0.6, 1.0), key)]
        return [Act(seconds + self._dice.uniform(*_THINKS), key)]

    def _remember(self, at: float | None, **what: Any) -> None:
        line: dict[str, Any] = {} if at is None else {"at": datetime.fromtimestamp(at, UTC).isoformat()}
        self.transcript.append(line | what)


class Monkey(Caller):
    """Presses anything at any time; its record holds all the same."""

    def _reacts(self, understood: Understood, seconds: float) -> list[Act]:
        self._meant.clear()
        chance = self._dice.random()
        if chance < 0.02:
            return [Act(self._dice.uniform(0, seconds + 8), HANG_UP)]
        if chance < 0.1:
            return []
        if self._situation in {"greeting", "right_person", "practice", "still_there"} and chance < 0.7:
            return self._presses("1", seconds)
        count = self._dice.choice((1, 1, 1, 1, 2, 4))
        return sorted(
            (Act(self._dice.uniform(0, seconds + 9), self._dice.choice(KEYS)) for _ in range(count)),
            key=lambda act: act.after,
        )


class Voicemail:
    """A machine: records so many seconds, presses nothing, hangs up."""

    def __init__(self, at: float, seconds: float, done: Callable[[str, float], None]) -> None:
        self._full_at = at + seconds
        self._done = done

    def listens(self, sounds: Sequence[Sound], *, keys_count: bool, at: float) -> Sequence[Act]:
        return [Act(max(0.0, self._full_at - at), HANG_UP)]

    def submitted(self, digits: str, delivery: Delivery) -> None:
        return None

    def ended(self, how: str, at: float) -> None:
        self._done(how, at)
