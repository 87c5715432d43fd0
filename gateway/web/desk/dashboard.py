"""The dashboard: what comes and goes now, what is up, what waits and what is wrong.

The page is whole without a script; ``/dashboard/live`` brings its blocks again as they change.
"""

from __future__ import annotations

from core.access.permissions import Permission
from gateway.pulse import Pulse
from gateway.web.desk.board import View
from gateway.web.desk.refusals import Refusal
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()


@routes.route("GET", "/dashboard", Permission.DASHBOARD_SEE)
async def show(visit: Visit) -> bytes:
    """All blocks as they are now."""
    beat = await _pulse(visit).feel()
    view = View(visit.language, visit.scope(Permission.DASHBOARD_SEE))
    utilities = dict(visit.means.utilities)
    blocks = await visit.means.in_thread(visit.board.blocks, beat, view, utilities)
    return visit.page("dashboard.html", blocks=blocks)


def _pulse(visit: Visit) -> Pulse:
    if visit.means.pulse is None:
        raise Refusal(503, "dashboard.no_daemon")
    return visit.means.pulse
