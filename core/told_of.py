"""Whom the utility's templates tell of something that happens.

So that nobody is told twice: a template that tells a mobile of a payment, or of what became
of its reading, takes the place of the message that would go to it anyway.
"""

from __future__ import annotations

from sqlalchemy import Connection

from core.events import Event
from core.receivers import Row, receivers_of
from core.templates.in_use import TemplatesInUse
from core.triggers import is_in_season, wants


def told_of(connection: Connection, event: Event) -> frozenset[str]:
    """The mobiles that templates in use tell of this event, E.164 digits.

    Those who opted out of such messages are among them: they want none by another way.
    """
    row = Row("", event.about, event.subscriber_id, event.mobile)
    mobiles: set[str] = set()
    for version, since in TemplatesInUse().look(connection):
        definition = version.definition
        if (
            version.utility == event.utility
            and event.at >= since
            and wants(definition, event.kind.value, event.about)
            and is_in_season(definition, event.at)
        ):
            (told,) = receivers_of(connection, definition.receivers, [row])
            mobiles.update(told)
    return frozenset(mobiles)
