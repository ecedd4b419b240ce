"""How a file of an export is written: the two dialects, aside and renamed, and its line in the manifest.

Machine files: comma, UTF-8 without BOM, decimal point. People's files: semicolon, UTF-8 with BOM, decimal comma,
cells that a spreadsheet would run as a formula made harmless. Lines end with LF in both. What stands in a file
is decided by its own module; nothing here knows a column.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from ivr.errors import RefusedError

SCHEMA_VERSION = 1
"""Of the set of files as a whole; raised when a column changes its meaning, is renamed or goes."""

MANIFEST = "manifest.json"

_FORMULA = re.compile(r"^[\s\x00]*[=+\-@\t\r＝＋－＠]")
_NUMBER = re.compile(r"-?\d+([.,]\d+)?")


@dataclass(frozen=True, slots=True)
class Written:
    """One finished file: its name, its rows of data (headings not counted), the SHA-256 of its bytes."""

    file: str
    rows: int
    sha256: str

    def to_mapping(self) -> dict[str, Any]:
        return {"file": self.file, "rows": self.rows, "sha256": self.sha256}


@dataclass
class Outbox:
    """A directory that is being filled, not yet seen by anyone; `written` lists what is finished in it."""

    path: Path
    written: list[Written] = field(default_factory=list)

    def machine(self, file: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write a machine file; None becomes an empty cell."""
        with (self.path / file).open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle, lineterminator="\n")
            writer.writerow(header)
            count = 0
            for row in rows:
                writer.writerow(row)
                count += 1
        self.done(file, count)

    def people(self, file: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write a people's file. A Decimal is printed with a comma as it is given; text is made harmless."""
        with (self.path / file).open("w", encoding="utf-8-sig", newline="") as handle:
            writer = csv.writer(handle, delimiter=";", lineterminator="\n")
            writer.writerow(header)
            count = 0
            for row in rows:
                writer.writerow([cell(value) for value in row])
                count += 1
        self.done(file, count)

    def document(self, file: str, content: object) -> None:
        """Write a JSON document; it counts as one row."""
        self.text(file, json.dumps(content, ensure_ascii=False, indent=1) + "\n", 1)

    def text(self, file: str, content: str, rows: int) -> None:
        """Write a text as it is, in UTF-8."""
        (self.path / file).write_text(content, encoding="utf-8", newline="")
        self.done(file, rows)

    def drop(self, suffix: str) -> None:
        """Take the files with this ending out again: other formats were made from them, and they were not asked."""
        for one in [one for one in self.written if one.file.endswith(suffix)]:
            (self.path / one.file).unlink()
            self.written.remove(one)

    def done(self, file: str, rows: int) -> None:
        """Take a file that has been written into the list."""
        digest = hashlib.sha256()
        with (self.path / file).open("rb") as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
        self.written.append(Written(file, rows, digest.hexdigest()))


def cell(value: Any) -> str | int:
    """A value as it stands in a people's file: None empty, Decimal with a comma, text harmless."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}".replace(".", ",")
    if isinstance(value, int):
        return value
    return harmless(str(value))


def harmless(text: str) -> str:
    """`text` with an apostrophe before it when a spreadsheet would take it for a formula.

    A plain number (`-3`, `0,5`) stays: it cannot run. A leading tab, carriage return or white space before the
    sign counts as well, and the full-width signs that some spreadsheets fold into the plain ones.
    """
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


@contextmanager
def aside(directory: Path, manifest: dict[str, Any]) -> Iterator[Outbox]:
    """An outbox beside `directory`; what was written moves there in one go when the block ends well.

    A directory that did not exist appears whole. In one that did, each file is replaced by a rename, files of the
    export before that are not written any more go (an old contacts file must not stay behind), other people's
    files stay, and the manifest comes last: who reads the manifest finds the files it names. On an error nothing
    of the old export has changed. `manifest` is what the manifest says besides its files.
    """
    directory = directory.absolute()
    if directory.exists() and not directory.is_dir():
        raise RefusedError(f"{directory} is a file: name a directory to export into.", code="not_a_directory")
    directory.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", suffix=".tmp", dir=directory.parent))
    try:
        outbox = Outbox(temporary)
        yield outbox
        names = [one.to_mapping() for one in sorted(outbox.written, key=lambda one: one.file)]
        text = json.dumps({"schema_version": SCHEMA_VERSION, **manifest, "files": names}, ensure_ascii=False, indent=1)
        (temporary / MANIFEST).write_text(text + "\n", encoding="utf-8", newline="")
        if not directory.exists():
            temporary.chmod(0o755)
            temporary.rename(directory)
        else:
            _replace(temporary, directory, [one.file for one in outbox.written])
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _replace(temporary: Path, directory: Path, files: list[str]) -> None:
    for name in _listed(directory) - set(files):
        (directory / name).unlink(missing_ok=True)
    for name in [*files, MANIFEST]:
        os.replace(temporary / name, directory / name)


def _listed(directory: Path) -> set[str]:
    """The files that the manifest of an earlier export in `directory` names (plain names only)."""
    try:
        files = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))["files"]
        names = {str(one["file"]) for one in files}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {name for name in names if Path(name).name == name}
