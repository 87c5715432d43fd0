"""Who wants none of the utility's own messages, by utility and topic.

A row with an empty topic is about every kind of message; one with a topic is about that
kind, and one whose reason is ``wanted`` is an exception from the first: somebody who wanted
nothing asked for these again (seed 001: 9, then 210). Templates that the law requires go to
everybody, and so do answers to what a person asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, Text, select

from core.bulk import as_rows, unfolded
from core.tables import suppressions

EVERYTHING = ""
"""The topic of who wants nothing at all."""
BILLS = "bills"
"""The topic of the messages that bring bills: what 210 starts and 9 stops."""


class Reason(StrEnum):
    """Why a row is there."""

    ASKED = "asked"
    """The subscriber said so in a text; a text takes it back."""
    BLOCKED = "blocked"
    """The operator refused the mobile: it is on its block list."""
    DESK = "desk"
    """Staff entered it."""
    WANTED = "wanted"
    """An exception: this topic is wanted all the same."""


class Receiver(NamedTuple):
    """Somebody who is to be sent a message of some topic."""

    key: int
    """Whatever the caller knows the message by."""
    mobile: str
    utility: str
    topic: str


def suppressed(connection: Connection, receivers: Iterable[Receiver]) -> set[int]:
    """Keys of those who want no message of their topic, in one statement.

    Do not ask for templates that are ``required``.
    """
    rows = as_rows(receivers)
    return _unwanted(connection.execute(_ABOUT, rows).tuples())


def _unwanted(found: Iterable[tuple[int, str, str]]) -> set[int]:
    """(key, the row's topic, its reason) → the keys for which it means no."""
    every: set[int] = set()
    said: dict[int, bool] = {}
    for key, topic, reason in found:
        if topic == EVERYTHING:
            every.add(key)
        else:
            said[key] = reason != Reason.WANTED
    return {key for key in every | said.keys() if said.get(key, True)}


_receivers = unfolded({"key": BigInteger(), "mobile": Text(), "utility": Text(), "topic": Text()})
_ABOUT = select(_receivers.c.key, suppressions.c.topic, suppressions.c.reason).join_from(
    _receivers,
    suppressions,
    (suppressions.c.mobile == _receivers.c.mobile)
    & (suppressions.c.utility == _receivers.c.utility)
    & ((suppressions.c.topic == _receivers.c.topic) | (suppressions.c.topic == EVERYTHING)),
)
