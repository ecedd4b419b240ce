"""`ivr questionnaire time`: seconds of sound on the shortest complete path through each questionnaire."""

from __future__ import annotations

from dataclasses import dataclass

import click

from ivr.bootstrap import House, open_house
from ivr.fieldwork.hearing import TARGET_SECONDS
from ivr.fieldwork.voicing import INBURGERING
from ivr.speech.script import PromptText, spoken_values, texts_for
from ivr.speech.synthesis import Engine, Recordings, open_engine, render
from ivr.speech.timing import shortest_path
from ivr.survey.questionnaire import Questionnaire
from ivr.survey.turn import Prompt
from scripts.output import command, emit, json_option, say

_PROVIDER = "Voorbeeld Werk en Taal"


@dataclass
class _Lengths:
    """How long prompts last: rendered in memory at first use, nothing is kept."""

    texts: dict[tuple[str, bool], PromptText]
    engine: Engine
    recordings: Recordings
    originals: dict[str, bytes]
    known: dict[Prompt, float]

    def __call__(self, prompt: Prompt) -> float:
        if prompt not in self.known:
            text = self.texts[prompt.id, prompt.slow]
            self.known[prompt] = render(text, self.engine, self.originals, self.recordings).seconds
        return self.known[prompt]


@click.command("time")
@click.option("--engine", type=click.Choice(["espeak", "gtts"]), help="Another voice than IVR_SPEECH_ENGINE.")
@json_option
@command
def time_command(engine: str | None, as_json: bool) -> None:
    """How long the shortest complete call sounds, at normal speed, and the questionnaire alone."""
    house = open_house()
    voice = open_engine(house.settings, engine)
    originals: dict[str, bytes] = {}
    try:
        results = [
            _timed(house, questionnaire, voice, originals) for questionnaire in house.catalogue.questionnaires.values()
        ]
    finally:
        voice.close()
    if as_json:
        emit({"engine": voice.name, "questionnaires": results})
        return
    for result in results:
        minutes, seconds = divmod(round(result["seconds"]), 60)
        say(
            f"{result['questionnaire']} (version {result['version']}): {minutes} min {seconds} s of sound, "
            f"{result['questions_seconds']:.0f} s of it in {result['questions']} questions; keys {result['keys']}"
        )
        if not result["within_target"]:
            say(f"  more than the {result['target_seconds']:.0f} s that people keep up by phone")


def _timed(house: House, questionnaire: Questionnaire, voice: Engine, originals: dict[str, bytes]) -> dict:
    values = spoken_values(
        provider=_PROVIDER,
        minutes=questionnaire.minutes,
        help_number=house.settings.help_number,
        web_address=house.settings.web_address,
    )
    texts = {(text.id, text.slow): text for text in texts_for(questionnaire, house.catalogue.phrases, values)}
    lengths = _Lengths(texts, voice, Recordings(house.settings.audio_dir / "recordings"), originals, {})
    services = [code for code in house.catalogue.services if code != 12]
    if questionnaire.id == INBURGERING:
        services = [11]
    path = min(
        (shortest_path(questionnaire, service, lengths) for service in services if service != 11 or len(services) == 1),
        key=lambda path: path.seconds,
    )
    asked = {question.id for question in questionnaire.questions} & set(path.prompts)
    target = TARGET_SECONDS.get(questionnaire.id)
    return {
        "questionnaire": questionnaire.id,
        "version": questionnaire.version,
        "seconds": round(path.seconds, 1),
        "questions_seconds": round(sum(lengths(Prompt(id)) for id in asked), 1),
        "questions": len(asked),
        "prompts": list(path.prompts),
        "keys": path.keys,
        "target_seconds": target,
        "within_target": target is None or path.seconds <= target,
    }
