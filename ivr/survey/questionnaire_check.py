"""What cannot work by phone: every fault of a questionnaire and of the phrases, each with what was expected.

Decides on the data alone; reading files and printing faults is left to `catalogue.py` and `ivr questionnaire check`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ivr.survey.keypad import GEEN_ANTWOORD, KEY_TABLE, NIET_BEGREPEN, OPTION_KEYS, UNIVERSAL_CODES, WEET_NIET
from ivr.survey.phrases import BEFORE_THE_PERSON, NEEDED, PLACEHOLDERS, Phrase
from ivr.survey.questionnaire import (
    SERVICE,
    Condition,
    Question,
    Questionnaire,
    spoken_option,
    spoken_question,
)

MAX_CHARACTERS = 400
"""Of one prompt: what is heard in one go, options included."""
MAX_WORDS = 12
"""Of one sentence, unless the question's text is verbatim that of the report."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that cannot work. `questionnaire` is its id, or "" for the phrases; `file` is filled in by readers.

    `question` is the id of the question or phrase ("" for the questionnaire as a whole); `code` is stable.
    """

    questionnaire: str
    question: str
    code: str
    message: str
    expected: str
    file: str = ""

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.file or self.questionnaire or "phrases", self.question) if part)
        return f"{where}: {self.message}; expected {self.expected}."


def check(questionnaire: Questionnaire, phrases: Mapping[str, Phrase]) -> tuple[Fault, ...]:
    """All faults of the questionnaire, then those of the phrases that the call needs. Empty: it can be called with."""
    faults = [replace(fault, questionnaire=questionnaire.id) for fault in _questionnaire_faults(questionnaire)]
    return (*faults, *check_phrases(phrases))


def check_phrases(phrases: Mapping[str, Phrase]) -> tuple[Fault, ...]:
    """Missing phrases, missing slow variants, and texts that are too long or name what must not be named."""
    return tuple(_phrase_faults(phrases))


def check_page(phrases: Mapping[str, Phrase]) -> tuple[Fault, ...]:
    """What the read-aloud page says besides: held to the words of the call."""
    return tuple(fault for phrase in phrases.values() for fault in _spoken_faults(phrase.id, (phrase.text,)))


def check_together(questionnaires: Mapping[str, Questionnaire]) -> tuple[Fault, ...]:
    """Answers that stand on one key in one questionnaire and on another key in the next."""
    keys: dict[str, tuple[str, str]] = {}
    faults: list[Fault] = []
    for id, questionnaire in questionnaires.items():
        for question in questionnaire.questions:
            for option in question.options:
                if option.code in KEY_TABLE:
                    continue  # each questionnaire is held against the table by itself
                key, where = keys.setdefault(option.code, (option.key, f"{id}, {question.id}"))
                if key != option.key and where.split(",")[0] != id:
                    faults.append(_moved_key(question, option.code, option.key, key, where, id))
    return tuple(faults)


def _questionnaire_faults(questionnaire: Questionnaire) -> Iterator[Fault]:
    if not questionnaire.title:
        yield Fault("", "", "missing_text", "there is no title", "a title")
    if not questionnaire.questions:
        yield Fault("", "", "no_questions", "there are no questions", "at least one [[questions]]")
    elif not any(question.is_aspect for question in questionnaire.questions):
        yield Fault("", "", "no_aspects", "no question is an aspect", "aspect = true where it makes usable")
    earlier: dict[str, Question] = {}
    reachable: dict[str, Question] = {}
    unreachable: set[str] = set()
    # By phone service 11 has its own questionnaire; nobody else is asked that one.
    services = {"11"} if questionnaire.id == "inburgering" else {str(number) for number in range(1, 14)}
    keys: dict[str, tuple[str, str]] = {code: (key, "the key table") for code, key in KEY_TABLE.items()}
    all_ids = {question.id for question in questionnaire.questions}
    for question in questionnaire.questions:
        yield from _identity_faults(question, earlier)
        yield from _text_faults(question)
        yield from _option_faults(question)
        for option in question.options:
            key, where = keys.setdefault(option.code, (option.key, question.id))
            if key != option.key:
                yield _moved_key(question, option.code, option.key, key, where)
        conditions = list(_condition_faults(question.condition, "condition", reachable, unreachable, all_ids, services))
        remark = question.remark.condition if question.remark else None
        on_remark = _condition_faults(remark, "remark", reachable, unreachable, all_ids, services)
        yield from (replace(fault, question=question.id) for fault in (*conditions, *on_remark))
        earlier.setdefault(question.id, question)
        if any(fault.code == "unreachable" for fault in conditions):
            unreachable.add(question.id)
        else:
            reachable.setdefault(question.id, question)


def _moved_key(question: Question, code: str, key: str, usual: str, where: str, questionnaire: str = "") -> Fault:
    message = f"the answer {code} stands on key {key}, but on {usual} in {where}"
    return Fault(questionnaire, question.id, "key_moves", message, f"{code} on key {usual} everywhere")


def _identity_faults(question: Question, earlier: Mapping[str, Question]) -> Iterator[Fault]:
    if question.id in earlier:
        yield Fault("", question.id, "double_id", "two questions have this id", "an id of its own for each question")
    if question.id in NEEDED or question.id == SERVICE or not re.fullmatch(r"[A-Za-z0-9_]+", question.id):
        message = "this id cannot be used"
        yield Fault("", question.id, "bad_id", message, "letters, digits and _, and not the name of a phrase")
    if question.remark is not None and (question.remark.id in NEEDED or "." not in question.remark.id):
        yield Fault(
            "", question.id, "bad_id", f"the remark's id {question.remark.id} cannot be used", f"{question.id}.remark"
        )


def _text_faults(question: Question) -> Iterator[Fault]:
    if not question.text:
        yield Fault("", question.id, "missing_text", "there is nothing to say", "text = the question as it is spoken")
    if not question.label:
        yield Fault("", question.id, "missing_text", "there is no label", "label = its name in the code book")
    for option in question.options:
        if not option.text:
            message = f"the option on key {option.key} has no text"
            yield Fault("", question.id, "missing_text", message, "text = the answer as it is spoken")
    if question.remark is not None:
        if not question.remark.text:
            yield Fault("", question.id, "missing_text", "the remark has no text", "text = what is said")
        yield from _spoken_faults(question.id, (question.remark.text,))
    rest = (question.hint, *(spoken_option(option) for option in question.options))
    yield from _spoken_faults(question.id, rest if question.is_verbatim else (question.text, *rest))
    if question.is_verbatim:
        yield from _placeholder_faults(question.id, question.text)
    length = len(" ".join(spoken_question(question)))
    if length > MAX_CHARACTERS:
        message = f"the prompt has {length} characters"
        yield Fault("", question.id, "too_long", message, f"at most {MAX_CHARACTERS}, options included")


def _spoken_faults(id: str, texts: tuple[str, ...]) -> Iterator[Fault]:
    for text in texts:
        yield from _placeholder_faults(id, text)
        for sentence in sentences(text):
            words = len(sentence.split())
            if words > MAX_WORDS:
                message = f'the sentence "{sentence}" has {words} words'
                yield Fault("", id, "long_sentence", message, f"at most {MAX_WORDS}, or verbatim = true")
        if re.search(r"\btoets", text, re.IGNORECASE):
            message = 'the text says "toets"'
            yield Fault("", id, "wrong_word", message, '"druk op": a toets is a test at school')


def sentences(text: str) -> list[str]:
    """The sentences of a spoken text: they end at a full stop, question mark or exclamation mark."""
    return [sentence for sentence in re.split(r"(?<=[.?!])\s+", text.strip()) if sentence]


def _placeholder_faults(id: str, text: str) -> Iterator[Fault]:
    for name in _PLACEHOLDER.findall(text):
        if name not in PLACEHOLDERS:
            expected = "one of " + ", ".join(f"{{{known}}}" for known in PLACEHOLDERS)
            yield Fault("", id, "unknown_placeholder", f"nothing is known of {{{name}}}", expected)
    if "{" in (rest := _PLACEHOLDER.sub("", text)) or "}" in rest:
        yield Fault("", id, "unknown_placeholder", "a brace stands alone", "{name} with both braces")


def _option_faults(question: Question) -> Iterator[Fault]:
    keys = [option.key for option in question.options]
    codes = [option.code for option in question.options]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield Fault("", question.id, "key_twice", f"two answers stand on key {key}", "a key of its own for each answer")
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        yield Fault("", question.id, "code_twice", f"two answers have the code {code}", "a code of its own for each")
    for option in question.options:
        if option.key not in OPTION_KEYS or len(option.key) != 1:
            message = f"key {option.key} cannot be an answer"
            yield Fault("", question.id, "bad_key", message, "0-5: *, # and 9 mean the same in every question")
        if option.code in UNIVERSAL_CODES:
            message = f"the code {option.code} is given without a key"
            yield Fault("", question.id, "bad_code", message, f"another code than {' and '.join(UNIVERSAL_CODES)}")
        if option.is_missing != (option.code == WEET_NIET):
            message = f"the code {option.code} and missing = {str(option.is_missing).lower()} contradict each other"
            yield Fault("", question.id, "bad_code", message, f"missing = true for {WEET_NIET} and for nothing else")
    known = [key for key in keys if key in OPTION_KEYS]
    if known != sorted(known, key=OPTION_KEYS.index):
        yield Fault("", question.id, "key_order", "the keys are not in order", "1 to 5 in order, 0 last")
    if question.kind == "single":
        if len(question.options) < 2:
            yield Fault("", question.id, "no_options", "there are fewer than two answers", "at least two options")
    else:
        yield from _number_faults(question)


def _number_faults(question: Question) -> Iterator[Fault]:
    if question.minimum is None or question.maximum is None or not 0 <= question.minimum < question.maximum <= 99:
        message = "the bounds of the number are missing or impossible"
        yield Fault("", question.id, "bad_bounds", message, "0 ≤ minimum < maximum ≤ 99")
        return
    if question.kind == "grade" and (question.minimum, question.maximum) != (1, 10):
        yield Fault("", question.id, "bad_bounds", "a grade has other bounds", "minimum 1, maximum 10")
    if not question.hint:
        yield Fault(
            "", question.id, "missing_text", "nothing says how it is keyed", "hint = for instance how to key 10"
        )
    for option in question.options:
        if option.key != "0" or question.minimum == 0:
            message = f"key {option.key} is also a number"
            yield Fault("", question.id, "bad_key", message, "an option on 0 only, and only where 0 is no number")


def _condition_faults(
    condition: Condition | None,
    what: str,
    earlier: Mapping[str, Question],
    unreachable: set[str],
    all_ids: set[str],
    services: set[str],
) -> Iterator[Fault]:
    """Faults of one condition. `earlier` are the questions before it that somebody can reach."""
    if condition is None:
        return
    if condition.question == SERVICE:
        possible = services
        known = {str(number) for number in range(1, 14)}
    elif condition.question in earlier:
        possible = known = _values(earlier[condition.question])
    else:
        code, fate = "unknown_question", "does not exist"
        if condition.question in all_ids:
            code, fate = "later_question", "is asked later"
        if condition.question in unreachable:
            code, fate = "unreachable", "is never asked"
        message = f"its {what} hangs on {condition.question}, which {fate}"
        yield Fault("", "", code, message, "an earlier question, or service")
        return
    for value in condition.values:
        if value not in known:
            expected = "one of " + ", ".join(sorted(known, key=lambda text: (len(text), text)))
            message = f"its {what} asks for {condition.question} = {value}, which nobody can answer"
            yield Fault("", "", "unknown_value", message, expected)
    chosen = set(condition.values) & possible
    if not (possible - chosen if condition.is_negated else chosen):
        message = f"no {condition.question} ever leads to this {what}"
        yield Fault("", "", "unreachable", message, "a condition that somebody can fulfil")


def _values(question: Question) -> set[str]:
    """Every answer that can stand in the store for this question."""
    values = {option.code for option in question.options} | {NIET_BEGREPEN, GEEN_ANTWOORD}
    if question.kind != "single" and question.minimum is not None and question.maximum is not None:
        values |= {str(number) for number in range(question.minimum, min(question.maximum, 99) + 1)}
    return values


def _phrase_faults(phrases: Mapping[str, Phrase]) -> Iterator[Fault]:
    for id, may_be_slow in NEEDED.items():
        phrase = phrases.get(id)
        if phrase is None or not phrase.text:
            yield Fault("", id, "missing_text", "this phrase has no text", f"[{id}] with text = what is said")
        elif may_be_slow and not phrase.has_slow:
            yield Fault("", id, "no_slow", "the call repeats this phrase slowly", "slow = true")
    for phrase in phrases.values():
        if phrase.id not in NEEDED:
            yield Fault("", phrase.id, "unknown_phrase", "the call never says this phrase", "a name the call knows")
        yield from _spoken_faults(phrase.id, (phrase.text,))
        if len(phrase.text) > MAX_CHARACTERS:
            message = f"the phrase has {len(phrase.text)} characters"
            yield Fault("", phrase.id, "too_long", message, f"at most {MAX_CHARACTERS}")
        if phrase.id in BEFORE_THE_PERSON and "{dienstverlener}" in phrase.text:
            message = "the provider is named before the right person is known"
            yield Fault("", phrase.id, "names_provider", message, "no {dienstverlener} here: a housemate may answer")
