"""The list of what can be heard: text → file, hash, bytes, seconds, loudness, engine.

Decides its form and how it is written (aside, then put in place). The store is the truth; a manifest on disk ships
with the files it names, so that one machine can render and another serve.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ivr.errors import FileRefusedError

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One prompt. `file` is relative to the manifest; `seconds` of sound, `loudness` in LUFS.

    keys: the content addresses (`synthesis.rendition_key`) under which it is found instead of being rendered.
    """

    text: str
    file: str
    sha256: str
    bytes: int
    seconds: float
    loudness: float
    engine: str
    is_slow: bool
    keys: tuple[str, ...] = ()


def write(entries: Iterable[Entry], path: Path) -> None:
    """Write the manifest; a reader sees the old one or the new one, never a half."""
    document = {"schema": SCHEMA, "prompts": [asdict(entry) for entry in entries]}
    put(path, (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode())


def read(path: Path) -> Sequence[Entry]:
    """The entries of a manifest. FileRefusedError when it is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']}")
        return [Entry(**{**entry, "keys": tuple(entry["keys"])}) for entry in document["prompts"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileRefusedError(f"{path} is not a manifest of prompts ({error}).") from error


def put(path: Path, content: bytes) -> None:
    """Write a file aside and put it in place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_bytes(content)
    os.replace(aside, path)
