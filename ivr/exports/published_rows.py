"""One provider's rows of table 1.1, out of the set that was handed to the report pipeline as final.

Decides that nothing else of a published set is shown to a provider, and nothing before it is final.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ivr.exports import publishing
from ivr.exports.files import harmless
from ivr.store.samples import name_key

FILE = "tabel_1_1.csv"


@dataclass(frozen=True, slots=True)
class Published:
    """The rows of a provider and meetperiode, as printed: column → text. `since`: when it became final (ISO, UTC)."""

    name: str
    period: tuple[date, date]
    since: str
    rows: tuple[dict[str, str], ...]


def of_provider(root: Path, provider: str) -> list[Published]:
    """Every final meetperiode in which this provider has rows, the newest first."""
    found = [_read(root, publishing.name_of(_period(one["period"])), provider) for one in publishing.manifests(root)]
    return sorted((one for one in found if one is not None), key=lambda one: one.period, reverse=True)


def find(root: Path, name: str, provider: str) -> Published | None:
    """That of one meetperiode (`2026-01-01_2026-12-31`); None when it is not final or has nothing of this provider."""
    return _read(root, name, provider)


def as_csv(published: Published) -> str:
    """The rows as the file of the export has them."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(published.rows[0]), delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(published.rows)
    return "\ufeff" + text.getvalue()


def _read(root: Path, name: str, provider: str) -> Published | None:
    manifest = publishing.manifest(root, name)
    file = publishing.find_file(root, name, FILE)
    if manifest is None or not manifest["final"] or file is None or not file[0].is_file():
        return None
    with file[0].open(encoding="utf-8-sig", newline="") as handle:
        printed = name_key(harmless(provider))
        rows = [row for row in csv.DictReader(handle, delimiter=";") if name_key(row["provider"]) == printed]
    return Published(name, _period(manifest["period"]), manifest["final_at"], tuple(rows)) if rows else None


def _period(text: str) -> tuple[date, date]:
    first, last = text.split("/")
    return date.fromisoformat(first), date.fromisoformat(last)
