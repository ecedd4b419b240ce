"""Carries out what happens in a season besides our calls, through the stages of the house, and writes down when.

Decides nothing of when or who (`ivr/rehearsal/season_happenings.py`); only that somebody in a call does it later.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ivr.errors import InvariantError, RefusedError
from ivr.fieldwork import answers, erasing, monitoring
from ivr.fieldwork.erasing import Asked
from ivr.rehearsal.calls import Call, Target
from ivr.rehearsal.carrier_api import ACCOUNT
from ivr.rehearsal.exchange import Exchange
from ivr.rehearsal.season import District
from ivr.rehearsal.season_clock import SeasonClock
from ivr.rehearsal.season_happenings import Deed, Happening, Steering
from ivr.rehearsal.season_people import SeasonPeople
from ivr.store import cells
from ivr.survey.questionnaire import Questionnaire
from scripts.rehearse_house import RehearsalHouse

WHO = "rehearsal"
LATER_SECONDS = 1800.0
COLUMNS = ("provider", "period_from", "period_to", "group", "respondent", "service", "questionnaire", "mode",
           "question", "value", "answered_at")  # fmt: skip


class Happenings:
    """What staff and people do in one district. folder: for the files that come in."""

    def __init__(
        self, house: RehearsalHouse, district: District, exchange: Exchange, people: SeasonPeople, folder: Path
    ) -> None:
        self._house = house
        self._clock: SeasonClock = house.season_clock
        self._district = district
        self._exchange = exchange
        self._people = people
        self._folder = folder
        self._wake: Callable[[], None] = lambda: None

    def begin(self, wake: Callable[[], None]) -> None:
        """Let all of it come, each at its moment; `wake` is called after each."""
        self._wake = wake
        for happening in self._district.happenings:
            self._clock.spawn(self._at_its_moment(happening), "happening")

    async def _at_its_moment(self, happening: Happening) -> None:
        await self._clock.sleep(happening.after_days * 86400)
        while not self._do(happening):
            await self._clock.sleep(LATER_SECONDS)
        self._wake()

    def _do(self, happening: Happening) -> bool:
        """Do it now. False: it must wait."""
        if isinstance(happening, Steering):
            self._steer(happening)
            return True
        match happening.what:
            case "answers":
                self._answer(happening)
            case "withdraws":
                return self._withdraw(happening)
            case _:
                return self._ring_in(happening)
        return True

    # -- staff ------------------------------------------------------------------------------------------------

    def _steer(self, steering: Steering) -> None:
        database, now, name = self._house.database, self._house.clock.now(), (steering.provider, steering.track)
        with database.read() as session:
            ids = {(row["provider"], row["track"]): row["id"] for row in cells.overview(session)}
        if name not in ids:
            return  # nobody of this provider was taken in for it
        doings = self._district.doings
        try:
            match steering.what:
                case "target":
                    monitoring.set_target(database, ids[name], steering.target, now, who=WHO)
                    doings.targets.setdefault(name, []).append((now.timestamp(), steering.target))
                case "pause":
                    monitoring.pause(database, ids[name], now, who=WHO)
                    doings.stops.setdefault(name, []).append([now.timestamp(), float("inf")])
                case "resume":
                    monitoring.resume(database, ids[name], now, who=WHO)
                    for stop in doings.stops.get(name, [])[-1:]:
                        stop[1] = now.timestamp()
        except RefusedError as error:
            if error.code != "cell_closed":
                raise

    # -- people -----------------------------------------------------------------------------------------------

    def _answer(self, deed: Deed) -> None:
        """One answer on the web is enough to stop the calls."""
        house, now = self._house, self._house.clock.now()
        form = house.catalogue.questionnaires["inburgering" if deed.client.service == 11 else "laagdrempelig"]
        path = self._folder / "answers.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerows((COLUMNS, self._row(deed, form, now)))
        report = answers.import_responses(
            house.database, path, house.catalogue.questionnaires, house.catalogue.services, now
        )
        path.unlink()
        if report.rejected:
            raise InvariantError(f"A web answer was rejected: {report.rejected[0].code}.")
        self._district.doings.answered[deed.number] = now.timestamp()

    def _row(self, deed: Deed, form: Questionnaire, now: datetime) -> tuple[str, ...]:
        first, last = self._district.period
        question = next(each for each in form.questions if each.options)
        return (
            deed.client.provider, first.isoformat(), last.isoformat(), "client", deed.client.respondent, "", form.id,
            "web", question.id, question.options[0].code, now.isoformat(),
        )  # fmt: skip

    def _withdraw(self, deed: Deed) -> bool:
        house, now = self._house, self._house.clock.now()
        asked = Asked(provider=deed.client.provider, client=deed.client.respondent, period=self._district.period)
        try:
            erasing.erase(house.database, house.catalogue, house.sealer, asked, now, who=WHO)
        except RefusedError as error:
            if error.code == "in_call":
                return False
            raise
        self._district.doings.withdrawn[deed.number] = now.timestamp()
        return True

    def _ring_in(self, deed: Deed) -> bool:
        """The person rings the house's number; not while ours rings at theirs."""
        if self._exchange.is_engaged(deed.number):
            return False
        doings, number = self._district.doings, deed.number
        if number in doings.answered or number in doings.withdrawn or not self._people.person(number).is_in_service:
            return True
        now, settings = self._clock.now(), self._house.settings
        door = f"{settings.public_base_url.rstrip('/')}/voice/inbound"
        call = Call(
            sid=self._exchange.book.new_sid(),
            account_sid=ACCOUNT,
            to=settings.twilio_from,
            from_=number,
            target=Target(url=door, fallback_url=f"{door}/fallback"),
            created_at=now,
            updated_at=now,
            status_callback=f"{door}/status",
        )
        self._exchange.ring_in(call, self._people.rings_in(number, call.sid, now))
        doings.phone_ins += 1
        return True
