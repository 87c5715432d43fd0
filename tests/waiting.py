"""Waiting for the world outside a test, with an end to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet import reactor as _reactor
from twisted.internet.task import deferLater

reactor: Any = _reactor
DEADLINE = 90.0
"""In seconds; only what never comes about takes so long, on however slow a machine."""


async def until(condition: Callable[[], object], what: str, seconds: float = DEADLINE) -> None:
    """Wait for the world outside to get there; fail when it does not within ``seconds``."""
    deadline = reactor.seconds() + seconds
    while not condition():
        if reactor.seconds() > deadline:
            pytest.fail(f"not within {seconds:g} s: {what}")
        await deferLater(reactor, 0.01)
