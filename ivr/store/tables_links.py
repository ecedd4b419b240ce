"""The tables of the spoken questions on the web: a person's link, the visit that is going on, and its sounds.

Apart from `tables.py` because no call hangs on them. A link holds a keyed hash only; a visit holds answers, so it goes
with its case and is swept away once nobody looks at it any more.
"""

from __future__ import annotations

import sqlalchemy as sa

from ivr.store.tables import Json, Moment, metadata

links = sa.Table(
    "links",
    metadata,
    sa.Column("case_id", sa.Integer, sa.ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("token_hash", sa.String, nullable=False, unique=True, comment="keyed hash of what stands in the link"),
    sa.Column("salt", sa.String, nullable=False, comment="with the key it makes the same link again; alone nothing"),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("missed_at", Moment, comment="when a missed-call SMS was last written out for the mailing tool"),
)

visits = sa.Table(
    "visits",
    metadata,
    sa.Column("case_id", sa.Integer, sa.ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True),
    sa.Column(
        "id", sa.String(32), nullable=False, comment="random; in the visitor's cookie. A newer visit replaces it"
    ),
    sa.Column("interview_id", sa.String(32), comment="once there is an answer"),
    sa.Column("questionnaire", sa.String, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("dialogue", Json, nullable=False, comment="state of the engine"),
    sa.Column("trail", Json, nullable=False, comment="the questions put in this visit, in order"),
    sa.Column("seen_at", Moment, nullable=False, index=True, comment="wall clock of the last request"),
)

page_prompts = sa.Table(
    "page_prompts",
    metadata,
    sa.Column("sample_id", sa.Integer, sa.ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("questionnaire", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("prompt", sa.String, primary_key=True, comment="phrase id, <question>.text or <question>.<option>"),
    sa.Column("is_slow", sa.Boolean, primary_key=True),
    sa.Column("sha256", sa.String, sa.ForeignKey("prompts.sha256"), nullable=False),
)
