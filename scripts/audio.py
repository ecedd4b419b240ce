"""`ivr audio`: render what orders need, listen to all of it again, play one prompt, ship it to another machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from ivr.bootstrap import House
from ivr.errors import NotFoundError, RefusedError
from ivr.fieldwork import listening, rendering, voicing
from ivr.speech import manifest
from ivr.speech.script import spoken_values, texts_for
from ivr.speech.synthesis import Recordings, open_engine, render
from ivr.store import prompts
from ivr.store.schema import upgrade
from scripts.output import command, emit, json_option, note, say
from scripts.ready import ready_house

engine_option = click.option(
    "--engine", type=click.Choice(["espeak", "gtts"]), help="Another voice than IVR_SPEECH_ENGINE."
)


@click.group()
def audio() -> None:
    """Render, check and play the prompts."""


@audio.command("render")
@click.option("--order", "order_id", type=int, help="Only this order.")
@click.option("--all", "everything", is_flag=True, help="Also orders that were voiced before (renders what changed).")
@engine_option
@click.option("--dry-run", is_flag=True, help="Only say what would be rendered.")
@json_option
@command
def render_command(order_id: int | None, everything: bool, engine: str | None, dry_run: bool, as_json: bool) -> None:
    """Render the prompts of orders, check them, and let the orders be dialled.

    Without --order or --all: the orders that still have to be voiced.
    """
    house = _ready()
    with house.database.read() as session:
        if order_id is not None:
            wanted = [order_id]
        elif everything:
            wanted = [order.id for order in prompts.voicing_orders(session)]
        else:
            wanted = voicing.pending(session, house.catalogue)
    voice = open_engine(house.settings, engine)
    wording = voicing.Wording.from_settings(house.settings)
    done: list[voicing.Voiced] = []
    try:
        for order in wanted:
            result = voicing.voice_order(
                house.database,
                house.catalogue,
                voice,
                wording,
                order,
                house.clock.now(),
                on_progress=_show,
                dry_run=dry_run,
            )
            done.append(result)
            if not as_json:
                say(_line(result, dry_run))
    finally:
        voice.close()
    if as_json:
        emit({"engine": voice.name, "dry_run": dry_run, "orders": [asdict(result) for result in done]})
    elif not done:
        say("All orders have been voiced.")


def _show(progress: rendering.Progress) -> None:
    if progress.done == progress.total or progress.done % 20 == 0:
        note(f"order {progress.order_id}: {progress.done} of {progress.total} prompts ({progress.prompt})")


def _line(result: voicing.Voiced, dry_run: bool) -> str:
    what = "to render" if dry_run else "rendered"
    return (
        f"order {result.order_id} ({result.provider}): {result.prompts} prompts, {result.rendered} {what}, "
        f"{result.kept} kept, {result.sentences} new sentences"
        + ("" if dry_run else f", {result.seconds / 60:.1f} minutes of sound")
    )


@audio.command()
@json_option
@command
def check(as_json: bool) -> None:
    """Listen to every stored prompt again. Exit 1 when one is damaged or out of bounds."""
    house = _ready()
    heard = listening.listen(house.database)
    if as_json:
        emit(asdict(heard))
    else:
        for finding in heard.findings:
            say(f"{finding.sha256[:12]} {finding.code}: {finding.message} ({finding.text[:60]!r})")
        say(f"{heard.prompts} prompts, {heard.seconds / 60:.1f} minutes, {len(heard.findings)} faults")
    if heard.findings:
        note("ivr: `ivr audio render --all` renders what is damaged again.")
        sys.exit(1)


@audio.command()
@click.argument("prompt")
@click.option("--slow", is_flag=True, help="The slow variant.")
@click.option("--questionnaire", "questionnaire_id", help="Whose wording, when both have the prompt.")
@click.option("--provider", default="de dienstverlener", help="The name spoken for {dienstverlener}.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the WAV here instead of playing.")
@engine_option
@command
def play(
    prompt: str, slow: bool, questionnaire_id: str | None, provider: str, out: Path | None, engine: str | None
) -> None:
    """Render one prompt and play it: a phrase, a question, a remark, or QUESTION.keys."""
    house = ready_house()
    text = _find(house, prompt, slow, questionnaire_id, provider)
    voice = open_engine(house.settings, engine)
    try:
        made = render(text, voice, {}, Recordings(house.settings.audio_dir / "recordings"))
    finally:
        voice.close()
    say(f"{text.text}  [{made.seconds:.1f} s, {made.loudness:.1f} LUFS, {made.engine}]")
    if out is not None:
        manifest.put(out, made.wav)
        return
    player = next((found for name in ("paplay", "aplay", "afplay") if (found := shutil.which(name))), None)
    if player is None:
        raise RefusedError("There is no player on this machine (paplay, aplay). Use --out FILE.wav.")
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        file.write(made.wav)
        file.flush()
        subprocess.run([player, file.name], check=False)


def _find(house: House, prompt: str, slow: bool, questionnaire_id: str | None, provider: str):
    for id, questionnaire in house.catalogue.questionnaires.items():
        if questionnaire_id not in (None, id):
            continue
        values = spoken_values(
            provider=provider,
            minutes=questionnaire.minutes,
            help_number=house.settings.help_number,
            web_address=house.settings.web_address,
        )
        for text in texts_for(questionnaire, house.catalogue.phrases, values):
            if (text.id, text.slow) == (prompt, slow):
                return text
    raise NotFoundError(f"There is no prompt {prompt!r}{' with a slow variant' if slow else ''}.")


@audio.command("manifest")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: manifest.json in IVR_AUDIO_DIR.")
@json_option
@command
def manifest_command(out: Path | None, as_json: bool) -> None:
    """Write the list of all that can be heard: text, file, hash, bytes, seconds, loudness, engine."""
    house = _ready()
    entries = listening.manifest_of(house.database)
    target = out or house.settings.audio_dir / "manifest.json"
    manifest.write(entries, target)
    if as_json:
        emit({"manifest": str(target), "prompts": len(entries)})
    else:
        say(f"{len(entries)} prompts in {target}")


@audio.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@json_option
@command
def ship(folder: Path, as_json: bool) -> None:
    """Write all prompts and their manifest into FOLDER, to be taken in elsewhere."""
    count = listening.ship(_ready().database, folder)
    if as_json:
        emit({"folder": str(folder), "prompts": count})
    else:
        say(f"{count} prompts in {folder}")


@audio.command("take-in")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
@command
def take_in(folder: Path, as_json: bool) -> None:
    """Take in prompts that another machine rendered; each is checked as if it were made here."""
    house = _ready()
    count = listening.take_in(house.database, folder, house.clock.now())
    if as_json:
        emit({"folder": str(folder), "prompts": count})
    else:
        say(f"{count} prompts taken in; `ivr audio render` now voices the orders with them")


def _ready() -> House:
    house = ready_house()
    upgrade(house.database)
    return house
