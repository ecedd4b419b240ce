"""The tables of the mail: which day or week was looked at, and what has to go out (an outbox).

Apart from `tables.py` because nothing of a survey hangs on them. A body holds counts and names of companies, never a
person's; `ivr/fieldwork/mailing.py` decides what becomes of a row.
"""

from __future__ import annotations

import sqlalchemy as sa

from ivr.store.tables import Moment, metadata

mail_rounds = sa.Table(
    "mail_rounds",
    metadata,
    sa.Column("kind", sa.String, primary_key=True, comment="staff | provider"),
    sa.Column("span", sa.String, primary_key=True, comment="2026-11-23 or 2026-W48: once for each"),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("mails", sa.Integer, nullable=False, comment="0: all was well"),
)

mails = sa.Table(
    "mails",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("span", sa.String, nullable=False),
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("state", sa.String, nullable=False, comment="waiting → sending → sent; unknown: perhaps; given_up"),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("not_before", Moment, nullable=False, comment="back-off: the next try"),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("error", sa.String, comment="class or SMTP code of the last failure, never its text"),
    sa.UniqueConstraint("kind", "span", "user_id"),
    sa.CheckConstraint("state IN ('waiting', 'sending', 'sent', 'unknown', 'given_up')", name="state"),
)
