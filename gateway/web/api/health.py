"""How the daemon is, in short, for systems that send to it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from core.access.permissions import Permission
from core.jalali import instant_of
from gateway.web.api.call import Call
from gateway.web.api.models import At, Model, Nothing
from gateway.web.api.problems import Problem
from gateway.web.api.routes import Routes

routes = Routes("health", "Health")


class Queues(Model):
    """What waits."""

    waiting: int = Field(description="Messages that are due or wait for another attempt.")
    oldest_waiting_seconds: float | None


class Bind(Model):
    """A way to an operator: a bind or a panel."""

    name: str
    up: bool


class Told(Model):
    """How the daemon is."""

    status: Literal["healthy", "degraded", "down"]
    version: str
    now: At
    problems: list[str] = Field(description="In English, the worst first.")
    queues: Queues
    binds: list[Bind]


@routes.route(
    "GET",
    "/health",
    Permission.DASHBOARD_SEE,
    summary="How the daemon is",
    answers=Told,
    problems=("unavailable",),
)
async def show(call: Call[Nothing, None]) -> Told:
    """A problem that concerns another utility's data is left out."""
    pulse = call.means.pulse
    if pulse is None:
        raise Problem("unavailable")
    beat = await pulse.feel()
    scope, snapshot = call.scope, beat.snapshot
    ways: list[Any] = [*snapshot.binds, *snapshot.panels]
    return Told(
        status=beat.health.status.value,
        version=snapshot.version,
        now=instant_of(snapshot.now),
        problems=[
            each.words
            for each in beat.health.found
            if each.utility is None or scope is None or each.utility in scope
        ],
        queues=Queues(
            waiting=snapshot.queues.waiting,
            oldest_waiting_seconds=snapshot.queues.oldest_waiting_seconds,
        ),
        binds=[Bind(name=each.name, up=each.up) for each in ways],
    )
