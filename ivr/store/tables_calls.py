"""The tables of what happened: calls, what was said in them, and what was answered, on the phone or elsewhere."""

from __future__ import annotations

import sqlalchemy as sa

from ivr.store.columns import CLUSTERED, Json, Moment, ref, table

_OPEN_OUTBOUND = sa.text("direction = 'outbound' AND state IN ('reserved', 'dialing', 'placed')")
"""The last line of defence: whatever a planner believes, one person and one telephone have one open call at most."""

_TECHNICAL = sa.text("outcome = 'technical'")
"""Of all calls a few in a hundred: the board's last troubles are found without a look at the others."""

attempts = table(
    "attempts",
    sa.Column("id", sa.String(32), primary_key=True, comment="random hex, stands in every URL of the call"),
    sa.Column("case_id", sa.Integer, ref("cases.id"), nullable=False),
    sa.Column("cell_id", sa.Integer, ref("cells.id"), index=True),
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

interviews = table(
    "interviews",
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("case_id", sa.Integer, ref("cases.id"), nullable=False, index=True),
    sa.Column("cell_id", sa.Integer, ref("cells.id"), index=True),
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

responses = table(
    "responses",
    sa.Column("interview_id", sa.String(32), ref("interviews.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("question", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
    sa.Column("mode", sa.String, nullable=False),
    sa.Column("answered_at", Moment, nullable=False),
    **CLUSTERED,
)

turns = table(
    "turns",
    sa.Column("attempt_id", sa.String(32), ref("attempts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("turn", sa.Integer, primary_key=True),
    sa.Column("signal", sa.String, nullable=False, comment="begin | key | silence; never the digits"),
    sa.Column("reply", Json, nullable=False, comment="the Turn that was answered, so that a repeat hears the same"),
    sa.Column("at", Moment, nullable=False),
    **CLUSTERED,
)

events = table(
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
