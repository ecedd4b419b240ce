"""The tables of accounts: who may open the pages, their sessions, invitations, and how often somebody tried.

Apart from `tables.py` because nothing of a survey hangs on them: no case, attempt or answer refers to a user
(the audit log keeps the address as text, so that it outlives the account).
"""

from __future__ import annotations

import sqlalchemy as sa

from ivr.store.tables import Moment, metadata

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("email", sa.String, nullable=False, unique=True, comment="casefolded"),
    sa.Column("role", sa.String, nullable=False, comment="viewer | fieldwork | admin | provider"),
    sa.Column("provider_id", sa.Integer, sa.ForeignKey("providers.id"), comment="whose pages; role provider only"),
    sa.Column("password_hash", sa.String, comment="argon2id; null: cannot sign in with a password (yet)"),
    sa.Column("totp_sealed", sa.LargeBinary, comment="sealed secret of the authenticator; null: one factor"),
    sa.Column("totp_last_step", sa.BigInteger, comment="newest half minute that was used: a code works once"),
    sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column(
        "is_demo", sa.Boolean, nullable=False, server_default=sa.false(), comment="one click, never in production"
    ),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("wants_mail", sa.Boolean, nullable=False, server_default=sa.true(), comment="provider: the weekly mail"),
    sa.CheckConstraint("role IN ('viewer', 'fieldwork', 'admin', 'provider')", name="role"),
    sa.CheckConstraint("(role = 'provider') = (provider_id IS NOT NULL)", name="provider"),
)

invitations = sa.Table(
    "invitations",
    metadata,
    sa.Column("token_hash", sa.String, primary_key=True, comment="SHA-256 of what stands in the link"),
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
)

web_sessions = sa.Table(
    "web_sessions",
    metadata,
    sa.Column("token_hash", sa.String, primary_key=True, comment="SHA-256 of what stands in the cookie"),
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False, index=True),
)

throttles = sa.Table(
    "throttles",
    metadata,
    sa.Column("key", sa.String, primary_key=True, comment="kind:keyed hash of an account or address"),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("locked_until", Moment),
    sa.Column("changed_at", Moment, nullable=False),
)
