"""What the commands that take files in share: a house whose database is ready, and rules read from its catalogue."""

from __future__ import annotations

from ivr.bootstrap import House, open_house
from ivr.errors import RefusedError
from ivr.fieldwork.intake import IntakeRules
from ivr.store import schema
from ivr.survey.billing import SubsidyRules


def ready_house() -> House:
    """The house, its database at the current schema.

    A database is made or upgraded on the spot; in production that is the release's work, so there it is refused.
    """
    house = open_house()
    if not schema.is_current(house.database):
        if house.settings.env == "production":
            raise RefusedError("The database is not at the current schema. Run `ivr db upgrade` first.", code="schema")
        schema.upgrade(house.database)
    return house


def intake_rules(house: House) -> IntakeRules:
    """The rules of `config/fieldwork.toml` that intake and ordering need."""
    rules = house.catalogue.fieldwork
    return IntakeRules(rules.inburgering_target, rules.replicate_size, rules.announcement_min_days)


def subsidy_rules(house: House) -> SubsidyRules:
    """How far the subsidy goes."""
    rules = house.catalogue.fieldwork
    return SubsidyRules(rules.subsidy_first, rules.subsidy_share)
