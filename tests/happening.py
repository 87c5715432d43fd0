"""What tests of events and schedules share: events of bills, and templates made of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import insert, select

from core.database import Database
from core.events import Event, EventKind, Events
from core.events.facts import EVENT_FACTS
from core.ids import IdMaker
from core.production import Press
from core.schedules.words import parse_schedule
from core.tables import contacts, outbox, subscribers
from core.templates.in_use import TemplatesInUse
from core.templates.store import set_enabled
from core.templates.types import Definition, OnEvents, Version
from tests.campaigning import DEFINITION, UTILITY, PlainWords, maker, save

BILL = EventKind.BILL_ISSUED
MOBILE = "989131000001"
ON_BILLS = replace(DEFINITION, trigger=OnEvents((BILL.value,), {}))
"""Each bill, at once, to every contact of its subscription."""


def press(now_ms: Any, words: PlainWords | None = None) -> Press:
    """What one daemon makes messages of events with."""
    return Press(maker(now_ms, words), TemplatesInUse())


def in_use(
    database: Database, definition: Definition = ON_BILLS, name: str = "bill", since: int = 0
) -> Version:
    """A template that is enabled."""
    version = save(database, definition, name)
    on = partial(set_enabled, enabled=True, by="test", now=since)
    assert database.transact("enable", on, version.template_id)
    return version


def every(when: str, **other: Any) -> Definition:
    """A template over the bills of a period, on a schedule."""
    return replace(DEFINITION, produce=parse_schedule(when), **other)


def subscriber(database: Database, number: str, *mobiles: str, region: str = "") -> int:
    """A subscription with its contacts; its id."""

    def store(connection: Any) -> int:
        row: dict[str, Any] = {
            "utility": UTILITY, "number": number, "name": "", "address": "", "region": region,
            "changed_at": 0,
        }  # fmt: skip
        made = connection.execute(insert(subscribers).values(row).returning(subscribers.c.id))
        key: int = made.scalar_one()
        for mobile in mobiles:
            about = {"subscriber_id": key, "mobile": mobile, "source": "test", "created_at": 0}
            connection.execute(insert(contacts).values(utility=UTILITY, **about))
        return key

    return database.transact("subscriber", store)


def bill(number: str, at: int, subscriber_id: int | None = None, **facts: Any) -> Event:
    """A bill that was issued."""
    about: dict[str, Any] = dict.fromkeys(EVENT_FACTS[BILL], "")
    about |= {"number": number, "kind": "period", "payable": 1000, **facts}
    whom = None if subscriber_id else MOBILE
    return Event(BILL, UTILITY, at, about, subscriber_id, whom)


def happen(database: Database, ids: IdMaker, *events: Event) -> None:
    """Store events."""
    shelf = Events()
    shelf.ids = ids
    for event in events:
        shelf.add(event)
    database.transact("happen", shelf.store)


def texts(database: Database) -> list[str]:
    """The messages that are queued, in the order in which they were."""
    query = select(outbox.c.text).order_by(outbox.c.id)
    return database.read("texts", lambda connection: list(connection.scalars(query)))
