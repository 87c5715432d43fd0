"""What a browser would make of an answer: its tags, and where it sends the browser."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any


class Tags(HTMLParser):
    """A page whose tags are noted; who also wants its texts feeds it and notes them."""

    def __init__(self, response: Any, body: bytes) -> None:
        super().__init__()
        self.code: int = response.code
        self.headers = response.headers
        self.body = body
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))

    def header(self, name: str) -> str:
        """One header, "" when it is not there."""
        return str((self.headers.getRawHeaders(name) or [""])[0])

    @property
    def location(self) -> str:
        """Where it sends the browser."""
        return self.header("location")
