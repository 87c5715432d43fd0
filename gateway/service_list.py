"""The services that people can pause, and how each of them is. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from core.services import (
    BIND,
    CAMPAIGNS,
    DOOR,
    IMPORT,
    PANEL,
    SCHEDULER,
    WEBHOOKS,
    Paused,
    service_name,
)
from gateway.health import (
    ROUND_LIMIT_SECONDS,
    BindHealth,
    PanelHealth,
    SchedulerHealth,
    ServiceHealth,
    ServiceState,
    Snapshot,
)
from gateway.settings import Settings

NOT_RUNNING: Final = "the daemon does not run"
_UNREACHABLE: Final = "the database cannot be reached"


def service_names(settings: Settings) -> list[str]:
    """Every service that these settings make."""
    return [
        *(service_name(BIND, bind.name) for bind in settings.binds),
        *(service_name(PANEL, panel.name) for panel in settings.panels),
        *(service_name(DOOR, door.name) for door in settings.ussd_doors),
        SCHEDULER,
        CAMPAIGNS,
        IMPORT,
        WEBHOOKS,
    ]


def with_services(snapshot: Snapshot, paused: Mapping[str, Paused]) -> Snapshot:
    """The snapshot with the services that its parts are, each in its state."""
    services = {each.name: each for each in _running(snapshot)}
    return replace(snapshot, services=_with_pauses(services, paused))


def without_daemon(settings: Settings, paused: Mapping[str, Paused]) -> tuple[ServiceHealth, ...]:
    """The services while no daemon runs: what is not paused is down, but for imports."""
    down = ServiceState.DOWN
    services = {
        name: ServiceHealth(name=name, state=down, detail=NOT_RUNNING)
        for name in service_names(settings)
    }
    services[IMPORT] = ServiceHealth(name=IMPORT, state=ServiceState.RUNNING)
    return _with_pauses(services, paused)


def _with_pauses(
    services: dict[str, ServiceHealth], paused: Mapping[str, Paused]
) -> tuple[ServiceHealth, ...]:
    for name, pause in paused.items():
        services[name] = ServiceHealth(
            name=name,
            state=ServiceState.PAUSED,
            since=pause.since,
            paused_by=pause.by,
            detail=pause.note,
        )
    return tuple(services.values())


def _running(snapshot: Snapshot) -> Iterator[ServiceHealth]:
    running = ServiceState.RUNNING
    for bind in snapshot.binds:
        yield _bind(bind)
    for panel in snapshot.panels:
        yield _panel(panel)
    for door in snapshot.doors:
        yield ServiceHealth(name=service_name(DOOR, door.name), state=running)
    if snapshot.scheduler is not None:
        yield _scheduler(snapshot, snapshot.scheduler)
    yield _of_database(snapshot, CAMPAIGNS)
    yield _of_database(snapshot, IMPORT)
    yield _of_database(snapshot, WEBHOOKS)


def _bind(bind: BindHealth) -> ServiceHealth:
    return ServiceHealth(
        name=service_name(BIND, bind.name),
        state=ServiceState.RUNNING if bind.up else ServiceState.DOWN,
        since=bind.since,
        detail="" if bind.up else bind.last_error or bind.state,
    )


def _panel(panel: PanelHealth) -> ServiceHealth:
    return ServiceHealth(
        name=service_name(PANEL, panel.name),
        state=ServiceState.RUNNING if panel.up else ServiceState.DOWN,
        since=panel.since,
        detail="" if panel.up else panel.last_error or "it is being asked",
    )


def _of_database(snapshot: Snapshot, name: str) -> ServiceHealth:
    """What works on the database wherever that can be reached."""
    if snapshot.database.reachable:
        return ServiceHealth(name=name, state=ServiceState.RUNNING)
    return ServiceHealth(name=name, state=ServiceState.DOWN, detail=_UNREACHABLE)


def _scheduler(snapshot: Snapshot, scheduler: SchedulerHealth) -> ServiceHealth:
    found = _of_database(snapshot, SCHEDULER)
    if found.state is ServiceState.DOWN:
        return found
    if not scheduler.leads:
        return replace(found, detail="another daemon keeps the schedules")
    last = scheduler.last_round or snapshot.started_at
    if snapshot.now - last > ROUND_LIMIT_SECONDS * 1000:
        return replace(found, state=ServiceState.DOWN, since=last, detail="it does not go round")
    return found
