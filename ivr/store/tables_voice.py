"""The tables of what is asked and heard: questionnaires as they were frozen, sentences spoken, prompts of an order."""

from __future__ import annotations

import sqlalchemy as sa

from ivr.store.columns import Json, Moment, ref, table

questionnaires = table(
    "questionnaires",
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("sha256", sa.String, nullable=False),
    sa.Column("body", Json, nullable=False),
    sa.Column("frozen_at", Moment, nullable=False),
)

sounds = table(
    "sounds",
    sa.Column("key", sa.String, primary_key=True, comment="hash of engine, version, voice, speed, sentence"),
    sa.Column("engine", sa.String, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column(
        "original", sa.LargeBinary, nullable=False, comment="what the engine gave, so that the chain can run again"
    ),
    sa.Column("made_at", Moment, nullable=False),
)

prompts = table(
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

renditions = table(
    "renditions",
    sa.Column("key", sa.String, primary_key=True, comment="hash of pipeline, engine, voice, speed, text, pauses"),
    sa.Column("sha256", sa.String, ref("prompts.sha256"), nullable=False),
)

order_prompts = table(
    "order_prompts",
    sa.Column("order_id", sa.Integer, ref("orders.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("questionnaire", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("prompt", sa.String, primary_key=True, comment="prompt id of the engine"),
    sa.Column("is_slow", sa.Boolean, primary_key=True),
    sa.Column("sha256", sa.String, ref("prompts.sha256"), nullable=False),
)
