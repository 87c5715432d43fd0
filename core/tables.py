"""The database's tables, as SQLAlchemy Core sees them.

Money is integer rial. An instant is UTC milliseconds since 1970 in a 64-bit integer: it
sorts, it travels through JSON, and it is the same on SQLite and PostgreSQL. Dates of
bills are calendar dates. Ids of hot tables are made by the daemon (``core.ids``), so that
a batch can link its rows before it writes them.

Every change here needs a migration in ``core/migrations``; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

# Constraint names are fixed here, so that migrations can name them on every engine.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit id; SQLite gives ids by itself only to a column it calls INTEGER."""

Instant = BigInteger
"""UTC milliseconds since 1970."""


def _partial(name: str, *columns: str, where: str) -> Index:
    """A partial index; a query must repeat the condition word for word to be served by it."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


WAITS_TO_GO = "state IN ('queued', 'waiting')"
"""Served by ``ix_outbox_waiting``: literals, as an index cannot know what a parameter is."""
IS_SENDING = "state = 'sending'"
"""Served by ``ix_outbox_sending``."""

# --- what the utility knows ---------------------------------------------------------

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
    Index(None, "utility", "meter_serial"),
    Index(None, "utility", "bill_id"),
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
    _partial("ix_instalments_bill_id", "bill_id", where="bill_id IS NOT NULL"),
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
    Index(None, "utility", "kind", "state"),
    _partial("ix_requests_bill_id", "bill_id", where="bill_id IS NOT NULL"),
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
    Index(None, "kind", "id"),
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

# --- what came in -------------------------------------------------------------------

inbox = Table(
    "inbox",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("received_at", Instant, nullable=False),
    Column("bind", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("mobile", Text, nullable=False),
    Column("text", Text, nullable=False, comment="with every secret code masked"),
    Column("fingerprint", BigInteger, nullable=False, comment="keyed hash of what arrived"),
    Column("state", Text, nullable=False, comment="answered, set_aside, incomplete, no_line"),
    Column("operation", Text, nullable=False, server_default=""),
    Column("outcome", Text, nullable=False, server_default=""),
    Column("subscriber_id", BigInteger),
    Column("reply_id", BigInteger, comment="the outbox message that answered it"),
    Column("error", Text),
    Index(None, "mobile", "id"),
    _partial("ix_inbox_subscriber_id", "subscriber_id", where="subscriber_id IS NOT NULL"),
)

inbox_parts = Table(
    "inbox_parts",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("received_at", Instant, nullable=False),
    Column("bind", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("mobile", Text, nullable=False),
    Column("reference", Integer, nullable=False),
    Column("total", SmallInteger, nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("data_coding", SmallInteger, nullable=False),
    Column("payload", Text, nullable=False, comment="hex; emptied when the message is joined"),
    Column("fingerprint", BigInteger, nullable=False),
    Column("inbox_id", BigInteger, comment="the joined message"),
    Index(None, "mobile", "line", "reference"),
    _partial("ix_inbox_parts_waiting", "received_at", where="inbox_id IS NULL"),
)

suspects = Table(
    "suspects",
    metadata,
    Column(
        "arrival_id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="the inbox or inbox_parts row",
    ),
    Column("bind", Text, nullable=False),
    Column("fingerprint", BigInteger, nullable=False),
    Column("since", Instant, nullable=False),
    Column(
        "connection",
        BigInteger,
        comment="where its redelivery was acknowledged; null: not redelivered yet",
    ),
    Index(None, "fingerprint"),
    comment="arrivals that are committed and whose acknowledgement may not have got out",
)

bind_marks = Table(
    "bind_marks",
    metadata,
    Column("node", SmallInteger, primary_key=True, autoincrement=False),
    Column("bind", Text, primary_key=True),
    Column(
        "confirmed_id",
        BigInteger,
        nullable=False,
        comment="arrivals of this node and bind up to this id are surely acknowledged",
    ),
)

# --- what goes out ------------------------------------------------------------------

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", BigInteger, nullable=False, comment="id of the message's first part"),
    Column("part", SmallInteger, nullable=False),
    Column("parts", SmallInteger, nullable=False),
    Column("inbox_id", BigInteger, comment="the message that this answers"),
    Column("subscriber_id", BigInteger),
    Column("mobile", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("text", Text, nullable=False, comment="this part's text"),
    Column("priority", SmallInteger, nullable=False, comment="0 goes first: answers to people"),
    Column("state", Text, nullable=False, comment="see docs/states.md"),
    Column("attempts", SmallInteger, nullable=False),
    Column("max_attempts", SmallInteger, nullable=False),
    Column("resend_uncertain", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("changed_at", Instant, nullable=False),
    Column("node", SmallInteger, comment="the daemon that is sending it"),
    Column("lease_until", Instant),
    Column("smsc", Text, comment="the operator that took it"),
    Column("smsc_id", Text, comment="the operator's id for it"),
    Column("code", Integer, comment="the last command_status or receipt error"),
    Column("error", Text),
    _partial("ix_outbox_waiting", "priority", "due_at", where=WAITS_TO_GO),
    _partial("ix_outbox_sending", "node", where=IS_SENDING),
    _partial("ix_outbox_smsc_id", "smsc_id", where="smsc_id IS NOT NULL"),
    Index(None, "mobile", "id"),
    _partial("ix_outbox_subscriber_id", "subscriber_id", where="subscriber_id IS NOT NULL"),
)

early_receipts = Table(
    "early_receipts",
    metadata,
    Column("smsc", Text, primary_key=True),
    Column("smsc_id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("done_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    comment="receipts that came before the commit of their submit_sm_resp",
)
