"""USSD: the session of each mobile, and every input of one.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "ussd_sessions",
        sa.Column("mobile", sa.Text(), nullable=False),
        sa.Column(
            "id", sa.BigInteger(), nullable=False, comment="the id of the input that opened it"
        ),
        sa.Column(
            "door", sa.Text(), nullable=False, comment="the bind or the HTTP door it came through"
        ),
        sa.Column(
            "network_id", sa.Text(), nullable=False, comment="what the network calls the session"
        ),
        sa.Column(
            "line", sa.Text(), nullable=False, comment="the USSD code as in the settings: *1522#"
        ),
        sa.Column("utility", sa.Text(), nullable=False),
        sa.Column(
            "state", sa.Text(), nullable=False, comment="JSON: where in the menu, what was said"
        ),
        sa.Column(
            "screen", sa.Text(), nullable=False, comment="what the handset shows: for a redelivery"
        ),
        sa.Column("last_input_id", sa.BigInteger(), nullable=False, comment="the last step"),
        sa.Column(
            "turn",
            sa.Text(),
            nullable=False,
            comment="the network's mark of the last input, or empty",
        ),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "expires_at",
            sa.BigInteger(),
            nullable=False,
            comment="when it is over unless something comes",
        ),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "ended_by",
            sa.Text(),
            nullable=True,
            comment="menu, user, timeout, replaced, expired, limit",
        ),
        sa.Column(
            "minute_from",
            sa.BigInteger(),
            nullable=False,
            comment="since when inputs are counted …",
        ),
        sa.Column(
            "minute_inputs", sa.Integer(), nullable=False, comment="… and how many there were, …"
        ),
        sa.Column(
            "minute_dials",
            sa.Integer(),
            nullable=False,
            comment="… and how many of them were dials",
        ),
        sa.PrimaryKeyConstraint("mobile", name=op.f("pk_ussd_sessions")),
        comment="the last USSD session of each mobile; any process can go on with it",
    )
    with op.batch_alter_table("ussd_sessions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_ussd_sessions_network_id"), ["network_id"], unique=False
        )
        batch_op.create_index(
            "ix_ussd_sessions_open",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index(
            "ix_ussd_sessions_ended",
            ["ended_at"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NOT NULL"),
            postgresql_where=sa.text("ended_at IS NOT NULL"),
        )
    op.create_table(
        "ussd_steps",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "bind", sa.Text(), nullable=False, comment="the bind or the HTTP door it came through"
        ),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("mobile", sa.Text(), nullable=False),
        sa.Column(
            "event",
            sa.Text(),
            nullable=False,
            comment="begin, answer, confirm, abort, timeout, open",
        ),
        sa.Column("text", sa.Text(), nullable=False, comment="with every secret code masked"),
        sa.Column(
            "fingerprint", sa.BigInteger(), nullable=False, comment="keyed hash of what arrived"
        ),
        sa.Column(
            "operation",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="the last that it ran",
        ),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ussd_steps")),
        comment="every input of a USSD session, and the operation that it led to",
    )
    with op.batch_alter_table("ussd_steps", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ussd_steps_mobile_id"), ["mobile", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_ussd_steps_session_id_id"), ["session_id", "id"], unique=False
        )


def downgrade() -> None:
    """Drop them again."""
    with op.batch_alter_table("ussd_steps", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ussd_steps_session_id_id"))
        batch_op.drop_index(batch_op.f("ix_ussd_steps_mobile_id"))
    op.drop_table("ussd_steps")
    with op.batch_alter_table("ussd_sessions", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_ussd_sessions_ended",
            sqlite_where=sa.text("ended_at IS NOT NULL"),
            postgresql_where=sa.text("ended_at IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_ussd_sessions_open",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_ussd_sessions_network_id"))
    op.drop_table("ussd_sessions")
