"""The database's tables, as SQLAlchemy Core sees them.

Money is integer rial. An instant is UTC milliseconds since 1970 in a 64-bit integer: it
sorts, it travels through JSON, and it is the same on SQLite and PostgreSQL. Dates of
bills are calendar dates. Ids of hot tables are made by the daemon (``core.ids``), so that
a batch can link its rows before it writes them.

Every change here needs a migration in ``core/migrations``; a test compares the two.
"""

from __future__ import annotations

from core.tables.access import (
    api_tokens,
    audit,
    event_keys,
    idempotency_keys,
    inbox_handling,
    login_failures,
    manual_replies,
    request_documents,
    request_messages,
    roles,
    user_roles,
    users,
    web_sessions,
    webhook_calls,
    webhooks,
)
from core.tables.base import metadata
from core.tables.campaigns import (
    alerts,
    attempts,
    due_events,
    nodes,
    outages,
    panel_marks,
    paused_services,
    runs,
    send_policies,
    suppressions,
    template_versions,
    templates,
)
from core.tables.dialogues import HAS_ENDED, IS_OPEN, ussd_sessions, ussd_steps
from core.tables.keeping import retention_marks
from core.tables.messages import (
    IS_OVER,
    IS_SENDING,
    WAITS_TO_GO,
    bind_marks,
    early_receipts,
    inbox,
    inbox_parts,
    minute_counts,
    outbox,
    suspects,
)
from core.tables.services import (
    IS_NEW,
    corrections,
    events,
    instalments,
    orders,
    request_history,
    requests,
    sequences,
)
from core.tables.utility import (
    bill_recipients,
    bills,
    code_failures,
    contact_confirmations,
    contacts,
    imports,
    payments,
    readings,
    subscribers,
)

__all__ = [
    "HAS_ENDED",
    "IS_NEW",
    "IS_OPEN",
    "IS_OVER",
    "IS_SENDING",
    "WAITS_TO_GO",
    "alerts",
    "api_tokens",
    "attempts",
    "audit",
    "bill_recipients",
    "bills",
    "bind_marks",
    "code_failures",
    "contact_confirmations",
    "contacts",
    "corrections",
    "due_events",
    "early_receipts",
    "event_keys",
    "events",
    "idempotency_keys",
    "imports",
    "inbox",
    "inbox_handling",
    "inbox_parts",
    "instalments",
    "login_failures",
    "manual_replies",
    "metadata",
    "minute_counts",
    "nodes",
    "orders",
    "outages",
    "outbox",
    "panel_marks",
    "paused_services",
    "payments",
    "readings",
    "request_documents",
    "request_history",
    "request_messages",
    "requests",
    "retention_marks",
    "roles",
    "runs",
    "send_policies",
    "sequences",
    "subscribers",
    "suppressions",
    "suspects",
    "template_versions",
    "templates",
    "user_roles",
    "users",
    "ussd_sessions",
    "ussd_steps",
    "web_sessions",
    "webhook_calls",
    "webhooks",
]
