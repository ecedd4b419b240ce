"""The offline voice in its own process: the same bytes every time, and no way to lame the house."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from ivr.errors import SpeechError
from ivr.speech import phone_audio
from ivr.speech.espeak import EspeakEngine


def test_a_sentence_sounds_the_same_whatever_was_said_before(espeak: EspeakEngine) -> None:
    first = espeak.speak("Geeft uw leraar goed les?", slow=False)
    for other in ("Altijd: druk op 1.", "Wat gebeurt er dan?"):
        espeak.speak(other, slow=True)
    assert espeak.speak("Geeft uw leraar goed les?", slow=False) == first


def test_another_process_says_the_same_bytes(espeak: EspeakEngine) -> None:
    with EspeakEngine() as other:
        assert other.speak("Dank u wel.", slow=True) == espeak.speak("Dank u wel.", slow=True)
        assert other.signature(slow=True) == espeak.signature(slow=True)


def test_slow_is_slower(espeak: EspeakEngine) -> None:
    normal, slow = (
        phone_audio.trimmed(phone_audio.decode(espeak.speak("Denk aan de tijd op school.", slow=slow))).size
        for slow in (False, True)
    )
    assert 1.2 < slow / normal < 1.7


def test_a_killed_process_is_replaced() -> None:
    with EspeakEngine() as engine:
        before = engine.speak("Goedendag.", slow=False)
        assert engine._process is not None
        engine._process.kill()
        engine._process.wait()
        assert engine.speak("Goedendag.", slow=False) == before


def test_a_closed_engine_may_be_used_again() -> None:
    engine = EspeakEngine()
    first = engine.speak("Goedendag.", slow=False)
    engine.close()
    assert engine.speak("Goedendag.", slow=False) == first
    engine.close()
    engine.close()


def test_threads_may_share_the_voice(espeak: EspeakEngine) -> None:
    sentences = [f"Druk op {key}." for key in range(10)]
    alone = {sentence: espeak.speak(sentence, slow=False) for sentence in sentences}
    together: dict[str, bytes] = {}
    threads = [
        threading.Thread(target=lambda s=s: together.update({s: espeak.speak(s, slow=False)})) for s in sentences
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def test_a_text_without_sound_is_an_error_and_the_next_sentence_is_spoken(espeak: EspeakEngine) -> None:
    with pytest.raises(SpeechError, match="could not speak"):
        espeak.speak("", slow=False)
    assert espeak.speak("Ja.", slow=False)


def test_markup_is_read_and_never_obeyed(espeak: EspeakEngine) -> None:
    plain = phone_audio.decode(espeak.speak("hallo", slow=False)).size
    assert phone_audio.decode(espeak.speak('<break time="60s"/> [[h@l]] hallo', slow=False)).size < 20 * plain


def test_the_house_never_loads_the_library_itself() -> None:
    code = (
        "import sys\n"
        "from ivr.speech.espeak import EspeakEngine\n"
        "with EspeakEngine() as engine: engine.speak('Ja.', slow=False)\n"
        "assert 'espeakng_loader' not in sys.modules\n"
        "assert 'espeak' not in open('/proc/self/maps').read().replace('espeak_process', '')\n"
    )
    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
