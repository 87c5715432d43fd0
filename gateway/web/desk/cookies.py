"""The desk's cookies: none of them is readable by a script, nor sent along by another site."""

from __future__ import annotations

from typing import Any, Final

SESSION: Final = "peyk_session"
VISITOR: Final = "peyk_visitor"
"""Of who is not logged in: what the token in a form is made of."""
LANGUAGE: Final = "peyk_language"
FLASH: Final = "peyk_flash"
YEAR_SECONDS: Final = 365 * 86_400


class Cookies:
    """Reads and writes cookies; over https their names bind them to this host alone."""

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure

    def get(self, request: Any, name: str) -> str:
        """What a cookie holds; "" where there is none."""
        found: bytes | None = request.getCookie(self._named(name).encode())
        return found.decode("latin-1") if found else ""

    def put(self, request: Any, name: str, value: str, seconds: int | None = None) -> None:
        """Set a cookie until the browser is closed, or for so many seconds."""
        age = "" if seconds is None else f"; Max-Age={seconds}"
        secure = "; Secure" if self._secure else ""
        line = f"{self._named(name)}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}"
        request.responseHeaders.addRawHeader(b"set-cookie", line.encode("ascii"))

    def drop(self, request: Any, name: str) -> None:
        """Have the browser forget a cookie."""
        self.put(request, name, "", 0)

    def _named(self, name: str) -> str:
        return f"__Host-{name}" if self._secure else name
