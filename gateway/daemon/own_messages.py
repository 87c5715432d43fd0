"""What the utility sends by itself: of rows in bulk, of events, and when it is time.

And what other systems are told of all that happens.
"""

from __future__ import annotations

from collections.abc import Callable

from core.making import Maker
from core.nodes.leader import Leadership
from core.production import Press
from core.services import WEBHOOKS
from core.templates.in_use import TemplatesInUse
from core.webhooks.news import Whose
from gateway.daemon.ground import Ground
from gateway.inbound import Inbound
from gateway.pauses import Pauses
from gateway.production import Production
from gateway.report_files import sources_of
from gateway.scheduler import Scheduler
from gateway.signed_posts import Poster
from gateway.templates.wordings import Wordings
from gateway.webhooks.service import TIMEOUT, Webhooks


def make_own_messages(
    ground: Ground, inbound: Inbound, on_queued: Callable[[], None]
) -> tuple[Production, Scheduler]:
    """Who makes messages of campaigns, and who begins them and tells of events."""
    maker = Maker(ground.desk.ids, Wordings(ground.minds))
    production = Production(
        ground.desk.node,
        ground.doors,
        maker,
        sources_of(ground.settings, ground.profiles.values()),
        clock=ground.reactor,
        now_ms=ground.now_ms,
        on_queued=on_queued,
    )
    scheduler = Scheduler(
        ground.doors,
        Leadership(ground.database),
        Press(maker, TemplatesInUse()),
        now_ms=ground.now_ms,
        on_queued=on_queued,
        on_begun=production.tick,
        is_away=lambda: inbound.database_error,
    )
    return production, scheduler


def make_webhooks(
    ground: Ground, inbound: Inbound, scheduler: Scheduler, pauses: Pauses
) -> Webhooks:
    """Who tells other systems: one daemon does, the one that keeps the schedules."""

    def may_work() -> bool:
        is_paused = WEBHOOKS in pauses.paused
        return scheduler.status.leads and not is_paused and not inbound.database_error

    utilities = {name: profile.utility for name, profile in ground.profiles.items()}
    lines = {line.number: utilities[line.profile] for line in ground.settings.lines}
    return Webhooks(
        ground.doors,
        ground.desk.keys,
        Poster(ground.reactor, TIMEOUT, ground.now_ms),
        Whose(utilities, lines),
        new_id=ground.desk.ids.one,
        now_ms=ground.now_ms,
        may_work=may_work,
    )
