"""What subscribers are served with: requests, instalments, orders to pay, what happened."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from core.tables.base import Id, Instant, metadata, partial

IS_NEW = "handled_at IS NULL"
"""Served by ``ix_events_new``."""

corrections = Table(
    "corrections",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("amount", BigInteger, nullable=False, comment="rial in the subscriber's favour"),
    Column("reason", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("at", Instant, nullable=False),
    UniqueConstraint("subscriber_id", "reference"),
    Index(None, "subscriber_id", "at"),
    comment="corrections of what is owed that are no payments",
)

instalments = Table(
    "instalments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("plan", Text, nullable=False, comment="water, wastewater: whose connection fee it is"),
    Column("number", Integer, nullable=False, comment="which one of its plan, from 1"),
    Column("amount", BigInteger, nullable=False, comment="rial"),
    Column("due_date", Date, nullable=False),
    Column("paid_at", Instant),
    Column("bill_id", Text),
    Column("payment_id", Text),
    UniqueConstraint("subscriber_id", "plan", "number"),
    Index(None, "subscriber_id", "due_date"),
    partial("ix_instalments_bill_id", "bill_id", where="bill_id IS NOT NULL"),
)

requests = Table(
    "requests",
    metadata,
    Column("id", Id, primary_key=True),
    Column("utility", Text, nullable=False),
    Column("tracking", Text, nullable=False, comment="with its check digit"),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="SET NULL")),
    Column("mobile", Text, comment="whom to tell"),
    Column("fields", Text, nullable=False, comment="JSON: what the kind asks for"),
    Column("text", Text, nullable=False, server_default=""),
    Column("source", Text, nullable=False, comment="sms, ussd, counter, desk, api"),
    Column("office", Text, comment="the counter office that registered it"),
    Column("fee", BigInteger, comment="rial; null: not known yet"),
    Column("account", Text, comment="the account that the fee goes to (شماره حساب)"),
    Column("bill_id", Text, comment="of the fee's voucher"),
    Column("payment_id", Text),
    Column("paid_at", Instant),
    Column("inbox_id", BigInteger),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    UniqueConstraint("utility", "tracking"),
    Index(None, "subscriber_id", "created_at"),
    Index(None, "mobile", "created_at"),
    # Not by utility first: PostgreSQL would look a tracking number up by it.
    Index(None, "kind", "state", "utility"),
    partial("ix_requests_bill_id", "bill_id", where="bill_id IS NOT NULL"),
    partial("ix_requests_office", "office", "id", where="office IS NOT NULL"),
)

request_history = Table(
    "request_history",
    metadata,
    Column("id", Id, primary_key=True),
    Column("request_id", ForeignKey("requests.id", ondelete="CASCADE"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Index(None, "request_id", "at"),
)

orders = Table(
    "orders",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False, comment="the order id"),
    Column("utility", Text, nullable=False),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="SET NULL")),
    Column("request_id", ForeignKey("requests.id", ondelete="SET NULL")),
    Column("instalment_id", ForeignKey("instalments.id", ondelete="SET NULL")),
    Column("link", Text, nullable=False, comment="the last part of its short link"),
    Column("mobile", Text),
    Column("line", Text, comment="the line whose number the receipt comes from"),
    Column("bill_id", Text),
    Column("payment_id", Text),
    Column("amount", BigInteger, nullable=False, comment="rial"),
    Column("state", Text, nullable=False, comment="see docs/payments.md"),
    Column("provider", Text),
    Column("token", Text, comment="what the provider calls it"),
    Column("reference", Text, comment="the provider's receipt"),
    Column("error", Text),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    UniqueConstraint("link"),
    UniqueConstraint("provider", "token"),
    Index(None, "subscriber_id", "created_at"),
    Index(None, "mobile", "created_at"),
    Index(None, "state", "changed_at"),
    comment="attempts to pay; a booked one is a payment as well",
)

events = Table(
    "events",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("utility", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="a name in core.events"),
    Column("subscriber_id", BigInteger),
    Column("mobile", Text, comment="whom it concerns besides the subscriber's own mobiles"),
    Column("about", Text, nullable=False, comment="JSON: the facts a template may use"),
    Column("at", Instant, nullable=False),
    Column("handled_at", Instant, comment="when the templates that it concerns were told"),
    Index(None, "kind", "id"),
    partial("ix_events_new", "id", where=IS_NEW),
    Index(None, "subscriber_id", "id"),
    comment="what happened to subscribers, for the messages that follow from it",
)

sequences = Table(
    "sequences",
    metadata,
    Column("name", Text, primary_key=True),
    Column("next", BigInteger, nullable=False),
    comment="numbers that are given out one by one: tracking numbers",
)
