"""The audit log: who changed what and who looked at whose data, searched and never changed."""

from __future__ import annotations

from core.access.audit import AuditFilter, list_audit
from core.access.permissions import Permission
from core.jalali import DateError, parse_interval
from gateway.web.desk.forms import Form
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()
ROWS = 50
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
    since, until = _days(asked)
    wanted = AuditFilter(
        who=asked.text("who", most=100) or None,
        form=asked.choice("form", FORMS, required=False) or None,
        action=asked.text("action", most=60) or None,
        object=asked.text("object", most=200) or None,
        utilities=scope,
        since=since,
        until=until,
        before=asked.number("before", most=2**63 - 1),
        limit=ROWS + 1,
    )
    rows = await visit.read("audit", list_audit, wanted) if asked.is_right else []
    return visit.page(
        "audit.html",
        code=200 if asked.is_right else 422,
        form=asked,
        rows=rows[:ROWS],
        more=len(rows) > ROWS,
        forms=FORMS,
    )


def _days(asked: Form) -> tuple[int | None, int | None]:
    """From the start of one day to the end of another, as UTC milliseconds."""
    since, until = asked.day("since"), asked.day("until")
    try:
        first, last = parse_interval(
            since.isoformat() if since else None, until.isoformat() if until else None
        )
    except DateError:
        asked.wrong("until", "audit.order")
        return None, None
    return tuple(int(each.timestamp() * 1000) if each else None for each in (first, last))  # type: ignore[return-value]
