"""Which hours are open for calls: windows, holidays, quiet evenings, Eid, and sunset in Ramadan.

Decides open and closed from the rules of config/fieldwork.toml and two libraries (`holidays` knows the Dutch
public holidays and the Islamic calendar, `astral` the sun over Amsterdam). Nobody's religion is guessed: quiet
times hold for everyone. When somebody is called again is decided in `survey/callplan.py`.

The Islamic dates of years to come are calculated, not seen; `quiet.eid_days` leaves room for a day's difference.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from astral import Observer
from astral.sun import sunset
from holidays import country_holidays
from holidays.calendars.islamic import EID_AL_ADHA, EID_AL_FITR, RAMADAN_BEGINNING, _IslamicLunar

from ivr.errors import InvariantError
from ivr.survey.callplan import ZONE, Part, local_date, part_of_day
from ivr.survey.fieldwork_rules import FieldworkRules

AMSTERDAM = Observer(latitude=52.3728, longitude=4.8936)
_HORIZON_DAYS = 400


class Calendar:
    """Open and closed hours under these rules. Moments are aware; what it returns is UTC."""

    def __init__(self, rules: FieldworkRules) -> None:
        self._rules = rules
        self._islamic = _IslamicLunar()
        self.spans = lru_cache(maxsize=800)(self._spans)
        self.is_holiday = lru_cache(maxsize=800)(self._is_holiday)
        self._moons = lru_cache(maxsize=64)(self._moons_of)
        self._public = lru_cache(maxsize=64)(self._public_of)

    def is_open(self, moment: datetime) -> bool:
        """Whether calls may be placed at this moment."""
        return any(start <= moment < end for start, end in self.spans(local_date(moment)))

    def next_open(self, moment: datetime) -> datetime:
        """`moment` itself when it is open, else the start of the next open window."""
        day = local_date(moment)
        for _ in range(_HORIZON_DAYS):
            for start, end in self.spans(day):
                if moment < end:
                    return max(start, moment.astimezone(UTC))
            day += timedelta(days=1)
        raise InvariantError(
            f"No open window within {_HORIZON_DAYS} days of {moment:%Y-%m-%d}: look at windows and blocked_dates "
            "in fieldwork.toml."
        )

    def window_end(self, moment: datetime) -> datetime:
        """When the window that is open at `moment` (or the next one) closes."""
        moment = self.next_open(moment)
        return next(end for start, end in self.spans(local_date(moment)) if start <= moment < end)

    def day_part(self, moment: datetime) -> Part:
        """The part of the day for the rotation of attempts; a Saturday is one part."""
        local = moment.astimezone(ZONE)
        if local.weekday() == 5:
            return "zaterdag"
        if local.time() < self._rules.middag_begins:
            return "ochtend"
        return "middag" if local.time() < self._rules.avond_begins else "avond"

    def offered_days(self, now: datetime, *, rang_today: int = 1) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """For `Occasion.days`: the days that can be offered for an appointment, each with its parts that can be kept.

        Keeps to the spacing between calls; today only while the person's calls of today (`rang_today`, this one
        included) leave room. At least half an hour of a part must be left.
        """
        today = local_date(now)
        rested = now + timedelta(minutes=self._rules.spacing_minutes)
        saturday = today + timedelta(days=(5 - today.weekday()) % 7 or 7)
        monday = today + timedelta(days=7 - today.weekday())
        week = [monday + timedelta(days=n) for n in range(6)]
        candidates: list[tuple[str, list[date], tuple[str, ...]]] = [
            ("morgen", [today + timedelta(days=1)], ("ochtend", "middag", "avond")),
            # On Friday that is "morgen"; on Saturday nobody could tell whether today or next week is meant.
            ("zaterdag", [saturday] if today.weekday() not in (4, 5) else [], ("ochtend", "middag", "avond")),
            ("volgende_week", week, ("ochtend", "middag", "avond")),
        ]
        if rang_today < self._rules.max_per_day:
            candidates.insert(0, ("vanavond", [today], ("avond",)))
        offered: list[tuple[str, tuple[str, ...]]] = []
        for name, days, parts in candidates:
            kept = tuple(part for part in parts if any(self._has_room(day, part, rested) for day in days))
            if kept:
                offered.append((name, kept))
        return tuple(offered)

    def _has_room(self, day: date, part: str, not_before: datetime) -> bool:
        begins, ends = part_of_day(part, day, self._rules)
        begins = max(begins, not_before)
        return any(min(end, ends) - max(start, begins) >= timedelta(minutes=30) for start, end in self.spans(day))

    def _spans(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """The open spans of a local day as UTC moments, in order. Cached as `spans`."""
        if self.is_holiday(day):
            return ()
        spans = [(_utc(day, start), _utc(day, end)) for start, end in self._rules.windows[day.weekday()]]
        for evening in self._rules.quiet_evenings:
            if (day.month, day.day) == (evening.month, evening.day):
                spans = _without(spans, _utc(day, evening.after), _utc(day + timedelta(days=1), time.min))
        if self._rules.sunset_minutes and self._is_ramadan(day):
            sets, around = sunset(AMSTERDAM, day, tzinfo=UTC), timedelta(minutes=self._rules.sunset_minutes)
            spans = _without(spans, sets - around, sets + around)
        return tuple(sorted(spans))

    def _is_holiday(self, day: date) -> bool:
        """A day without any calls: holiday, blocked date, Eid. Cached as `is_holiday`."""
        if day in self._rules.blocked_dates:
            return True
        if self._rules.public_holidays:
            if day in self._public(day.year):
                return True
            if (day.month, day.day) == (5, 5) and (self._rules.bevrijdingsdag == "every_year" or day.year % 5 == 0):
                return True
        if not self._rules.eid:
            return False
        feasts = [d for year in (day.year - 1, day.year) for moon in (1, 2) for d in self._moons(year)[moon]]
        return any(feast <= day <= feast + timedelta(days=self._rules.eid_days) for feast in feasts)

    def _is_ramadan(self, day: date) -> bool:
        begins = [d for year in (day.year - 1, day.year) for d in self._moons(year)[0]]
        feasts = [d for year in (day.year, day.year + 1) for d in self._moons(year)[1]]
        # Between the first day and the feast that ends it; a day early, because the moon is seen, not calculated.
        return any(
            start - timedelta(days=1) <= day < end
            for start in begins
            for end in feasts
            if timedelta(days=27) < end - start < timedelta(days=33)
        )

    def _moons_of(self, year: int) -> tuple[list[date], list[date], list[date]]:
        def days(name: str) -> list[date]:
            known = self._islamic._get_holiday(name, year)  # pyright: ignore[reportPrivateUsage]
            return [entry[0] for entry in known]

        return days(RAMADAN_BEGINNING), days(EID_AL_FITR), days(EID_AL_ADHA)

    def _public_of(self, year: int) -> frozenset[date]:
        return frozenset(country_holidays("NL", years=year).keys())


def _utc(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=ZONE).astimezone(UTC)


def _without(spans: list[tuple[datetime, datetime]], start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    pieces = [piece for a, b in spans for piece in ((a, min(b, start)), (max(a, end), b))]
    return [(a, b) for a, b in pieces if a < b]
