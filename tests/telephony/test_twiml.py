"""A turn as TwiML: valid whatever the turn, one Gather, silence as an event."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.twiml.voice_response import Gather, VoiceResponse

from ivr.speech import script
from ivr.survey.turn import Answer, Awaits, Prompt, Turn
from ivr.telephony import twiml
from tests.telephony.twiml_schema import check_twiml

BASE = "https://toets.example"
ID = "0123456789abcdef0123456789abcdef"
SOUNDS = {(id, slow): f"{id}{int(slow)}" * 8 for id in ("a", "b", "c") for slow in (False, True)}
WITH_SILENCE = SOUNDS | {(twiml.SILENCE_PROMPT, False): "5" * 64}


def written(turn: Turn, *, number: int = 4, sounds: dict[tuple[str, bool], str] | None = None) -> str:
    return twiml.render(
        turn,
        base_url=BASE,
        attempt_id=ID,
        number=number,
        sounds=WITH_SILENCE if sounds is None else sounds,
        text_of=lambda prompt: f"Tekst <van> & {prompt.id}",
    )


def canonical(document: str) -> object:
    def shape(verb):
        return verb.tag, sorted(verb.attrib.items()), verb.text, [shape(child) for child in verb]

    return shape(check_twiml(document))


def test_a_question_equals_what_twilios_builder_writes() -> None:
    turn = Turn((Prompt("a"),), (Prompt("b"), Prompt("c", slow=True)), Awaits(1, 8))
    built = VoiceResponse()
    built.play(f"{BASE}/prompts/{SOUNDS['a', False]}.wav")
    gather = Gather(
        input="dtmf", finish_on_key="", num_digits=1, timeout=8, action=f"{BASE}/voice/{ID}/5", method="POST"
    )
    gather.play(f"{BASE}/prompts/{SOUNDS['b', False]}.wav")
    gather.play(f"{BASE}/prompts/{SOUNDS['c', True]}.wav")
    built.append(gather)
    built.redirect(f"{BASE}/voice/{ID}/5/silence", method="POST")
    assert canonical(written(turn)) == canonical(str(built))


def test_a_call_that_ends_hangs_up_after_the_last_word() -> None:
    root = check_twiml(written(Turn((Prompt("a"),), records=(Answer("CIJFER", "7"),))))
    assert [verb.tag for verb in root] == ["Play", "Hangup"]
    assert "CIJFER" not in written(Turn((Prompt("a"),), records=(Answer("CIJFER", "7"),)))


def test_a_wordless_end_is_a_hangup() -> None:
    assert written(Turn()) == twiml.HANGUP
    check_twiml(twiml.HANGUP)


@pytest.mark.parametrize(
    ("seconds", "with_silence", "timeout", "plays"),
    [
        (8, True, "8", 1),
        (2.5, True, "2", 2),
        (2.5, False, "3", 1),
        (0.5, True, "1", 1),
        (9.9, True, "10", 1),
        (3.1, True, "3", 1),
    ],
)
def test_half_seconds_are_played_and_whole_ones_waited(
    seconds: float, with_silence: bool, timeout: str, plays: int
) -> None:
    turn = Turn(asks=(Prompt("a"),), awaits=Awaits(1, seconds))
    gather = check_twiml(written(turn, sounds=WITH_SILENCE if with_silence else SOUNDS)).find("Gather")
    assert gather is not None
    assert gather.attrib["timeout"] == timeout
    assert len(gather.findall("Play")) == plays


def test_the_prompt_of_half_a_second_is_the_one_that_speech_renders() -> None:
    assert twiml.SILENCE_PROMPT == script.SILENCE
    assert script.SILENCE_SECONDS == 0.5


def test_missing_audio_is_read_out_by_the_carrier() -> None:
    root = check_twiml(written(Turn(asks=(Prompt("zz"),), awaits=Awaits(1, 8))))
    say = root.find("Gather/Say")
    assert say is not None
    assert say.text == "Tekst <van> & zz"
    assert say.attrib["language"] == "nl-NL"


def test_a_missing_slow_variant_falls_back_to_the_normal_one() -> None:
    root = check_twiml(
        written(Turn(asks=(Prompt("a", slow=True),), awaits=Awaits(1, 8)), sounds={("a", False): "f" * 64})
    )
    assert [play.text for play in root.iter("Play")] == [f"{BASE}/prompts/{'f' * 64}.wav"]


def test_an_apology_is_audio_when_there_is_any() -> None:
    assert check_twiml(twiml.farewell(BASE, ["f" * 64], "Sorry")).find("Play") is not None
    assert check_twiml(twiml.farewell(BASE, [], "Sorry & dag")).find("Say") is not None


PROMPTS = st.lists(
    st.builds(Prompt, st.sampled_from(["a", "b", "c", "zz", twiml.SILENCE_PROMPT]), st.booleans()), max_size=5
).map(tuple)


@given(
    st.builds(
        Turn,
        PROMPTS,
        PROMPTS,
        st.none() | st.builds(Awaits, st.integers(1, 4), st.floats(0.5, 45, allow_nan=False)),
    ),
    st.integers(0, 500),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), min_size=1, max_size=60),
)
def test_any_turn_becomes_a_valid_document(turn: Turn, number: int, text: str) -> None:
    document = twiml.render(
        turn, base_url=BASE, attempt_id=ID, number=number, sounds=WITH_SILENCE, text_of=lambda _: f"x{text}"
    )
    root = check_twiml(document)
    gather = root.find("Gather")
    assert (gather is None) == (turn.awaits is None)
    if gather is not None:
        assert gather.attrib["action"] == f"{BASE}/voice/{ID}/{number + 1}"
