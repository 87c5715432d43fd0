"""The alerts: what somebody was told of, what is open and what is over."""

from __future__ import annotations

from core.access.permissions import Permission
from core.alerts import AlertFilter, list_alerts
from gateway.alerts.troubles import Kind
from gateway.web.desk.lists import LIMIT, paged
from gateway.web.desk.periods import period
from gateway.web.desk.routes import Routes
from gateway.web.desk.spoken import concerns
from gateway.web.desk.visit import Visit

routes = Routes()


@routes.route("GET", "/alerts", Permission.DASHBOARD_SEE)
async def show(visit: Visit) -> bytes:
    """The newest; those that are open first of all."""
    asked = visit.query
    since, until = period(asked)
    wanted = AlertFilter(
        is_open=asked.tick("open"),
        trouble=asked.choice("kind", list(Kind), required=False) or None,
        since=since,
        until=until,
        before=asked.row_id("before"),
        limit=LIMIT,
    )
    found = await visit.read("alerts", list_alerts, wanted) if asked.is_right else []
    scope = visit.scope(Permission.DASHBOARD_SEE)
    page = paged(found)
    page["rows"] = [each for each in page["rows"] if concerns(each, scope)]
    return visit.page(
        "alerts.html",
        code=200 if asked.is_right else 422,
        form=asked,
        kinds=[each.value for each in Kind],
        **page,
    )
