"""`ivr links`: what the mailing tool needs, and what the rehearsal's people have in their letter box."""

from __future__ import annotations

import csv
import json
import os
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

import click

from ivr.bootstrap import House
from ivr.errors import UsageError
from ivr.exports.files import cell
from ivr.fieldwork import inviting, page_voicing
from ivr.fieldwork.inviting import Address, Invited, Kind
from ivr.fieldwork.link_kit import LinkKit, load_kit
from ivr.fieldwork.voicing import Wording
from ivr.store import samples
from ivr.store.letters import letters
from ivr.store.samples import Sample
from ivr.store.schema import upgrade
from scripts.output import command, emit, json_option, note, parse_period, say
from scripts.ready import ready_house


@click.group("links")
def links() -> None:
    """Letters, codes and web links for the mailing tool."""


@links.command("letters")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@command
def letters_command(file: Path) -> None:
    """Write FILE for `ivr carrier --letters`: each number with the codes of the letters sent to it.

    It holds telephone numbers and is readable by its owner only; it is for the local carrier's people, and has no
    use in production.
    """
    house = ready_house()
    boxes: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    with house.database.read() as session:
        for letter in letters(session, house.sealer):
            for number in letter.contact.phones:
                boxes[number].append({"code": letter.code})
    aside = file.with_suffix(file.suffix + ".new")
    aside.touch(mode=0o600)
    aside.write_text(json.dumps(boxes))
    os.replace(aside, file)
    note(f"{sum(map(len, boxes.values()))} letters on {len(boxes)} numbers.")


@links.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--provider", required=True, help="As in `ivr sample import`.")
@click.option("--period", required=True, help="FROM/TO, as in `ivr sample import`.")
@click.option("--sms", is_flag=True, help="The SMS instead of the letter; only people with a mobile number.")
@click.option("--missed-call", is_flag=True, help="The SMS for whoever was rung in vain; each person once.")
@click.option("--again", is_flag=True, help="With --missed-call: also those who were in an earlier such file.")
@click.option("--renew", is_flag=True, help="New links for everyone in the file; the old ones stop working.")
@click.option("--without-audio", is_flag=True, help="Do not render the sounds of the page (they were before).")
@json_option
@command
def export_command(
    file: Path,
    provider: str,
    period: str,
    sms: bool,
    missed_call: bool,
    again: bool,
    renew: bool,
    without_audio: bool,
    as_json: bool,
) -> None:
    """Write FILE for the mailing tool: address, number, code, web link and text of everyone who can still answer.

    The same link is written again each time, so that a letter that was sent stays good. FILE holds names and numbers:
    it is readable by its owner only. The pages' sounds are rendered first: nobody gets a link to a page that is mute.
    """
    if sms and missed_call:
        raise UsageError("Choose --sms or --missed-call: each writes a file of its own.")
    if again and not missed_call:
        raise UsageError("--again goes with --missed-call.")
    house = ready_house()
    upgrade(house.database)
    kit = load_kit(house.settings.config_dir)
    kind: Kind = "missed" if missed_call else "sms" if sms else "letter"
    with house.database.read() as session:
        sample = samples.get_sample(session, provider, parse_period(period))
    pages = None if without_audio else _voice(house, kit, sample)
    address = Address(house.settings.public_base_url, house.settings.twilio_from, house.settings.help_number)
    done = inviting.invite(
        house.database,
        house.sealer,
        house.catalogue,
        kit,
        address,
        sample,
        kind,
        house.clock.now(),
        renew=renew,
        again=again,
    )
    _write(file, done)
    counts = {"rows": len(done.rows), "made": done.made, "kept": done.kept, "renewed": done.renewed}
    if as_json:
        emit(
            {
                "provider": sample.provider,
                "period": f"{sample.period_from}/{sample.period_to}",
                "file": str(file),
                "kind": kind,
                **counts,
                "unreached": done.unreached,
                "told_before": done.told_before,
                "audio": None if pages is None else asdict(pages),
            }
        )
        return
    say(f"{len(done.rows)} rows in {file}: {done.made} new links, {done.kept} as before, {done.renewed} renewed.")
    if done.unreached:
        say(f"Not in it, for want of a mobile number: {done.unreached}.")
    if done.told_before:
        say(f"Not in it, because an earlier such file had them: {done.told_before}. --again writes them once more.")


def _voice(house: House, kit: LinkKit, sample: Sample) -> page_voicing.VoicedPages:
    services = inviting.services_of(house.database, sample.id)
    try:
        return page_voicing.voice_pages(
            house.database,
            house.catalogue,
            kit,
            house.speech,
            Wording.from_settings(house.settings),
            sample,
            services,
            house.clock.now(),
            on_progress=_show,
        )
    finally:
        house.speech.close()


def _show(done: int, total: int) -> None:
    if done % 25 == 0 or done == total:
        note(f"audio of the pages: {done} of {total} prompts")


def _write(file: Path, done: Invited) -> None:
    aside = file.with_name(f".{file.name}.new")
    aside.touch(mode=0o600)
    try:
        with aside.open("w", encoding="utf-8-sig", newline="") as handle:
            writer = csv.writer(handle, delimiter=";", lineterminator="\n")
            writer.writerow(inviting.COLUMNS)
            writer.writerows([cell(value) for value in row] for row in done.rows)
        os.replace(aside, file)
    finally:
        aside.unlink(missing_ok=True)
