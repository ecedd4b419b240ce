"""The real gTTS against a stand-in of its endpoint: every trap closed, every answer survived."""

from __future__ import annotations

import io
from collections.abc import Iterator
from email.utils import formatdate

import pytest
import soundfile

from ivr.errors import SpeechError
from ivr.speech import phone_audio
from ivr.speech.espeak import EspeakEngine
from ivr.speech.google import GttsEngine, pieces
from ivr.speech.script import PromptText
from ivr.speech.synthesis import render
from tests.speech.speech_service import Answer, SpeechService, mp3_of, spoken

SENTENCE = "Geeft uw leraar goed les?"


class FakeTime:
    """Waiting without waiting: what was slept is added to the clock and remembered."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    def now(self) -> float:
        return self.at


@pytest.fixture(scope="module")
def mp3s(espeak: EspeakEngine) -> dict[str, bytes]:
    """Spoken by eSpeak, coded as the service codes: real speech in real MP3."""
    sentences = (SENTENCE, "Altijd: druk op 1.", "Wij bellen voor Blik op Werk,", "en wij stellen u een paar vragen.")
    found = {}
    for sentence in sentences:
        samples, rate = soundfile.read(io.BytesIO(espeak.speak(sentence, slow=False)))
        found[sentence] = mp3_of(samples, rate)
    return found


@pytest.fixture
def service(mp3s: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[SpeechService]:
    with SpeechService(lambda text: spoken(mp3s.get(text, mp3s[SENTENCE]))) as running:
        monkeypatch.setattr("gtts.tts._translate_url", lambda **_: running.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield running


@pytest.fixture
def time_spent() -> FakeTime:
    return FakeTime()


@pytest.fixture
def engine(time_spent: FakeTime) -> GttsEngine:
    return GttsEngine(
        sleep=time_spent.sleep, monotonic=time_spent.now, timeout_seconds=(1.0, 0.5), whole_answer_seconds=1.5
    )


def test_a_sentence_becomes_an_mp3_that_decodes(service: SpeechService, engine: GttsEngine) -> None:
    sound = phone_audio.decode(engine.speak(SENTENCE, slow=False))
    assert 1.0 < sound.size / phone_audio.RATE < 3.0
    assert [(text, speed) for text, speed, _ in service.asked] == [(SENTENCE, None)]


def test_a_slow_sentence_is_asked_slowly(service: SpeechService, engine: GttsEngine) -> None:
    engine.speak(SENTENCE, slow=True)
    assert service.asked[0][1] is True


@pytest.mark.parametrize("sentence", ["Nooit of soms. Druk op 1.", "Dat is kunst. Toets 4.", "Bel dr. Toets 2."])
def test_no_full_stop_is_lost_on_the_way(service: SpeechService, engine: GttsEngine, sentence: str) -> None:
    engine.speak(sentence, slow=False)
    assert service.asked[0][0] == sentence


def test_requests_are_at_least_a_second_apart(service: SpeechService, engine: GttsEngine, time_spent: FakeTime) -> None:
    for _ in range(3):
        engine.speak(SENTENCE, slow=False)
    assert time_spent.slept == [1.0, 1.0]


def test_a_prompt_of_several_sentences_is_rendered_whole_and_passes_the_checks(
    service: SpeechService, engine: GttsEngine
) -> None:
    prompt = PromptText("INB_LES", False, ((SENTENCE, 0.6), ("Altijd: druk op 1.", 0.5)))
    originals: dict[str, bytes] = {}
    made = render(prompt, engine, originals)
    assert made.engine == "gtts"
    assert len(originals) == 2
    render(prompt, engine, originals)
    assert len(service.asked) == 2, "what was spoken once is never asked again"


def test_a_long_sentence_is_cut_once_near_the_middle_and_heard_whole(
    service: SpeechService, engine: GttsEngine
) -> None:
    first, second = "Wij bellen voor Blik op Werk,", "en wij stellen u een paar vragen."
    long = f"{first} {second} En daarna bedanken wij u heel hartelijk, zoals het hoort op zo'n mooie dag als deze is"
    assert len(long) > 100
    parts = pieces(long)
    assert " ".join(parts) == long
    assert all(len(part) <= 100 for part in parts)
    sound = phone_audio.decode(engine.speak(long, slow=False))
    assert [text for text, _, _ in service.asked] == parts
    assert sound.size / phone_audio.RATE > 2.5, "not the first part alone"


def test_pieces_never_break_a_word_and_keep_short_sentences() -> None:
    words = " ".join(f"woord{number}" for number in range(40))
    assert pieces("Kort, en goed: zo.") == ["Kort, en goed: zo."]
    assert " ".join(pieces(words)) == words
    assert all(len(part) <= 100 for part in pieces("x" * 350))


def test_too_many_requests_is_obeyed_and_tried_again(
    service: SpeechService, engine: GttsEngine, time_spent: FakeTime
) -> None:
    service.answers = [Answer(429, headers={"Retry-After": "7"})]
    assert engine.speak(SENTENCE, slow=False)
    assert time_spent.slept == [7.0]


def test_a_retry_after_that_is_a_date_is_obeyed(
    service: SpeechService, engine: GttsEngine, time_spent: FakeTime
) -> None:
    import time

    service.answers = [Answer(429, headers={"Retry-After": formatdate(time.time() + 40, usegmt=True)})]
    engine.speak(SENTENCE, slow=False)
    assert len(time_spent.slept) == 1
    assert 30 < time_spent.slept[0] < 42


def test_a_retry_after_of_an_hour_stops_the_rendering(
    service: SpeechService, engine: GttsEngine, time_spent: FakeTime
) -> None:
    service.answers = [Answer(429, headers={"Retry-After": "3600"})]
    with pytest.raises(SpeechError, match="too many requests"):
        engine.speak(SENTENCE, slow=False)
    assert time_spent.slept == []


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_service_that_stays_out_of_order_is_given_up_after_four_tries(
    service: SpeechService, engine: GttsEngine, time_spent: FakeTime, status: int
) -> None:
    service.answers = [Answer(status)] * 4
    with pytest.raises(SpeechError, match="out of order"):
        engine.speak(SENTENCE, slow=False)
    assert len(service.asked) == 4
    assert time_spent.slept == [2.0, 8.0, 30.0]


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_is_not_repeated(service: SpeechService, engine: GttsEngine, status: int) -> None:
    service.answers = [Answer(status)]
    with pytest.raises(SpeechError, match="refuses or has moved"):
        engine.speak(SENTENCE, slow=False)
    assert len(service.asked) == 1


def test_a_service_that_hangs_is_left_and_tried_again(service: SpeechService, engine: GttsEngine) -> None:
    service.answers = [Answer(delay=1.0)]
    assert engine.speak(SENTENCE, slow=False)
    assert len(service.asked) >= 2  # a busy machine may hang once more


def test_an_answer_that_drips_for_ever_is_left(service: SpeechService, engine: GttsEngine) -> None:
    service.answers = [Answer(body=b"x" * 200, drip=0.1)]
    with pytest.raises(SpeechError, match="took over 2 s"):
        engine.speak(SENTENCE, slow=False)


def test_a_service_that_cannot_be_reached_fails_at_once(
    engine: GttsEngine, time_spent: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gtts.tts._translate_url", lambda **_: "http://127.0.0.1:9/")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(SpeechError, match="cannot be reached"):
        engine.speak(SENTENCE, slow=False)
    assert time_spent.slept == []


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"<html><title>Voordat je verdergaat</title></html>", "a page instead of sound"),
        (b"", "a page instead of sound"),
        (b'[["wrb.fr","jQ1olc",null,null]]', "without sound"),
        (b'[["wrb.fr","jQ1olc","[\\"!!!\\"]"]]', "instead of sound|nonsense"),
        (b"jQ1olc \xff\xfe", "nonsense"),
        (b'[["wrb.fr","jQ1olc","[\\"aGFsbG8gd2VyZWxk\\"]"]]', "no MP3"),
    ],
)
def test_an_answer_without_sound_is_an_error_and_nothing_is_kept(
    service: SpeechService, engine: GttsEngine, body: bytes, complaint: str
) -> None:
    service.answers = [Answer(body=body)]
    originals: dict[str, bytes] = {}
    with pytest.raises(SpeechError, match=complaint):
        render(PromptText("INB_LES", False, ((SENTENCE, 0.0),)), engine, originals)
    assert originals == {}


@pytest.mark.parametrize("part", [0.3, 0.5, 0.97])
def test_a_truncated_mp3_is_refused(
    service: SpeechService, engine: GttsEngine, mp3s: dict[str, bytes], part: float
) -> None:
    whole = mp3s[SENTENCE]
    service.answers = [spoken(whole[: int(len(whole) * part)])]
    with pytest.raises(SpeechError, match="cut off"):
        engine.speak(SENTENCE, slow=False)


def test_sound_that_is_far_too_short_for_its_sentence_is_refused(
    service: SpeechService, engine: GttsEngine, mp3s: dict[str, bytes]
) -> None:
    long = "Spreekt en luistert u ook Nederlands als u thuis of op uw werk bent, of in een winkel bij u in de buurt?"
    service.otherwise = lambda _: spoken(mp3s["Altijd: druk op 1."])
    with pytest.raises(SpeechError, match="per syllable"):
        render(PromptText("INB_SPREEK", False, ((long[:95], 0.0),)), engine, {})


def test_the_signature_tells_speeds_apart(engine: GttsEngine) -> None:
    assert engine.signature(slow=True) != engine.signature(slow=False)
    assert "gtts 2" in engine.signature(slow=False)
