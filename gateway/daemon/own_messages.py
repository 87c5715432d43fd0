"""What the utility sends by itself: of rows in bulk, of events, and when it is time."""

from __future__ import annotations

from collections.abc import Callable

from core.leader import Leadership
from core.making import Maker
from core.production import Press
from core.templates.in_use import TemplatesInUse
from gateway.daemon.ground import Ground
from gateway.inbound import Inbound
from gateway.production import Production, sources_of
from gateway.scheduler import Scheduler
from gateway.templates.wordings import Wordings


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
