"""`ivr questionnaire`: check what cannot work by phone; read a questionnaire as it is heard.

Decides nothing: the faults are found in `ivr/survey/questionnaire_check.py`.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from ivr.catalogue import (
    PHRASES,
    QUESTIONNAIRES,
    find_faults,
    read_phrases,
    read_questionnaires,
    read_services,
)
from ivr.errors import ConfigurationError, NotFoundError
from ivr.fieldwork.link_kit import load_kit
from ivr.settings import load_settings
from ivr.survey.phrases import Phrase
from ivr.survey.questionnaire import SERVICE, Condition, Question, Questionnaire, spoken_question
from ivr.survey.questionnaire_check import Fault, check_page
from scripts.output import command, emit, json_option, note, say
from scripts.questionnaire_time import time_command

LINKS = "links.toml"


@click.group()
def questionnaire() -> None:
    """Check and read the questionnaires."""


@questionnaire.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@command
def check(files: tuple[Path, ...], as_json: bool) -> None:
    """Refuse what cannot work by phone.

    Without FILES: all questionnaires of the configuration, with its phrases and the words of the web page. With
    FILES: those, beside the others of the configuration. Exit code 1 when there is a fault.
    """
    config = load_settings().config_dir
    own = sorted((config / QUESTIONNAIRES).glob("*.toml"))
    wanted = files or tuple(own)
    read, faults = read_questionnaires(wanted)
    try:
        phrases: dict[str, Phrase] = read_phrases(config / PHRASES)
    except ConfigurationError as error:
        phrases = {}
        faults = (*faults, Fault("", "", "unreadable", error.message.rstrip("."), "texts as in config/", file=PHRASES))
    found = (*find_faults(_beside(read, own), phrases, config / PHRASES), *_page_faults(config))
    names = {path.name for path in wanted}
    # With files of their own people ask about those; the phrases are the configuration's affair.
    faults = (*faults, *(fault for fault in found if fault.file in names or not files))
    if as_json:
        emit(_document(wanted, read, faults))
    else:
        for path, found_questionnaire in read.items():
            if not any(fault.file == path.name for fault in faults):
                count = len(found_questionnaire.questions)
                version = found_questionnaire.version
                say(f"{path.name}: {found_questionnaire.id} version {version}, {count} questions, no faults")
        for fault in faults:
            say(str(fault))
    if faults:
        note(f"ivr: {len(faults)} fault(s): not fit for the telephone.")
        raise SystemExit(1)


def _page_faults(config: Path) -> tuple[Fault, ...]:
    try:
        page = load_kit(config).page
    except ConfigurationError as error:
        return (Fault("", "", "unreadable", error.message.rstrip("."), "texts as in config/", file=LINKS),)
    return tuple(replace(fault, file=LINKS) for fault in check_page(page))


def _beside(read: dict[Path, Questionnaire], own: list[Path]) -> dict[Path, Questionnaire]:
    """The files in question, after those of the configuration that they do not replace."""
    ids = {questionnaire.id for questionnaire in read.values()}
    others, _ = read_questionnaires(path for path in own if path not in read)
    return {path: other for path, other in others.items() if other.id not in ids} | read


def _document(paths: tuple[Path, ...], read: dict[Path, Questionnaire], faults: tuple[Fault, ...]) -> dict[str, Any]:
    files: list[dict[str, Any]] = []
    for path in paths:
        found = read.get(path)
        files.append(
            {
                "file": path.name,
                "questionnaire": found.id if found else None,
                "version": found.version if found else None,
                "questions": len(found.questions) if found else 0,
                "faults": sum(fault.file == path.name for fault in faults),
            }
        )
    return {"ok": not faults, "files": files, "faults": [asdict(fault) for fault in faults]}


@questionnaire.command()
@click.argument("id")
@command
def show(id: str) -> None:
    """Read questionnaire ID as it is heard, question by question."""
    config = load_settings().config_dir
    read, _ = read_questionnaires(sorted((config / QUESTIONNAIRES).glob("*.toml")))
    found = {questionnaire.id: questionnaire for questionnaire in read.values()}
    if id not in found:
        raise NotFoundError(f"There is no questionnaire {id!r}; there are {', '.join(found) or 'none'}.")
    services = read_services(config / "services.toml")
    chosen = found[id]
    say(f"{chosen.title} ({chosen.id}, version {chosen.version}), about {chosen.minutes} minutes")
    for number, question in enumerate(chosen.questions, 1):
        say()
        for line in _readable(number, question, services):
            say(line)


def _readable(number: int, question: Question, services: dict[int, str]) -> list[str]:
    kind = {"single": "", "grade": ", grade", "number": f", number {question.minimum}-{question.maximum}"}
    marks = (", aspect" if question.is_aspect else "") + (", verbatim" if question.is_verbatim else "")
    lines = [f"{number}. {question.id}: {question.label}{kind[question.kind]}{marks}"]
    if question.condition is not None:
        lines.append(f"   only if {_condition(question.condition, services)}")
    if question.remark is not None:
        when = f" (if {_condition(question.remark.condition, services)})" if question.remark.condition else ""
        lines.append(f"   first{when}: {question.remark.text}")
    return lines + [f"   {line}" for line in spoken_question(question)]


def _condition(condition: Condition, services: dict[int, str]) -> str:
    values = list(condition.values)
    if condition.question == SERVICE:
        values = [f"{value} {services.get(int(value), '')}".strip() if value.isdecimal() else value for value in values]
    return f"{condition.question} is {'not ' if condition.is_negated else ''}{' or '.join(values)}"


questionnaire.add_command(time_command)
