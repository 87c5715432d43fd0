"""Real rows to look at a template with, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from core.calls import Scalar
from core.database import Database
from core.demo import fill
from core.events import Event, EventKind, Events
from core.ids import IdMaker
from core.reporting.sources import Sources
from core.secrecy import Keys
from core.templates.sampling import sample
from core.templates.types import (
    Audience,
    Definition,
    Missed,
    OnEvents,
    OnOutage,
    OnReport,
    Receivers,
    SendPolicy,
    Trigger,
    Uncertain,
    Version,
)

NOW = 1_790_000_000_000
SOURCES = Sources({})


def version(trigger: Trigger) -> Version:
    """A template of Kerman's."""
    definition = Definition(
        line="1", audience=Audience.SERVICE, topic="x", required=False, language="fa",
        trigger=trigger, receivers=Receivers.CONTACTS, produce=None, missed=Missed.ONCE,
        starts=None, ends=None, attempts=1, validity=60, priority=5, uncertain=Uncertain.LEAVE,
        policy=SendPolicy((60,), 0, (), frozenset()),
    )  # fmt: skip
    return Version(1, "kerman-water", "x", 1, definition, "x", 1)


def paid(amount: int, utility: str = "kerman-water") -> Event:
    """A payment that was booked."""
    about: dict[str, Scalar] = {
        "number": "10000001", "amount": amount, "bill_id": "", "payment_id": "",
        "reference": "7", "paid_at": datetime(2026, 9, 21, 14, tzinfo=UTC),
    }  # fmt: skip
    return Event(EventKind.PAYMENT_BOOKED, utility, NOW, about, 5, "989131234567")


def test_the_newest_events_that_are_meant(database: Database) -> None:
    """Of the utility alone, with the facts that the template asks for, as they were put in."""
    told = Events()
    told.ids = IdMaker(0, lambda: NOW)
    for event in (paid(1), paid(2), paid(1, "qom-power"), paid(1)):
        told.add(event)
    with database.engine.begin() as connection:
        told.store(connection)
        made_of = OnEvents(("payment_booked", "bill_issued"), {"amount": 1})
        found = sample(connection, version(made_of), SOURCES, 5, NOW)
        assert [dict(row.facts) for row in found.rows] == [dict(paid(1).about)] * 2
        assert found.rows[0].key > found.rows[1].key
        assert (found.rows[0].subscriber_id, found.rows[0].mobile) == (5, "989131234567")
        assert len(sample(connection, version(made_of), SOURCES, 1, NOW).rows) == 1
        assert sample(connection, version(OnOutage(60)), SOURCES, 5, NOW).rows == ()


def test_rows_of_a_report(database: Database, keys: Keys, tmp_path: Path) -> None:
    """Some of them, and how many there are."""
    fill(database, keys, subscribers=20, today=date(2026, 9, 21))
    report = OnReport("subscribers_of_region", {})
    with database.engine.begin() as connection:
        found = sample(connection, version(report), SOURCES, 3, NOW)
        assert (len(found.rows), found.of) == (3, 20)
        assert found.rows[0].facts["number"] == "10000001"
        nobody = replace(report, parameters={"region": "nowhere"})
        assert sample(connection, version(nobody), SOURCES, 3, NOW).of == 0
