"""What a site serves where: pages, whatever is mounted beside them, and USSD doors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.web.resource import Resource
from twisted.web.util import Redirect


class Root(Resource):
    """Doors by their paths, what is mounted by its first step, and the pages for the rest.

    Behind a door's path one more step may follow: its secret.
    """

    def __init__(
        self,
        pages: Any,
        *,
        mounted: Mapping[str, Any] | None = None,
        doors: Mapping[str, Any],
        begin: str = "",
    ) -> None:
        """``mounted``: by the first step of a path; ``doors``: by their paths (``/ussd/mci``).

        ``begin`` is the path that ``/`` leads to.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        self._pages = pages
        self._doors = {tuple(path.encode().split(b"/")[1:]): door for path, door in doors.items()}
        if begin:
            self.putChild(b"", _redirect(begin))
        for step, resource in (mounted or {}).items():
            self.putChild(step.encode(), resource)

    def getChildWithDefault(self, path: bytes, request: Any) -> Any:  # noqa: N802 - Twisted's
        """A door, else what is mounted, else the pages."""
        steps = (path, *request.postpath)
        door = self._doors.get(steps) or self._doors.get(steps[:-1])
        return door or super().getChildWithDefault(path, request)  # type: ignore[no-untyped-call]

    def getChild(self, path: bytes, request: Any) -> Any:  # noqa: N802 - Twisted's
        """The pages, which find their way by themselves."""
        request.prepath.pop()
        request.postpath.insert(0, path)
        return self._pages


def _redirect(path: str) -> Any:
    return Redirect(path.encode())
