"""What became of a call, and what that means for its case.

Decides which outcome a call had (from what the carrier reports and what the engine recorded) and which
changes between dispositions are legal. When to call again is decided in `callplan.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

CallStatus = Literal[
    "queued", "initiated", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"
]

FINAL_STATUSES: frozenset[str] = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


@dataclass(frozen=True, slots=True)
class CallReport:
    """What the carrier says of a call, from a status callback or from asking it.

    `at` is the carrier's own time stamp if it gave one. `duration_seconds` counts from the answer.
    """

    call_sid: str
    status: CallStatus
    sequence_number: int | None = None
    answered_by: str | None = None
    duration_seconds: int | None = None
    error_code: int | None = None
    at: datetime | None = None

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_STATUSES
