"""`ivr links`: what the mailing tool needs, and what the rehearsal's people have in their letter box."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path

import click

from ivr.bootstrap import open_house
from ivr.store.letters import letters
from scripts.output import command, note


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
    house = open_house()
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
