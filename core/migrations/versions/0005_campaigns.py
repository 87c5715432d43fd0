"""The utility's own messages: templates, runs, attempts, suppressions, what runs beside what.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None


_WAITS = "state IN ('queued', 'waiting')"
_KNOWN = "subscriber_id IS NOT NULL"


def _partial(where: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}


def _index_waiting(batch_op: Any, columns: list[str]) -> None:
    where = _partial(_WAITS)
    batch_op.drop_index("ix_outbox_waiting", **where)
    batch_op.create_index("ix_outbox_waiting", columns, unique=False, **where)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False, comment="what it is about: bind_down:main"),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("end_told_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index(
            "ix_alerts_open",
            ["trouble"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
    op.create_table(
        "attempts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("outbox_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("node", sa.SmallInteger(), nullable=True),
        sa.Column("smsc", sa.Text(), nullable=False),
        sa.Column("smsc_id", sa.Text(), nullable=True),
        sa.Column(
            "result", sa.Text(), nullable=False, comment="of the submission, or of its receipt"
        ),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True, comment="the receipt's"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        comment="every attempt but a first one that was accepted, which its outbox row tells",
    )
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_attempts_outbox_id_id"), ["outbox_id", "id"], unique=False
        )
    op.create_table(
        "nodes",
        sa.Column("node", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column(
            "binds_up",
            sa.Text(),
            nullable=False,
            comment="JSON: bind → share of its rate, millionths",
        ),
        sa.Column(
            "taken_over_at",
            sa.BigInteger(),
            nullable=True,
            comment="when others took what it was to send: it was gone",
        ),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_nodes")),
        comment="the daemons that share this database",
    )
    op.create_table(
        "outages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("utility", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("begins_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("cancelled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outages")),
        comment="planned interruptions of the supply, to be told beforehand",
    )
    with op.batch_alter_table("outages", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_outages_utility_begins_at"), ["utility", "begins_at"], unique=False
        )
    op.create_table(
        "panel_marks",
        sa.Column("panel", sa.Text(), nullable=False),
        sa.Column(
            "mark", sa.BigInteger(), autoincrement=False, nullable=False, comment="a keyed hash"
        ),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("panel", "mark", name=op.f("pk_panel_marks")),
        comment="texts that SMS panels have handed over and that are stored",
    )
    with op.batch_alter_table("panel_marks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_panel_marks_seen_at"), ["seen_at"], unique=False)

    op.create_table(
        "paused_services",
        sa.Column("name", sa.Text(), nullable=False, comment="bind:NAME, panel:NAME, scheduler, …"),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_paused_services")),
    )
    op.create_table(
        "send_policies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "settings",
            sa.Text(),
            nullable=False,
            comment="JSON: pauses, hours, what is tried again",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_send_policies")),
        sa.UniqueConstraint("settings", name=op.f("uq_send_policies_settings")),
        comment="how a message is sent and tried again; never changed, so it may be kept in memory",
    )
    op.create_table(
        "suppressions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mobile", sa.Text(), nullable=False),
        sa.Column("utility", sa.Text(), nullable=False),
        sa.Column(
            "topic", sa.Text(), nullable=False, comment="the kind of message; empty: every kind"
        ),
        sa.Column(
            "reason",
            sa.Text(),
            nullable=False,
            comment="asked, blocked, desk; wanted: an exception",
        ),
        sa.Column("note", sa.Text(), nullable=False, comment="who, or the operator's code"),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppressions")),
        sa.UniqueConstraint(
            "mobile", "utility", "topic", name=op.f("uq_suppressions_mobile_utility_topic")
        ),
        comment="who wants none of the utility's own messages",
    )
    op.create_table(
        "templates",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("utility", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="the newest of its versions"),
        sa.Column(
            "topic", sa.Text(), nullable=False, comment="the newest version's: what is opted out of"
        ),
        sa.Column(
            "required",
            sa.Boolean(),
            nullable=False,
            comment="the newest version's: never opted out of",
        ),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column(
            "scheduled_until",
            sa.BigInteger(),
            nullable=True,
            comment="planned runs up to here have been begun or skipped",
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "changed_by",
            sa.Text(),
            nullable=False,
            comment="who saved, enabled or disabled it last",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
        sa.UniqueConstraint("utility", "name", name=op.f("uq_templates_utility_name")),
        comment="messages that the utility sends of its own accord",
    )
    op.create_table(
        "due_events",
        sa.Column(
            "template_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("event_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "due_at", sa.BigInteger(), nullable=False, comment="when its message is to be made"
        ),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["templates.id"],
            name=op.f("fk_due_events_template_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("template_id", "event_id", name=op.f("pk_due_events")),
        comment="events that a template makes a message of later",
    )
    with op.batch_alter_table("due_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_due_events_due_at"), ["due_at"], unique=False)
    op.create_table(
        "runs",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("utility", sa.Text(), nullable=False),
        sa.Column(
            "template_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "planned_for",
            sa.BigInteger(),
            nullable=False,
            comment="what its schedule says, or when asked",
        ),
        sa.Column(
            "subject",
            sa.Text(),
            nullable=False,
            comment="what it tells of, such as outage:7; or empty",
        ),
        sa.Column(
            "source", sa.Text(), nullable=False, comment="JSON: the report and its parameters"
        ),
        sa.Column("state", sa.Text(), nullable=False, comment="see docs/states.md"),
        sa.Column(
            "position", sa.Text(), nullable=False, comment="the key of the last row that was read"
        ),
        sa.Column("rows_expected", sa.BigInteger(), nullable=True),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False, comment="messages"),
        sa.Column("parts", sa.BigInteger(), nullable=False, comment="of those messages"),
        sa.Column("suppressed", sa.BigInteger(), nullable=False, comment="receivers who want none"),
        sa.Column(
            "passed_over",
            sa.BigInteger(),
            nullable=False,
            comment="rows that nobody can be told of",
        ),
        sa.Column("unwritten", sa.BigInteger(), nullable=False, comment="rows that fit no words"),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "produced_at",
            sa.BigInteger(),
            nullable=True,
            comment="when the last of its messages was made",
        ),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("node", sa.SmallInteger(), nullable=True, comment="the daemon that produces it"),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["template_id"], ["templates.id"], name=op.f("fk_runs_template_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint(
            "template_id",
            "planned_for",
            "subject",
            name=op.f("uq_runs_template_id_planned_for_subject"),
        ),
        comment="campaigns: a template over the rows of a report",
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_runs_going",
            ["planned_for"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index(
            "ix_runs_subject",
            ["subject", "template_id"],
            unique=True,
            **_partial("subject <> ''"),
        )
    op.create_table(
        "template_versions",
        sa.Column(
            "template_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("settings", sa.Text(), nullable=False, comment="JSON: all but its words"),
        sa.Column("body", sa.Text(), nullable=False, comment="Jinja2"),
        sa.Column(
            "policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.Column("saved_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["send_policies.id"], name=op.f("fk_template_versions_policy_id")
        ),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["templates.id"],
            name=op.f("fk_template_versions_template_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("template_id", "version", name=op.f("pk_template_versions")),
        comment="never changed: a message says by which version it was made",
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "handled_at",
                sa.BigInteger(),
                nullable=True,
                comment="when the templates that it concerns were told",
            )
        )
        batch_op.create_index(
            "ix_events_new",
            ["id"],
            unique=False,
            sqlite_where=sa.text("handled_at IS NULL"),
            postgresql_where=sa.text("handled_at IS NULL"),
        )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "accepted_at", sa.BigInteger(), nullable=True, comment="when the operator took it"
            )
        )
        batch_op.add_column(
            sa.Column(
                "template_id",
                sa.Integer(),
                nullable=True,
                comment="the template it was made by; null for answers",
            )
        )
        batch_op.add_column(
            sa.Column(
                "run_id", sa.BigInteger(), nullable=True, comment="the campaign it belongs to"
            )
        )
        batch_op.add_column(
            sa.Column(
                "policy_id",
                sa.Integer(),
                nullable=True,
                comment="how it is tried again; null: as answers are",
            )
        )
        batch_op.create_index(
            "ix_outbox_run_id",
            ["run_id", "state"],
            unique=False,
            sqlite_where=sa.text("run_id IS NOT NULL"),
            postgresql_where=sa.text("run_id IS NOT NULL"),
        )
        _index_waiting(batch_op, ["line", "priority", "due_at", "id"])
        batch_op.drop_index(batch_op.f("ix_outbox_mobile_id"))
        batch_op.create_index("ix_outbox_mobile", ["mobile", "id"], **_partial("part = 1"))
        batch_op.drop_index("ix_outbox_subscriber_id", **_partial(_KNOWN))
        batch_op.create_index(
            "ix_outbox_subscriber_id", ["subscriber_id"], **_partial(f"{_KNOWN} AND part = 1")
        )
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "file_channel",
                sa.Text(),
                nullable=True,
                comment="what the utility's file calls one of our own page …",
            )
        )
        batch_op.add_column(
            sa.Column(
                "file_reference", sa.Text(), nullable=True, comment="… and its reference there"
            )
        )
    # What happened before there were templates is not told now.
    op.execute("UPDATE events SET handled_at = at")


def downgrade() -> None:
    """Drop them again."""
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.drop_column("file_reference")
        batch_op.drop_column("file_channel")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_mobile", **_partial("part = 1"))
        batch_op.create_index(batch_op.f("ix_outbox_mobile_id"), ["mobile", "id"])
        batch_op.drop_index("ix_outbox_subscriber_id", **_partial(f"{_KNOWN} AND part = 1"))
        batch_op.create_index("ix_outbox_subscriber_id", ["subscriber_id"], **_partial(_KNOWN))
        _index_waiting(batch_op, ["priority", "due_at"])
        batch_op.drop_index(
            "ix_outbox_run_id",
            sqlite_where=sa.text("run_id IS NOT NULL"),
            postgresql_where=sa.text("run_id IS NOT NULL"),
        )
        batch_op.drop_column("policy_id")
        batch_op.drop_column("run_id")
        batch_op.drop_column("template_id")
        batch_op.drop_column("accepted_at")
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_events_new",
            sqlite_where=sa.text("handled_at IS NULL"),
            postgresql_where=sa.text("handled_at IS NULL"),
        )
        batch_op.drop_column("handled_at")
    op.drop_table("template_versions")
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_index("ix_runs_subject", **_partial("subject <> ''"))
        batch_op.drop_index(
            "ix_runs_going",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
    op.drop_table("runs")
    with op.batch_alter_table("due_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_due_events_due_at"))
    op.drop_table("due_events")
    op.drop_table("templates")
    op.drop_table("suppressions")
    op.drop_table("send_policies")
    op.drop_table("paused_services")
    with op.batch_alter_table("panel_marks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_panel_marks_seen_at"))
    op.drop_table("panel_marks")
    with op.batch_alter_table("outages", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outages_utility_begins_at"))
    op.drop_table("outages")
    op.drop_table("nodes")
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempts_outbox_id_id"))
    op.drop_table("attempts")
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_alerts_open",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
    op.drop_table("alerts")
