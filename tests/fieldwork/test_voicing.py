"""The gate: an order is dialled only when everything it can say is there, whole and checked."""

from __future__ import annotations

import dataclasses
import io
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile
import sqlalchemy as sa

from ivr.catalogue import Catalogue, load_catalogue
from ivr.errors import FileRefusedError, NotFoundError, SpeechError
from ivr.fieldwork import listening, rendering, voicing
from ivr.settings import ROOT
from ivr.speech import checks, manifest
from ivr.speech.script import SILENCE
from ivr.store import Database, prompts
from ivr.store.tables import orders, providers, samples
from ivr.store.tables import prompts as prompts_table
from ivr.store.tables import questionnaires as questionnaires_table

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Hummer:
    """A small real voice: hums each sentence for as long as its syllables take. Counts what it is asked."""

    name = "hummer"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails_after: int | None = None

    def signature(self, *, slow: bool) -> str:
        return f"hummer 1 {slow}"

    def speak(self, sentence: str, *, slow: bool) -> bytes:
        if self.fails_after is not None and len(self.asked) >= self.fails_after:
            raise SpeechError("the voice is lost")
        self.asked.append(sentence)
        seconds = checks.syllables(sentence) * (0.4 if slow else 0.3)
        at = np.arange(round(seconds * 8000)) / 8000
        pitch = 140 + 8 * (len(sentence) % 5)
        hum = sum(np.sin(2 * np.pi * pitch * part * at) / part for part in range(3, 20))
        out = io.BytesIO()
        soundfile.write(out, 0.2 * hum * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * at)), 8000, format="FLAC")
        return out.getvalue()

    def close(self) -> None:
        return None


@pytest.fixture
def catalogue() -> Catalogue:
    """The real questionnaires, cut down to three questions so that a test stays quick; some real phrases."""
    whole = load_catalogue(ROOT / "config")
    short = {id: dataclasses.replace(q, questions=q.questions[:2]) for id, q in whole.questionnaires.items()}
    wanted = ("greeting_minutes", "about", "goodbye_number")
    return dataclasses.replace(whole, questionnaires=short, phrases={id: whole.phrases[id] for id in wanted})


@pytest.fixture
def wording(tmp_path: Path) -> voicing.Wording:
    return voicing.Wording("088 123 45 67", "blikopwerk.nl", tmp_path / "recordings")


@pytest.fixture
def stocked(sqlite_database: Database) -> Database:
    """Order 1 and 2: inburgering of two providers; 3: purchased, all services; 4: purchased, service 5."""
    with sqlite_database.write() as session:
        for id in (1, 2, 3, 4):
            session.execute(sa.insert(providers).values(id=id, name=f"Taalschool {id}", name_key=f"taalschool {id}"))
            session.execute(
                sa.insert(samples).values(
                    id=id, provider_id=id, period_from=date(2025, 1, 1), period_to=date(2025, 12, 31)
                )
            )
            track = "inburgering" if id < 3 else "purchased"
            session.execute(
                sa.insert(orders).values(
                    id=id,
                    sample_id=id,
                    track=track,
                    interviews=25,
                    services=[5] if id == 4 else None,
                    created_at=NOW,
                )
            )
    return sqlite_database


def voiced_at(database: Database, order: int) -> datetime | None:
    with database.read() as session:
        return prompts.voicing_order(session, order).voiced_at


def test_an_order_is_voiced_when_all_its_prompts_are_there(
    stocked: Database, catalogue: Catalogue, wording: voicing.Wording
) -> None:
    result = voicing.voice_order(stocked, catalogue, Hummer(), wording, 1, NOW)
    assert result.is_voiced
    assert voiced_at(stocked, 1) == NOW
    assert voiced_at(stocked, 2) is None
    with stocked.read() as session:
        sounds = prompts.sounds_of(session, 1, "inburgering", 1)
        assert len(sounds) == result.prompts + 1, "the silence is one sound at both speeds"
        assert (SILENCE, False) in sounds
        assert ("INB_LES.keys", True) in sounds
        assert "Taalschool 1" in prompts.text(session, sounds["about", False])
        assert voicing.pending(session) == [2, 3, 4]
        assert session.execute(sa.select(questionnaires_table.c.id)).scalars().all() == ["inburgering"]


def test_voicing_again_renders_nothing_and_keeps_the_moment(
    stocked: Database, catalogue: Catalogue, wording: voicing.Wording
) -> None:
    engine = Hummer()
    first = voicing.voice_order(stocked, catalogue, engine, wording, 1, NOW)
    asked = len(engine.asked)
    again = voicing.voice_order(stocked, catalogue, engine, wording, 1, datetime(2026, 4, 1, tzinfo=UTC))
    assert (again.rendered, again.kept, again.sentences) == (0, first.prompts, 0)
    assert len(engine.asked) == asked
    assert voiced_at(stocked, 1) == NOW


def test_a_second_order_renders_only_what_names_its_provider(
    stocked: Database, catalogue: Catalogue, wording: voicing.Wording
) -> None:
    engine = Hummer()
    voicing.voice_order(stocked, catalogue, engine, wording, 1, NOW)
    engine.asked.clear()
    result = voicing.voice_order(stocked, catalogue, engine, wording, 2, NOW)
    assert 0 < result.rendered < result.kept
    assert engine.asked
    assert all("Taalschool 2" in sentence for sentence in engine.asked)


def test_no_sentence_is_asked_twice_though_prompts_share_it(
    stocked: Database, catalogue: Catalogue, wording: voicing.Wording
) -> None:
    engine = Hummer()
    result = voicing.voice_order(stocked, catalogue, engine, wording, 1, NOW)
    assert len(engine.asked) == result.sentences
    assert engine.asked.count("Altijd: druk op 1.") == 2, "normal and slow"


def test_stopped_half_way_the_gate_stays_shut_and_the_next_run_goes_on(
    stocked: Database, catalogue: Catalogue, wording: voicing.Wording
) -> None:
    engine = Hummer()
    engine.fails_after = 5
    with pytest.raises(SpeechError, match=r"Prompt .*the voice is lost"):
        voicing.voice_order(stocked, catalogue, engine, wording, 1, NOW)
    assert voiced_at(stocked, 1) is None
    with stocked.read() as session:
        assert prompts.sounds_of(session, 1, "inburgering", 1) == {}
    engine.fails_after = None
    whole = voicing.voice_order(stocked, catalogue, engine, wording, 1, NOW)
    assert whole.is_voiced
    assert whole.sentences == len(engine.asked) - 5


def test_a_purchased_order_voices_both_questionnaires_unless_service_11_is_not_in_it(
    stocked: Database, catalogue: Catalogue, wording: voicing.Wording
) -> None:
    engine = Hummer()
    assert voicing.voice_order(stocked, catalogue, engine, wording, 3, NOW).questionnaires == (
        "laagdrempelig",
        "inburgering",
    )
    assert voicing.voice_order(stocked, catalogue, engine, wording, 4, NOW).questionnaires == ("laagdrempelig",)
    with stocked.read() as session:
        current = {id: questionnaire.version for id, questionnaire in catalogue.questionnaires.items()}
        assert prompts.voiced_versions(session, 3) == current
        assert prompts.voiced_versions(session, 4) == {"laagdrempelig": current["laagdrempelig"]}


def test_damaged_bytes_are_found_and_rendered_again(
    stocked: Database, catalogue: Catalogue, wording: voicing.Wording
) -> None:
    engine = Hummer()
    voicing.voice_order(stocked, catalogue, engine, wording, 1, NOW)
    with stocked.write() as session:
        name = prompts.sounds_of(session, 1, "inburgering", 1)["about", False]
        session.execute(sa.update(prompts_table).where(prompts_table.c.sha256 == name).values(wav=b"kapot"))
    assert [(f.sha256, f.code) for f in listening.listen(stocked).findings] == [(name, "damaged")]
    assert voicing.voice_order(stocked, catalogue, engine, wording, 1, NOW).rendered == 1
    assert listening.listen(stocked).findings == ()


def test_a_dry_run_counts_and_changes_nothing(
    stocked: Database, catalogue: Catalogue, wording: voicing.Wording
) -> None:
    engine = Hummer()
    result = voicing.voice_order(stocked, catalogue, engine, wording, 1, NOW, dry_run=True)
    assert (result.is_voiced, result.rendered, engine.asked) == (False, result.prompts, [])
    assert voiced_at(stocked, 1) is None
    assert listening.listen(stocked).prompts == 0


def test_a_new_version_is_pending_while_the_old_one_stays_voiced(
    stocked: Database, catalogue: Catalogue, wording: voicing.Wording
) -> None:
    for order in (1, 2, 3, 4):
        voicing.voice_order(stocked, catalogue, Hummer(), wording, order, NOW)
    newer = dataclasses.replace(
        catalogue,
        questionnaires={
            **catalogue.questionnaires,
            "inburgering": dataclasses.replace(catalogue.questionnaires["inburgering"], version=2),
        },
    )
    with stocked.read() as session:
        assert voicing.pending(session, catalogue) == []
        assert voicing.pending(session, newer) == [1, 2, 3]
    voicing.voice_order(stocked, newer, Hummer(), wording, 1, NOW)
    with stocked.read() as session:
        assert prompts.sounds_of(session, 1, "inburgering", 1)
        assert prompts.sounds_of(session, 1, "inburgering", 2)
        assert prompts.voiced_versions(session, 1) == {"inburgering": 2}


def test_progress_ends_at_the_whole(stocked: Database, catalogue: Catalogue, wording: voicing.Wording) -> None:
    seen: list[rendering.Progress] = []
    voicing.voice_order(stocked, catalogue, Hummer(), wording, 1, NOW, on_progress=seen.append)
    assert [progress.done for progress in seen] == list(range(1, seen[-1].total + 1))


def test_an_unknown_order_is_not_found(stocked: Database, catalogue: Catalogue, wording: voicing.Wording) -> None:
    with pytest.raises(NotFoundError, match="order 99"):
        voicing.voice_order(stocked, catalogue, Hummer(), wording, 99, NOW)


def test_prompts_travel_to_another_machine_and_are_not_rendered_there(
    stocked: Database, catalogue: Catalogue, wording: voicing.Wording, tmp_path: Path
) -> None:
    voicing.voice_order(stocked, catalogue, Hummer(), wording, 1, NOW)
    count = listening.ship(stocked, tmp_path / "zending")
    with stocked.write() as session:
        for table in ("order_prompts", "renditions", "prompts", "sounds"):
            session.execute(sa.text(f"DELETE FROM {table}"))
        prompts.mark_voiced(session, 1, None)
    assert listening.take_in(stocked, tmp_path / "zending", NOW) == count
    mute = Hummer()
    assert voicing.voice_order(stocked, catalogue, mute, wording, 1, NOW).is_voiced
    assert mute.asked == []


def test_a_shipment_with_one_damaged_file_is_refused_whole(
    stocked: Database, catalogue: Catalogue, wording: voicing.Wording, tmp_path: Path
) -> None:
    voicing.voice_order(stocked, catalogue, Hummer(), wording, 1, NOW)
    listening.ship(stocked, tmp_path)
    entry = manifest.read(tmp_path / "manifest.json")[0]
    (tmp_path / entry.file).write_bytes(b"kapot")
    with pytest.raises(FileRefusedError, match="not those of its name"):
        listening.take_in(stocked, tmp_path, NOW)
    with pytest.raises(FileRefusedError, match="not a manifest"):
        listening.take_in(stocked, tmp_path / "recordings", NOW)


def test_the_manifest_lists_text_hash_size_and_measures(
    stocked: Database, catalogue: Catalogue, wording: voicing.Wording, tmp_path: Path
) -> None:
    voicing.voice_order(stocked, catalogue, Hummer(), wording, 1, NOW)
    manifest.write(listening.manifest_of(stocked), tmp_path / "manifest.json")
    entries = manifest.read(tmp_path / "manifest.json")
    assert len(entries) == len({entry.sha256 for entry in entries}) == listening.listen(stocked).prompts
    for entry in entries:
        assert entry.file == f"{entry.sha256}.wav"
        assert entry.bytes == pytest.approx(8000 * entry.seconds, abs=100)
        assert entry.engine == "silence" or entry.loudness == pytest.approx(-20, abs=0.5)
