"""Events that a utility's own system tells of: checked as ours are, and each taken once.

Their facts are those of ``core.events.facts``; what is left out is not known. Whoever tells
says a key of its own for each: one that was told before is the event that it made then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Text, select

from core.bulk import as_rows, insert_rows, unfolded
from core.calls import Scalar
from core.events import Event, EventKind, store_events
from core.events.facts import EVENT_FACTS, FactKind, as_fact, is_a
from core.ids import IdMaker
from core.importing.stores import load_ids
from core.tables import event_keys
from core.text import nearest_hint

NUMBER: Final = "number"
_WORDS: Final = {FactKind.NUMBER: "number of 10^15 at most"}


class FactError(ValueError):
    """A fact that an event of its kind cannot have; ``name`` says which."""

    def __init__(self, name: str, words: str, *, is_known: bool = True) -> None:
        super().__init__(words)
        self.name = name
        self.is_known = is_known


class Outside(NamedTuple):
    """An event as another system tells of it."""

    key: str
    event: Event
    number: str
    """The subscription that it concerns, "" for none."""


class Taken(NamedTuple):
    """What became of one."""

    id: int
    is_new: bool
    """False: it was told of before."""


class NoSubscriber(Exception):
    """A number that the utility has not; ``place``: the event's among those told."""

    def __init__(self, place: int, number: str) -> None:
        super().__init__(f"there is no subscription {number}")
        self.place = place
        self.number = number


def checked_facts(kind: EventKind, said: Mapping[str, Any]) -> dict[str, Scalar]:
    """The facts of an event of ``kind`` from what JSON says. Raises ``FactError``."""
    declared = EVENT_FACTS[kind]
    for name in said:
        if name not in declared:
            hint = nearest_hint(name, declared)
            raise FactError(name, f"is no fact of {kind.value}: {hint}", is_known=False)
    return {name: _fact(name, each, said.get(name, "")) for name, each in declared.items()}


def _fact(name: str, kind: FactKind, said: Any) -> Scalar:
    if said is None:
        return ""
    try:
        value = as_fact(kind, said)
    except ValueError:
        value = None
    if not isinstance(value, str | int | bool | date | datetime) or not is_a(kind, value):
        raise FactError(name, f"is no {_WORDS.get(kind, kind.value)}")
    if isinstance(value, datetime) and value.tzinfo is None:
        raise FactError(name, "says no time zone: end it with Z, or with +03:30")
    return value


def take_events(
    connection: Connection, ids: IdMaker, utility: str, told: Sequence[Outside]
) -> list[Taken]:
    """Store those that are new; what became of each, in their order.

    A number of statements that does not grow with them. Raises ``NoSubscriber``; then nothing
    may be kept.
    """
    known = load_ids(connection, ((utility, each.number) for each in told if each.number))
    for place, each in enumerate(told):
        if each.number and (utility, each.number) not in known:
            raise NoSubscriber(place, each.number)
    made = {each.key: ids.one() for each in told}
    rows = [(event_id, utility, key) for key, event_id in made.items()]
    insert_rows(connection, event_keys, ("id", "utility", "key"), rows, or_ignore=True)
    stored = _ids_of(connection, utility, list(made))
    new = {key for key, event_id in made.items() if stored[key] == event_id}
    first = {each.key: each for each in reversed(told)}
    happened = [
        (event_id, first[key].event._replace(subscriber_id=known.get((utility, first[key].number))))
        for event_id, key in sorted((made[key], key) for key in new)
    ]
    store_events(connection, happened)
    return [Taken(stored[each.key], each.key in new and first[each.key] is each) for each in told]


def _ids_of(connection: Connection, utility: str, keys: Sequence[str]) -> dict[str, int]:
    rows = connection.execute(_IDS, as_rows((utility, key) for key in keys))
    return {row.key: row.id for row in rows}


_keys = unfolded({"utility": Text(), "key": Text()})
_IDS: Final = select(event_keys.c.key, event_keys.c.id).join_from(
    _keys,
    event_keys,
    (event_keys.c.utility == _keys.c.utility) & (event_keys.c.key == _keys.c.key),
)
