"""Where the next page of a list begins: an opaque text that only the same list takes."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Final, TypeVar

from gateway.web.api.problems import invalid

T = TypeVar("T")
_MOST: Final = 2**63 - 1


def cursor(of: str, before: int) -> str:
    """The cursor of the page of list ``of`` whose ids are smaller (or greater) than ``before``."""
    return urlsafe_b64encode(f"{of}:{before}".encode()).decode().rstrip("=")


def cut(
    of: str, found: Sequence[T], limit: int, row_id: Callable[[T], int] = attrgetter("id")
) -> tuple[Sequence[T], str | None]:
    """The rows of a page, and the cursor of the next; ``found`` has one more where there is one."""
    shown = found[:limit]
    return shown, cursor(of, row_id(shown[-1])) if len(found) > limit else None


def place(of: str, said: str | None) -> int | None:
    """What ``cursor`` was made of; None for the first page. Raises ``Problem``."""
    if said is None:
        return None
    try:
        padded = said + "=" * (-len(said) % 4)
        name, _, number = urlsafe_b64decode(padded.encode("ascii")).decode("ascii").partition(":")
    except ValueError:
        name, number = "", ""
    if name != of or not (number.isascii() and number.isdigit()) or int(number) > _MOST:
        raise invalid(
            "cursor",
            "is none of this list: take `next` of the page before",
            "از این فهرست نیست: مقدار next صفحهٔ پیش را بفرستید",
        )
    return int(number)
