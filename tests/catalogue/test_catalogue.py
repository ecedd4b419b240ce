"""`config/` as it is, and as somebody could break it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ivr.catalogue import load_catalogue, read_questionnaires, read_toml
from ivr.errors import ConfigurationError
from ivr.settings import ROOT

INBURGERING = [
    *("INB_VOLGT", "INB_LES", "INB_ANTW", "INB_ZIEK", "INB_ZIEK_WAT", "INB_PRAAT", "INB_OEF", "INB_HUISWERK"),
    *("INB_PRETTIG", "INB_SCHOOL", "INB_CIJFER", "INB_SPREEK", "INB_LEES", "INB_EXAMEN"),
]
LAAGDREMPELIG = [
    *("LD_C_AANDACHT", "LD_C_INFO", "LD_C_BEGRIP", "LD_K_SNEL1", "LD_K_MAIL", "LD_K_EERSTE", "LD_K_PLAATS"),
    *("LD_K_TEL", "LD_B_STAP", "LD_CIJFER", "LD_AANGERADEN", "LD_VERW", "LD_VAST", "LD_AANTAL", "LD_DUUR", "LD_FREQ"),
    *("LD_KLACHT", "LD_KLACHT_IN", "LD_KLACHT_OPL", "LD_AANL", "LD_MAATR", "LD_MAATR_OPG"),
    *("LD_GESLACHT", "LD_OPL", "LD_UITK"),
]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A copy of the configuration that may be broken."""
    return Path(shutil.copytree(ROOT / "config", tmp_path / "config"))


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_questionnaires_are_complete_and_in_the_order_of_the_telephone() -> None:
    questionnaires = load_catalogue(ROOT / "config").questionnaires
    assert [question.id for question in questionnaires["inburgering"].questions] == INBURGERING
    assert [question.id for question in questionnaires["laagdrempelig"].questions] == LAAGDREMPELIG


def test_aspects_are_those_of_the_reports() -> None:
    questionnaires = load_catalogue(ROOT / "config").questionnaires
    aspects = {
        id: [question.id for question in form.questions if question.is_aspect] for id, form in questionnaires.items()
    }
    assert aspects["laagdrempelig"] == LAAGDREMPELIG[:9]
    assert aspects["inburgering"] == [id for id in INBURGERING[1:10] if id != "INB_ZIEK"]


def test_no_opinion_is_an_answer_and_not_knowing_is_missing() -> None:
    for form in load_catalogue(ROOT / "config").questionnaires.values():
        for question in form.questions:
            for option in question.options:
                assert option.is_missing == (option.code == "weet_niet")
                assert option.key == "0" or option.code not in ("weet_niet", "geen_mening")


def test_services_are_the_thirteen() -> None:
    services = load_catalogue(ROOT / "config").services
    assert list(services) == list(range(1, 14))
    assert services[11] == "Inburgeringscursussen en duale trajecten"


def test_house_does_not_start_on_a_questionnaire_that_cannot_work(config: Path) -> None:
    _edit(config / "questionnaires" / "inburgering.toml", 'key = "2", code = "nee",', 'key = "1", code = "nee",')
    with pytest.raises(ConfigurationError, match=r"inburgering\.toml, INB_ZIEK: two answers stand on key 1"):
        load_catalogue(config)


def test_missing_phrase_stops_the_start(config: Path) -> None:
    _edit(config / "phrases.toml", "[still_there]", "[stil]")
    with pytest.raises(ConfigurationError, match=r"phrases\.toml, still_there"):
        load_catalogue(config)


def test_the_higher_version_is_the_current_one(config: Path) -> None:
    folder = config / "questionnaires"
    shutil.copy(folder / "inburgering.toml", folder / "inburgering_2.toml")
    _edit(folder / "inburgering_2.toml", "\nversion = 1\n", "\nversion = 2\n")
    assert load_catalogue(config).questionnaires["inburgering"].version == 2


def test_one_version_twice_is_refused(config: Path) -> None:
    folder = config / "questionnaires"
    shutil.copy(folder / "inburgering.toml", folder / "kopie.toml")
    with pytest.raises(ConfigurationError, match="also version 1"):
        load_catalogue(config)


def test_file_that_is_no_toml_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "stuk.toml"
    path.write_text('id = "stuk\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"stuk\.toml is not valid TOML: .*line 1"):
        read_toml(path)
    path.write_bytes(b'id = "\xe9"')
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_toml(path)
    with pytest.raises(ConfigurationError, match="Does it exist"):
        read_toml(tmp_path / "weg.toml")


def test_one_broken_file_does_not_hide_the_others(config: Path) -> None:
    folder = config / "questionnaires"
    (folder / "stuk.toml").write_text("[", encoding="utf-8")
    read, faults = read_questionnaires(sorted(folder.glob("*.toml")))
    assert {form.id for form in read.values()} == {"inburgering", "laagdrempelig"}
    assert [(fault.file, fault.code) for fault in faults] == [("stuk.toml", "unreadable")]


def test_incomplete_services_are_refused(config: Path) -> None:
    _edit(config / "services.toml", "13 = ", "14 = ")
    with pytest.raises(ConfigurationError, match="services 1 to 13"):
        load_catalogue(config)


def test_phrases_of_another_shape_are_refused(config: Path) -> None:
    _edit(config / "phrases.toml", "[go_on]\ntext =", "[go_on]\ntekst =")
    with pytest.raises(ConfigurationError, match="go_on: expected a table with text"):
        load_catalogue(config)
