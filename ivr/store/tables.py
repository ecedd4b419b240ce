"""The tables of a survey, by one name each, whichever file they stand in (`tables_*.py`, in the order of the walk).

Times are aware UTC; contact data stands apart from answers, joined by random ids.

Who may be where (the walk of a case):
    providers ─ samples (provider × period) ─ cases ─ attempts ─ turns, events
                   └ orders ─ cells              ├ contacts, case_phones (erasable)
                                                 └ interviews ─ responses
"""

from __future__ import annotations

from ivr.store.columns import Json, Moment, metadata
from ivr.store.tables_books import audit, leases, ledger, lines
from ivr.store.tables_calls import attempts, events, interviews, responses, turns
from ivr.store.tables_people import case_phones, cases, cells, contacts, opt_outs, orders, providers, samples
from ivr.store.tables_voice import order_prompts, prompts, questionnaires, renditions, sounds

__all__ = [
    "Json",
    "Moment",
    "attempts",
    "audit",
    "case_phones",
    "cases",
    "cells",
    "contacts",
    "events",
    "interviews",
    "leases",
    "ledger",
    "lines",
    "metadata",
    "opt_outs",
    "order_prompts",
    "orders",
    "prompts",
    "providers",
    "questionnaires",
    "renditions",
    "responses",
    "samples",
    "sounds",
    "turns",
]
