"""What is worth a mail, and its words: rules and texts of `config/mail/`, without a database, a clock or a server.

Decides: when a day's or week's mail is due, when refusals jump, which cells need somebody, and that nothing at all is
said when all is well. Figures come from `outlook.py` (staff) and `following.py` (providers), as their pages show them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from ivr.catalogue import read_toml
from ivr.errors import ConfigurationError
from ivr.fieldwork.following import Stand
from ivr.fieldwork.outlook import REFUSALS, SPOKEN, CellView
from ivr.survey import dutch
from ivr.survey.callplan import ZONE


@dataclass(frozen=True, slots=True)
class Rules:
    """`config/mail/rules.toml`. Weekdays: 1 is Monday. Times are Europe/Amsterdam."""

    staff_at: time
    staff_weekdays: frozenset[int]
    staff_roles: frozenset[str]
    staff_ended: timedelta
    provider_at: time
    provider_weekday: int
    provider_ended: timedelta
    recent: timedelta
    before: timedelta
    least_spoken: int
    rise_points: float
    retry: timedelta
    retry_most: timedelta
    give_up: timedelta
    keep: timedelta


@dataclass(frozen=True, slots=True)
class Words:
    """`config/mail/staff.toml` and `provider.toml`."""

    staff: Mapping[str, Any]
    provider: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's subject and body."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Jump:
    """Refusals of those who spoke, in whole percent: lately, and in the days before."""

    recent: int
    before: int


@dataclass(frozen=True, slots=True)
class Line:
    """Whether the line to the carrier is out, and when it is tried again."""

    is_down: bool
    next_try: datetime | None = None


SECTIONS = ("line_down", "no_audio", "short", "exhausted", "refusals")
_CELL = {"provider", "track", "period", "successful", "target", "expected"}
_STAFF_NAMES = {
    **dict.fromkeys(("no_audio", "short", "exhausted"), _CELL),
    "line_down": {"next_try"},
    "refusals": {"recent", "before", "recent_days", "before_days"},
}
_PROVIDER_NAMES = {
    "subject": {"day"},
    "opening": {"provider", "day"},
    "row": {"track", "period", "successful", "target", "expected"},
    "row_done": {"track", "period", "successful", "target"},
    "row_hidden": {"track", "period"},
    "closing": {"url", "account"},
}


# -- reading ----------------------------------------------------------------------------------------------------


def load_rules(folder: Path) -> Rules:
    """The rules in `folder` (config/mail). ConfigurationError when one is missing or cannot be meant."""
    table = read_toml(folder / "rules.toml")
    try:
        staff, provider, refusals, post = (table[name] for name in ("staff", "provider", "refusals", "post"))
        rules = Rules(
            staff_at=staff["at"],
            staff_weekdays=frozenset(staff["weekdays"]),
            staff_roles=frozenset(staff["roles"]),
            staff_ended=timedelta(days=staff["ended_days"]),
            provider_at=provider["at"],
            provider_weekday=provider["weekday"],
            provider_ended=timedelta(days=provider["ended_days"]),
            recent=timedelta(days=refusals["recent_days"]),
            before=timedelta(days=refusals["before_days"]),
            least_spoken=refusals["least_spoken"],
            rise_points=refusals["rise_points"],
            retry=timedelta(minutes=post["retry_minutes"]),
            retry_most=timedelta(minutes=post["retry_minutes_most"]),
            give_up=timedelta(hours=post["give_up_hours"]),
            keep=timedelta(days=post["keep_days"]),
        )
    except (KeyError, TypeError) as error:
        raise ConfigurationError(f"mail/rules.toml: {error} is missing or not what it should be.") from error
    days = rules.staff_weekdays | {rules.provider_weekday}
    if not days <= set(range(1, 8)) or not all(isinstance(at, time) for at in (rules.staff_at, rules.provider_at)):
        raise ConfigurationError("mail/rules.toml: weekdays are 1 (Monday) to 7, times look like 07:30:00.")
    if not rules.staff_roles <= {"viewer", "fieldwork", "admin"}:
        raise ConfigurationError("mail/rules.toml: roles are viewer, fieldwork, admin.")
    return rules


def load_words(folder: Path) -> Words:
    """The texts in `folder`. ConfigurationError for one that is missing or asks for what is not known."""
    words = Words(read_toml(folder / "staff.toml"), read_toml(folder / "provider.toml"))
    try:
        for name in ("subject_one", "subject_many"):
            _filled(words.staff[name], {"count"})
        _filled(words.staff["opening"], {"day"})
        _filled(words.staff["closing"], {"url"})
        for section in SECTIONS:
            _filled(words.staff[section]["head"], set())
            _filled(words.staff[section]["row"], _STAFF_NAMES[section])
        for name, known in _PROVIDER_NAMES.items():
            _filled(words.provider[name], known)
        for name in ("open", "short", "no_audio", "filled", "exhausted", "paused", "closed"):
            _filled(words.provider["remarks"][name], set())
        for track in ("inburgering", "purchased"):
            _filled(words.provider["tracks"][track], set())
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise ConfigurationError(f"config/mail: {error} is missing, or is no name that can be filled in.") from error
    return words


def _filled(text: str, known: set[str]) -> None:
    text.format(**dict.fromkeys(known, ""))


# -- when -------------------------------------------------------------------------------------------------------


def staff_span(rules: Rules, now: datetime) -> str | None:
    """The day whose mail to staff may be made now (2026-11-23); None before the hour, or on a day without."""
    local = now.astimezone(ZONE)
    is_due = local.isoweekday() in rules.staff_weekdays and local.time() >= rules.staff_at
    return local.date().isoformat() if is_due else None


def provider_span(rules: Rules, now: datetime) -> str | None:
    """The week whose mail to providers may be made now (2026-W48); None before its day and hour."""
    local = now.astimezone(ZONE)
    year, week, weekday = local.isocalendar()
    is_due = (weekday, local.time()) >= (rules.provider_weekday, rules.provider_at)
    return f"{year}-W{week:02}" if is_due else None


def next_wait(rules: Rules, tries: int) -> timedelta:
    """How long to wait after so many tries that failed: doubling, up to a bound."""
    return min(rules.retry * 2 ** min(tries - 1, 16), rules.retry_most)


# -- staff ------------------------------------------------------------------------------------------------------


def refusals_jump(rules: Rules, recent: Mapping[str, int], before: Mapping[str, int]) -> Jump | None:
    """Whether far more of those who spoke refuse than before; counts are calls by outcome."""
    shares = []
    for calls in (recent, before):
        spoken = sum(count for outcome, count in calls.items() if outcome in SPOKEN)
        if spoken < rules.least_spoken:
            return None
        shares.append(100 * sum(count for outcome, count in calls.items() if outcome in REFUSALS) / spoken)
    return Jump(round(shares[0]), round(shares[1])) if shares[0] - shares[1] >= rules.rise_points else None


def staff_letter(
    rules: Rules,
    words: Words,
    now: datetime,
    url: str,
    cells: Sequence[CellView],
    last_calls: Mapping[int, datetime],
    line: Line,
    jump: Jump | None,
) -> Letter | None:
    """The mail of today; None when nothing needs anybody. A list never called from is told until somebody acts."""
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in SECTIONS}
    if line.is_down:
        rows["line_down"].append({"next_try": dutch.moment(line.next_try)})
    for seen in cells:
        codes = {reason.code for reason in seen.reasons}
        if "unvoiced" in codes:
            rows["no_audio"].append(_cell(seen))
        elif "short" in codes:
            rows["short"].append(_cell(seen))
        elif "exhausted" in codes and _is_lately(last_calls.get(seen.row.id, now), now - rules.staff_ended):
            rows["exhausted"].append(_cell(seen))
    if jump is not None:
        days = {"recent_days": rules.recent.days, "before_days": rules.before.days}
        rows["refusals"].append({"recent": jump.recent, "before": jump.before, **days})
    count = sum(len(found) for found in rows.values())
    if count == 0:
        return None
    subject = words.staff["subject_one" if count == 1 else "subject_many"].format(count=count)
    parts = [words.staff["opening"].format(day=dutch.day(now))]
    for name in SECTIONS:
        if rows[name]:
            told = [words.staff[name]["row"].format(**row) for row in rows[name]]
            parts.append("\n".join([words.staff[name]["head"], *told]))
    return _letter(subject, [*parts, words.staff["closing"].format(url=f"{url}/staff?aandacht=1")])


def _cell(seen: CellView) -> dict[str, object]:
    row = seen.row
    track = {"inburgering": "inburgering", "purchased": "ingekocht"}[row.track]
    return {
        "provider": row.provider,
        "track": track,
        "period": dutch.period(row.period_from, row.period_to),
        "successful": row.successful,
        "target": row.target,
        "expected": dutch.expectation(seen.forecast),
    }


# -- providers --------------------------------------------------------------------------------------------------


def provider_letter(
    rules: Rules,
    words: Words,
    midnight: datetime,
    url: str,
    provider: str,
    stands: Sequence[Stand],
    last_successes: Mapping[int, datetime],
) -> Letter | None:
    """The mail of this week to one provider; None when nothing of it runs and nothing ended lately."""
    told = [
        stand
        for stand in stands
        if not stand.is_done or _is_lately(last_successes.get(stand.head.cell_id), midnight - rules.provider_ended)
    ]
    if not told:
        return None
    day = dutch.day(midnight)
    rows = [_stand(words, stand) for stand in told]
    opening = words.provider["opening"].format(provider=provider, day=day)
    closing = words.provider["closing"].format(url=f"{url}/aanbieder", account=f"{url}/account")
    return _letter(words.provider["subject"].format(day=day), [opening, *rows, closing])


def _stand(words: Words, stand: Stand) -> str:
    texts, figures, outcome = words.provider, stand.figures, stand.forecast
    known: dict[str, object] = {"track": texts["tracks"][stand.head.track], "period": dutch.period(*stand.head.period)}
    if stand.is_hidden:
        return texts["row_hidden"].format(**known)
    known |= {"successful": figures.successful, "target": figures.target, "expected": dutch.expectation(outcome)}
    row = texts["row_done" if outcome is None else "row"].format(**known)
    remark = figures.state
    if figures.state == "open" and not figures.is_voiced:
        remark = "no_audio"
    elif figures.state == "open" and outcome is not None and outcome.high < figures.target:
        remark = "short"
    return f"{row}\n{texts['remarks'][remark]}"


# -- both -------------------------------------------------------------------------------------------------------


def _is_lately(moment: datetime | None, since: datetime) -> bool:
    return moment is not None and moment >= since


def _letter(subject: str, parts: Sequence[str]) -> Letter:
    # A provider's name may hold anything; a subject is one line whatever it holds.
    return Letter(" ".join(subject.split()), "\n\n".join(part.strip() for part in parts) + "\n")
