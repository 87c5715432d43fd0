"""Outages are told of beforehand, once for each template; one that is cancelled is taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from core import outages
from core.calls import Fact
from core.database import Database
from core.outages import NewOutage, OutageError, OutageFilter
from core.outages.notices import Entered, enter
from core.production import Press
from core.runs.producing import put_piece, read_piece
from core.runs.settling import settle_piece
from core.runs.states import RunState
from core.runs.store import Run, RunFilter, list_runs
from core.runs.taking import load_work, take_runs
from core.scheduling import go_round
from core.tables import outbox
from core.templates.types import OnOutage, SendPolicy, Version
from tests.campaigning import DEFINITION, UTILITY, PlainWords, sources
from tests.conftest import Clock
from tests.happening import in_use, press, subscriber

HOUR = 3_600_000
DAY = 24 * HOUR
NOTICE = replace(DEFINITION, trigger=OnOutage(1440), topic="outages")
CANCELLED = replace(DEFINITION, trigger=OnOutage(0, cancelled=True), topic="outages")


class OutageWords(PlainWords):
    """The subscription, and what is known of the outage."""

    def words(self, version: Version, rows: Sequence[Mapping[str, Fact]]) -> list[list[str]]:
        """One part each."""
        self.written += rows
        return [[f"{version.name} {row['number']} {row['region']} {row['reason']}"] for row in rows]


@pytest.fixture
def ours(database: Database, now_ms: Clock) -> Press:
    """A daemon; three subscriptions in two regions, one of them with two contacts."""
    subscriber(database, "1", "989131111111", "989132222222", region="زرند")
    subscriber(database, "2", "989133333333", region="زرند")
    subscriber(database, "3", "989134444444", region="بم")
    return press(now_ms, OutageWords())


def planned(database: Database, now: int, begins: int, region: str = "زرند") -> Entered:
    """An outage of two hours."""
    new = NewOutage(UTILITY, region, begins, begins + 2 * HOUR, "تعمیر", "test", now)
    return database.transact("outage", enter, new)


def produce(database: Database, ours: Press, now: int) -> list[str]:
    """Produce all runs that are open; everything that is queued now."""
    for run in runs(database):
        if run.state is RunState.PRODUCING:
            database.transact("take", take_runs, [run.id], 0, now)
            work = database.read("load", load_work, run, sources(), ours.maker)
            piece = database.read("piece", read_piece, work, run.position, 100, now)
            assert put_piece(database, piece, 0, now).stored
    query = select(outbox.c.text).where(outbox.c.state == "queued").order_by(outbox.c.id)
    return database.read("texts", lambda connection: list(connection.scalars(query)))


def runs(database: Database) -> list[Run]:
    """All runs, the last one first."""
    return database.read("runs", list_runs, RunFilter())


def test_a_region_is_told_once_and_beforehand(
    database: Database, now_ms: Clock, ours: Press
) -> None:
    """Two outages begin at one time in two places; each contact of the region hears of its own."""
    in_use(database, NOTICE, "notice")
    begins = now_ms() + 2 * DAY
    entered = planned(database, now_ms(), begins)
    assert (entered.subscriptions, [one.at for one in entered.told]) == (2, [begins - DAY])
    planned(database, now_ms(), begins, "بم")
    assert go_round(database, ours, now_ms()).begun == ()
    now_ms.ms = begins - DAY
    assert len(go_round(database, ours, now_ms()).begun) == 2
    assert go_round(database, ours, now_ms()).begun == ()
    told = produce(database, ours, now_ms())
    assert sorted(told) == [
        "notice 1 زرند تعمیر", "notice 1 زرند تعمیر", "notice 2 زرند تعمیر", "notice 3 بم تعمیر",
    ]  # fmt: skip
    expiry = database.read(
        "expiry", lambda connection: set(connection.scalars(select(outbox.c.expires_at)))
    )
    assert expiry == {begins + 2 * HOUR}


def test_what_is_announced_late_is_told_at_once(sqlite_database: Database, now_ms: Clock) -> None:
    """Until it is over; a template that is enabled meanwhile tells of it, too."""
    database, ours = sqlite_database, press(now_ms, OutageWords())
    subscriber(database, "1", "989131111111", region="زرند")
    planned(database, now_ms(), now_ms() + HOUR)
    assert go_round(database, ours, now_ms()).begun == ()
    in_use(database, NOTICE, "notice")
    now_ms.advance(2 * 3600)
    assert len(go_round(database, ours, now_ms()).begun) == 1
    in_use(database, NOTICE, "another")
    now_ms.advance(3600)
    assert go_round(database, ours, now_ms()).begun == ()


@pytest.mark.parametrize("has_left", [True, False])
def test_a_cancelled_outage_is_taken_back_where_somebody_was_told(
    database: Database,
    now_ms: Clock,
    ours: Press,
    has_left: bool,  # noqa: FBT001 - a case
) -> None:
    """What has not left is cancelled; the region hears of it if some of it has left."""
    in_use(database, NOTICE, "notice")
    in_use(database, CANCELLED, "cancelled")
    entered = planned(database, now_ms(), now_ms() + HOUR)
    go_round(database, ours, now_ms())
    assert len(produce(database, ours, now_ms())) == 3
    if has_left:
        first = select(outbox.c.id).order_by(outbox.c.id).limit(1).scalar_subquery()
        leave = update(outbox).where(outbox.c.id == first).values(state="accepted")
        database.transact("leave", lambda connection: connection.execute(leave))
    database.transact("cancel", outages.cancel, entered.outage.id, now_ms())
    assert go_round(database, ours, now_ms()).begun == ()
    (run,) = runs(database)
    while run.state is RunState.CANCELLING:
        database.transact(
            "settle", settle_piece, run, SendPolicy((60,), 0, (), frozenset()), now_ms()
        )
        (run,) = runs(database)
    assert len(go_round(database, ours, now_ms()).begun) == has_left
    told = ["cancelled 1 زرند تعمیر"] * 2 + ["cancelled 2 زرند تعمیر"]
    assert produce(database, ours, now_ms()) == (told if has_left else [])
    assert go_round(database, ours, now_ms()).begun == ()
    with pytest.raises(OutageError, match="cancelled already"):
        database.transact("cancel", outages.cancel, entered.outage.id, now_ms())


def test_what_cannot_be_entered_is_refused_with_a_reason(
    sqlite_database: Database, now_ms: Clock
) -> None:
    """The nearest region is named; an outage that is over helps nobody."""
    database = sqlite_database
    subscriber(database, "1", region="زرند")
    now = now_ms()
    for begins, ends, region, said in (
        (now + DAY, None, "زرد", "زرند"),
        (now + DAY, now + DAY, "زرند", "ends before it begins"),
        (now - DAY, now - 1, "زرند", "over already"),
        (now + 400 * DAY, None, "زرند", "is the date right"),
    ):
        new = NewOutage(UTILITY, region, begins, ends, "", "test", now)
        with pytest.raises(OutageError, match=said):
            database.transact("outage", enter, new)
    assert database.read("outages", outages.list_outages, OutageFilter()) == []
    with pytest.raises(OutageError, match="no outage 7"):
        database.transact("cancel", outages.cancel, 7, now)
