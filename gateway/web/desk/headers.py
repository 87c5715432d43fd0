"""What every answer of the desk tells the browser about itself."""

from __future__ import annotations

from typing import Any, Final

POLICY: Final = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'"
)
_ALWAYS: Final = (
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "geolocation=(), camera=(), microphone=()"),
    ("cache-control", "no-store"),
    ("content-type", "text/html; charset=utf-8"),
)
_ONLY_HTTPS: Final = ("strict-transport-security", "max-age=31536000")


def guard(request: Any, *, secure: bool) -> None:
    """Set the headers; what is not a page changes its content type afterwards."""
    for name, value in (*_ALWAYS, *((_ONLY_HTTPS,) if secure else ())):
        request.setHeader(name.encode(), value.encode())
