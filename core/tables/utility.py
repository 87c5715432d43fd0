"""What the utility knows: subscribers and their mobiles, bills, payments, readings."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

from core.tables.base import Id, Instant, metadata, partial

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("utility", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("code_hash", Text, comment="keyed hash of the secret code; null: none issued"),
    Column("name", Text, nullable=False, server_default=""),
    Column("usage", Text, nullable=False, server_default=""),
    Column("units", Integer, nullable=False, server_default="1"),
    Column("capacity", Integer, comment="contracted capacity; null for homes"),
    Column("meter_serial", Text),
    Column("meter_digits", SmallInteger, nullable=False, server_default="5"),
    Column("address", Text, nullable=False, server_default=""),
    Column("region", Text, nullable=False, server_default=""),
    Column("bill_id", Text, comment="شناسه قبض, the same on every bill of the subscription"),
    Column("wastewater", Boolean, nullable=False, server_default=true()),
    Column("state", Text, nullable=False, server_default="active"),
    Column("changed_at", Instant, nullable=False),
    UniqueConstraint("utility", "number"),
    # Partial, or PostgreSQL might look a number up by the utility that they begin with.
    partial(
        "ix_subscribers_utility_meter_serial",
        "utility",
        "meter_serial",
        where="meter_serial IS NOT NULL",
    ),
    partial("ix_subscribers_utility_bill_id", "utility", "bill_id", where="bill_id IS NOT NULL"),
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("utility", Text, nullable=False),
    Column("mobile", Text, nullable=False),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("source", Text, nullable=False, comment="import, sms, desk"),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("mobile", "subscriber_id"),
    Index(None, "subscriber_id"),
    comment="mobiles that may act for a subscription without its code",
)

contact_confirmations = Table(
    "contact_confirmations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("utility", Text, nullable=False),
    Column("mobile", Text, nullable=False),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("asked_at", Instant, nullable=False),
    UniqueConstraint("mobile", "subscriber_id"),
    Index(None, "subscriber_id"),
    comment="mobiles that asked for a subscription which has one, and have not confirmed it",
)

bill_recipients = Table(
    "bill_recipients",
    metadata,
    Column("id", Id, primary_key=True),
    Column("utility", Text, nullable=False),
    Column("mobile", Text, nullable=False),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("since", Instant, nullable=False),
    UniqueConstraint("mobile", "subscriber_id"),
    Index(None, "subscriber_id"),
    comment="mobiles that asked to have a subscription's bills by SMS",
)

bills = Table(
    "bills",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("period", Text, nullable=False),
    Column("from_date", Date),
    Column("to_date", Date),
    Column("from_reading", Integer),
    Column("to_reading", Integer),
    Column("amount", BigInteger, nullable=False, comment="rial, this period alone"),
    Column("payable", BigInteger, nullable=False, comment="rial, with what was owed before"),
    Column("bill_id", Text),
    Column("payment_id", Text),
    Column("due_date", Date),
    Column("issued_at", Instant, nullable=False),
    Column("kind", Text, nullable=False, server_default="period", comment="period, mid_period"),
    Column("used", BigInteger, comment="units of the meter in the period"),
    Column("lines", Text, comment="JSON: the lines that the amount is made of"),
    Column("carried", BigInteger, comment="rial below a thousand, left for the next bill"),
    UniqueConstraint("subscriber_id", "period"),
    Index(None, "subscriber_id", "issued_at"),
    Index(None, "bill_id"),
)

payments = Table(
    "payments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("utility", Text, nullable=False),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("bill_id", Text),
    Column("payment_id", Text),
    Column("amount", BigInteger, nullable=False, comment="rial"),
    Column("paid_at", Instant, nullable=False),
    Column("channel", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("file_channel", Text, comment="what the utility's file calls one of our own page …"),
    Column("file_reference", Text, comment="… and its reference there"),
    UniqueConstraint("utility", "channel", "reference"),
    Index(None, "subscriber_id", "paid_at"),
)

readings = Table(
    "readings",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("reading", BigInteger, nullable=False),
    Column("read_at", Instant, nullable=False),
    Column("source", Text, nullable=False, comment="reader, sms, ussd, desk, import"),
    Column("state", Text, nullable=False, comment="accepted, unconfirmed, doubtful, rejected"),
    Column("mobile", Text, comment="who sent it, for sms and ussd"),
    Column("inbox_id", BigInteger, comment="the message that brought it"),
    Column("meter_state", Text, nullable=False, server_default="normal"),
    Column("old_end", BigInteger, comment="of a changed meter: the last figure of the old one"),
    Column("decided_at", Instant),
    Column("decided_by", Text),
    Column("note", Text, comment="why it was rejected, in words for the subscriber"),
    UniqueConstraint("subscriber_id", "read_at", "source"),
    Index(None, "state", "read_at"),
)

code_failures = Table(
    "code_failures",
    metadata,
    Column("id", Id, primary_key=True),
    Column("utility", Text, nullable=False),
    Column("number", Text, nullable=False, comment="as typed: it may not exist"),
    Column("mobile", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "mobile", "at"),
    Index(None, "utility", "number", "at"),
    comment="wrong codes; the lock-out is computed from them",
)

imports = Table(
    "imports",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("digest", Text, nullable=False, comment="of the file's content"),
    Column("rows_done", BigInteger, nullable=False),
    Column("finished", Boolean, nullable=False, server_default=false()),
    Column("changed_at", Instant, nullable=False),
    UniqueConstraint("kind", "digest"),
    comment="how far each imported file has come",
)
