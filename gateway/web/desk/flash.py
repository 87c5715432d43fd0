"""What is said once, on the page after: a signed cookie that the page takes away."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hmac import compare_digest
from typing import Any, NamedTuple

from core.secrecy import Keys


class Flash(NamedTuple):
    """A text and how it looks: good, warn, bad."""

    kind: str
    key: str
    values: Mapping[str, Any]


def written(keys: Keys, flash: Flash) -> str:
    """What the cookie holds."""
    text = urlsafe_b64encode(json.dumps(flash).encode()).decode()
    return f"{text}.{keys.sign('flash', text)}"


def read(keys: Keys, cookie: str) -> Flash | None:
    """What is to be said; None for what we did not write."""
    text, _, sign = cookie.partition(".")
    if not compare_digest(sign.encode(), keys.sign("flash", text).encode()):
        return None
    return Flash(*json.loads(urlsafe_b64decode(text)))
