"""The templates that make messages now: those that are enabled, in their newest version.

What a version says never changes, so it is read from its JSON once; whether a template is
enabled, and which version is its newest, is asked each time: `peyk template` changes it
beside the daemon.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import structlog
from sqlalchemy import Connection, select, true

from core.tables import templates
from core.templates.codec import StoredTemplateError
from core.templates.store import load_versions
from core.templates.types import Version

log = structlog.get_logger(__name__)


class InUse(NamedTuple):
    """A template that is enabled."""

    version: Version
    since: int
    """Up to here (UTC milliseconds) its schedule has been kept, and what happened before is
    not its business: when it was enabled, changed, or last begun."""


class TemplatesInUse:
    """Knows them. For one thread at a time."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], Version | None] = {}

    def look(self, connection: Connection) -> list[InUse]:
        """Those that are enabled now, by id; one statement, and one more when some are new.

        One that cannot be read is left out, and told of once: the others go on.
        """
        rows = connection.execute(_ENABLED).all()
        new = [(key, version) for key, version, _since in rows if (key, version) not in self._kept]
        if new:
            self._kept |= _loaded(connection, new)
        found = ((self._kept[key, version], since) for key, version, since in rows)
        return [InUse(version, since or 0) for version, since in found if version is not None]


def _loaded(
    connection: Connection, keys: list[tuple[int, int]]
) -> dict[tuple[int, int], Version | None]:
    try:
        return dict(load_versions(connection, keys))
    except StoredTemplateError as error:
        if len(keys) > 1:
            loaded: dict[tuple[int, int], Version | None] = {}
            for key in keys:
                loaded |= _loaded(connection, [key])
            return loaded
        log.critical("template.unreadable", template=keys[0], error=str(error))
        return {keys[0]: None}


_ENABLED: Final = (
    select(templates.c.id, templates.c.version, templates.c.scheduled_until)
    .where(templates.c.enabled == true())
    .order_by(templates.c.id)
)
