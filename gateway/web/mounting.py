"""The desk and the API beside each other: where each is, and how much each takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from gateway.web.site import MOST_BODY, TOO_LARGE


class Mounted(Protocol):
    """A part of the site that says for itself how much may be sent to it."""

    @property
    def resource(self) -> Any:
        """What is mounted."""

    def most_body(self, path: bytes) -> int:
        """How many bytes may be sent to an address."""

    def too_large(self, path: bytes) -> tuple[bytes, bytes]:
        """The media type and body of the answer to more."""


class Parts(NamedTuple):
    """Parts of a site by the first step of their paths."""

    by_step: Mapping[str, Mounted]

    @property
    def resources(self) -> dict[str, Any]:
        """What a ``Root`` mounts."""
        return {step: part.resource for step, part in self.by_step.items()}

    def most_body(self, path: bytes) -> int:
        """How many bytes may be sent to an address."""
        part = self._part(path)
        return part.most_body(path) if part else MOST_BODY

    def too_large(self, path: bytes) -> tuple[bytes, bytes]:
        """What is answered to more."""
        part = self._part(path)
        return part.too_large(path) if part else TOO_LARGE

    def _part(self, path: bytes) -> Mounted | None:
        step = path.partition(b"?")[0].lstrip(b"/").partition(b"/")[0]
        return self.by_step.get(step.decode("latin-1"))
