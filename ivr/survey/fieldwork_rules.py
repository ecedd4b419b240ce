"""The rules of the fieldwork as numbers: what config/fieldwork.toml says, read and judged.

Decides which numbers contradict each other. What follows from them for a call is decided in `callplan.py`, for money
in `billing.py`, for days and hours in `ivr/almanac.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any, Literal

from ivr.errors import ConfigurationError

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class QuietEvening:
    """Each year on this day nobody is called from `after` (local) on."""

    month: int
    day: int
    after: time


@dataclass(frozen=True, slots=True)
class FieldworkRules:
    """config/fieldwork.toml, which explains each number. Windows: per weekday (Monday first) pairs of local times."""

    inburgering_target: int
    replicate_size: int
    subsidy_first: int
    subsidy_share: Decimal
    suppression_minimum: int
    announcement_min_days: int
    announcement_max_days: int
    max_attempts: int
    max_per_day: int
    spacing_minutes: int
    needs_evening: bool
    needs_saturday: bool
    appointment_hours: int
    other_interview_days: int
    silent_voicemails: int
    middag_begins: time
    avond_begins: time
    windows: tuple[tuple[tuple[time, time], ...], ...]
    blocked_dates: frozenset[date]
    public_holidays: bool
    bevrijdingsdag: Literal["every_year", "lustrum"]
    eid: bool
    eid_days: int
    sunset_minutes: int
    quiet_evenings: tuple[QuietEvening, ...]
    retention_contact_days: int
    retention_report_days: int
    retention_unused_days: int


def rules_from_mapping(data: Mapping[str, Any]) -> FieldworkRules:
    """The rules of fieldwork.toml. ConfigurationError says which entry is missing or impossible."""
    try:
        quota, money, announcement = data["quota"], data["money"], data["announcement"]
        attempts, parts, quiet = data["attempts"], data["parts"], data["quiet"]
        windows = tuple(tuple((span[0], span[1]) for span in data["windows"][day]) for day in _DAYS)
        rules = FieldworkRules(
            inburgering_target=quota["inburgering_target"],
            replicate_size=quota["replicate_size"],
            subsidy_first=money["subsidy_first"],
            subsidy_share=Decimal(str(money["subsidy_share"])),
            suppression_minimum=data["publication"]["suppression_minimum"],
            announcement_min_days=announcement["min_days"],
            announcement_max_days=announcement["max_days"],
            max_attempts=attempts["max"],
            max_per_day=attempts["max_per_day"],
            spacing_minutes=attempts["spacing_minutes"],
            needs_evening=attempts["needs_evening"],
            needs_saturday=attempts["needs_saturday"],
            appointment_hours=attempts["appointment_hours"],
            other_interview_days=attempts["other_interview_days"],
            silent_voicemails=attempts["silent_voicemails"],
            middag_begins=parts["middag"],
            avond_begins=parts["avond"],
            windows=windows,
            blocked_dates=frozenset(quiet["blocked_dates"]),
            public_holidays=quiet["public_holidays"],
            bevrijdingsdag=quiet["bevrijdingsdag"],
            eid=quiet["eid"],
            eid_days=quiet["eid_days"],
            sunset_minutes=quiet["sunset_minutes"],
            quiet_evenings=tuple(QuietEvening(e["month"], e["day"], e["after"]) for e in quiet["evenings"]),
            retention_contact_days=data["retention"]["contact_days"],
            retention_report_days=data["retention"]["report_days"],
            retention_unused_days=data["retention"]["unused_days"],
        )
    except KeyError as error:
        raise ConfigurationError(f"fieldwork.toml lacks {error.args[0]!r}.") from error
    _check(rules)
    return rules


def _check(rules: FieldworkRules) -> None:
    faults = [
        f"windows.{day}: {start}-{end} is not a span of time within one day"
        for day, spans in zip(_DAYS, rules.windows, strict=True)
        for start, end in spans
        if start >= end
    ]
    if not any(rules.windows):
        faults.append("windows: no day is open, nobody could ever be called")
    if rules.announcement_min_days > rules.announcement_max_days:
        faults.append("announcement.min_days is larger than announcement.max_days")
    if not Decimal(0) <= rules.subsidy_share <= Decimal(1):
        faults.append("money.subsidy_share lies between 0 and 1")
    if rules.retention_report_days < 21:
        faults.append("retention.report_days: hoor en wederhoor takes three weeks, so at least 21")
    if rules.bevrijdingsdag not in {"every_year", "lustrum"}:
        faults.append("quiet.bevrijdingsdag is 'every_year' or 'lustrum'")
    positive = {
        "quota.inburgering_target": rules.inburgering_target,
        "quota.replicate_size": rules.replicate_size,
        "attempts.max": rules.max_attempts,
        "attempts.max_per_day": rules.max_per_day,
        "retention.contact_days": rules.retention_contact_days,
        "retention.unused_days": rules.retention_unused_days,
    }
    faults.extend(f"{name} must be at least 1" for name, value in positive.items() if value < 1)
    if faults:
        raise ConfigurationError("fieldwork.toml: " + "; ".join(faults) + ".")
