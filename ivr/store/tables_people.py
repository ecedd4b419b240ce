"""The tables of who is called, and for whom: providers, what they delivered and ordered, the people and their numbers.

Contact data (`contacts`, `case_phones`) stands apart, so that it can be erased while the answers stay.
"""

from __future__ import annotations

import sqlalchemy as sa

from ivr.store.columns import Json, Moment, ref, table

providers = table(
    "providers",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String, nullable=False, comment="as the provider spells it"),
    sa.Column("name_key", sa.String, nullable=False, unique=True, comment="casefolded, single spaces"),
)

samples = table(
    "samples",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("provider_id", sa.Integer, ref("providers.id"), nullable=False),
    sa.Column("period_from", sa.Date, nullable=False),
    sa.Column("period_to", sa.Date, nullable=False, comment="both ends are in the period"),
    sa.Column("seed", sa.Integer, nullable=False, server_default="1", comment="orders the random replicates"),
    sa.Column(
        "reported_on", sa.Date, comment="when the report went (or will go) to the provider; holds retention back"
    ),
    sa.UniqueConstraint("provider_id", "period_from", "period_to"),
    sa.CheckConstraint("period_from <= period_to", name="period"),
)

orders = table(
    "orders",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("sample_id", sa.Integer, ref("samples.id"), nullable=False, index=True),
    sa.Column("track", sa.String, nullable=False, comment="inburgering | purchased"),
    sa.Column("interviews", sa.Integer, nullable=False),
    sa.Column("price", sa.Numeric(10, 2), comment="per successful interview; null for inburgering"),
    sa.Column("services", Json, comment="list of codes, or null for all"),
    sa.Column(
        "subsidy_first", sa.Integer, comment="terms when it was ordered: first so many are shared; null: default"
    ),
    sa.Column("subsidy_share", sa.Numeric(5, 4), comment="by this share of the price; null: default"),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("voiced_at", Moment, comment="all prompts rendered, intact, checked: may be dialled"),
    sa.CheckConstraint("track IN ('inburgering', 'purchased')", name="track"),
    sa.CheckConstraint("interviews > 0", name="interviews"),
)

cells = table(
    "cells",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("order_id", sa.Integer, ref("orders.id"), nullable=False, unique=True),
    sa.Column("sample_id", sa.Integer, ref("samples.id"), nullable=False, index=True),
    sa.Column("track", sa.String, nullable=False),
    sa.Column("target", sa.Integer, nullable=False),
    sa.Column(
        "capacity", sa.Integer, nullable=False, comment="max(target, what was done or in flight when staff lowered it)"
    ),
    sa.Column("successful", sa.Integer, nullable=False, server_default="0"),
    sa.Column("in_flight", sa.Integer, nullable=False, server_default="0", comment="slots reserved by attempts"),
    sa.Column(
        "state", sa.String, nullable=False, server_default="open", comment="open | paused | closed, set by staff"
    ),
    sa.Column("served_at", Moment, comment="last admission, for fairness between cells"),
    sa.CheckConstraint("successful + in_flight <= capacity", name="never_above_target"),
    sa.CheckConstraint("successful >= 0 AND in_flight >= 0", name="counters"),
    sa.CheckConstraint("state IN ('open', 'paused', 'closed')", name="state"),
)

_CALLABLE = sa.text("is_final = false AND is_busy = false AND next_call_at IS NOT NULL")

cases = table(
    "cases",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("sample_id", sa.Integer, ref("samples.id"), nullable=False),
    sa.Column("respondent_group", sa.String, nullable=False, comment="client | commissioner"),
    sa.Column("respondent", sa.String, nullable=False, comment="clientnummer or opdrachtgevernummer"),
    sa.Column("service", sa.Integer, comment="1-13; null for a commissioner"),
    sa.Column("learning_profile", sa.Integer, comment="leerprofiel 1-5, service 11 only"),
    sa.Column(
        "questionnaire",
        sa.String,
        nullable=False,
        comment="of the regular route: regulier | laagdrempelig | inburgering | opdrachtgever",
    ),
    sa.Column("route", sa.String, nullable=False, comment="telephone | regular"),
    sa.Column("consent", sa.String, comment="ja | nee | null"),
    sa.Column("is_self_referred", sa.Boolean, nullable=False, server_default=sa.false(), comment="zelfmelder"),
    sa.Column("ended_on", sa.Date, comment="einddatum_traject"),
    sa.Column("announced_on", sa.Date, comment="letter or SMS"),
    sa.Column("postcode4", sa.String, comment="first four digits, for the province; not contact data"),
    sa.Column("cell_id", sa.Integer, ref("cells.id"), index=True, comment="null: not worked by phone"),
    sa.Column(
        "code", sa.String, nullable=False, comment="four digits in the letter, unique among those who share a number"
    ),
    sa.Column("position", sa.Integer, nullable=False, server_default="0", comment="random order within the cell"),
    sa.Column("replicate", sa.Integer, nullable=False, server_default="0"),
    sa.Column(
        "disposition", sa.String, nullable=False, server_default="fresh", comment="outcome code of the case so far"
    ),
    sa.Column("is_final", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column(
        "exclusion", sa.String, comment="why it is outside the net sample: duplicate, undeliverable, not_sampled, …"
    ),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0", comment="that count"),
    sa.Column("dialled", sa.Integer, nullable=False, server_default="0", comment="all attempts, numbers them"),
    sa.Column("is_busy", sa.Boolean, nullable=False, server_default=sa.false(), comment="an attempt is open"),
    sa.Column("next_call_at", Moment, comment="null: not to be called (any more)"),
    sa.Column(
        "priority", sa.Integer, nullable=False, server_default="2", comment="0 appointment, 1 resume, 2 fresh or again"
    ),
    sa.Column("fingerprint", sa.String, comment="keyed hash of the row as delivered: unchanged or updated"),
    sa.Column("name_hash", sa.String, comment="keyed hash of the normalised name, for duplicates"),
    sa.Column("email_hash", sa.String, comment="keyed hash, for zelfmelders among the commissioners"),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column(
        "outcome_elsewhere", sa.String, comment="what the mailing tool learnt: undeliverable | invited | announced"
    ),
    sa.UniqueConstraint("sample_id", "respondent_group", "respondent"),
    sa.Index("ix_cases_due", "cell_id", "is_final", "is_busy", "priority", "replicate", "next_call_at"),
    sa.Index("ix_cases_next", "next_call_at", sqlite_where=_CALLABLE, postgresql_where=_CALLABLE),
)

contacts = table(
    "contacts",
    sa.Column("case_id", sa.Integer, ref("cases.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False, comment="AES-GCM over JSON: name, numbers, e-mail, address"),
)

case_phones = table(
    "case_phones",
    sa.Column("case_id", sa.Integer, ref("cases.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("rank", sa.Integer, primary_key=True, comment="0 telefoon, 1 telefoon2"),
    sa.Column("phone_hash", sa.String, nullable=False, index=True, comment="keyed hash of the E.164 number"),
    sa.Column(
        "is_dead", sa.Boolean, nullable=False, server_default=sa.false(), comment="not in service or wrong person"
    ),
)

opt_outs = table(
    "opt_outs",
    sa.Column("phone_hash", sa.String, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("source", sa.String, nullable=False, comment="key | web | staff"),
)
