"""What became of a delivered file, row by row; and what such a file is known by."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from ivr.survey.sample import Remark

BATCH = 100
"""So many rows of a file are one transaction."""
Progress = Callable[[int, int], None]
"""Called with (rows done, rows in all) after each batch."""


@dataclass(kw_only=True)
class FileReport:
    """What became of a small file. rows = accepted + rejected; updated and unchanged are among the accepted."""

    rows: int = 0
    accepted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)

    def to_mapping(self) -> dict[str, Any]:
        """JSON-safe."""
        return asdict(self)


@dataclass
class IntakeReport(FileReport):
    """What became of a delivered list; `to_mapping` is the document of `ivr sample import --json`."""

    provider: str
    period: tuple[date, date]
    routes: dict[str, int] = field(default_factory=lambda: {"telephone": 0, "regular": 0})

    def to_mapping(self) -> dict[str, Any]:
        """JSON-safe."""
        return {
            "provider": self.provider,
            "period": f"{self.period[0]}/{self.period[1]}",
            "rows": self.rows,
            "accepted": self.accepted,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "rejected": [asdict(remark) for remark in self.rejected],
            "warnings": [asdict(remark) for remark in sorted(self.warnings, key=lambda remark: remark.row)],
            "routes": self.routes,
        }

    def rejected_codes(self) -> Counter[str]:
        """How many rows were rejected with which code."""
        return Counter(remark.code for remark in self.rejected)

    def accept(self, what: Literal["new", "updated", "unchanged"], route: str) -> None:
        """Count a row that stands."""
        self.accepted += 1
        self.updated += what == "updated"
        self.unchanged += what == "unchanged"
        self.routes[route] += 1


def digest_of(path: Path) -> str:
    """What a delivered file is known by when it comes again."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
