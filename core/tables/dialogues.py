"""USSD: the session of each mobile, and every input that came in one."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from core.tables.base import Instant, metadata, partial

IS_OPEN = "ended_at IS NULL"
"""Served by ``ix_ussd_sessions_open``."""
HAS_ENDED = "ended_at IS NOT NULL"
"""Served by ``ix_ussd_sessions_ended``."""

ussd_sessions = Table(
    "ussd_sessions",
    metadata,
    # A handset has one session at a time, so its number is the key: a new dial takes the row.
    Column("mobile", Text, primary_key=True),
    Column("id", BigInteger, nullable=False, comment="the id of the input that opened it"),
    Column("door", Text, nullable=False, comment="the bind or the HTTP door it came through"),
    Column("network_id", Text, nullable=False, comment="what the network calls the session"),
    Column("line", Text, nullable=False, comment="the USSD code as in the settings: *1522#"),
    Column("utility", Text, nullable=False),
    Column("state", Text, nullable=False, comment="JSON: where in the menu, what was said"),
    Column("screen", Text, nullable=False, comment="what the handset shows: for a redelivery"),
    Column("last_input_id", BigInteger, nullable=False, comment="the last step"),
    Column("turn", Text, nullable=False, comment="the network's mark of the last input, or empty"),
    Column("steps", Integer, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, comment="when it is over unless something comes"),
    Column("ended_at", Instant),
    Column("ended_by", Text, comment="menu, user, timeout, replaced, expired, limit"),
    Column("minute_from", Instant, nullable=False, comment="since when inputs are counted …"),
    Column("minute_inputs", Integer, nullable=False, comment="… and how many there were, …"),
    Column("minute_dials", Integer, nullable=False, comment="… and how many of them were dials"),
    Index(None, "network_id"),
    partial("ix_ussd_sessions_open", "expires_at", where=IS_OPEN),
    partial("ix_ussd_sessions_ended", "ended_at", where=HAS_ENDED),
    comment="the last USSD session of each mobile; any process can go on with it",
)

ussd_steps = Table(
    "ussd_steps",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("session_id", BigInteger, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("bind", Text, nullable=False, comment="the bind or the HTTP door it came through"),
    Column("line", Text, nullable=False),
    Column("mobile", Text, nullable=False),
    Column("event", Text, nullable=False, comment="begin, answer, confirm, abort, timeout, open"),
    Column("text", Text, nullable=False, comment="with every secret code masked"),
    Column("fingerprint", BigInteger, nullable=False, comment="keyed hash of what arrived"),
    Column("operation", Text, nullable=False, server_default="", comment="the last that it ran"),
    Column("outcome", Text, nullable=False, server_default=""),
    Column("subscriber_id", BigInteger),
    Column("error", Text),
    Index(None, "session_id", "id"),
    Index(None, "mobile", "id"),
    comment="every input of a USSD session, and the operation that it led to",
)
