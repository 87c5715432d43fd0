"""Which events templates are made of now: the others wait for nobody.

Asked in the transaction in which something happens. A template that is enabled later has no
business with what happened before (``core.templates.in_use``), so what nobody listens for when
it happens is never told, and need not be gone through again to find that out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from sqlalchemy import Connection, select, true

from core.statements import fetch
from core.tables import template_versions, templates
from core.templates.codec import StoredTemplateError, read_kinds


class Listening:
    """What the enabled templates are made of, as one transaction sees them."""

    def __init__(self, connection: Connection) -> None:
        """One statement."""
        self._kinds: dict[str, frozenset[str] | None] = {}
        for utility, settings in fetch(connection, _ENABLED):
            known, its = self._kinds.get(utility, _NONE), _kinds(settings)
            self._kinds[utility] = None if known is None or its is None else known | its

    def to(self, utility: str, kind: str) -> bool:
        """Whether a template of this utility may be made of such an event."""
        kinds = self._kinds.get(utility, _NONE)
        return kinds is None or kind in kinds


@lru_cache(maxsize=1024)
def _kinds(settings: str) -> frozenset[str] | None:
    """The kinds of events in a version's settings; None: whoever can read them has to say."""
    try:
        return read_kinds(settings)
    except StoredTemplateError:
        return None


_NONE: Final[frozenset[str]] = frozenset()
_ENABLED: Final = (
    select(templates.c.utility, template_versions.c.settings)
    .join_from(
        templates,
        template_versions,
        (template_versions.c.template_id == templates.c.id)
        & (template_versions.c.version == templates.c.version),
    )
    .where(templates.c.enabled == true())
)
