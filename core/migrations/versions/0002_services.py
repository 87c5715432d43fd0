"""What the services of the seeds need: requests, instalments, corrections, payment orders, events.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""64 bits; SQLite gives ids by itself only to a column it calls INTEGER."""


def upgrade() -> None:
    """Make the new tables, and widen three."""
    _money()
    _requests()
    _happenings()
    _wider()


def _money() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", _ID, nullable=False),
        sa.Column("subscriber_id", _ID, nullable=False),
        sa.Column(
            "amount", sa.BigInteger(), nullable=False, comment="rial in the subscriber's favour"
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_corrections_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
        sa.UniqueConstraint(
            "subscriber_id", "reference", name=op.f("uq_corrections_subscriber_id_reference")
        ),
        comment="corrections of what is owed that are no payments",
    )
    with op.batch_alter_table("corrections", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_corrections_subscriber_id_at"), ["subscriber_id", "at"], unique=False
        )
    op.create_table(
        "instalments",
        sa.Column("id", _ID, nullable=False),
        sa.Column("subscriber_id", _ID, nullable=False),
        sa.Column(
            "plan",
            sa.Text(),
            nullable=False,
            comment="water, wastewater: whose connection fee it is",
        ),
        sa.Column("number", sa.Integer(), nullable=False, comment="which one of its plan, from 1"),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="rial"),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("paid_at", sa.BigInteger(), nullable=True),
        sa.Column("bill_id", sa.Text(), nullable=True),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_instalments_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instalments")),
        sa.UniqueConstraint(
            "subscriber_id", "plan", "number", name=op.f("uq_instalments_subscriber_id_plan_number")
        ),
    )
    with op.batch_alter_table("instalments", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_instalments_subscriber_id_due_date"),
            ["subscriber_id", "due_date"],
            unique=False,
        )
        batch_op.create_index(
            "ix_instalments_bill_id",
            ["bill_id"],
            unique=False,
            sqlite_where=sa.text("bill_id IS NOT NULL"),
            postgresql_where=sa.text("bill_id IS NOT NULL"),
        )


def _requests() -> None:
    op.create_table(
        "contact_confirmations",
        sa.Column("id", _ID, nullable=False),
        sa.Column("utility", sa.Text(), nullable=False),
        sa.Column("mobile", sa.Text(), nullable=False),
        sa.Column("subscriber_id", _ID, nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_contact_confirmations_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_confirmations")),
        sa.UniqueConstraint(
            "mobile", "subscriber_id", name=op.f("uq_contact_confirmations_mobile_subscriber_id")
        ),
        comment="mobiles that asked for a subscription which has one, and have not confirmed it",
    )
    with op.batch_alter_table("contact_confirmations", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_contact_confirmations_subscriber_id"), ["subscriber_id"], unique=False
        )
    op.create_table(
        "requests",
        sa.Column("id", _ID, nullable=False),
        sa.Column("utility", sa.Text(), nullable=False),
        sa.Column("tracking", sa.Text(), nullable=False, comment="with its check digit"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("subscriber_id", _ID, nullable=True),
        sa.Column("mobile", sa.Text(), nullable=True, comment="whom to tell"),
        sa.Column("fields", sa.Text(), nullable=False, comment="JSON: what the kind asks for"),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="sms, ussd, counter, desk, api"),
        sa.Column(
            "office", sa.Text(), nullable=True, comment="the counter office that registered it"
        ),
        sa.Column("fee", sa.BigInteger(), nullable=True, comment="rial; null: not known yet"),
        sa.Column(
            "account",
            sa.Text(),
            nullable=True,
            comment="the account that the fee goes to (شماره حساب)",
        ),
        sa.Column("bill_id", sa.Text(), nullable=True, comment="of the fee's voucher"),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("paid_at", sa.BigInteger(), nullable=True),
        sa.Column("inbox_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_requests_subscriber_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
        sa.UniqueConstraint("utility", "tracking", name=op.f("uq_requests_utility_tracking")),
    )
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_requests_mobile_created_at"), ["mobile", "created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_requests_subscriber_id_created_at"),
            ["subscriber_id", "created_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_requests_kind_state_utility"), ["kind", "state", "utility"], unique=False
        )
        batch_op.create_index(
            "ix_requests_bill_id",
            ["bill_id"],
            unique=False,
            sqlite_where=sa.text("bill_id IS NOT NULL"),
            postgresql_where=sa.text("bill_id IS NOT NULL"),
        )
    op.create_table(
        "request_history",
        sa.Column("id", _ID, nullable=False),
        sa.Column("request_id", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["requests.id"],
            name=op.f("fk_request_history_request_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_history")),
    )
    with op.batch_alter_table("request_history", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_request_history_request_id_at"), ["request_id", "at"], unique=False
        )
    op.create_table(
        "orders",
        sa.Column(
            "id", sa.BigInteger(), autoincrement=False, nullable=False, comment="the order id"
        ),
        sa.Column("utility", sa.Text(), nullable=False),
        sa.Column("subscriber_id", _ID, nullable=True),
        sa.Column("request_id", _ID, nullable=True),
        sa.Column("instalment_id", _ID, nullable=True),
        sa.Column("link", sa.Text(), nullable=False, comment="the last part of its short link"),
        sa.Column("mobile", sa.Text(), nullable=True),
        sa.Column(
            "line", sa.Text(), nullable=True, comment="the line whose number the receipt comes from"
        ),
        sa.Column("bill_id", sa.Text(), nullable=True),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="rial"),
        sa.Column("state", sa.Text(), nullable=False, comment="see docs/payments.md"),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("token", sa.Text(), nullable=True, comment="what the provider calls it"),
        sa.Column("reference", sa.Text(), nullable=True, comment="the provider's receipt"),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instalment_id"],
            ["instalments.id"],
            name=op.f("fk_orders_instalment_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["requests.id"], name=op.f("fk_orders_request_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_orders_subscriber_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("link", name=op.f("uq_orders_link")),
        sa.UniqueConstraint("provider", "token", name=op.f("uq_orders_provider_token")),
        comment="attempts to pay; a booked one is a payment as well",
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_orders_mobile_created_at"), ["mobile", "created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_orders_state_changed_at"), ["state", "changed_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_orders_subscriber_id_created_at"),
            ["subscriber_id", "created_at"],
            unique=False,
        )


def _happenings() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("utility", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="a name in core.events"),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "mobile",
            sa.Text(),
            nullable=True,
            comment="whom it concerns besides the subscriber's own mobiles",
        ),
        sa.Column("about", sa.Text(), nullable=False, comment="JSON: the facts a template may use"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        comment="what happened to subscribers, for the messages that follow from it",
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_events_kind_id"), ["kind", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_events_subscriber_id_id"), ["subscriber_id", "id"], unique=False
        )
    op.create_table(
        "sequences",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sequences")),
        comment="numbers that are given out one by one: tracking numbers",
    )


def _wider() -> None:
    with op.batch_alter_table("bills", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "kind",
                sa.Text(),
                server_default="period",
                nullable=False,
                comment="period, mid_period",
            )
        )
        batch_op.add_column(
            sa.Column(
                "used", sa.BigInteger(), nullable=True, comment="units of the meter in the period"
            )
        )
        batch_op.add_column(
            sa.Column(
                "lines",
                sa.Text(),
                nullable=True,
                comment="JSON: the lines that the amount is made of",
            )
        )
        batch_op.add_column(
            sa.Column(
                "carried",
                sa.BigInteger(),
                nullable=True,
                comment="rial below a thousand, left for the next bill",
            )
        )
    with op.batch_alter_table("readings", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("meter_state", sa.Text(), server_default="normal", nullable=False)
        )
        batch_op.add_column(
            sa.Column(
                "old_end",
                sa.BigInteger(),
                nullable=True,
                comment="of a changed meter: the last figure of the old one",
            )
        )
        batch_op.add_column(sa.Column("decided_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("decided_by", sa.Text(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "note",
                sa.Text(),
                nullable=True,
                comment="why it was rejected, in words for the subscriber",
            )
        )
        batch_op.create_index(
            batch_op.f("ix_readings_state_read_at"), ["state", "read_at"], unique=False
        )
    with op.batch_alter_table("subscribers", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "bill_id",
                sa.Text(),
                nullable=True,
                comment="شناسه قبض, the same on every bill of the subscription",
            )
        )
        batch_op.add_column(
            sa.Column("wastewater", sa.Boolean(), server_default=sa.true(), nullable=False)
        )
        batch_op.add_column(sa.Column("state", sa.Text(), server_default="active", nullable=False))
        batch_op.create_index(
            batch_op.f("ix_subscribers_utility_bill_id"), ["utility", "bill_id"], unique=False
        )


def downgrade() -> None:
    """Drop the new tables and columns, with all that is in them."""
    for name in ("sequences", "events", "orders", "request_history", "requests"):
        op.drop_table(name)
    for name in ("instalments", "corrections", "contact_confirmations"):
        op.drop_table(name)
    with op.batch_alter_table("subscribers") as table:
        table.drop_index(op.f("ix_subscribers_utility_bill_id"))
        for column in ("bill_id", "wastewater", "state"):
            table.drop_column(column)
    with op.batch_alter_table("readings") as table:
        table.drop_index(op.f("ix_readings_state_read_at"))
        for column in ("meter_state", "old_end", "decided_at", "decided_by", "note"):
            table.drop_column(column)
    with op.batch_alter_table("bills") as table:
        for column in ("kind", "used", "lines", "carried"):
            table.drop_column(column)
