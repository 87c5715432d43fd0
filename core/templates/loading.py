"""Templates that come with a profile, saved as first versions where there are none yet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from core.templates import store
from core.templates.store import Draft


class Ready(NamedTuple):
    """A template to be saved, unless the utility has one by its name."""

    draft: Draft
    enabled: bool


class Loaded(NamedTuple):
    """What came of it."""

    added: tuple[str, ...]
    kept: tuple[str, ...]
    """Those that the utility has already: what it made of them is its own."""


def add_missing(connection: Connection, ready: Iterable[Ready]) -> Loaded:
    """Save those of ``ready`` whose names are free. Raises ``DefinitionError``."""
    added, kept = [], []
    for draft, enabled in ready:
        if store.find(connection, draft.utility, draft.name) is not None:
            kept.append(draft.name)
            continue
        store.add(connection, draft, enabled=enabled)
        added.append(draft.name)
    return Loaded(tuple(added), tuple(kept))
