"""What the utility sends of its own accord, what becomes of it, and who wants none of it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from core.tables.base import Id, Instant, metadata, partial

templates = Table(
    "templates",
    metadata,
    Column("id", Id, primary_key=True),
    Column("utility", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False, comment="the newest of its versions"),
    Column("topic", Text, nullable=False, comment="the newest version's: what is opted out of"),
    Column("required", Boolean, nullable=False, comment="the newest version's: never opted out of"),
    Column("enabled", Boolean, nullable=False),
    Column(
        "scheduled_until", Instant, comment="planned runs up to here have been begun or skipped"
    ),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Text, nullable=False, comment="who saved, enabled or disabled it last"),
    UniqueConstraint("utility", "name"),
    comment="messages that the utility sends of its own accord",
)

template_versions = Table(
    "template_versions",
    metadata,
    Column("template_id", ForeignKey("templates.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("settings", Text, nullable=False, comment="JSON: all but its words"),
    Column("body", Text, nullable=False, comment="Jinja2"),
    Column("policy_id", ForeignKey("send_policies.id"), nullable=False),
    Column("saved_at", Instant, nullable=False),
    Column("saved_by", Text, nullable=False),
    comment="never changed: a message says by which version it was made",
)

send_policies = Table(
    "send_policies",
    metadata,
    Column("id", Id, primary_key=True),
    Column("settings", Text, nullable=False, comment="JSON: pauses, hours, what is tried again"),
    UniqueConstraint("settings"),
    comment="how a message is sent and tried again; never changed, so it may be kept in memory",
)

runs = Table(
    "runs",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("utility", Text, nullable=False),
    Column("template_id", ForeignKey("templates.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("planned_for", Instant, nullable=False, comment="what its schedule says, or when asked"),
    Column("subject", Text, nullable=False, comment="what it tells of, such as outage:7; or empty"),
    Column("source", Text, nullable=False, comment="JSON: the report and its parameters"),
    Column("state", Text, nullable=False, comment="see docs/states.md"),
    Column("position", Text, nullable=False, comment="the key of the last row that was read"),
    Column("rows_expected", BigInteger),
    Column("rows_read", BigInteger, nullable=False),
    Column("made", BigInteger, nullable=False, comment="messages"),
    Column("parts", BigInteger, nullable=False, comment="of those messages"),
    Column("suppressed", BigInteger, nullable=False, comment="receivers who want none"),
    Column("passed_over", BigInteger, nullable=False, comment="rows that nobody can be told of"),
    Column("unwritten", BigInteger, nullable=False, comment="rows that fit no words"),
    Column("asked_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("produced_at", Instant, comment="when the last of its messages was made"),
    Column("ended_at", Instant),
    Column("error", Text),
    Column("node", SmallInteger, comment="the daemon that produces it"),
    Column("lease_until", Instant),
    # One run for each instant of a schedule, whichever daemon begins it …
    UniqueConstraint("template_id", "planned_for", "subject"),
    # … and one for whatever is told once.
    partial("ix_runs_subject", "subject", "template_id", where="subject <> ''", unique=True),
    partial("ix_runs_going", "planned_for", where="ended_at IS NULL"),
    comment="campaigns: a template over the rows of a report",
)

due_events = Table(
    "due_events",
    metadata,
    Column("template_id", ForeignKey("templates.id", ondelete="CASCADE"), primary_key=True),
    Column("event_id", BigInteger, primary_key=True, autoincrement=False),
    Column("due_at", Instant, nullable=False, comment="when its message is to be made"),
    Index(None, "due_at"),
    comment="events that a template makes a message of later",
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("outbox_id", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("node", SmallInteger),
    Column("smsc", Text, nullable=False),
    Column("smsc_id", Text),
    Column("result", Text, nullable=False, comment="of the submission, or of its receipt"),
    Column("code", Integer),
    Column("error", Text, comment="the receipt's"),
    Index(None, "outbox_id", "id"),
    comment="every attempt but a first one that was accepted, which its outbox row tells",
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("mobile", Text, nullable=False),
    Column("utility", Text, nullable=False),
    Column("topic", Text, nullable=False, comment="the kind of message; empty: every kind"),
    Column("reason", Text, nullable=False, comment="asked, blocked, desk; wanted: an exception"),
    Column("note", Text, nullable=False, comment="who, or the operator's code"),
    Column("since", Instant, nullable=False),
    UniqueConstraint("mobile", "utility", "topic"),
    comment="who wants none of the utility's own messages",
)

outages = Table(
    "outages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("utility", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("begins_at", Instant, nullable=False),
    Column("ends_at", Instant),
    Column("reason", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("cancelled_at", Instant),
    Index(None, "utility", "begins_at"),
    comment="planned interruptions of the supply, to be told beforehand",
)

paused_services = Table(
    "paused_services",
    metadata,
    Column("name", Text, primary_key=True, comment="bind:NAME, panel:NAME, scheduler, …"),
    Column("since", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("note", Text, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("trouble", Text, nullable=False, comment="what it is about: bind_down:main"),
    Column("words", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("told_at", Instant),
    Column("ended_at", Instant),
    Column("end_told_at", Instant),
    # At the most one of a kind is open.
    partial("ix_alerts_open", "trouble", where="ended_at IS NULL", unique=True),
)

nodes = Table(
    "nodes",
    metadata,
    Column("node", SmallInteger, primary_key=True, autoincrement=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("version", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("binds_up", Text, nullable=False, comment="JSON: bind → share of its rate, millionths"),
    Column("taken_over_at", Instant, comment="when others took what it was to send: it was gone"),
    comment="the daemons that share this database",
)

panel_marks = Table(
    "panel_marks",
    metadata,
    Column("panel", Text, primary_key=True),
    Column("mark", BigInteger, primary_key=True, autoincrement=False, comment="a keyed hash"),
    Column("seen_at", Instant, nullable=False),
    Index(None, "seen_at"),
    comment="texts that SMS panels have handed over and that are stored",
)
