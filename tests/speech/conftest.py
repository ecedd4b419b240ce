"""One eSpeak process for all tests of the room: starting it costs more than what it says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ivr.speech.espeak import EspeakEngine


@pytest.fixture(scope="session")
def espeak() -> Iterator[EspeakEngine]:
    engine = EspeakEngine()
    yield engine
    engine.close()
