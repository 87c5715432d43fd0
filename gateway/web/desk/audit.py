"""The audit log: who changed what and who looked at whose data, searched and never changed."""

from __future__ import annotations

from core.access.audit import AuditFilter, list_audit
from core.access.permissions import Permission
from gateway.web.desk.lists import LIMIT, paged
from gateway.web.desk.periods import period
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()
FORMS = (
    "login", "logout", "password", "totp", "session", "user", "role", "token", "webhook",
    "subscriber", "bill", "request", "reading", "inbox", "outbox", "message", "template",
    "campaign", "report", "optout", "outage", "service", "payment", "audit", "retention",
)  # fmt: skip


@routes.route("GET", "/audit", Permission.AUDIT_SEE)
async def show(visit: Visit) -> bytes:
    """The newest rows that are asked for."""
    asked = visit.query
    scope = visit.scope(Permission.AUDIT_SEE)
    since, until = period(asked)
    wanted = AuditFilter(
        who=asked.text("who", most=100) or None,
        form=asked.choice("form", FORMS, required=False) or None,
        action=asked.text("action", most=60) or None,
        object=asked.text("object", most=200) or None,
        utilities=scope,
        since=since,
        until=until,
        before=asked.row_id("before"),
        limit=LIMIT,
    )
    rows = await visit.read("audit", list_audit, wanted) if asked.is_right else []
    return visit.page(
        "audit.html",
        code=200 if asked.is_right else 422,
        form=asked,
        forms=FORMS,
        **paged(rows),
    )
