"""Lists page by page: the newest rows first, and what is older than the last of them next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

ROWS: Final = 50
LIMIT: Final = ROWS + 1
"""How many rows a list asks for: the one that is not shown tells that a page follows."""


def paged(found: Sequence[Any]) -> dict[str, Any]:
    """What a list's template shows: ``rows``, and ``more`` and ``last`` for its macro ``pager``.

    A page begins before the id ``visit.query.row_id("before")``.
    """
    rows = found[:ROWS]
    return {"rows": rows, "more": len(found) > ROWS, "last": rows[-1].id if rows else None}
