"""Reads `config/` once: questionnaires, phrases, services and the rules of fieldwork.

Decides where things stand in the files; what they mean is decided in `survey/`. All files are TOML, read by
`tomllib`, so nothing is silently retyped. A house does not start on a questionnaire that cannot work by phone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ivr.errors import ConfigurationError
from ivr.survey.disposition import Outcome, outcomes_from_mapping
from ivr.survey.fieldwork_rules import FieldworkRules, rules_from_mapping
from ivr.survey.phrases import Phrase, phrases_from_mapping
from ivr.survey.questionnaire import Questionnaire, from_mapping
from ivr.survey.questionnaire_check import Fault, check, check_phrases, check_together

PHRASES = "phrases.toml"
QUESTIONNAIRES = "questionnaires"


@dataclass(frozen=True)
class Catalogue:
    """What stands in `config/`: the current version of each questionnaire, and the rules that are assumptions."""

    questionnaires: Mapping[str, Questionnaire]
    phrases: Mapping[str, Phrase]
    services: Mapping[int, str]
    fieldwork: FieldworkRules
    outcomes: Mapping[str, Outcome]
    scoring: Mapping[str, Any]


def load_catalogue(config_dir: Path) -> Catalogue:
    """Everything in `config_dir`. ConfigurationError, with every fault, when something cannot work."""
    questionnaires, faults = read_questionnaires(sorted((config_dir / QUESTIONNAIRES).glob("*.toml")))
    phrases = read_phrases(config_dir / PHRASES)
    faults = (*faults, *find_faults(questionnaires, phrases, config_dir / PHRASES))
    if faults:
        raise ConfigurationError(
            "The questionnaires cannot be used by phone (see ivr questionnaire check): "
            + " ".join(str(fault) for fault in faults)
        )
    if not questionnaires:
        raise ConfigurationError(f"There is no questionnaire in {config_dir / QUESTIONNAIRES}.")
    return Catalogue(
        questionnaires={questionnaire.id: questionnaire for questionnaire in questionnaires.values()},
        phrases=phrases,
        services=read_services(config_dir / "services.toml"),
        fieldwork=rules_from_mapping(read_toml(config_dir / "fieldwork.toml")),
        outcomes=outcomes_from_mapping(read_toml(config_dir / "outcomes.toml")),
        scoring=read_toml(config_dir / "scoring.toml") if (config_dir / "scoring.toml").exists() else {},
    )


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. ConfigurationError naming file and line when it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path.name} is not valid TOML: {error}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path.name} is not UTF-8: {error.reason} at byte {error.start}.") from error
    except OSError as error:
        raise ConfigurationError(f"{path.name} cannot be read: {error.strerror}. Does it exist?") from error


def read_questionnaires(paths: Iterable[Path]) -> tuple[dict[Path, Questionnaire], tuple[Fault, ...]]:
    """The questionnaires that could be read, by file, and one fault for each file that could not.

    Of two files with the same id the higher version is the current one; the same version twice is a fault.
    """
    read: dict[Path, Questionnaire] = {}
    faults: list[Fault] = []
    for path in paths:
        try:
            questionnaire = from_mapping(read_toml(path))
        except ConfigurationError as error:
            faults.append(
                Fault("", "", "unreadable", error.message.rstrip("."), "a questionnaire as in config/", file=path.name)
            )
            continue
        rival = next((other for other in read if read[other].id == questionnaire.id), None)
        if rival is not None and read[rival].version == questionnaire.version:
            message = f"{rival.name} is also version {questionnaire.version} of {questionnaire.id}"
            faults.append(Fault(questionnaire.id, "", "double_version", message, "a new version", file=path.name))
        elif rival is None or read[rival].version < questionnaire.version:
            if rival is not None:
                del read[rival]
            read[path] = questionnaire
    return read, tuple(faults)


def read_phrases(path: Path) -> dict[str, Phrase]:
    return phrases_from_mapping(read_toml(path))


def read_services(path: Path) -> dict[int, str]:
    """Service number (1-13) → its label as table 1.1 spells it."""
    services = {int(number): label for number, label in read_toml(path).items() if number.isdecimal()}
    if sorted(services) != list(range(1, 14)) or not all(isinstance(label, str) for label in services.values()):
        raise ConfigurationError(f'{path.name}: expected the services 1 to 13, each as 5 = "Jobcoaching".')
    return services


def find_faults(
    questionnaires: Mapping[Path, Questionnaire], phrases: Mapping[str, Phrase], phrases_path: Path
) -> tuple[Fault, ...]:
    """All faults of these files, each with the file it stands in."""
    faults: list[Fault] = []
    for path, questionnaire in questionnaires.items():
        own = [fault for fault in check(questionnaire, phrases) if fault.questionnaire]
        faults += [replace(fault, file=path.name) for fault in own]
    files = {questionnaire.id: path.name for path, questionnaire in questionnaires.items()}
    together = check_together({questionnaire.id: questionnaire for questionnaire in questionnaires.values()})
    faults += [replace(fault, file=files[fault.questionnaire]) for fault in together]
    faults += [replace(fault, file=phrases_path.name) for fault in check_phrases(phrases)]
    return tuple(faults)
