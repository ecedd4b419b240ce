"""Every text that a questionnaire's call can need, as it is to be spoken.

Decides the words and the pauses between them: a phrase sentence by sentence, a question with its options after
it, the options alone after a wrong key. Leaves the voice to `synthesis.py` and when to say what to the engine of
`survey/interview.py`. Placeholders are filled here, so that no engine ever sees one; no person's name has one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ivr.errors import ConfigurationError
from ivr.survey.phrases import Phrase
from ivr.survey.questionnaire import Questionnaire, spoken_keys, spoken_option

SILENCE = "stilte"
"""Id of the technical prompt that says nothing: it lengthens a wait of whole seconds by half a second."""
SILENCE_SECONDS = 0.5

SENTENCE_PAUSE = 0.3
SLOW_SENTENCE_PAUSE = 0.5
QUESTION_PAUSE = 0.6
OPTION_PAUSE = 0.5

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[^\W_a-z])")
_ENDS_IN_KEY = re.compile(r"druk op \w+\.$")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_DIGITS = ("nul", "één", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen")
_TEENS = ("tien", "elf", "twaalf", "dertien", "veertien", "vijftien", "zestien", "zeventien", "achttien", "negentien")
_TENS = ("", "", "twintig", "dertig", "veertig", "vijftig", "zestig", "zeventig", "tachtig", "negentig")


@dataclass(frozen=True, slots=True)
class PromptText:
    """One prompt: sentences, each with the silence after it in seconds.

    recording: the name (without `.wav`) under which a human recording of exactly this prompt may lie in
    `audio/recordings/`: the id, with `@<provider>` and `@<questionnaire>` where the words depend on them.
    """

    id: str
    slow: bool
    segments: tuple[tuple[str, float], ...]
    recording: str = ""

    @property
    def text(self) -> str:
        """What is said, for the transcript."""
        return " ".join(sentence for sentence, _ in self.segments if sentence)


def texts_for(
    questionnaire: Questionnaire, phrases: Mapping[str, Phrase], values: Mapping[str, str]
) -> tuple[PromptText, ...]:
    """All prompts of a call with this questionnaire, normal and slow, in the order of the call.

    `values` fills the placeholders (see `spoken_values`). Phrases without `has_slow` have no slow variant; questions,
    their keys and remarks always have both. Raises ConfigurationError for a placeholder without a value.
    """
    scripts: list[tuple[str, bool, str, tuple[str, ...]]] = [
        (phrase.id, phrase.has_slow, phrase.text, ()) for phrase in phrases.values()
    ]
    for question in questionnaire.questions:
        if question.remark is not None:
            scripts.append((question.remark.id, True, question.remark.text, ()))
        keys = spoken_keys(question)
        scripts.append((question.id, True, question.text, keys))
        scripts.append((f"{question.id}.keys", True, "", keys))
    prompts = _prompts(scripts, questionnaire.id, values)
    for slow in (False, True):
        prompts[SILENCE, slow] = PromptText(SILENCE, slow, (("", SILENCE_SECONDS),))
    return tuple(prompts.values())


def page_texts_for(
    questionnaire: Questionnaire, phrases: Mapping[str, Phrase], values: Mapping[str, str]
) -> tuple[PromptText, ...]:
    """All that the read-aloud page says of this questionnaire, normal and slow: there each answer has its own button.

    Ids: those of `phrases` and remarks, `<question id>.text` without the keys, `<question id>.<value>` for each answer
    (the option's key; of a grade its number). The words are those of the call, "Altijd: druk op 1.", because the
    page shows the same numbers: no engine has to speak a sentence again.
    """
    scripts: list[tuple[str, bool, str, tuple[str, ...]]] = [
        (phrase.id, True, phrase.text, ()) for phrase in phrases.values()
    ]
    for question in questionnaire.questions:
        if question.remark is not None:
            scripts.append((question.remark.id, True, question.remark.text, ()))
        scripts.append((f"{question.id}.text", True, question.text, ()))
        if question.kind == "grade":
            grades = range(question.minimum or 1, (question.maximum or 10) + 1)
            scripts += [(f"{question.id}.{n}", True, f"Een {number_word(n)}: druk op {n}.", ()) for n in grades]
        scripts += [(f"{question.id}.{option.key}", True, spoken_option(option), ()) for option in question.options]
    return tuple(_prompts(scripts, questionnaire.id, values).values())


def _prompts(
    scripts: Iterable[tuple[str, bool, str, tuple[str, ...]]], questionnaire_id: str, values: Mapping[str, str]
) -> dict[tuple[str, bool], PromptText]:
    """(id, has a slow variant, text, lines about keys) as prompts, by id and slowness."""
    prompts: dict[tuple[str, bool], PromptText] = {}
    for id, has_slow, text, keys in scripts:
        recording = _recording_name(id, " ".join((text, *keys)), questionnaire_id, values)
        for slow in (False, True) if has_slow else (False,):
            segments = _segments(_filled(text, values, id), slow, QUESTION_PAUSE if keys else None)
            for line in keys:
                segments += _segments(_filled(line, values, id), slow, OPTION_PAUSE)
            if not segments:
                raise ConfigurationError(f"Prompt {id} has no text; `ivr questionnaire check` says where.")
            prompts[id, slow] = PromptText(id, slow, tuple(segments), recording + (".slow" if slow else ""))
    return prompts


def _segments(text: str, slow: bool, last_pause: float | None) -> list[tuple[str, float]]:
    segments = [(sentence, _pause_after(sentence, slow)) for sentence in split_sentences(text)]
    if segments and last_pause is not None:
        segments[-1] = (segments[-1][0], last_pause)
    return segments


def _pause_after(sentence: str, slow: bool) -> float:
    """Menus in phrases get the pauses of questions: time to think after what is asked, and to press after a key."""
    if sentence.endswith("?"):
        return QUESTION_PAUSE
    if _ENDS_IN_KEY.search(sentence):
        return OPTION_PAUSE
    return SLOW_SENTENCE_PAUSE if slow else SENTENCE_PAUSE


def spoken_values(
    *, provider: str, minutes: int, help_number: str, web_address: str, extra: Iterable[tuple[str, str]] = ()
) -> dict[str, str]:
    """The placeholders' values, as they are to be spoken. None of them is a person's."""
    return {
        "dienstverlener": spoken_name(provider),
        "minuten": number_word(minutes),
        "telefoonnummer": spoken_telephone(help_number),
        "webadres": spoken_web_address(web_address),
        **dict(extra),
    }


def number_word(number: int) -> str:
    """0-99 as a Dutch word; other numbers as digits."""
    if not 0 <= number <= 99:
        return str(number)
    if number < 10:
        return _DIGITS[number]
    if number < 20:
        return _TEENS[number - 10]
    tens, unit = divmod(number, 10)
    if unit == 0:
        return _TENS[tens]
    one = "een" if unit == 1 else _DIGITS[unit]
    return f"{one}{'ën' if one.endswith('e') else 'en'}{_TENS[tens]}"


def spoken_telephone(number: str) -> str:
    """`088 123 45 67` → "nul acht acht, één twee drie, vier vijf, zes zeven": digits, grouped as written."""
    national = re.sub(r"^(?:\+|00)31\s*(?:\(0\))?\s*", "0", number.strip())
    groups = [digits for digits in re.split(r"\D+", national) if digits]
    if len(groups) == 1 and len(groups[0]) == 10:
        groups = [groups[0][:3], groups[0][3:6], groups[0][6:8], groups[0][8:]]
    elif groups and groups[0] == "0" and len(groups) > 1:
        groups = ["0" + groups[1], *groups[2:]]
    if not groups:
        raise ConfigurationError("IVR_HELP_NUMBER holds no digits: it is read aloud at the end of each call.")
    return ", ".join(" ".join(_DIGITS[int(digit)] for digit in group) for group in groups)


def spoken_web_address(address: str) -> str:
    """`https://www.blikopwerk.nl/echt` → "blikopwerk punt nl, schuine streep echt"."""
    bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", address.strip()).rstrip("/")
    spoken = bare.replace(".", " punt ").replace("-", " streepje ").replace("/", ", schuine streep ")
    return " ".join(spoken.split())


def spoken_name(name: str) -> str:
    """A company's name without what an engine stumbles over: `Jansen & Co. (B.V.)` → "Jansen en Co BV"."""
    words = name.replace("&", " en ").replace("+", " plus ").replace("@", " at ")
    words = re.sub(r"(?<=\w)\.(?=\w\.?(?:\W|$))", "", words)  # B.V. → BV
    words = re.sub(r"(?<=\w)\.(?=\w)", " punt ", words)  # werk.nl → werk punt nl
    words = re.sub(r"[^\w\s'’-]", " ", words).replace("_", " ")
    return " ".join(words.split()) or "deze organisatie"


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, white space made single. Short ones: engines get no more than one at a time."""
    normalised = " ".join(text.split())
    return [sentence for sentence in _SENTENCE_END.split(normalised) if sentence]


def _filled(text: str, values: Mapping[str, str], id: str) -> str:
    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in values:
            raise ConfigurationError(f"Prompt {id} has the placeholder {{{name}}}, for which there is no value.")
        return values[name]

    return _PLACEHOLDER.sub(value, text)


def _recording_name(id: str, text: str, questionnaire_id: str, values: Mapping[str, str]) -> str:
    used = set(_PLACEHOLDER.findall(text))
    name = id
    if "dienstverlener" in used:
        name += "@" + re.sub(r"\W+", "-", values.get("dienstverlener", "").casefold()).strip("-")
    if used - {"dienstverlener", "telefoonnummer", "webadres"}:
        name += "@" + questionnaire_id
    return name
