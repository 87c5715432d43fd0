"""A daemon that serves the five utilities of the seeds at once, each on its own line."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest_twisted
from sqlalchemy import Connection, text

from core import demo
from core.database import Database
from core.jalali import TEHRAN
from core.secrecy import Keys
from core.templates import store
from core.templates.store import Draft
from core.text import ascii_digits
from tests.acceptance.conftest import KEY, SUBSCRIBERS, Daemon, Daemons, Operator
from tests.conftest import without_waiting_for_the_disk
from tests.waiting import until

STRANGER = "989131234567"
"""Registered to nobody."""
KERMAN, LORESTAN, QAZVIN = "100034122", "100066133", "500025194"
QOM, KOHGILUYEH = "100025121", "100074333"
OTHERS = {
    LORESTAN: "lorestan-water",
    QAZVIN: "qazvin-gas",
    QOM: "qom-power",
    KOHGILUYEH: "kohgiluyeh-water",
}
"""Besides Kerman, which every daemon of these tests serves."""
_LINE = '[[lines]]\nnumber = "{}"\nprofile = "{}"\nbinds = ["operator"]\n'


@pytest_twisted.async_yield_fixture
async def utilities(
    operator: Operator, daemons: Daemons, sqlite_sample: Path
) -> AsyncIterator[Daemon]:
    """A daemon with five lines and sample subscribers of each utility."""
    lines = "\n".join(_LINE.format(number, name) for number, name in OTHERS.items())
    made = daemons(operator.port, more=lines)
    shutil.copy(_of_all(sqlite_sample), made.data / "peyk.db")
    made.start()
    await until(lambda: operator.bound, "the daemon is bound")
    yield made
    complaints = made.complaints()
    assert not complaints, complaints


def _of_all(sqlite_sample: Path) -> Path:
    """A SQLite file with the sample subscribers of every utility, filled once."""
    path = sqlite_sample.with_name("all.db")
    if not path.exists():
        begun = path.with_suffix(".new")
        shutil.copy(sqlite_sample, begun)
        database = without_waiting_for_the_disk(Database(f"sqlite:///{begun}"))
        keys, today = Keys(KEY.encode()), datetime.now(TEHRAN).date()
        for name in OTHERS.values():
            demo.fill(database, keys, today=today, utility=name, subscribers=SUBSCRIBERS)
        database.close()  # the last connection takes the write-ahead log into the file
        begun.rename(path)
    return path


def rows(daemon: Daemon, statement: str, **values: Any) -> list[Any]:
    """What the daemon's database holds."""
    database = Database(daemon.url)
    try:
        return database.read("test", lambda c: list(c.execute(text(statement), values)))
    finally:
        database.close()


def last_bill(daemon: Daemon, utility: str, place: int = 1) -> Any:
    """The newest bill of a sample subscription."""
    return rows(
        daemon,
        """SELECT bills.*, subscribers.bill_id AS own_bill_id, subscribers.meter_serial
           FROM bills JOIN subscribers ON subscribers.id = subscriber_id
           WHERE utility = :utility AND number = :number ORDER BY issued_at DESC LIMIT 1""",
        utility=utility,
        number=demo.number_of(place, utility),
    )[0]


def tracking_in(answer: str) -> str:
    """The tracking number that an answer ends with, in ASCII digits."""
    return ascii_digits(answer).rsplit(maxsplit=1)[-1]


async def let_tell(daemon: Daemon, utility: str, *names: str) -> None:
    """Save what the utility's profile ships, and enable these templates, at any hour."""
    loaded = await daemon.peyk("template", "load", utility)
    assert loaded.returncode == 0, loaded.stderr
    database = Database(daemon.url)
    for name in names:
        database.transact("enable", _enable, utility, name)
    database.close()


def _enable(connection: Connection, utility: str, name: str) -> None:
    now = time.time_ns() // 1_000_000
    found = store.named(connection, utility, name)
    definition = found.newest.definition
    at_any_hour = replace(definition, policy=replace(definition.policy, hours=()))
    draft = Draft(utility, name, at_any_hour, found.newest.body, "test", now)
    store.edit(connection, found.newest, draft)
    store.set_enabled(connection, found.id, enabled=True, by="test", now=now)
