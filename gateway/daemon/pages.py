"""What the daemon serves over HTTP: paying, the desk, USSD doors, panels' pushes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from gateway.daemon.ground import Ground
from gateway.daemon.network import Network
from gateway.monitor import Monitor
from gateway.panels.making import push_page
from gateway.payment_service import Collaborators, PaymentService
from gateway.pulse import Pulse
from gateway.web.api.frame import Frame as ApiFrame
from gateway.web.api.registry import RESOURCES
from gateway.web.desk.frame import Frame
from gateway.web.desk.live import Live
from gateway.web.desk.means import Means
from gateway.web.desk.registry import PAGES
from gateway.web.mounting import Mounted, Parts
from gateway.web.root import Root
from gateway.web_service import WebService


def make_payments(ground: Ground, on_told: Callable[[], object]) -> PaymentService | None:
    """Paying; None where nothing is served."""
    if ground.settings.web is None:
        return None
    with_whom = Collaborators(
        ground.workers.transact,
        ground.workers.read,
        ground.desk.ids,
        ground.minds,
        ground.now_ms,
        on_told,
    )
    return PaymentService(ground.settings, with_whom, ground.reactor)


def make_means(
    ground: Ground,
    *,
    on_queued: Callable[[], object],
    pulse: Pulse,
    live: Live,
    on_switched: Callable[[], Deferred[None]],
) -> Means:
    """The daemon, as the desk's pages may use it."""
    return Means(
        settings=ground.settings,
        transact=ground.workers.transact,
        read=ground.workers.read,
        database=ground.database,
        in_report=ground.workers.in_report,
        in_thread=ground.workers.in_reader,
        precedence=ground.workers.precedence,
        ids=ground.desk.ids,
        keys=ground.desk.keys,
        minds=ground.minds,
        profiles=ground.profiles,
        now_ms=ground.now_ms,
        on_queued=on_queued,
        pulse=pulse,
        live=live,
        on_switched=on_switched,
        lifetime=ground.settings.desk.lifetime,
        talkers=ground.talkers,
    )


def make_web(
    ground: Ground,
    network: Network,
    means: Means,
    payments: PaymentService | None,
    monitor: Monitor | None,
) -> WebService | None:
    """The server, and everything that it serves."""
    settings, web = ground.settings, ground.settings.web
    if web is None or payments is None:
        return None
    by_step: dict[str, Mounted] = {}
    if settings.desk.enabled:
        by_step["desk"] = Frame(means, PAGES)
    if settings.api.enabled:
        by_step["api"] = ApiFrame(means, RESOURCES)
    parts = Parts(by_step)
    mounted = payments.mounted | parts.resources
    if monitor and settings.monitoring and settings.monitoring.is_on_web:
        mounted |= monitor.pages
    pages: dict[str, Any] = {page.settings.path: page for page in network.doors}
    for panel in network.panels:
        page = push_page(ground.file, panel, behind_proxy=web.behind_proxy)
        if page:
            pages[panel.settings.push_path or ""] = page
    begin = "/desk/" if settings.desk.enabled else ""
    root = Root(payments.pages, mounted=mounted, doors=pages, begin=begin)
    return WebService(web, root, ground.reactor, parts.most_body, parts.too_large)
