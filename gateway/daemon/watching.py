"""Who sees how the daemon is: the pulse, the monitor, and the watch that tells of trouble."""

from __future__ import annotations

from functools import partial

from twisted.internet.threads import deferToThreadPool

from core.minutes import Writer
from gateway.alerts.book import Book
from gateway.alerts.mail import EmailWay
from gateway.alerts.telling import Way
from gateway.alerts.texts import SmsWay
from gateway.alerts.watch import Watch
from gateway.alerts.webhook import WebhookWay
from gateway.daemon.ground import Ground
from gateway.daemon.network import Network
from gateway.inbound import Inbound
from gateway.minutes import Minutes
from gateway.monitor import Monitor, Watched
from gateway.outbound import Router, Sender
from gateway.pauses import Pauses
from gateway.peers import Peers
from gateway.production import Production
from gateway.pulse import Pulse
from gateway.scheduler import Scheduler
from gateway.tally import Tally
from gateway.vitals import Parts, Vitals
from gateway.webhooks.service import Webhooks


def make_vitals(  # noqa: PLR0913 - it looks at them all
    ground: Ground,
    network: Network,
    inbound: Inbound,
    *,
    scheduler: Scheduler,
    pauses: Pauses,
    peers: Peers,
    webhooks: Webhooks,
) -> Vitals:
    """Who says how the parts are."""
    parts = Parts(
        ground.database,
        ground.workers.in_reader,
        inbound,
        ground.desk.sessions,
        network.router,
        network.binds,
        network.doors,
        scheduler,
        lambda: pauses.paused,
        peers,
        network.panels,
        lambda: webhooks.health,
        clock=ground.reactor,
    )
    return Vitals(ground.settings, ground.version, ground.started_at, parts, ground.now_ms)


def make_pulse(ground: Ground, vitals: Vitals, inbound: Inbound, watch: Watch) -> Pulse:
    """How the daemon is and what it did of late, for pages."""
    writer = Writer(ground.node.number, ground.started_at)
    return Pulse(
        vitals,
        Minutes(writer, inbound.counters, ground.now_ms),
        ground.doors,
        oldest_waiting=ground.settings.alerts.oldest_waiting,
        open_alerts=lambda: watch.open,
        now_ms=ground.now_ms,
    )


def make_monitor(
    ground: Ground, vitals: Vitals, inbound: Inbound, production: Production, tally: Tally
) -> Monitor | None:
    """Health and metrics over HTTP, where the settings have them."""
    settings = ground.settings
    if settings.monitoring is None:
        return None
    watched = Watched(vitals, inbound, production, tally, ground.database, ground.workers.read)
    return Monitor(settings.monitoring, settings.web, watched, ground.reactor)


def make_watch(ground: Ground, vitals: Vitals, router: Router) -> Watch:
    """Who tells the administrator of trouble."""
    settings, reactor = ground.settings.alerts, ground.reactor
    ways: list[Way] = []
    if settings.mobiles and settings.line:
        lines = ground.settings.lines
        binds = next(each.binds for each in lines if each.number == settings.line)
        every = router.senders.items()
        senders = {name: each for name, each in every if isinstance(each, Sender)}
        cut = ground.minds[settings.line].parts
        ways.append(SmsWay(settings, senders, binds, cut, ground.desk.ids.take))
    if settings.email:
        in_thread = partial(deferToThreadPool, reactor, reactor.getThreadPool())
        ways.append(EmailWay(settings.email, in_thread))
    if settings.webhook:
        ways.append(WebhookWay(settings.webhook, reactor, ground.now_ms))
    return Watch(
        settings,
        vitals.snapshot,
        ground.doors,
        Book(ground.desk.node, ground.desk.ids.one, settings.calm),
        ways=ways,
        clock=reactor,
    )
