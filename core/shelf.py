"""A shelf of facts: one kind of thing that operations know and change, for a whole batch.

An operation names the shelves it needs. Each is filled once for all the calls of a batch
that need it, in a number of statements that does not grow with them; operations read from
it and record their effects in it, so that the second message of a batch sees what the first
one did; at the end each shelf stores its effects, again in a fixed number of statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from core.calls import Call
from core.ids import IdMaker
from core.policy import Policy
from core.terms import Terms


class Subscriber(NamedTuple):
    """What operations need to know of a subscription."""

    id: int
    utility: str
    number: str
    code_hash: str | None
    meter_digits: int


class Asker(NamedTuple):
    """Who sent a message, and when."""

    utility: str
    mobile: str
    """"" for who has none, at a counter."""
    at: int
    """UTC milliseconds."""
    terms: Terms
    """What its utility has set for itself."""
    source: str
    """The door: ``sms``, ``ussd``, later ``api``."""
    message_id: int
    """The inbox row, for effects that say what brought them."""
    line: str = ""
    """The line that was texted, where a later message about it is to come from."""
    shown: tuple[str, ...] = ()
    """Numbers to which a right was shown before, in the same USSD session."""

    @property
    def policy(self) -> Policy:
        """The figures that every operation goes by."""
        return self.terms.policy


class Subject(NamedTuple):
    """A call that may be run, who asks for it, and the subscriptions that it may be about."""

    asker: Asker
    call: Call
    subscribers: tuple[Subscriber, ...]


class Shelf:
    """The base of every shelf; one that only takes effects need not load, and so on."""

    ids: IdMaker
    """Makes ids for new rows; ``Facts`` sets it."""

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """Fetch what these calls need."""

    def store(self, connection: Connection) -> None:
        """Write the effects that were recorded."""


def ids_of(subjects: Sequence[Subject]) -> set[int]:
    """The ids of all subscriptions that these calls may be about."""
    return {subscriber.id for subject in subjects for subscriber in subject.subscribers}
