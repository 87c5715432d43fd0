"""Ports that nobody else comes by between the choice of one and its use."""

from __future__ import annotations

import secrets
import socket

FIRST, COUNT = 15_000, 17_000
"""Below what systems give out by themselves: Linux begins at 32768, others at 49152.

A port that the system has given out once is given out again: to a listener that asks for
any, or to whoever connects, who on this machine may then be connected to itself.
"""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    while True:
        port = FIRST + secrets.randbelow(COUNT)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
