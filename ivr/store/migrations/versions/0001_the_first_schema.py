"""The first schema

The deploy rule: the old code runs on the new schema while a release rolls out, and calls are in progress.
  - Add: a new column is nullable or has a server default; a new table may come at any time.
  - Take away in two releases: first the code that uses it, in a later release the column.
  - Never rename; add, copy, and take away later.
  - A long change of data goes in batches, outside the migration: a locked table is a silent telephone.

Revision: 0001
Before:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ivr.store.tables import Json, Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column("details", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attempt_id", sa.String(length=32), nullable=True),
        sa.Column("case_id", sa.Integer(), nullable=True, comment="of events of a case that has no attempt"),
        sa.Column(
            "kind",
            sa.String(),
            nullable=False,
            comment="status | amd | planned | dialing | placed | refused | reconciled | …",
        ),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("details", Json, nullable=False, comment="redacted: no number, no answer"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_events_attempt_id"), ["attempt_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_events_case_id"), ["case_id"], unique=False)

    op.create_table(
        "leases",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "lines",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("is_down", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("not_before", Moment(), nullable=True, comment="back-off: no call before this moment"),
        sa.Column("next_at", Moment(), nullable=True, comment="calls per second: when the next call may start"),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_lines")),
    )
    op.create_table(
        "opt_outs",
        sa.Column("phone_hash", sa.String(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("source", sa.String(), nullable=False, comment="key | web | staff"),
        sa.PrimaryKeyConstraint("phone_hash", name=op.f("pk_opt_outs")),
    )
    op.create_table(
        "prompts",
        sa.Column("sha256", sa.String(), nullable=False, comment="of the WAV; its public name"),
        sa.Column("wav", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("is_slow", sa.Boolean(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("loudness", sa.Float(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_prompts")),
    )
    op.create_table(
        "providers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False, comment="as the provider spells it"),
        sa.Column("name_key", sa.String(), nullable=False, comment="casefolded, single spaces"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_providers")),
        sa.UniqueConstraint("name_key", name=op.f("uq_providers_name_key")),
    )
    op.create_table(
        "questionnaires",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("frozen_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_questionnaires")),
    )
    op.create_table(
        "sounds",
        sa.Column("key", sa.String(), nullable=False, comment="hash of engine, version, voice, speed, sentence"),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "original",
            sa.LargeBinary(),
            nullable=False,
            comment="what the engine gave, so that the chain can run again",
        ),
        sa.Column("made_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sounds")),
    )
    op.create_table(
        "throttles",
        sa.Column("key", sa.String(), nullable=False, comment="kind:keyed hash of an account or address"),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("locked_until", Moment(), nullable=True),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttles")),
    )
    op.create_table(
        "renditions",
        sa.Column("key", sa.String(), nullable=False, comment="hash of pipeline, engine, voice, speed, text, pauses"),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["prompts.sha256"], name=op.f("fk_renditions_sha256")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_renditions")),
    )
    op.create_table(
        "samples",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False, comment="both ends are in the period"),
        sa.Column("seed", sa.Integer(), server_default="1", nullable=False, comment="orders the random replicates"),
        sa.CheckConstraint("period_from <= period_to", name=op.f("ck_samples_period")),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name=op.f("fk_samples_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_samples")),
        sa.UniqueConstraint(
            "provider_id", "period_from", "period_to", name=op.f("uq_samples_provider_id_period_from_period_to")
        ),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(), nullable=False, comment="casefolded"),
        sa.Column("role", sa.String(), nullable=False, comment="viewer | fieldwork | admin | provider"),
        sa.Column("provider_id", sa.Integer(), nullable=True, comment="whose pages; role provider only"),
        sa.Column(
            "password_hash", sa.String(), nullable=True, comment="argon2id; null: cannot sign in with a password (yet)"
        ),
        sa.Column(
            "totp_sealed",
            sa.LargeBinary(),
            nullable=True,
            comment="sealed secret of the authenticator; null: one factor",
        ),
        sa.Column(
            "totp_last_step",
            sa.BigInteger(),
            nullable=True,
            comment="newest half minute that was used: a code works once",
        ),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column(
            "is_demo",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="one click, never in production",
        ),
        sa.Column("created_at", Moment(), nullable=False),
        sa.CheckConstraint("(role = 'provider') = (provider_id IS NOT NULL)", name=op.f("ck_users_provider")),
        sa.CheckConstraint("role IN ('viewer', 'fieldwork', 'admin', 'provider')", name=op.f("ck_users_role")),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name=op.f("fk_users_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "invitations",
        sa.Column("token_hash", sa.String(), nullable=False, comment="SHA-256 of what stands in the link"),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_invitations_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_invitations")),
    )
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invitations_user_id"), ["user_id"], unique=False)

    op.create_table(
        "orders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("track", sa.String(), nullable=False, comment="inburgering | purchased"),
        sa.Column("interviews", sa.Integer(), nullable=False),
        sa.Column(
            "price",
            sa.Numeric(precision=10, scale=2),
            nullable=True,
            comment="per successful interview; null for inburgering",
        ),
        sa.Column("services", Json, nullable=True, comment="list of codes, or null for all"),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column(
            "voiced_at", Moment(), nullable=True, comment="all prompts rendered, intact, checked: may be dialled"
        ),
        sa.CheckConstraint("track IN ('inburgering', 'purchased')", name=op.f("ck_orders_track")),
        sa.CheckConstraint("interviews > 0", name=op.f("ck_orders_interviews")),
        sa.ForeignKeyConstraint(["sample_id"], ["samples.id"], name=op.f("fk_orders_sample_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_sample_id"), ["sample_id"], unique=False)

    op.create_table(
        "web_sessions",
        sa.Column("token_hash", sa.String(), nullable=False, comment="SHA-256 of what stands in the cookie"),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_web_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_web_sessions")),
    )
    with op.batch_alter_table("web_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_web_sessions_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_web_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "cells",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("track", sa.String(), nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column(
            "capacity",
            sa.Integer(),
            nullable=False,
            comment="max(target, what was done or in flight when staff lowered it)",
        ),
        sa.Column("successful", sa.Integer(), server_default="0", nullable=False),
        sa.Column("in_flight", sa.Integer(), server_default="0", nullable=False, comment="slots reserved by attempts"),
        sa.Column(
            "state", sa.String(), server_default="open", nullable=False, comment="open | paused | closed, set by staff"
        ),
        sa.Column("served_at", Moment(), nullable=True, comment="last admission, for fairness between cells"),
        sa.CheckConstraint("state IN ('open', 'paused', 'closed')", name=op.f("ck_cells_state")),
        sa.CheckConstraint("successful + in_flight <= capacity", name=op.f("ck_cells_never_above_target")),
        sa.CheckConstraint("successful >= 0 AND in_flight >= 0", name=op.f("ck_cells_counters")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_cells_order_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["samples.id"], name=op.f("fk_cells_sample_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cells")),
        sa.UniqueConstraint("order_id", name=op.f("uq_cells_order_id")),
    )
    with op.batch_alter_table("cells", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cells_sample_id"), ["sample_id"], unique=False)

    op.create_table(
        "ledger",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("interview_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="nth purchased success of provider and period"),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("price", sa.Numeric(precision=10, scale=2), nullable=False),
        sa.Column("subsidy", sa.Numeric(precision=10, scale=2), nullable=False, comment="share of Blik op Werk"),
        sa.Column("provider_share", sa.Numeric(precision=10, scale=2), nullable=False),
        sa.Column("reverses", sa.Integer(), nullable=True, comment="line taken back by a withdrawal"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_ledger_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
    )
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_order_id"), ["order_id"], unique=False)

    op.create_table(
        "order_prompts",
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("questionnaire", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False, comment="prompt id of the engine"),
        sa.Column("is_slow", sa.Boolean(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_order_prompts_order_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["sha256"], ["prompts.sha256"], name=op.f("fk_order_prompts_sha256")),
        sa.PrimaryKeyConstraint(
            "order_id", "questionnaire", "version", "prompt", "is_slow", name=op.f("pk_order_prompts")
        ),
    )
    op.create_table(
        "cases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("respondent_group", sa.String(), nullable=False, comment="client | commissioner"),
        sa.Column("respondent", sa.String(), nullable=False, comment="clientnummer or opdrachtgevernummer"),
        sa.Column("service", sa.Integer(), nullable=True, comment="1-13; null for a commissioner"),
        sa.Column("learning_profile", sa.Integer(), nullable=True, comment="leerprofiel 1-5, service 11 only"),
        sa.Column(
            "questionnaire",
            sa.String(),
            nullable=False,
            comment="of the regular route: regulier | laagdrempelig | inburgering | opdrachtgever",
        ),
        sa.Column("route", sa.String(), nullable=False, comment="telephone | regular"),
        sa.Column("consent", sa.String(), nullable=True, comment="ja | nee | null"),
        sa.Column("is_self_referred", sa.Boolean(), server_default=sa.false(), nullable=False, comment="zelfmelder"),
        sa.Column("ended_on", sa.Date(), nullable=True, comment="einddatum_traject"),
        sa.Column("announced_on", sa.Date(), nullable=True, comment="letter or SMS"),
        sa.Column(
            "postcode4", sa.String(), nullable=True, comment="first four digits, for the province; not contact data"
        ),
        sa.Column("cell_id", sa.Integer(), nullable=True, comment="null: not worked by phone"),
        sa.Column(
            "code",
            sa.String(),
            nullable=False,
            comment="four digits in the letter, unique among those who share a number",
        ),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False, comment="random order within the cell"),
        sa.Column("replicate", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "disposition",
            sa.String(),
            server_default="fresh",
            nullable=False,
            comment="outcome code of the case so far",
        ),
        sa.Column("is_final", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "exclusion",
            sa.String(),
            nullable=True,
            comment="why it is outside the net sample: duplicate, undeliverable, not_sampled, …",
        ),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False, comment="that count"),
        sa.Column("dialled", sa.Integer(), server_default="0", nullable=False, comment="all attempts, numbers them"),
        sa.Column("is_busy", sa.Boolean(), server_default=sa.false(), nullable=False, comment="an attempt is open"),
        sa.Column("next_call_at", Moment(), nullable=True, comment="null: not to be called (any more)"),
        sa.Column(
            "priority",
            sa.Integer(),
            server_default="2",
            nullable=False,
            comment="0 appointment, 1 resume, 2 fresh or again",
        ),
        sa.Column(
            "fingerprint",
            sa.String(),
            nullable=True,
            comment="keyed hash of the row as delivered: unchanged or updated",
        ),
        sa.Column("name_hash", sa.String(), nullable=True, comment="keyed hash of the normalised name, for duplicates"),
        sa.Column(
            "email_hash", sa.String(), nullable=True, comment="keyed hash, for zelfmelders among the commissioners"
        ),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column(
            "outcome_elsewhere",
            sa.String(),
            nullable=True,
            comment="what the mailing tool learnt: undeliverable | invited | announced",
        ),
        sa.ForeignKeyConstraint(["cell_id"], ["cells.id"], name=op.f("fk_cases_cell_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["samples.id"], name=op.f("fk_cases_sample_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint(
            "sample_id", "respondent_group", "respondent", name=op.f("uq_cases_sample_id_respondent_group_respondent")
        ),
    )
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cases_cell_id"), ["cell_id"], unique=False)
        batch_op.create_index(
            "ix_cases_due", ["cell_id", "is_final", "is_busy", "priority", "replicate", "next_call_at"], unique=False
        )
        batch_op.create_index(
            "ix_cases_next",
            ["next_call_at"],
            unique=False,
            sqlite_where=sa.text("is_final = false AND is_busy = false AND next_call_at IS NOT NULL"),
            postgresql_where=sa.text("is_final = false AND is_busy = false AND next_call_at IS NOT NULL"),
        )

    op.create_table(
        "attempts",
        sa.Column("id", sa.String(length=32), nullable=False, comment="random hex, stands in every URL of the call"),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("cell_id", sa.Integer(), nullable=True),
        sa.Column("number_in_case", sa.Integer(), nullable=False),
        sa.Column("phone_rank", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "phone_hash",
            sa.String(),
            nullable=True,
            comment="keyed hash of the number dialled, so that one telephone is never called twice at once",
        ),
        sa.Column(
            "state",
            sa.String(),
            nullable=False,
            comment="reserved → dialing → placed → closed; void: certainly not called; unknown: perhaps",
        ),
        sa.Column("holds_slot", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("direction", sa.String(), server_default="outbound", nullable=False),
        sa.Column("is_test", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("planned_at", Moment(), nullable=False),
        sa.Column("not_before", Moment(), nullable=False),
        sa.Column("not_after", Moment(), nullable=False, comment="not placed by then: void, costs no attempt"),
        sa.Column("dialing_at", Moment(), nullable=True),
        sa.Column("placed_at", Moment(), nullable=True),
        sa.Column("answered_at", Moment(), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column(
            "checked_at",
            Moment(),
            nullable=True,
            comment="when the carrier was last asked about it, or its job was last put on the queue",
        ),
        sa.Column("call_sid", sa.String(), nullable=True),
        sa.Column("call_status", sa.String(), nullable=True, comment="last status of the carrier"),
        sa.Column("sequence_number", sa.Integer(), nullable=True),
        sa.Column("answered_by", sa.String(), nullable=True, comment="machine verdict"),
        sa.Column("rang", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("duration_seconds", sa.Integer(), nullable=True),
        sa.Column(
            "turn",
            sa.Integer(),
            server_default="-1",
            nullable=False,
            comment="last turn that was answered; -1: no webhook yet",
        ),
        sa.Column("dialogue", Json, nullable=True, comment="state of the engine"),
        sa.Column(
            "interview_id", sa.String(length=32), nullable=True, comment="once the person is known and questions begin"
        ),
        sa.CheckConstraint(
            "state IN ('reserved', 'dialing', 'placed', 'closed', 'void', 'unknown')", name=op.f("ck_attempts_state")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_attempts_case_id")),
        sa.ForeignKeyConstraint(["cell_id"], ["cells.id"], name=op.f("fk_attempts_cell_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("call_sid", name=op.f("uq_attempts_call_sid")),
        sa.UniqueConstraint("case_id", "number_in_case", name=op.f("uq_attempts_case_id_number_in_case")),
    )
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attempts_cell_id"), ["cell_id"], unique=False)
        batch_op.create_index("ix_attempts_open", ["state", "planned_at"], unique=False)
        batch_op.create_index("ix_attempts_phone", ["phone_hash", "planned_at"], unique=False)
        batch_op.create_index(
            "uq_attempts_open_case",
            ["case_id"],
            unique=True,
            sqlite_where=sa.text("direction = 'outbound' AND state IN ('reserved', 'dialing', 'placed')"),
            postgresql_where=sa.text("direction = 'outbound' AND state IN ('reserved', 'dialing', 'placed')"),
        )
        batch_op.create_index(
            "uq_attempts_open_phone",
            ["phone_hash"],
            unique=True,
            sqlite_where=sa.text("direction = 'outbound' AND state IN ('reserved', 'dialing', 'placed')"),
            postgresql_where=sa.text("direction = 'outbound' AND state IN ('reserved', 'dialing', 'placed')"),
        )

    op.create_table(
        "case_phones",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False, comment="0 telefoon, 1 telefoon2"),
        sa.Column("phone_hash", sa.String(), nullable=False, comment="keyed hash of the E.164 number"),
        sa.Column(
            "is_dead",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="not in service or wrong person",
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_phones_case_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("case_id", "rank", name=op.f("pk_case_phones")),
    )
    with op.batch_alter_table("case_phones", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_phones_phone_hash"), ["phone_hash"], unique=False)

    op.create_table(
        "contacts",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=False, comment="AES-GCM over JSON: name, numbers, e-mail, address"
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_contacts_case_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_contacts")),
    )
    op.create_table(
        "interviews",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("cell_id", sa.Integer(), nullable=True),
        sa.Column("questionnaire", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False, comment="telephone | web | email | post | telephone_human"),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column(
            "disposition",
            sa.String(),
            nullable=True,
            comment="complete | partial | unusable | break_off; null while running",
        ),
        sa.Column("usable", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("usable_at", Moment(), nullable=True),
        sa.Column("successful", sa.Boolean(), server_default=sa.false(), nullable=False, comment="counts for its cell"),
        sa.Column(
            "is_superseded",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="another mode's usable answer came first",
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_interviews_case_id")),
        sa.ForeignKeyConstraint(["cell_id"], ["cells.id"], name=op.f("fk_interviews_cell_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interviews")),
    )
    with op.batch_alter_table("interviews", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_interviews_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_interviews_cell_id"), ["cell_id"], unique=False)

    op.create_table(
        "responses",
        sa.Column("interview_id", sa.String(length=32), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("answered_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["interview_id"], ["interviews.id"], name=op.f("fk_responses_interview_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("interview_id", "question", name=op.f("pk_responses")),
    )
    op.create_table(
        "turns",
        sa.Column("attempt_id", sa.String(length=32), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("signal", sa.String(), nullable=False, comment="begin | key | silence; never the digits"),
        sa.Column("reply", Json, nullable=False, comment="the Turn that was answered, so that a repeat hears the same"),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name=op.f("fk_turns_attempt_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("attempt_id", "turn", name=op.f("pk_turns")),
    )


def downgrade() -> None:
    op.drop_table("turns")
    op.drop_table("responses")
    with op.batch_alter_table("interviews", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_interviews_cell_id"))
        batch_op.drop_index(batch_op.f("ix_interviews_case_id"))

    op.drop_table("interviews")
    op.drop_table("contacts")
    with op.batch_alter_table("case_phones", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_case_phones_phone_hash"))

    op.drop_table("case_phones")
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_attempts_open_phone",
            sqlite_where=sa.text("direction = 'outbound' AND state IN ('reserved', 'dialing', 'placed')"),
            postgresql_where=sa.text("direction = 'outbound' AND state IN ('reserved', 'dialing', 'placed')"),
        )
        batch_op.drop_index(
            "uq_attempts_open_case",
            sqlite_where=sa.text("direction = 'outbound' AND state IN ('reserved', 'dialing', 'placed')"),
            postgresql_where=sa.text("direction = 'outbound' AND state IN ('reserved', 'dialing', 'placed')"),
        )
        batch_op.drop_index("ix_attempts_phone")
        batch_op.drop_index("ix_attempts_open")
        batch_op.drop_index(batch_op.f("ix_attempts_cell_id"))

    op.drop_table("attempts")
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_cases_next",
            sqlite_where=sa.text("is_final = false AND is_busy = false AND next_call_at IS NOT NULL"),
            postgresql_where=sa.text("is_final = false AND is_busy = false AND next_call_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_cases_due")
        batch_op.drop_index(batch_op.f("ix_cases_cell_id"))

    op.drop_table("cases")
    op.drop_table("order_prompts")
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_order_id"))

    op.drop_table("ledger")
    with op.batch_alter_table("cells", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cells_sample_id"))

    op.drop_table("cells")
    with op.batch_alter_table("web_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_web_sessions_user_id"))
        batch_op.drop_index(batch_op.f("ix_web_sessions_expires_at"))

    op.drop_table("web_sessions")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_orders_sample_id"))

    op.drop_table("orders")
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invitations_user_id"))

    op.drop_table("invitations")
    op.drop_table("users")
    op.drop_table("samples")
    op.drop_table("renditions")
    op.drop_table("throttles")
    op.drop_table("sounds")
    op.drop_table("questionnaires")
    op.drop_table("providers")
    op.drop_table("prompts")
    op.drop_table("opt_outs")
    op.drop_table("lines")
    op.drop_table("leases")
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_events_case_id"))
        batch_op.drop_index(batch_op.f("ix_events_attempt_id"))

    op.drop_table("events")
    op.drop_table("audit")
