"""The dashboard: what comes and goes now, what is up, what waits and what is wrong.

The page is whole without a script; ``/dashboard/live`` brings its blocks again as they change.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.access.permissions import Permission
from gateway.pulse import Beat, Pulse
from gateway.web.desk.board import View
from gateway.web.desk.live import Stream
from gateway.web.desk.refusals import Refusal
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()


@routes.route("GET", "/dashboard", Permission.DASHBOARD_SEE)
async def show(visit: Visit) -> bytes:
    """All blocks as they are now."""
    beat = await _pulse(visit).feel()
    utilities = dict(visit.means.utilities)
    blocks = await visit.means.in_thread(visit.board.blocks, beat, _view(visit), utilities)
    return visit.page("dashboard.html", blocks=blocks)


@routes.route("GET", "/dashboard/live", Permission.DASHBOARD_SEE)
async def stream(visit: Visit) -> bytes:
    """The blocks as they change, until the session is over or the browser has gone."""
    live, session = visit.means.live, visit.session
    if live is None or session is None:
        raise Refusal(503, "dashboard.no_daemon")
    if visit.request.method == b"HEAD":
        return b""
    utilities = dict(visit.means.utilities)

    async def make(beat: Beat, view: View) -> Mapping[str, str]:
        made: Mapping[str, str] = await visit.means.in_thread(
            visit.board.blocks, beat, view, utilities
        )
        return made

    async def is_still_in() -> bool:
        return await visit.is_still_in(Permission.DASHBOARD_SEE)

    await live.follow(Stream(visit.request, session.id, _view(visit), make, is_still_in))
    return b""


def _view(visit: Visit) -> View:
    return View(visit.language, visit.scope(Permission.DASHBOARD_SEE))


def _pulse(visit: Visit) -> Pulse:
    if visit.means.pulse is None:
        raise Refusal(503, "dashboard.no_daemon")
    return visit.means.pulse
