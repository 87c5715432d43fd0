"""Settings → the panels of a daemon, and the pages that they post to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred

from core.outbox import Sent
from gateway.messages import BindListener
from gateway.outbound import Submitted, unnoticed
from gateway.panels.around import Surroundings
from gateway.panels.described import Account, DescribedPanel
from gateway.panels.description import StateMeaning
from gateway.panels.exchange import Exchange
from gateway.panels.intake import Books
from gateway.panels.push import PushPage, names_of
from gateway.panels.service import PanelService
from gateway.settings.lines import Line
from gateway.settings.panels import PanelAccount
from gateway.web.guard import Guard


class DaemonSide(NamedTuple):
    """What all panels of a daemon have of it."""

    listener: BindListener
    reactor: Any
    clock: Any
    """The reactor, except in tests."""
    read: Callable[..., Deferred[Any]]
    transact: Callable[..., Deferred[Any]]
    fingerprint: Callable[..., int]
    now_ms: Callable[[], int]
    settle: Callable[[str, Sequence[Sent]], None]
    on_up: Callable[[], object]
    submitted: Submitted = unnoticed


def make_panel(
    file: Path,
    settings: PanelAccount,
    lines: Sequence[Line],
    daemon: DaemonSide,
    *,
    shared: bool = False,
) -> PanelService:
    """One panel; ``file``: the settings, beside which an own description is looked for.

    ``shared``: its rate is for several daemons together.
    """
    description = settings.description(file, f"panel {settings.name}")
    user = f"{settings.user}/{settings.domain}" if settings.domain else settings.user
    account = Account(
        settings.url or description.url,
        settings.key.get_secret_value(),
        user,
        settings.password.get_secret_value(),
        settings.senders,
        [line.number for line in lines if settings.name in line.binds],
    )
    exchange = Exchange(
        daemon.reactor,
        daemon.clock,
        seconds=settings.timeout,
        connect_seconds=settings.connect_timeout,
        persistent=description.local is not None,
    )
    panel = DescribedPanel(description, account, exchange.ask)
    books = Books(settings.name, daemon.read, daemon.transact, daemon.fingerprint, daemon.now_ms)
    around = Surroundings(
        daemon.listener,
        daemon.clock,
        books,
        daemon.now_ms,
        daemon.settle,
        daemon.on_up,
        exchange.close,
        daemon.submitted,
    )
    hours = description.states.hours if description.states else 0
    return PanelService(settings, panel, around, hours, shared=shared)


def push_page(file: Path, service: PanelService, *, behind_proxy: bool) -> PushPage | None:
    """The page that a panel posts to; None where it has no path."""
    settings = service.settings
    if not settings.push_path:
        return None
    description = settings.description(file, f"panel {settings.name}")
    secret = settings.push_secret.get_secret_value()
    guard = Guard(settings.push_path, secret, settings.push_allow, behind_proxy=behind_proxy)
    push = names_of(description.push, settings.push_names)
    return PushPage(settings.name, push, guard, service.posted, service.clock)


def blocked_states(file: Path, panels: Sequence[PanelAccount]) -> dict[str, frozenset[str]]:
    """For each panel: the codes of states that say that a mobile is on a block list."""
    found: dict[str, frozenset[str]] = {}
    for panel in panels:
        states = panel.description(file, f"panel {panel.name}").states
        if states:
            found[panel.name] = states.codes.get(StateMeaning.BLOCKED, frozenset())
    return found
