"""Who may use the desk and the API, what they did, and what is kept beside messages for them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from core.tables.base import Id, Instant, metadata, partial

users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, comment="what is typed to log in, in lower case"),
    Column("title", Text, nullable=False, comment="the person's name"),
    Column("password_hash", Text, nullable=False, comment="argon2id"),
    Column("totp_secret", Text, comment="encrypted with the master key; null: no second factor"),
    Column("totp_step", BigInteger, comment="the last code that was used: no code works twice"),
    Column("language", Text, nullable=False, server_default="fa"),
    Column("office", Text, nullable=False, server_default="", comment="the counter office"),
    Column("created_at", Instant, nullable=False),
    Column("password_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    UniqueConstraint("name"),
)

roles = Table(
    "roles",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("permissions", Text, nullable=False, comment="JSON; built-in roles': in the code"),
    Column("changed_at", Instant, nullable=False),
    UniqueConstraint("name"),
)

user_roles = Table(
    "user_roles",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True),
    Column("utility", Text, primary_key=True, comment="whose data it is for; empty: every one's"),
)

web_sessions = Table(
    "web_sessions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("token_hash", Text, nullable=False, comment="of what the cookie holds"),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("verified_at", Instant, comment="null: the second factor's code is waited for"),
    Column("expires_at", Instant, nullable=False),
    Column("address", Text, nullable=False),
    Column("agent", Text, nullable=False),
    UniqueConstraint("token_hash"),
    Index(None, "user_id"),
    Index(None, "expires_at"),
)

login_failures = Table(
    "login_failures",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, comment="as typed: it may not exist"),
    Column("address", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "name", "at"),
    Index(None, "address", "at"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("user_id", BigInteger, comment="null: a command, a token, or nobody known"),
    Column("who", Text, nullable=False, comment="the user's name, command:NAME, token:NAME"),
    Column("address", Text, nullable=False),
    Column("action", Text, nullable=False, comment="template.edit, subscriber.see, login …"),
    Column("object", Text, nullable=False, comment="what it was done to: template:12"),
    Column("utility", Text, nullable=False, server_default=""),
    Column("details", Text, nullable=False, comment="JSON: what changed; no secrets"),
    Index(None, "at"),
    Index(None, "object", "id"),
    Index(None, "who", "id"),
    comment="append-only: triggers refuse to change or delete a row",
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("permissions", Text, nullable=False, comment="JSON"),
    Column("utility", Text, nullable=False, comment="whose data; empty: every one's"),
    Column("per_minute", Integer, nullable=False, comment="requests"),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Column("used_at", Instant),
    UniqueConstraint("name"),
    UniqueConstraint("token_hash"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("token_id", ForeignKey("api_tokens.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False, comment="of the request: another one is refused"),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False, comment="what was answered"),
    Column("at", Instant, nullable=False),
    Index(None, "at"),
)

event_keys = Table(
    "event_keys",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False, comment="the event's"),
    Column("utility", Text, nullable=False),
    Column("key", Text, nullable=False, comment="what the system that told of it calls it"),
    UniqueConstraint("utility", "key"),
    comment="events that other systems have told of: each once",
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("utility", Text, nullable=False, comment="whose data; empty: every one's"),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False, comment="encrypted with the master key"),
    Column("what", Text, nullable=False, comment="JSON: inbound, states, kinds of events"),
    Column("inbound_id", BigInteger, nullable=False, comment="the last message told of"),
    Column("event_id", BigInteger, nullable=False, comment="the last event told of"),
    Column("state_at", Instant, nullable=False, comment="the last change of a state told of …"),
    Column("state_id", BigInteger, nullable=False, comment="… and the outbox row that it is of"),
    Column("call_id", BigInteger, comment="the call under way; the next is made after it"),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("disabled_at", Instant),
    Column("disabled_by", Text, comment="empty: by itself, as its receiver took nothing"),
    UniqueConstraint("name"),
)

webhook_calls = Table(
    "webhook_calls",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("webhook_id", ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("items", Integer, nullable=False),
    Column("body", Text, nullable=False, comment="emptied when the receiver has it"),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, comment="null: done, or given up"),
    Column("status", Integer, comment="HTTP's, of the last answer"),
    Column("error", Text),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index(None, "webhook_id", "id"),
)

inbox_handling = Table(
    "inbox_handling",
    metadata,
    Column("inbox_id", BigInteger, primary_key=True, autoincrement=False),
    Column("assigned_to", ForeignKey("users.id", ondelete="SET NULL")),
    Column("closed_at", Instant),
    Column("closed_by", Text),
    Column("note", Text, nullable=False, server_default=""),
    Column("changed_at", Instant, nullable=False),
    Index(None, "assigned_to"),
    comment="what people do about messages that came in",
)

manual_replies = Table(
    "manual_replies",
    metadata,
    Column("outbox_id", BigInteger, primary_key=True, autoincrement=False),
    Column("inbox_id", BigInteger),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("form", Text, comment="the form that it was sent with: none sends twice"),
    UniqueConstraint("form"),
    Index(None, "inbox_id"),
    comment="messages that a person wrote",
)

request_messages = Table(
    "request_messages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("request_id", ForeignKey("requests.id", ondelete="CASCADE"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("side", Text, nullable=False, comment="office, utility: who wrote it"),
    Column("by", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("seen_at", Instant, comment="when the other side read it"),
    Index(None, "request_id", "id"),
    partial("ix_request_messages_unseen", "side", where="seen_at IS NULL"),
    comment="the box in which a counter office and the utility write to each other",
)

request_documents = Table(
    "request_documents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("request_id", ForeignKey("requests.id", ondelete="CASCADE"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("name", Text, nullable=False, comment="of the file, as it was sent"),
    Column("kind", Text, nullable=False, comment="media type, by what the file begins with"),
    Column("size", Integer, nullable=False, comment="bytes"),
    Column("digest", Text, nullable=False, comment="SHA-256: the same file is kept once"),
    Column("content", LargeBinary, nullable=False),
    UniqueConstraint("request_id", "digest"),
    comment="papers that a request needs, as files",
)
