"""Who may use the desk and the API, what they did, and what is kept beside messages for them.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None

_IS_OVER = (
    "state IN ('delivered', 'undeliverable', 'rejected', 'expired', 'uncertain', 'suppressed', "
    "'cancelled')"
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("utility", sa.Text(), nullable=False, comment="whose data; empty: every one's"),
        sa.Column("per_minute", sa.Integer(), nullable=False, comment="requests"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("name", name=op.f("uq_api_tokens_name")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column(
            "user_id",
            sa.BigInteger(),
            nullable=True,
            comment="null: a command, a token, or nobody known",
        ),
        sa.Column(
            "who", sa.Text(), nullable=False, comment="the user's name, command:NAME, token:NAME"
        ),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column(
            "action", sa.Text(), nullable=False, comment="template.edit, subscriber.see, login …"
        ),
        sa.Column("object", sa.Text(), nullable=False, comment="what it was done to: template:12"),
        sa.Column("utility", sa.Text(), server_default="", nullable=False),
        sa.Column("details", sa.Text(), nullable=False, comment="JSON: what changed; no secrets"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        comment="append-only: triggers refuse to change or delete a row",
    )
    op.create_table(
        "event_keys",
        sa.Column(
            "id", sa.BigInteger(), autoincrement=False, nullable=False, comment="the event's"
        ),
        sa.Column("utility", sa.Text(), nullable=False),
        sa.Column(
            "key",
            sa.Text(),
            nullable=False,
            comment="what the system that told of it calls it",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_keys")),
        sa.UniqueConstraint("utility", "key", name=op.f("uq_event_keys_utility_key")),
        comment="events that other systems have told of: each once",
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_object_id"), ["object", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_who_id"), ["who", "id"], unique=False)
    op.create_table(
        "login_failures",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="as typed: it may not exist"),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_failures")),
    )
    with op.batch_alter_table("login_failures", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_login_failures_address_at"), ["address", "at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_login_failures_name_at"), ["name", "at"], unique=False)
    op.create_table(
        "manual_replies",
        sa.Column("outbox_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("inbox_id", sa.BigInteger(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column(
            "form",
            sa.Text(),
            nullable=True,
            comment="the form that it was sent with: none sends twice",
        ),
        sa.PrimaryKeyConstraint("outbox_id", name=op.f("pk_manual_replies")),
        sa.UniqueConstraint("form", name=op.f("uq_manual_replies_form")),
        comment="messages that a person wrote",
    )
    with op.batch_alter_table("manual_replies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_manual_replies_inbox_id"), ["inbox_id"], unique=False)
    op.create_table(
        "roles",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column(
            "permissions", sa.Text(), nullable=False, comment="JSON; built-in roles': in the code"
        ),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        sa.UniqueConstraint("name", name=op.f("uq_roles_name")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "name", sa.Text(), nullable=False, comment="what is typed to log in, in lower case"
        ),
        sa.Column("title", sa.Text(), nullable=False, comment="the person's name"),
        sa.Column("password_hash", sa.Text(), nullable=False, comment="argon2id"),
        sa.Column(
            "totp_secret",
            sa.Text(),
            nullable=True,
            comment="encrypted with the master key; null: no second factor",
        ),
        sa.Column(
            "totp_step",
            sa.BigInteger(),
            nullable=True,
            comment="the last code that was used: no code works twice",
        ),
        sa.Column("language", sa.Text(), server_default="fa", nullable=False),
        sa.Column(
            "office", sa.Text(), server_default="", nullable=False, comment="the counter office"
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("password_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
    )
    op.create_table(
        "webhooks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("utility", sa.Text(), nullable=False, comment="whose data; empty: every one's"),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False, comment="encrypted with the master key"),
        sa.Column(
            "what", sa.Text(), nullable=False, comment="JSON: inbound, states, kinds of events"
        ),
        sa.Column(
            "inbound_id", sa.BigInteger(), nullable=False, comment="the last message told of"
        ),
        sa.Column("event_id", sa.BigInteger(), nullable=False, comment="the last event told of"),
        sa.Column(
            "state_at",
            sa.BigInteger(),
            nullable=False,
            comment="the last change of a state told of …",
        ),
        sa.Column(
            "state_id",
            sa.BigInteger(),
            nullable=False,
            comment="… and the outbox row that it is of",
        ),
        sa.Column(
            "call_id",
            sa.BigInteger(),
            nullable=True,
            comment="the call under way; the next is made after it",
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "disabled_by",
            sa.Text(),
            nullable=True,
            comment="empty: by itself, as its receiver took nothing",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sa.UniqueConstraint("name", name=op.f("uq_webhooks_name")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("token_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column(
            "fingerprint",
            sa.Text(),
            nullable=False,
            comment="of the request: another one is refused",
        ),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="what was answered"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"],
            ["api_tokens.id"],
            name=op.f("fk_idempotency_keys_token_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_id", "key", name=op.f("pk_idempotency_keys")),
    )
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_keys_at"), ["at"], unique=False)
    op.create_table(
        "inbox_handling",
        sa.Column("inbox_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "assigned_to", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assigned_to"],
            ["users.id"],
            name=op.f("fk_inbox_handling_assigned_to"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("inbox_id", name=op.f("pk_inbox_handling")),
        comment="what people do about messages that came in",
    )
    with op.batch_alter_table("inbox_handling", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_inbox_handling_assigned_to"), ["assigned_to"], unique=False
        )
    op.create_table(
        "user_roles",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "utility", sa.Text(), nullable=False, comment="whose data it is for; empty: every one's"
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["roles.id"], name=op.f("fk_user_roles_role_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_roles_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "role_id", "utility", name=op.f("pk_user_roles")),
    )
    op.create_table(
        "web_sessions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False, comment="of what the cookie holds"),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "verified_at",
            sa.BigInteger(),
            nullable=True,
            comment="null: the second factor's code is waited for",
        ),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_web_sessions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_web_sessions_token_hash")),
    )
    with op.batch_alter_table("web_sessions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_web_sessions_expires_at"), ["expires_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_web_sessions_user_id"), ["user_id"], unique=False)
    op.create_table(
        "webhook_calls",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "webhook_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="emptied when the receiver has it"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True, comment="null: done, or given up"),
        sa.Column("status", sa.Integer(), nullable=True, comment="HTTP's, of the last answer"),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["webhooks.id"],
            name=op.f("fk_webhook_calls_webhook_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_calls")),
    )
    with op.batch_alter_table("webhook_calls", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_webhook_calls_webhook_id_id"), ["webhook_id", "id"], unique=False
        )
    op.add_column(
        "outbox",
        sa.Column(
            "over_at",
            sa.BigInteger(),
            nullable=True,
            comment="when we learned that it came to its end; a receipt dates changed_at itself",
        ),
    )
    op.create_index(
        "ix_outbox_over",
        "outbox",
        ["over_at", "id"],
        unique=False,
        sqlite_where=sa.text(_IS_OVER),
        postgresql_where=sa.text(_IS_OVER),
    )
    op.create_table(
        "request_messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False, comment="office, utility: who wrote it"),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=True, comment="when the other side read it"),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["requests.id"],
            name=op.f("fk_request_messages_request_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_messages")),
        comment="the box in which a counter office and the utility write to each other",
    )
    with op.batch_alter_table("request_messages", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_request_messages_request_id_id"), ["request_id", "id"], unique=False
        )
        batch_op.create_index(
            "ix_request_messages_unseen",
            ["side"],
            unique=False,
            sqlite_where=sa.text("seen_at IS NULL"),
            postgresql_where=sa.text("seen_at IS NULL"),
        )
    op.create_table(
        "request_documents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="of the file, as it was sent"),
        sa.Column(
            "kind", sa.Text(), nullable=False, comment="media type, by what the file begins with"
        ),
        sa.Column("size", sa.Integer(), nullable=False, comment="bytes"),
        sa.Column(
            "digest", sa.Text(), nullable=False, comment="SHA-256: the same file is kept once"
        ),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["requests.id"],
            name=op.f("fk_request_documents_request_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_documents")),
        sa.UniqueConstraint(
            "request_id", "digest", name=op.f("uq_request_documents_request_id_digest")
        ),
        comment="papers that a request needs, as files",
    )
    op.create_index(
        "ix_requests_office",
        "requests",
        ["office", "id"],
        unique=False,
        sqlite_where=sa.text("office IS NOT NULL"),
        postgresql_where=sa.text("office IS NOT NULL"),
    )
    op.create_table(
        "minute_counts",
        sa.Column(
            "minute",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="its beginning",
        ),
        sa.Column("node", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("started_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("dialled", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("delivered", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("put_off", sa.Integer(), nullable=False),
        sa.Column("uncertain", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("minute", "node", "started_at", name=op.f("pk_minute_counts")),
        comment="what each process of a daemon has counted in each minute, for charts",
    )
    op.create_table(
        "retention_marks",
        sa.Column("name", sa.Text(), nullable=False, comment="a task of core.retention"),
        sa.Column(
            "position",
            sa.BigInteger(),
            nullable=False,
            comment="rows up to this id were looked at",
        ),
        sa.Column(
            "passed_over",
            sa.BigInteger(),
            nullable=True,
            comment="before the first of them that could not go yet",
        ),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_retention_marks")),
        comment="how far what is no longer kept has been put away",
    )
    _append_only()
    _built_in_roles()


def _built_in_roles() -> None:
    """The roles that are always there; what they allow is in the code."""
    titles = {
        "administrator": "مدیر سامانه",
        "operator": "کاربر سامانه",
        "viewer": "بیننده",
        "counter": "دفتر پیشخوان",
    }
    roles = sa.table(
        "roles",
        sa.column("name", sa.Text()),
        sa.column("title", sa.Text()),
        sa.column("permissions", sa.Text()),
        sa.column("changed_at", sa.BigInteger()),
    )
    op.bulk_insert(
        roles,
        [
            {"name": name, "title": title, "permissions": "[]", "changed_at": 0}
            for name, title in titles.items()
        ],
    )


def _append_only() -> None:
    """Let nobody change or delete what was done."""
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{act.lower()} BEFORE {act} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
            )
        # REPLACE deletes what it replaces, and no trigger hears of it.
        op.execute(
            "CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit "
            "WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) "
            "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
    )


def downgrade() -> None:
    """Drop them again."""
    op.drop_index("ix_outbox_over", table_name="outbox")
    op.drop_column("outbox", "over_at")
    op.drop_table("event_keys")
    op.drop_table("retention_marks")
    op.drop_table("minute_counts")
    op.drop_table("request_documents")
    op.drop_index(
        "ix_requests_office",
        "requests",
        sqlite_where=sa.text("office IS NOT NULL"),
        postgresql_where=sa.text("office IS NOT NULL"),
    )
    with op.batch_alter_table("request_messages", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_request_messages_unseen",
            sqlite_where=sa.text("seen_at IS NULL"),
            postgresql_where=sa.text("seen_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_request_messages_request_id_id"))
    op.drop_table("request_messages")
    with op.batch_alter_table("webhook_calls", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_webhook_calls_webhook_id_id"))
    op.drop_table("webhook_calls")
    with op.batch_alter_table("web_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_web_sessions_user_id"))
        batch_op.drop_index(batch_op.f("ix_web_sessions_expires_at"))
    op.drop_table("web_sessions")
    op.drop_table("user_roles")
    with op.batch_alter_table("inbox_handling", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_inbox_handling_assigned_to"))
    op.drop_table("inbox_handling")
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_keys_at"))
    op.drop_table("idempotency_keys")
    op.drop_table("webhooks")
    op.drop_table("users")
    op.drop_table("roles")
    with op.batch_alter_table("manual_replies", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_manual_replies_inbox_id"))
    op.drop_table("manual_replies")
    with op.batch_alter_table("login_failures", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_failures_name_at"))
        batch_op.drop_index(batch_op.f("ix_login_failures_address_at"))
    op.drop_table("login_failures")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_who_id"))
        batch_op.drop_index(batch_op.f("ix_audit_object_id"))
        batch_op.drop_index(batch_op.f("ix_audit_at"))
    op.drop_table("audit")
    op.drop_table("api_tokens")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_append_only")
