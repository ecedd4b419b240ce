"""Hands a meetperiode to the report pipeline: a finished export in a folder, and a manifest that says if it is final.

    <root>/<from>_<to>/current.json     the manifest; replaced by a rename, so a reader sees the old or the new whole
    <root>/<from>_<to>/<number>/        the files it names; the set before it stays, for whoever is still reading it

Decides when a period may be replaced: as often as one likes until it is final, then only when it is opened again.
The same data gives the same bytes, so a period that is published again unchanged keeps every SHA-256. Contacts never
come here. Where several hosts serve the API, `root` must lie on storage that they share.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivr.errors import NotFoundError, RefusedError
from ivr.exports.export import FORMATS, Request, export
from ivr.exports.files import MANIFEST
from ivr.store import Database, reading

if TYPE_CHECKING:
    from ivr.catalogue import Catalogue

CURRENT = "current.json"
PERIOD = re.compile(r"\d{4}-\d{2}-\d{2}_\d{4}-\d{2}-\d{2}")


def name_of(period: tuple[date, date]) -> str:
    """How a period is called in a path: `2026-01-01_2026-12-31`."""
    return "_".join(day.isoformat() for day in period)


def publish(
    database: Database,
    catalogue: Catalogue,
    root: Path,
    period: tuple[date, date],
    now: datetime,
    *,
    is_final: bool = False,
    reopen: bool = False,
) -> dict[str, Any]:
    """Export a period in every format and make it the one that the pipeline sees; gives its manifest.

    RefusedError (code final) for a period that is final already, unless `reopen`. NotFoundError when no provider
    delivered a list for it.
    """
    before = manifest(root, name_of(period))
    if before is not None and before["final"] and not reopen:
        raise RefusedError(
            f"{before['period']} is final since {before['final_at']}; --reopen replaces it all the same.", code="final"
        )
    with database.read() as session:
        if not reading.find_samples(session, period=period):
            raise NotFoundError(f"No provider delivered a list for {period[0]}/{period[1]}.")
    folder = root / name_of(period)
    number = 1 + max([int(one.name) for one in folder.glob("[0-9]*") if one.name.isdigit()], default=0)
    made = export(database, catalogue, folder / str(number), Request(period=period, formats=FORMATS))
    files = [
        {**one, "bytes": (folder / str(number) / one["file"]).stat().st_size}
        for one in made["files"]
        if one["file"] != MANIFEST
    ]
    moment = now.isoformat(timespec="seconds").replace("+00:00", "Z")
    document = {
        "schema_version": made["schema_version"],
        "period": f"{period[0]}/{period[1]}",
        "final": is_final,
        "final_at": moment if is_final else None,
        "published_at": moment,
        "folder": number,
        "files": files,
    }
    aside = folder / f".{CURRENT}.aside"
    aside.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    os.replace(aside, folder / CURRENT)
    kept = {number, before["folder"] if before else number}
    for old in folder.glob("[0-9]*"):
        if old.name.isdigit() and int(old.name) not in kept:
            shutil.rmtree(old, ignore_errors=True)
    return document


def manifest(root: Path, name: str) -> dict[str, Any] | None:
    """The manifest of a published period; None when there is none of that name."""
    if not PERIOD.fullmatch(name):
        return None
    try:
        return json.loads((root / name / CURRENT).read_text(encoding="utf-8"))
    except OSError:
        return None


def manifests(root: Path) -> list[dict[str, Any]]:
    """All published periods, by name."""
    names = sorted(one.name for one in root.iterdir()) if root.is_dir() else []
    return [found for name in names if (found := manifest(root, name)) is not None]


def find_file(root: Path, name: str, file: str) -> tuple[Path, str] | None:
    """Where a file that the manifest names lies, and its SHA-256; None for any other name."""
    found = manifest(root, name)
    for one in found["files"] if found else ():
        if one["file"] == file:
            return root / name / str(found["folder"]) / file, one["sha256"]  # type: ignore[index]
    return None
