"""How many bytes may be sent to each address of a part of the site."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

SMALL: Final = 64 * 1024
"""Where a route says nothing else."""


class Sized(Protocol):
    """A route, as far as sizes go."""

    @property
    def path(self) -> str:
        """As werkzeug's rules are written: ``/inbox/<int:message>``."""

    @property
    def most_body(self) -> int:
        """How many bytes may be sent to it."""


class Sizes:
    """What the routes of a part take; what differs in a path tells nothing."""

    def __init__(self, base: str, routes: Iterable[Sized]) -> None:
        """``base``: what the paths of the part begin with, ``/desk``."""
        self._base = base
        self._sizes = [(each.path.partition("<")[0], each.most_body) for each in routes]

    def most(self, address: bytes) -> int:
        """How many bytes may be sent to an address."""
        asked = address.partition(b"?")[0].decode("latin-1").removeprefix(self._base)
        return max(
            (most for prefix, most in self._sizes if asked.startswith(prefix)), default=SMALL
        )
