"""Caches, recordings and refusals around the voice; a journey over all real prompts."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ivr.catalogue import load_catalogue
from ivr.errors import SpeechError
from ivr.settings import ROOT, Settings
from ivr.speech.espeak import EspeakEngine
from ivr.speech.google import GttsEngine
from ivr.speech.script import SILENCE, PromptText, spoken_values, texts_for
from ivr.speech.synthesis import Recordings, open_engine, original_key, render, rendition_key

PROMPT = PromptText("INB_LES", False, (("Geeft uw leraar goed les?", 0.6), ("Altijd: druk op 1.", 0.5)), "INB_LES")


class Mute:
    """An engine that must not be asked."""

    name = "mute"

    def signature(self, *, slow: bool) -> str:
        return f"mute {slow}"

    def speak(self, sentence: str, *, slow: bool) -> bytes:
        raise AssertionError(f"asked for {sentence!r}")

    def close(self) -> None:
        return None


@pytest.fixture
def recording(espeak: EspeakEngine) -> bytes:
    """A person's recording: 44.1 kHz stereo, too soft, with silence around it."""
    samples, _ = soundfile.read(io.BytesIO(espeak.speak("Geeft uw leraar goed les? Altijd: druk op 1.", slow=False)))
    quiet = np.concatenate([np.zeros(9000), samples * 0.05, np.zeros(20000)])
    out = io.BytesIO()
    soundfile.write(out, np.stack([quiet, quiet], axis=1), 22050, format="WAV")
    return out.getvalue()


def test_a_sentence_that_is_known_is_not_asked_again(espeak: EspeakEngine) -> None:
    originals: dict[str, bytes] = {}
    first = render(PROMPT, espeak, originals)
    mute = Mute()
    kept = {
        original_key(mute, sentence, slow=False): originals[original_key(espeak, sentence, slow=False)]
        for sentence, _ in PROMPT.segments
    }
    assert render(PROMPT, mute, kept).wav == first.wav


def test_words_pauses_speed_and_voice_each_change_the_key(espeak: EspeakEngine) -> None:
    slow = PromptText(PROMPT.id, True, PROMPT.segments)
    longer = PromptText(PROMPT.id, False, ((PROMPT.segments[0][0], 0.7), PROMPT.segments[1]))
    other = PromptText(PROMPT.id, False, PROMPT.segments[:1])
    keys = {rendition_key(text, espeak) for text in (PROMPT, slow, longer, other)}
    assert len(keys | {rendition_key(PROMPT, Mute())}) == 5


def test_the_same_words_under_another_id_share_their_sound(espeak: EspeakEngine) -> None:
    twin = PromptText("INB_ANDERS", False, PROMPT.segments)
    assert rendition_key(twin, espeak) == rendition_key(PROMPT, espeak)


def test_a_recording_wins_and_goes_through_the_same_chain(tmp_path: Path, recording: bytes) -> None:
    (tmp_path / "INB_LES.wav").write_bytes(recording)
    recordings = Recordings(tmp_path)
    made = render(PROMPT, Mute(), {}, recordings)
    assert made.engine == "recording"
    assert made.loudness == pytest.approx(-20, abs=0.5)
    assert rendition_key(PROMPT, Mute(), recordings) != rendition_key(PROMPT, Mute())


def test_a_recording_of_other_words_is_passed_over(tmp_path: Path, recording: bytes, espeak: EspeakEngine) -> None:
    (tmp_path / "INB_LES.wav").write_bytes(recording)
    (tmp_path / "INB_LES.txt").write_text("Geeft uw docent goed les?", encoding="utf-8")
    assert render(PROMPT, espeak, {}, Recordings(tmp_path)).engine == "espeak"
    (tmp_path / "INB_LES.txt").write_text("geeft uw  leraar goed les? Altijd: druk op 1.\n", encoding="utf-8")
    assert render(PROMPT, Mute(), {}, Recordings(tmp_path)).engine == "recording"


def test_a_recording_that_fails_a_check_is_refused_by_name_and_measure(tmp_path: Path, recording: bytes) -> None:
    (tmp_path / "INB_LES.wav").write_bytes(recording)
    other = PromptText("INB_LES", False, (("Ja.", 0.0),), "INB_LES")
    with pytest.raises(SpeechError, match=r"Prompt INB_LES .*pace"):
        render(other, Mute(), {}, Recordings(tmp_path))


def test_a_broken_recording_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "INB_LES.wav").write_bytes(b"geen geluid")
    with pytest.raises(SpeechError, match="Prompt INB_LES: what came back is not a sound file"):
        render(PROMPT, Mute(), {}, Recordings(tmp_path))


def test_a_recording_that_was_too_loud_for_its_microphone_is_refused_by_file(tmp_path: Path, recording: bytes) -> None:
    samples, rate = soundfile.read(io.BytesIO(recording))
    loud = samples / np.abs(samples).max()
    soundfile.write(tmp_path / "INB_LES.wav", loud, rate)
    assert render(PROMPT, Mute(), {}, Recordings(tmp_path)).engine == "recording"
    for level in (1.0, 0.3):  # made softer afterwards it stays as bad
        soundfile.write(tmp_path / "INB_LES.wav", np.clip(loud * 4, -1, 1) * level, rate)
        with pytest.raises(SpeechError, match=r"recordings/INB_LES\.wav is clipped"):
            render(PROMPT, Mute(), {}, Recordings(tmp_path))


def test_the_shortest_answers_pass_slowly_too(espeak: EspeakEngine) -> None:
    for words in ("Te kort: druk op 1.", "Ja: druk op 1.", "Te lang: druk op 3.", "Nee: druk op 2.", "WW: druk op 3."):
        made = render(PromptText("LD_X.1", True, ((words, 0.5),)), espeak, {})
        assert made.prompt.slow


def test_the_silence_asks_no_engine_and_is_the_same_for_every_voice(espeak: EspeakEngine) -> None:
    silence = PromptText(SILENCE, False, (("", 0.5),))
    made = render(silence, Mute(), {})
    assert (made.seconds, made.prompt.text) == (0.5, "")
    assert rendition_key(silence, espeak) == rendition_key(silence, Mute())


def test_the_settings_choose_the_voice() -> None:
    assert isinstance(open_engine(Settings(speech_engine="espeak")), EspeakEngine)  # pyright: ignore[reportCallIssue]
    assert isinstance(open_engine(Settings(speech_engine="gtts")), GttsEngine)  # pyright: ignore[reportCallIssue]
    with pytest.raises(SpeechError, match="no speech engine 'robot'"):
        open_engine(Settings(), "robot")  # pyright: ignore[reportCallIssue]


NAMES = [
    "UPGRADE",
    "Ypsum",
    "Interbeek Support",
    "Track2",
    "JOP COACHING",
    "A.B.C. Taal & Werk B.V.",
    "24/7 Re-integratie",
]


@pytest.mark.parametrize("name", [*NAMES, "Xzqrt", "De Vrolijke Leerschool voor Nieuwkomers in Noordoost-Groningen"])
def test_any_companys_name_passes_the_checks(espeak: EspeakEngine, name: str) -> None:
    catalogue = load_catalogue(ROOT / "config")
    values = spoken_values(provider=name, minutes=5, help_number="088 123 45 67", web_address="blikopwerk.nl")
    named = [phrase for phrase in catalogue.phrases.values() if "{dienstverlener}" in phrase.text]
    assert named
    for text in texts_for(catalogue.questionnaires["inburgering"], {phrase.id: phrase for phrase in named}, values):
        if text.id in {phrase.id for phrase in named} or text.id == "INB_VOLGT":
            assert render(text, espeak, {}).seconds > 1
