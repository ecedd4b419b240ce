"""The tables of keeping house: who may do the rounds, the line to the carrier, the money, who changed what."""

from __future__ import annotations

import sqlalchemy as sa

from ivr.store.columns import Json, Moment, ref, table

leases = table(
    "leases",
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("holder", sa.String, nullable=False),
    sa.Column("until", Moment, nullable=False),
)

lines = table(
    "lines",
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("is_down", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("not_before", Moment, comment="back-off: no call before this moment"),
    sa.Column("next_at", Moment, comment="calls per second: when the next call may start"),
    sa.Column("dial_at", Moment, comment="calls per second: when the carrier may be asked for the next call"),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("changed_at", Moment, nullable=False),
)

ledger = table(
    "ledger",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("order_id", sa.Integer, ref("orders.id"), nullable=False, index=True),
    sa.Column("interview_id", sa.String(32), nullable=False),
    sa.Column("number", sa.Integer, nullable=False, comment="nth purchased success of provider and period"),
    sa.Column("at", Moment, nullable=False),
    sa.Column("price", sa.Numeric(10, 2), nullable=False),
    sa.Column("subsidy", sa.Numeric(10, 2), nullable=False, comment="share of Blik op Werk"),
    sa.Column("provider_share", sa.Numeric(10, 2), nullable=False),
    sa.Column("reverses", sa.Integer, comment="line taken back by a withdrawal"),
)

audit = table(
    "audit",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("what", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False, server_default=""),
    sa.Column("details", Json, nullable=False),
)
