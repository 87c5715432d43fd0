"""The alerts: what somebody was told of, what is open and what is over."""

from __future__ import annotations

from core.access.permissions import Permission
from core.alerts import AlertFilter, list_alerts
from core.jalali import DateError, parse_interval
from gateway.alerts.troubles import Kind
from gateway.web.desk.forms import Form
from gateway.web.desk.routes import Routes
from gateway.web.desk.spoken import concerns
from gateway.web.desk.visit import Visit

routes = Routes()
ROWS = 50


@routes.route("GET", "/alerts", Permission.DASHBOARD_SEE)
async def show(visit: Visit) -> bytes:
    """The newest; those that are open first of all."""
    asked = visit.query
    since, until = _days(asked)
    wanted = AlertFilter(
        is_open=asked.tick("open"),
        trouble=asked.choice("kind", list(Kind), required=False) or None,
        since=since,
        until=until,
        before=asked.number("before", most=2**63 - 1),
        limit=ROWS + 1,
    )
    found = await visit.read("alerts", list_alerts, wanted) if asked.is_right else []
    scope = visit.scope(Permission.DASHBOARD_SEE)
    return visit.page(
        "alerts.html",
        code=200 if asked.is_right else 422,
        form=asked,
        alerts=[each for each in found[:ROWS] if concerns(each, scope)],
        last=found[:ROWS][-1].id if found else None,
        more=len(found) > ROWS,
        kinds=list(Kind),
        now=visit.means.now_ms(),
    )


def _days(asked: Form) -> tuple[int | None, int | None]:
    """From the start of one day to the end of another, as UTC milliseconds."""
    since, until = asked.day("since"), asked.day("until")
    try:
        first, last = parse_interval(
            since.isoformat() if since else None, until.isoformat() if until else None
        )
    except DateError:
        asked.wrong("until", "alerts.order")
        return None, None
    return (
        int(first.timestamp() * 1000) if first else None,
        int(last.timestamp() * 1000) if last else None,
    )
