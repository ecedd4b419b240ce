"""Puts the house together from its settings: which database, clock, carrier and voice.

A second carrier is one file in `telephony/` and one line here. Doors call `open_house()` once per process and
hand its parts to the stages; nothing else reads the settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ivr.catalogue import Catalogue, load_catalogue
from ivr.clock import Clock, open_clock
from ivr.settings import Settings, load_settings
from ivr.store import Database
from ivr.store.sealing import Sealer, load_key

if TYPE_CHECKING:
    from ivr.almanac import Calendar
    from ivr.speech.synthesis import Engine
    from ivr.telephony.carrier import Carrier


@dataclass(frozen=True)
class House:
    """The parts of a running process. Costly ones are made at first use."""

    settings: Settings

    @cached_property
    def database(self) -> Database:
        return Database(self.settings.database)

    @cached_property
    def clock(self) -> Clock:
        return open_clock(self.settings.clock)

    @cached_property
    def catalogue(self) -> Catalogue:
        return load_catalogue(self.settings.config_dir)

    @cached_property
    def sealer(self) -> Sealer:
        return Sealer(load_key(self.settings))

    @cached_property
    def calendar(self) -> Calendar:
        from ivr.almanac import Calendar

        return Calendar(self.catalogue.fieldwork)

    @cached_property
    def carrier(self) -> Carrier:
        # Imported late: Twilio's REST client costs 0.2-0.4 s and the web process never needs it.
        from ivr.telephony.twilio_carrier import TwilioCarrier

        return TwilioCarrier(self.settings)

    @cached_property
    def speech(self) -> Engine:
        from ivr.speech.synthesis import open_engine

        return open_engine(self.settings)


def open_house(settings: Settings | None = None) -> House:
    """The house for these settings, or for those of the environment."""
    return House(settings or load_settings())
