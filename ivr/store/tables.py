"""The tables. Times are aware UTC; contact data stands apart from answers, joined by random ids.

Who may be where (the walk of a case):
    providers ─ samples (provider × period) ─ cases ─ attempts ─ turns, events
                   └ orders ─ cells              ├ contacts, case_phones (erasable)
                                                 └ interviews ─ responses
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql


def _to_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    return _aware(value).replace(tzinfo=None).isoformat(" ", "microseconds")


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a moment without a time zone never enters the store")
    return value.astimezone(UTC)


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime on both databases (SQLite keeps it as naive UTC text that sorts)."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[datetime]:
        return dialect.type_descriptor(
            postgresql.TIMESTAMP(timezone=True) if dialect.name == "postgresql" else sa.DateTime()
        )

    # Every statement of a call binds and reads some: on SQLite in one step, not through the layers of a decorator.
    def bind_processor(self, dialect: sa.Dialect) -> Any:
        return _to_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        value = _aware(value)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *parts: sa.schema.SchemaItem, **options: Any) -> sa.Table:
    return sa.Table(name, metadata, *parts, **options)


_CLUSTERED = {"sqlite_with_rowid": False}
"""On SQLite the rows lie in the tree of their key: one page to write instead of two, and a call's rows together."""


def _ref(target: str, *, ondelete: str | None = None) -> sa.ForeignKey:
    return sa.ForeignKey(target, ondelete=ondelete)


providers = _table(
    "providers",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String, nullable=False, comment="as the provider spells it"),
    sa.Column("name_key", sa.String, nullable=False, unique=True, comment="casefolded, single spaces"),
)

samples = _table(
    "samples",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("provider_id", sa.Integer, _ref("providers.id"), nullable=False),
    sa.Column("period_from", sa.Date, nullable=False),
    sa.Column("period_to", sa.Date, nullable=False, comment="both ends are in the period"),
    sa.Column("seed", sa.Integer, nullable=False, server_default="1", comment="orders the random replicates"),
    sa.Column(
        "reported_on", sa.Date, comment="when the report went (or will go) to the provider; holds retention back"
    ),
    sa.UniqueConstraint("provider_id", "period_from", "period_to"),
    sa.CheckConstraint("period_from <= period_to", name="period"),
)

orders = _table(
    "orders",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("sample_id", sa.Integer, _ref("samples.id"), nullable=False, index=True),
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

cells = _table(
    "cells",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("order_id", sa.Integer, _ref("orders.id"), nullable=False, unique=True),
    sa.Column("sample_id", sa.Integer, _ref("samples.id"), nullable=False, index=True),
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

cases = _table(
    "cases",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("sample_id", sa.Integer, _ref("samples.id"), nullable=False),
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
    sa.Column("cell_id", sa.Integer, _ref("cells.id"), index=True, comment="null: not worked by phone"),
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

contacts = _table(
    "contacts",
    sa.Column("case_id", sa.Integer, _ref("cases.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False, comment="AES-GCM over JSON: name, numbers, e-mail, address"),
)

case_phones = _table(
    "case_phones",
    sa.Column("case_id", sa.Integer, _ref("cases.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("rank", sa.Integer, primary_key=True, comment="0 telefoon, 1 telefoon2"),
    sa.Column("phone_hash", sa.String, nullable=False, index=True, comment="keyed hash of the E.164 number"),
    sa.Column(
        "is_dead", sa.Boolean, nullable=False, server_default=sa.false(), comment="not in service or wrong person"
    ),
)

opt_outs = _table(
    "opt_outs",
    sa.Column("phone_hash", sa.String, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("source", sa.String, nullable=False, comment="key | web | staff"),
)

_OPEN_OUTBOUND = sa.text("direction = 'outbound' AND state IN ('reserved', 'dialing', 'placed')")
"""The last line of defence: whatever a planner believes, one person and one telephone have one open call at most."""

_TECHNICAL = sa.text("outcome = 'technical'")
"""Of all calls a few in a hundred: the board's last troubles are found without a look at the others."""

attempts = _table(
    "attempts",
    sa.Column("id", sa.String(32), primary_key=True, comment="random hex, stands in every URL of the call"),
    sa.Column("case_id", sa.Integer, _ref("cases.id"), nullable=False),
    sa.Column("cell_id", sa.Integer, _ref("cells.id"), index=True),
    sa.Column("number_in_case", sa.Integer, nullable=False),
    sa.Column("phone_rank", sa.Integer, nullable=False, server_default="0"),
    sa.Column(
        "phone_hash",
        sa.String,
        comment="keyed hash of the number dialled, so that one telephone is never called twice at once",
    ),
    sa.Column(
        "state",
        sa.String,
        nullable=False,
        comment="reserved → dialing → placed → closed; void: certainly not called; unknown: perhaps",
    ),
    sa.Column("holds_slot", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("direction", sa.String, nullable=False, server_default="outbound"),
    sa.Column("is_test", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("planned_at", Moment, nullable=False),
    sa.Column("not_before", Moment, nullable=False),
    sa.Column("not_after", Moment, nullable=False, comment="not placed by then: void, costs no attempt"),
    sa.Column("dialing_at", Moment),
    sa.Column("placed_at", Moment),
    sa.Column("answered_at", Moment),
    sa.Column("ended_at", Moment),
    sa.Column(
        "checked_at", Moment, comment="when the carrier was last asked about it, or its job was last put on the queue"
    ),
    sa.Column("call_sid", sa.String, unique=True),
    sa.Column("call_status", sa.String, comment="last status of the carrier"),
    sa.Column("sequence_number", sa.Integer),
    sa.Column("answered_by", sa.String, comment="machine verdict"),
    sa.Column("rang", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("outcome", sa.String),
    sa.Column("duration_seconds", sa.Integer),
    sa.Column(
        "turn",
        sa.Integer,
        nullable=False,
        server_default="-1",
        comment="last turn that was answered; -1: no webhook yet",
    ),
    sa.Column("dialogue", Json, comment="state of the engine"),
    sa.Column("interview_id", sa.String(32), comment="once the person is known and questions begin"),
    sa.UniqueConstraint("case_id", "number_in_case"),
    sa.Index("ix_attempts_open", "state", "planned_at"),
    sa.Index("ix_attempts_phone", "phone_hash", "planned_at"),
    sa.Index("ix_attempts_technical", "planned_at", sqlite_where=_TECHNICAL, postgresql_where=_TECHNICAL),
    sa.Index(
        "uq_attempts_open_case", "case_id", unique=True, sqlite_where=_OPEN_OUTBOUND, postgresql_where=_OPEN_OUTBOUND
    ),
    sa.Index(
        "uq_attempts_open_phone",
        "phone_hash",
        unique=True,
        sqlite_where=_OPEN_OUTBOUND,
        postgresql_where=_OPEN_OUTBOUND,
    ),
    sa.CheckConstraint("state IN ('reserved', 'dialing', 'placed', 'closed', 'void', 'unknown')", name="state"),
)

interviews = _table(
    "interviews",
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("case_id", sa.Integer, _ref("cases.id"), nullable=False, index=True),
    sa.Column("cell_id", sa.Integer, _ref("cells.id"), index=True),
    sa.Column("questionnaire", sa.String, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("mode", sa.String, nullable=False, comment="telephone | web | email | post | telephone_human"),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("disposition", sa.String, comment="complete | partial | unusable | break_off; null while running"),
    sa.Column("usable", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("usable_at", Moment),
    sa.Column("successful", sa.Boolean, nullable=False, server_default=sa.false(), comment="counts for its cell"),
    sa.Column(
        "is_superseded",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="another mode's usable answer came first",
    ),
)

responses = _table(
    "responses",
    sa.Column("interview_id", sa.String(32), _ref("interviews.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("question", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
    sa.Column("mode", sa.String, nullable=False),
    sa.Column("answered_at", Moment, nullable=False),
    **_CLUSTERED,
)

turns = _table(
    "turns",
    sa.Column("attempt_id", sa.String(32), _ref("attempts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("turn", sa.Integer, primary_key=True),
    sa.Column("signal", sa.String, nullable=False, comment="begin | key | silence; never the digits"),
    sa.Column("reply", Json, nullable=False, comment="the Turn that was answered, so that a repeat hears the same"),
    sa.Column("at", Moment, nullable=False),
    **_CLUSTERED,
)

events = _table(
    "events",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("attempt_id", sa.String(32), index=True),
    sa.Column("case_id", sa.Integer, index=True, comment="of events of a case that has no attempt"),
    sa.Column(
        "kind",
        sa.String,
        nullable=False,
        comment="status | amd | planned | dialing | placed | refused | reconciled | …",
    ),
    sa.Column("at", Moment, nullable=False),
    sa.Column("details", Json, nullable=False, comment="redacted: no number, no answer"),
)

questionnaires = _table(
    "questionnaires",
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("sha256", sa.String, nullable=False),
    sa.Column("body", Json, nullable=False),
    sa.Column("frozen_at", Moment, nullable=False),
)

sounds = _table(
    "sounds",
    sa.Column("key", sa.String, primary_key=True, comment="hash of engine, version, voice, speed, sentence"),
    sa.Column("engine", sa.String, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column(
        "original", sa.LargeBinary, nullable=False, comment="what the engine gave, so that the chain can run again"
    ),
    sa.Column("made_at", Moment, nullable=False),
)

prompts = _table(
    "prompts",
    sa.Column("sha256", sa.String, primary_key=True, comment="of the WAV; its public name"),
    sa.Column("wav", sa.LargeBinary, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("engine", sa.String, nullable=False),
    sa.Column("is_slow", sa.Boolean, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("loudness", sa.Float, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
)

renditions = _table(
    "renditions",
    sa.Column("key", sa.String, primary_key=True, comment="hash of pipeline, engine, voice, speed, text, pauses"),
    sa.Column("sha256", sa.String, _ref("prompts.sha256"), nullable=False),
)

order_prompts = _table(
    "order_prompts",
    sa.Column("order_id", sa.Integer, _ref("orders.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("questionnaire", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("prompt", sa.String, primary_key=True, comment="prompt id of the engine"),
    sa.Column("is_slow", sa.Boolean, primary_key=True),
    sa.Column("sha256", sa.String, _ref("prompts.sha256"), nullable=False),
)

leases = _table(
    "leases",
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("holder", sa.String, nullable=False),
    sa.Column("until", Moment, nullable=False),
)

lines = _table(
    "lines",
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("is_down", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("not_before", Moment, comment="back-off: no call before this moment"),
    sa.Column("next_at", Moment, comment="calls per second: when the next call may start"),
    sa.Column("dial_at", Moment, comment="calls per second: when the carrier may be asked for the next call"),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("changed_at", Moment, nullable=False),
)

ledger = _table(
    "ledger",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("order_id", sa.Integer, _ref("orders.id"), nullable=False, index=True),
    sa.Column("interview_id", sa.String(32), nullable=False),
    sa.Column("number", sa.Integer, nullable=False, comment="nth purchased success of provider and period"),
    sa.Column("at", Moment, nullable=False),
    sa.Column("price", sa.Numeric(10, 2), nullable=False),
    sa.Column("subsidy", sa.Numeric(10, 2), nullable=False, comment="share of Blik op Werk"),
    sa.Column("provider_share", sa.Numeric(10, 2), nullable=False),
    sa.Column("reverses", sa.Integer, comment="line taken back by a withdrawal"),
)

audit = _table(
    "audit",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("what", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False, server_default=""),
    sa.Column("details", Json, nullable=False),
)
