"""What a handler raises when it cannot do what was asked: a page says it, in both languages."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """An error page; ``key`` is a text's, with what fills it in, instead of the usual words."""

    def __init__(self, code: int, key: str = "", **values: Any) -> None:
        self.code = code
        self.key = key
        self.values = values
        super().__init__(f"{code} {key}".strip())


class NotFound(Refusal):
    """There is no such thing, or none that the visitor may know of."""

    def __init__(self, key: str = "", **values: Any) -> None:
        super().__init__(404, key, **values)


class Forbidden(Refusal):
    """The visitor may not do that."""

    def __init__(self, key: str = "", **values: Any) -> None:
        super().__init__(403, key, **values)
