"""The first tables: the utility's data, what came in, what goes out.

Revision ID: 0001
Revises: nothing
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""64 bits; SQLite gives ids by itself only to a column it calls INTEGER."""


def upgrade() -> None:
    """Make every table."""
    _what_the_utility_knows()
    _what_came_in()
    _what_goes_out()


def downgrade() -> None:
    """Drop every table, with all that is in them."""
    for name in (
        "early_receipts",
        "outbox",
        "bind_marks",
        "suspects",
        "inbox_parts",
        "inbox",
        "imports",
        "code_failures",
        "readings",
        "payments",
        "bills",
        "bill_recipients",
        "contacts",
        "subscribers",
    ):
        op.drop_table(name)


def _what_the_utility_knows() -> None:
    op.create_table(
        "subscribers",
        sa.Column("id", _ID, nullable=False),
        sa.Column("utility", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column(
            "code_hash",
            sa.Text(),
            nullable=True,
            comment="keyed hash of the secret code; null: none issued",
        ),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("usage", sa.Text(), server_default="", nullable=False),
        sa.Column("units", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "capacity", sa.Integer(), nullable=True, comment="contracted capacity; null for homes"
        ),
        sa.Column("meter_serial", sa.Text(), nullable=True),
        sa.Column("meter_digits", sa.SmallInteger(), server_default="5", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("region", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscribers")),
        sa.UniqueConstraint("utility", "number", name=op.f("uq_subscribers_utility_number")),
    )
    op.create_index(
        op.f("ix_subscribers_utility_meter_serial"), "subscribers", ["utility", "meter_serial"]
    )
    op.create_table(
        "contacts",
        sa.Column("id", _ID, nullable=False),
        sa.Column("utility", sa.Text(), nullable=False),
        sa.Column("mobile", sa.Text(), nullable=False),
        sa.Column("subscriber_id", _ID, nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="import, sms, desk"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_contacts_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
        sa.UniqueConstraint(
            "mobile", "subscriber_id", name=op.f("uq_contacts_mobile_subscriber_id")
        ),
        comment="mobiles that may act for a subscription without its code",
    )
    op.create_index(op.f("ix_contacts_subscriber_id"), "contacts", ["subscriber_id"])
    op.create_table(
        "bill_recipients",
        sa.Column("id", _ID, nullable=False),
        sa.Column("utility", sa.Text(), nullable=False),
        sa.Column("mobile", sa.Text(), nullable=False),
        sa.Column("subscriber_id", _ID, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_bill_recipients_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill_recipients")),
        sa.UniqueConstraint(
            "mobile", "subscriber_id", name=op.f("uq_bill_recipients_mobile_subscriber_id")
        ),
        comment="mobiles that asked to have a subscription's bills by SMS",
    )
    op.create_index(op.f("ix_bill_recipients_subscriber_id"), "bill_recipients", ["subscriber_id"])
    op.create_table(
        "bills",
        sa.Column("id", _ID, nullable=False),
        sa.Column("subscriber_id", _ID, nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=True),
        sa.Column("to_date", sa.Date(), nullable=True),
        sa.Column("from_reading", sa.Integer(), nullable=True),
        sa.Column("to_reading", sa.Integer(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="rial, this period alone"),
        sa.Column(
            "payable", sa.BigInteger(), nullable=False, comment="rial, with what was owed before"
        ),
        sa.Column("bill_id", sa.Text(), nullable=True),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_bills_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bills")),
        sa.UniqueConstraint("subscriber_id", "period", name=op.f("uq_bills_subscriber_id_period")),
    )
    op.create_index(op.f("ix_bills_bill_id"), "bills", ["bill_id"])
    op.create_index(
        op.f("ix_bills_subscriber_id_issued_at"), "bills", ["subscriber_id", "issued_at"]
    )
    op.create_table(
        "payments",
        sa.Column("id", _ID, nullable=False),
        sa.Column("utility", sa.Text(), nullable=False),
        sa.Column("subscriber_id", _ID, nullable=False),
        sa.Column("bill_id", sa.Text(), nullable=True),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="rial"),
        sa.Column("paid_at", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_payments_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint(
            "utility", "channel", "reference", name=op.f("uq_payments_utility_channel_reference")
        ),
    )
    op.create_index(
        op.f("ix_payments_subscriber_id_paid_at"), "payments", ["subscriber_id", "paid_at"]
    )
    op.create_table(
        "readings",
        sa.Column("id", _ID, nullable=False),
        sa.Column("subscriber_id", _ID, nullable=False),
        sa.Column("reading", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="reader, sms, ussd, desk, import"),
        sa.Column(
            "state", sa.Text(), nullable=False, comment="accepted, unconfirmed, doubtful, rejected"
        ),
        sa.Column("mobile", sa.Text(), nullable=True, comment="who sent it, for sms and ussd"),
        sa.Column(
            "inbox_id", sa.BigInteger(), nullable=True, comment="the message that brought it"
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_readings_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readings")),
        sa.UniqueConstraint(
            "subscriber_id",
            "read_at",
            "source",
            name=op.f("uq_readings_subscriber_id_read_at_source"),
        ),
    )
    op.create_table(
        "code_failures",
        sa.Column("id", _ID, nullable=False),
        sa.Column("utility", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False, comment="as typed: it may not exist"),
        sa.Column("mobile", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_failures")),
        comment="wrong codes; the lock-out is computed from them",
    )
    op.create_index(op.f("ix_code_failures_mobile_at"), "code_failures", ["mobile", "at"])
    op.create_index(
        op.f("ix_code_failures_utility_number_at"), "code_failures", ["utility", "number", "at"]
    )
    op.create_table(
        "imports",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False, comment="of the file's content"),
        sa.Column("rows_done", sa.BigInteger(), nullable=False),
        sa.Column("finished", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.UniqueConstraint("kind", "digest", name=op.f("uq_imports_kind_digest")),
        comment="how far each imported file has come",
    )


def _what_came_in() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("bind", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("mobile", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False, comment="with every secret code masked"),
        sa.Column(
            "fingerprint", sa.BigInteger(), nullable=False, comment="keyed hash of what arrived"
        ),
        sa.Column(
            "state", sa.Text(), nullable=False, comment="answered, set_aside, incomplete, no_line"
        ),
        sa.Column("operation", sa.Text(), server_default="", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "reply_id",
            sa.BigInteger(),
            nullable=True,
            comment="the outbox message that answered it",
        ),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
    )
    op.create_index(op.f("ix_inbox_mobile_id"), "inbox", ["mobile", "id"])
    op.create_index(
        "ix_inbox_subscriber_id",
        "inbox",
        ["subscriber_id"],
        sqlite_where=sa.text("subscriber_id IS NOT NULL"),
        postgresql_where=sa.text("subscriber_id IS NOT NULL"),
    )
    op.create_table(
        "inbox_parts",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("bind", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("mobile", sa.Text(), nullable=False),
        sa.Column("reference", sa.Integer(), nullable=False),
        sa.Column("total", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("data_coding", sa.SmallInteger(), nullable=False),
        sa.Column(
            "payload", sa.Text(), nullable=False, comment="hex; emptied when the message is joined"
        ),
        sa.Column("fingerprint", sa.BigInteger(), nullable=False),
        sa.Column("inbox_id", sa.BigInteger(), nullable=True, comment="the joined message"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_parts")),
    )
    op.create_index(
        op.f("ix_inbox_parts_mobile_line_reference"), "inbox_parts", ["mobile", "line", "reference"]
    )
    op.create_index(
        "ix_inbox_parts_waiting",
        "inbox_parts",
        ["received_at"],
        sqlite_where=sa.text("inbox_id IS NULL"),
        postgresql_where=sa.text("inbox_id IS NULL"),
    )
    op.create_table(
        "suspects",
        sa.Column(
            "arrival_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="the inbox or inbox_parts row",
        ),
        sa.Column("bind", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column(
            "connection",
            sa.BigInteger(),
            nullable=True,
            comment="where its redelivery was acknowledged; null: not redelivered yet",
        ),
        sa.PrimaryKeyConstraint("arrival_id", name=op.f("pk_suspects")),
        comment="arrivals that are committed and whose acknowledgement may not have got out",
    )
    op.create_index(op.f("ix_suspects_fingerprint"), "suspects", ["fingerprint"])
    op.create_table(
        "bind_marks",
        sa.Column("node", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("bind", sa.Text(), nullable=False),
        sa.Column(
            "confirmed_id",
            sa.BigInteger(),
            nullable=False,
            comment="arrivals of this node and bind up to this id are surely acknowledged",
        ),
        sa.PrimaryKeyConstraint("node", "bind", name=op.f("pk_bind_marks")),
    )


def _what_goes_out() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "message_id", sa.BigInteger(), nullable=False, comment="id of the message's first part"
        ),
        sa.Column("part", sa.SmallInteger(), nullable=False),
        sa.Column("parts", sa.SmallInteger(), nullable=False),
        sa.Column(
            "inbox_id", sa.BigInteger(), nullable=True, comment="the message that this answers"
        ),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=True),
        sa.Column("mobile", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False, comment="this part's text"),
        sa.Column(
            "priority", sa.SmallInteger(), nullable=False, comment="0 goes first: answers to people"
        ),
        sa.Column("state", sa.Text(), nullable=False, comment="see docs/states.md"),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("max_attempts", sa.SmallInteger(), nullable=False),
        sa.Column("resend_uncertain", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "node", sa.SmallInteger(), nullable=True, comment="the daemon that is sending it"
        ),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("smsc", sa.Text(), nullable=True, comment="the operator that took it"),
        sa.Column("smsc_id", sa.Text(), nullable=True, comment="the operator's id for it"),
        sa.Column(
            "code", sa.Integer(), nullable=True, comment="the last command_status or receipt error"
        ),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_mobile_id"), "outbox", ["mobile", "id"])
    op.create_index(
        "ix_outbox_sending",
        "outbox",
        ["node"],
        sqlite_where=sa.text("state = 'sending'"),
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_index(
        "ix_outbox_smsc_id",
        "outbox",
        ["smsc_id"],
        sqlite_where=sa.text("smsc_id IS NOT NULL"),
        postgresql_where=sa.text("smsc_id IS NOT NULL"),
    )
    op.create_index(
        "ix_outbox_subscriber_id",
        "outbox",
        ["subscriber_id"],
        sqlite_where=sa.text("subscriber_id IS NOT NULL"),
        postgresql_where=sa.text("subscriber_id IS NOT NULL"),
    )
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["priority", "due_at"],
        sqlite_where=sa.text("state IN ('queued', 'waiting')"),
        postgresql_where=sa.text("state IN ('queued', 'waiting')"),
    )
    op.create_table(
        "early_receipts",
        sa.Column("smsc", sa.Text(), nullable=False),
        sa.Column("smsc_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("smsc", "smsc_id", name=op.f("pk_early_receipts")),
        comment="receipts that came before the commit of their submit_sm_resp",
    )
