"""Who wants none of the utility's own messages, by utility and topic.

A row with an empty topic is about every kind of message; one with a topic is about that
kind, and one whose reason is ``wanted`` is an exception from the first: somebody who wanted
nothing asked for these again (seed 001: 9, then 210). Templates that the law requires go to
everybody, and so do answers to what a person asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Connection, Executable, Integer, Text, literal, select, true
from sqlalchemy.dialects import postgresql, sqlite

from core.bulk import as_rows, unfolded
from core.statements import change, fetch
from core.tables import suppressions, templates

EVERYTHING = ""
"""The topic of who wants nothing at all."""
BILLS = "bills"
"""The topic of the messages that bring bills: what 210 starts and 9 stops."""

COMMON_TOPICS: Final = (BILLS, "receipts", "outages", "notices")
"""What may be opted out of, whatever templates there are."""


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
    return _unwanted(fetch(connection, _ABOUT, rows))


class Receiving(NamedTuple):
    """A message of a template that is about to go out."""

    key: int
    mobile: str
    template_id: int


def opted_out(connection: Connection, messages: Sequence[Receiving]) -> set[int]:
    """Keys of messages whose receivers want none, in one statement; required ones go out."""
    if not messages:
        return set()
    return _unwanted(fetch(connection, _OF_TEMPLATES, as_rows(messages)))


class Blocked(NamedTuple):
    """A message that the operator refused because its receiver is on a block list."""

    mobile: str
    template_id: int
    code: str
    """The operator's, as it wrote it."""
    at: int


def store_blocked(connection: Connection, blocked: Sequence[Blocked]) -> None:
    """Send these mobiles no more messages of the kind that was refused; one statement.

    Of the kind, not of every kind: another one may go out from a line that is not blocked.
    """
    if blocked:
        change(connection, _block(connection.dialect.name), as_rows(blocked))


def _unwanted(found: Iterable[Sequence[Any]]) -> set[int]:
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
_messages = unfolded({"key": BigInteger(), "mobile": Text(), "template_id": Integer()})
_OF_TEMPLATES = (
    select(_messages.c.key, suppressions.c.topic, suppressions.c.reason)
    .join_from(_messages, templates, templates.c.id == _messages.c.template_id)
    .join(
        suppressions,
        (suppressions.c.mobile == _messages.c.mobile)
        & (suppressions.c.utility == templates.c.utility)
        & ((suppressions.c.topic == templates.c.topic) | (suppressions.c.topic == EVERYTHING)),
    )
    .where(~templates.c.required)
)
_blocked = unfolded(
    {"mobile": Text(), "template_id": Integer(), "note": Text(), "since": BigInteger()}
)


@cache
def _block(dialect: str) -> Executable:
    """An insert that says no where nothing was said, or where the opposite was."""
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    source = (
        select(
            _blocked.c.mobile,
            templates.c.utility,
            templates.c.topic,
            literal(Reason.BLOCKED.value),
            _blocked.c.note,
            _blocked.c.since,
        )
        .distinct()
        .join_from(_blocked, templates, templates.c.id == _blocked.c.template_id)
        .where(true())
    )
    columns = ("mobile", "utility", "topic", "reason", "note", "since")
    statement = make(suppressions).from_select(columns, source)
    return statement.on_conflict_do_update(
        index_elements=("mobile", "utility", "topic"),
        set_={name: statement.excluded[name] for name in ("reason", "note", "since")},
        where=suppressions.c.reason == Reason.WANTED.value,
    )
