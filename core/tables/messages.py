"""What came in and what goes out."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
)

from core.tables.base import Instant, metadata, partial

WAITS_TO_GO = "state IN ('queued', 'waiting')"
"""Served by ``ix_outbox_waiting``: literals, as an index cannot know what a parameter is."""
IS_SENDING = "state = 'sending'"
"""Served by ``ix_outbox_sending``."""
IS_OVER = (
    "state IN ('delivered', 'undeliverable', 'rejected', 'expired', 'uncertain', 'suppressed', "
    "'cancelled')"
)
"""Served by ``ix_outbox_over``: what others are told of in the order in which it happened."""


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
    partial("ix_inbox_subscriber_id", "subscriber_id", where="subscriber_id IS NOT NULL"),
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
    partial("ix_inbox_parts_waiting", "received_at", where="inbox_id IS NULL"),
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
    Column("accepted_at", Instant, comment="when the operator took it"),
    Column("template_id", Integer, comment="the template it was made by; null for answers"),
    Column("run_id", BigInteger, comment="the campaign it belongs to"),
    Column("policy_id", Integer, comment="how it is tried again; null: as answers are"),
    Column(
        "over_at",
        Instant,
        comment="when we learned that it came to its end; a receipt dates changed_at itself",
    ),
    # By line first: what waits for one bind is never in the way of another's.
    partial("ix_outbox_waiting", "line", "priority", "due_at", "id", where=WAITS_TO_GO),
    partial("ix_outbox_sending", "node", where=IS_SENDING),
    partial("ix_outbox_smsc_id", "smsc_id", where="smsc_id IS NOT NULL"),
    # A message is found by its first part, and the others by its id.
    partial("ix_outbox_mobile", "mobile", "id", where="part = 1"),
    partial(
        "ix_outbox_subscriber_id", "subscriber_id", where="subscriber_id IS NOT NULL AND part = 1"
    ),
    partial("ix_outbox_over", "over_at", "id", where=IS_OVER),
    partial("ix_outbox_run_id", "run_id", "state", where="run_id IS NOT NULL"),
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

minute_counts = Table(
    "minute_counts",
    metadata,
    Column("minute", Instant, primary_key=True, autoincrement=False, comment="its beginning"),
    Column("node", SmallInteger, primary_key=True, autoincrement=False),
    Column("started_at", Instant, primary_key=True, autoincrement=False),
    Column("received", Integer, nullable=False),
    Column("dialled", Integer, nullable=False),
    Column("sent", Integer, nullable=False),
    Column("delivered", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("put_off", Integer, nullable=False),
    Column("uncertain", Integer, nullable=False),
    comment="what each process of a daemon has counted in each minute, for charts",
)
