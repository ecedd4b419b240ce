"""A moment and what the store checks at it, without the rest of a fieldwork: `hammer.py` has to start fast."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from ivr.store.admission import Bounds

MONDAY = datetime(2026, 9, 14, 8, 0, tzinfo=UTC)
BOUNDS = Bounds(
    now=MONDAY,
    spaced_from=MONDAY - timedelta(hours=3),
    midnight=MONDAY - timedelta(hours=10),
    rested_from=MONDAY - timedelta(days=7),
    announced_from=date(2026, 8, 15),
    announced_to=date(2026, 9, 12),
    max_per_day=2,
    consent_only=False,
)
