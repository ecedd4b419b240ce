"""What must be true after the demo, judged by what the carrier and the people recorded, not by our own database.

The carrier's log says who was called, when, and how long; the people's record says what they pressed; the
delivered lists say who was announced. Only the last comparison looks at our files, because they are what is judged.
"""

from __future__ import annotations

import contextlib
import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from itertools import combinations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from ivr.fieldwork.delivered import read_table
from ivr.survey.phone import read_phone

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
OPENS, CLOSES = time(9), time(20, 30)
SATURDAY_OPENS, SATURDAY_CLOSES = time(10), time(16)
FIRST_TARGET = 25


@dataclass(frozen=True)
class Finding:
    """A claim, whether it holds, and what one would want to know of it."""

    claim: str
    holds: bool
    detail: str = ""


@dataclass(frozen=True)
class Call:
    """One call as the carrier's log shows it: from the first callback to the last."""

    sid: str
    number: str
    began: datetime
    ended: datetime


@dataclass(frozen=True)
class Listed:
    """A client as the delivered list has them: the date of the letter, and whether they said yes."""

    letter: date | None
    has_consented: bool


def read_lists(files: Iterable[Path]) -> dict[str, list[Listed]]:
    """E.164 number → who has it, from the lists as they were delivered."""
    listed: defaultdict[str, list[Listed]] = defaultdict(list)
    columns = ("clientnummer", "telefoon", "telefoon2", "toestemming", "aangekondigd_op")
    for file in files:
        for row in read_table(file, columns, ("clientnummer",)).rows:
            letter = _date(row.cells.get("aangekondigd_op"))
            client = Listed(letter, str(row.cells.get("toestemming") or "").strip().lower() == "ja")
            for column in ("telefoon", "telefoon2"):
                number = (
                    read_phone(cell) if isinstance(cell := row.cells.get(column) or "", str | float | int) else None
                )
                if isinstance(number, str):
                    listed[number].append(client)
    return dict(listed)


def _date(cell: object) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    for form in ("%Y-%m-%d", "%d-%m-%Y"):
        with contextlib.suppress(ValueError):
            return datetime.strptime(str(cell).strip(), form).date()  # noqa: DTZ007  (a day has no zone)
    return None


def check_demo(
    out: Path, status: dict[str, Any], listed: dict[str, list[Listed]], *, was_disturbed: bool = False
) -> list[Finding]:
    """All findings. `listed`: who has which number, from the delivered lists.

    `was_disturbed`: a process died and was started again meanwhile, so that a confirmation may have been lost.
    """
    calls = read_calls(out / "carrier.jsonl")
    people = [json.loads(line) for line in (out / "population.jsonl").read_text(encoding="utf-8").splitlines()]
    responses = read_csv(out / "responses.csv")
    interviews = read_csv(out / "interviews.csv")
    cells = status["cells"]
    first = cells[0]
    return [
        Finding(
            f"the first cell has exactly {FIRST_TARGET}",
            first["successful"] == FIRST_TARGET == first["target"],
            f"{first['provider']}: {first['successful']} of {first['target']}",
        ),
        _none("no cell above its target", (c["provider"] for c in cells if c["successful"] > c["target"])),
        _none(
            "no cell above its clients",
            (c["provider"] for c in cells if c["successful"] > sum(c["cases"].values())),
        ),
        _same_successes(cells, interviews),
        _none("nobody called while in a call", _overlaps(calls)),
        _none("nobody called after a successful interview", _after_success(calls, people, interviews, listed)),
        _none("nobody called unannounced", _unannounced(calls, listed)),
        _none("nobody called outside the window", (f"{c.began:%a %d-%m %H:%M}" for c in calls if not is_open(c.began))),
        *_same_answers(people, responses, was_disturbed),
        _none("no telephone number in any CSV", _numbers_in(out, {call.number for call in calls} | set(listed))),
    ]


def read_calls(log: Path) -> list[Call]:
    """The calls of a carrier log, in the order in which they began."""
    moments: defaultdict[str, list[datetime]] = defaultdict(list)
    numbers: dict[str, str] = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        sid, stamp = entry["call_sid"], entry["params"].get("Timestamp")
        numbers[sid] = entry["params"]["To"]
        moments[sid].append(parsedate_to_datetime(stamp) if stamp else datetime.fromisoformat(entry["sent_at"]))
    calls = [Call(sid, numbers[sid], min(times), max(times)) for sid, times in moments.items()]
    return sorted(calls, key=lambda call: call.began)


def read_csv(file: Path) -> list[dict[str, str]]:
    """A machine file's rows."""
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def is_open(moment: datetime) -> bool:
    """Whether the plain calling hours allow it: no Sundays, no Dutch public holidays (own arithmetic on purpose)."""
    local = moment.astimezone(AMSTERDAM)
    if local.weekday() == 6 or local.date() in holidays.country_holidays("NL", years=local.year):
        return False
    opens, closes = (SATURDAY_OPENS, SATURDAY_CLOSES) if local.weekday() == 5 else (OPENS, CLOSES)
    return opens <= local.time() < closes


def _none(claim: str, wrong: Iterable[str]) -> Finding:
    found = list(wrong)
    return Finding(claim, not found, f"{len(found)} times: {', '.join(found[:5])}" if found else "")


def _same_successes(cells: Sequence[dict[str, Any]], interviews: Sequence[dict[str, str]]) -> Finding:
    shown = Counter(cell["provider"] for cell in cells for _ in range(cell["successful"]))
    written = Counter(row["provider"] for row in interviews if row["successful"] == "1")
    return Finding("interviews.csv has the same successes as the cells", shown == written, _difference(shown, written))


def _overlaps(calls: Sequence[Call]) -> Iterable[str]:
    busy_until: dict[str, datetime] = {}
    for call in calls:
        if call.number in busy_until and call.began < busy_until[call.number]:
            yield call.sid
        busy_until[call.number] = max(call.ended, busy_until.get(call.number, call.ended))


def _after_success(
    calls: Sequence[Call],
    people: Sequence[dict[str, Any]],
    interviews: Sequence[dict[str, str]],
    listed: dict[str, list[Listed]],
) -> Iterable[str]:
    """Calls to a number of one person after that person's answers, by their own record, made a usable interview."""
    question_ids = [name for name in (interviews[0] if interviews else {}) if name.isupper()]
    usable = Counter(
        _answers((q, row[q]) for q in question_ids if row[q]) for row in interviews if row["usable"] == "1"
    )
    given: defaultdict[str, dict[str, str]] = defaultdict(dict)
    done_at: dict[str, datetime] = {}
    for record in sorted(people, key=lambda record: record["started"]):
        number = record["number"]
        given[number].update(record["answers"])
        if usable[_answers(given[number].items())] and number not in done_at and record.get("ended_at"):
            done_at[number] = datetime.fromisoformat(record["ended_at"])
    for call in calls:
        # On a family's telephone the others may still be asked for.
        is_alone = len(listed.get(call.number, ())) < 2
        if is_alone and call.number in done_at and call.began > done_at[call.number]:
            yield call.sid


def _unannounced(calls: Sequence[Call], listed: dict[str, list[Listed]]) -> Iterable[str]:
    for call in calls:
        day = call.began.astimezone(AMSTERDAM).date()
        if not any(
            client.has_consented
            or (client.letter is not None and timedelta(days=2) <= day - client.letter <= timedelta(days=30))
            for client in listed.get(call.number, ())
        ):
            yield call.sid


def _same_answers(
    people: Sequence[dict[str, Any]], responses: Sequence[dict[str, str]], was_disturbed: bool
) -> list[Finding]:
    """The population's record of answers equals responses.csv, no more and no less, person by person.

    A key whose confirmation got lost with a killed web server was pressed all the same: the person cannot know
    whether it was kept, so either is right, but no other value and no other question.
    """
    pressed: defaultdict[str, dict[str, str]] = defaultdict(dict)
    open_keys: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for record in sorted(people, key=lambda record: record["started"]):
        pressed[record["number"]].update(record["answers"])
        open_keys[record["number"]].update(record.get("uncertain", {}))
    stored: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in responses:
        if row["mode"] == "telephone":
            stored[row["interview_id"]][row["question"]] = row["value"]
    kept = Counter(_answers(answers.items()) for answers in stored.values())
    said = Counter(answers for number in pressed if (answers := _as_kept(pressed[number], open_keys[number], kept)))
    surprises = [surprise for record in people for surprise in record.get("surprises", [])]
    uncertain = sum(len(record.get("uncertain", {})) for record in people)
    return [
        Finding(
            "responses.csv is exactly what the people answered",
            said == kept,
            _difference(said, kept) or f"{sum(map(len, said.elements()))} answers of {said.total()} people",
        ),
        _none("nobody heard anything that does not fit", surprises),
        Finding(
            "each key was confirmed, but for those of a server that was killed",
            uncertain == 0 or was_disturbed,
            f"{uncertain} not confirmed" if uncertain else "",
        ),
    ]


def _as_kept(
    sure: dict[str, str], unsure: dict[str, str], kept: Counter[frozenset[tuple[str, str]]]
) -> frozenset[tuple[str, str]]:
    """A person's answers, with those of the unconfirmed ones that make it a questionnaire that was kept."""
    left = [(question, value) for question, value in unsure.items() if question not in sure]
    for number in range(len(left) + 1):
        for some in combinations(left, number):
            if kept[answers := _answers([*sure.items(), *some])]:
                return answers
    return _answers(sure.items())


def _answers(pairs: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset(pairs)


def _difference(left: Counter[Any], right: Counter[Any]) -> str:
    missing, extra = left - right, right - left
    if not missing and not extra:
        return ""

    def show(which: Counter[Any]) -> str:
        return "; ".join(str(sorted(item) if isinstance(item, frozenset) else item) for item in list(which)[:2])

    return f"{missing.total()} missing ({show(missing)}), {extra.total()} too many ({show(extra)})"


def _numbers_in(out: Path, numbers: set[str]) -> Iterable[str]:
    """Each CSV that holds a called number in any spelling: +316…, 06…, 316…, 6…."""
    tails = {number.removeprefix("+31") for number in numbers}
    for file in sorted(out.glob("*.csv")):
        digits = "".join(
            character if character.isdigit() else " " for character in file.read_text(encoding="utf-8-sig")
        )
        for word in set(digits.split()):
            if len(word) >= 9 and any(word.endswith(tail) for tail in tails):
                yield file.name
                break
