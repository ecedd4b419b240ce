"""`ivr questionnaire check` and `show`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ivr.settings import ROOT
from scripts.questionnaire import questionnaire

LAAGDREMPELIG = ROOT / "config" / "questionnaires" / "laagdrempelig.toml"


@dataclass(frozen=True)
class Result:
    exit_code: int
    stdout: str
    stderr: str


Ivr = Callable[..., Result]


@pytest.fixture
def ivr(capsys: pytest.CaptureFixture[str]) -> Ivr:
    """Runs `ivr questionnaire …`, its two streams apart."""

    def run(*arguments: str) -> Result:
        with pytest.raises(SystemExit) as left:
            questionnaire.main(list(arguments), prog_name="ivr questionnaire")
        streams = capsys.readouterr()
        return Result(int(left.value.code or 0), streams.out, streams.err)

    return run


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "nieuw.toml"
    text = LAAGDREMPELIG.read_text(encoding="utf-8")
    path.write_text(text.replace('question = "LD_MAATR"', 'question = "LD_UITK"'), encoding="utf-8")
    return path


def test_check_finds_no_fault_in_the_configuration(ivr: Ivr) -> None:
    result = ivr("check")
    assert result.exit_code == 0
    assert "laagdrempelig.toml: laagdrempelig version 2, 25 questions, no faults" in result.stdout


def test_check_as_json_is_one_document(ivr: Ivr) -> None:
    document = json.loads(ivr("check", "--json").stdout)
    assert document["ok"] is True
    assert [row["questions"] for row in document["files"]] == [14, 25]
    assert document["faults"] == []


def test_check_of_a_file_names_file_question_and_expectation(ivr: Ivr, broken: Path) -> None:
    result = ivr("check", str(broken))
    assert result.exit_code == 1
    assert "nieuw.toml, LD_MAATR_OPG: its condition hangs on LD_UITK, which is asked later" in result.stdout
    assert "expected an earlier question, or service" in result.stdout


def test_check_of_a_file_as_json_exits_with_one(ivr: Ivr, broken: Path) -> None:
    result = ivr("check", str(broken), "--json")
    assert result.exit_code == 1
    faults = json.loads(result.stdout)["faults"]
    assert [(fault["file"], fault["question"], fault["code"]) for fault in faults] == [
        ("nieuw.toml", "LD_MAATR_OPG", "later_question")
    ]


def test_check_of_bad_toml_is_a_clear_fault(ivr: Ivr, tmp_path: Path) -> None:
    path = tmp_path / "stuk.toml"
    path.write_text('id = "x\n', encoding="utf-8")
    result = ivr("check", str(path))
    assert result.exit_code == 1
    assert "stuk.toml is not valid TOML" in result.stdout
    assert "line 1" in result.stdout


def test_check_holds_the_words_of_the_web_page_to_those_of_the_call(
    ivr: Ivr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = shutil.copytree(ROOT / "config", tmp_path / "config")
    links = (config / "links.toml").read_text(encoding="utf-8")
    words = "Kies nu een cijfer, van één tot en met tien, en toets het dan in."
    (config / "links.toml").write_text(links.replace("Kies een cijfer.", words), encoding="utf-8")
    monkeypatch.setenv("IVR_CONFIG_DIR", str(config))
    result = ivr("check")
    assert result.exit_code == 1
    assert "links.toml, page_grade" in result.stdout
    assert "has 15 words" in result.stdout
    assert 'says "toets"' in result.stdout


def test_check_of_no_file_is_wrong_usage(ivr: Ivr, tmp_path: Path) -> None:
    assert ivr("check", str(tmp_path / "weg.toml")).exit_code == 2


def test_check_of_a_key_that_another_questionnaire_uses_otherwise(ivr: Ivr, tmp_path: Path) -> None:
    path = tmp_path / "nieuw.toml"
    path.write_text(
        'id = "nieuw"\nversion = 1\ntitle = "Nieuw"\nminutes = 1\n'
        '[[questions]]\nid = "N_A"\nkind = "single"\ntext = "Was de hulp zoals verwacht?"\nlabel = "Hulp"\n'
        'aspect = true\noptions = [{ key = "1", code = "slechter", text = "Slechter" }, '
        '{ key = "2", code = "zoals", text = "Zoals verwacht" }]\n',
        encoding="utf-8",
    )
    result = ivr("check", str(path))
    assert result.exit_code == 1
    assert "the answer slechter stands on key 1, but on 3 in laagdrempelig, LD_VERW" in result.stdout


def test_show_reads_as_it_is_heard(ivr: Ivr) -> None:
    result = ivr("show", "inburgering")
    assert result.exit_code == 0
    assert "Altijd: druk op 1." in result.stdout
    assert "first (if INB_VOLGT is nee_klaar or nee_gestopt): Denk aan de tijd op school." in result.stdout
    assert "only if INB_ZIEK is ja" in result.stdout


def test_show_of_an_unknown_questionnaire_says_which_there_are(ivr: Ivr) -> None:
    result = ivr("show", "regulier")
    assert result.exit_code == 1
    assert "inburgering, laagdrempelig" in result.stderr
