"""The tables behind the provider pages: what became of a delivered list, and how a cell stood on a morning.

Apart from `tables.py` because no call hangs on them. None holds a name, a number or a client number.
"""

from __future__ import annotations

import sqlalchemy as sa

from ivr.store.tables import Json, Moment, metadata

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("sample_id", sa.Integer, sa.ForeignKey("samples.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("who", sa.String, nullable=False, comment="address of the account"),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("accepted", sa.Integer, nullable=False),
    sa.Column("rejected", Json, nullable=False, comment="[row, column, message], as the provider was told"),
    sa.Column("warnings", Json, nullable=False),
)

rejections = sa.Table(
    "rejections",
    metadata,
    sa.Column("sample_id", sa.Integer, sa.ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("respondent_group", sa.String, primary_key=True, comment="client | commissioner"),
    sa.Column("file", sa.String(64), primary_key=True, comment="SHA-256 of what was delivered"),
    sa.Column("code", sa.String, primary_key=True),
    sa.Column("rows", sa.Integer, nullable=False),
)

daily_figures = sa.Table(
    "daily_figures",
    metadata,
    sa.Column("cell_id", sa.Integer, sa.ForeignKey("cells.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True, comment="shown on this day: as it stood at its midnight"),
    sa.Column("target", sa.Integer, nullable=False),
    sa.Column("successful", sa.Integer, nullable=False),
    sa.Column("people", sa.Integer, nullable=False, comment="on the list of the cell"),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("is_voiced", sa.Boolean, nullable=False),
    sa.Column("expected", sa.Integer, comment="null: nothing is expected any more"),
    sa.Column("low", sa.Integer),
    sa.Column("high", sa.Integer),
)
