"""Events become messages: of every template that wants them, once, whatever goes wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DataError

from core.calls import Fact
from core.database import Database
from core.events import EventKind
from core.events.happened import due_now, has_new
from core.ids import IdMaker
from core.nodes.leader import Leadership
from core.optouts import OptOut, add_optouts
from core.production import (
    MOST_AT_ONCE,
    RETRY_MS,
    SERVICE,
    Press,
    Produced,
    produce,
    run,
)
from core.production_due import run_due
from core.schedules import next_after
from core.schedules.words import parse_schedule
from core.secrecy import Keys
from core.suppressions import Reason
from core.tables import due_events, events, outbox, paused_services
from core.templates.store import Draft, add, set_enabled
from core.templates.types import Missed, OnEvents, Receivers, Version
from tests.campaigning import UTILITY, PlainWords
from tests.conftest import Clock, CountStatements
from tests.happening import ON_BILLS, bill, happen, in_use, press, subscriber, texts
from tests.talking import Talk

DAY = 86_400_000


@pytest.fixture
def ids(now_ms: Clock) -> IdMaker:
    """Ids of a daemon that events come from."""
    return IdMaker(1, now_ms)


def test_each_template_tells_of_an_event_once(
    database: Database, now_ms: Clock, ids: IdMaker
) -> None:
    """Whoever it concerns gets every template's message, and no second one."""
    ours = press(now_ms)
    key = subscriber(database, "7001", "989131111111", "989132222222")
    in_use(database)
    in_use(database, replace(ON_BILLS, receivers=Receivers.FIRST_CONTACT), "first")
    in_use(database, replace(ON_BILLS, trigger=OnEvents(("payment_booked",), {})), "receipt")
    mid = OnEvents(("bill_issued",), {"kind": "mid_period"})
    in_use(database, replace(ON_BILLS, trigger=mid), "mid")
    happen(database, ids, bill("7001", now_ms(), key), bill("7002", now_ms()))
    assert run(database, ours, now_ms()) == Produced(events=2, messages=5)
    assert sorted(texts(database)) == ["7001: 1000 1"] * 3 + ["7002: 1000 1"] * 2
    assert run(database, ours, now_ms()) == Produced()
    assert len(texts(database)) == 5


def test_what_somebody_wants_none_of_is_put_down_and_not_sent(
    database: Database, now_ms: Clock, ids: IdMaker
) -> None:
    """Reports tell what became of it; what the law requires goes out."""
    key = subscriber(database, "7001", "989131111111", "989132222222")
    in_use(database)
    in_use(database, replace(ON_BILLS, required=True), "required")
    no = OptOut("989132222222", UTILITY, "bills", Reason.ASKED.value, "", now_ms())
    database.transact("no", add_optouts, [no])
    happen(database, ids, bill("7001", now_ms(), key), bill("7002", now_ms()))
    assert run(database, press(now_ms), now_ms()) == Produced(events=2, messages=5)
    columns = outbox.c.state, outbox.c.error, outbox.c.over_at, outbox.c.text
    query = select(*columns).where(outbox.c.mobile == "989132222222").order_by(outbox.c.state)
    rows = database.read("states", lambda connection: connection.execute(query).all())
    assert rows == [
        ("queued", None, None, "7001: 1000 1"),
        ("suppressed", "opted out", now_ms(), "7001: 1000 1"),
    ]


def test_what_happened_out_of_a_template_s_time_is_not_its_business(
    database: Database, now_ms: Clock, ids: IdMaker
) -> None:
    """Nobody is told by a template of what happened before it was enabled, or began."""
    in_use(database, since=now_ms())
    # 30 Shahrivar 1405 is the clock's day.
    in_use(database, replace(ON_BILLS, starts=date(2026, 9, 21)), "begins")
    in_use(database, replace(ON_BILLS, ends=date(2026, 9, 20)), "ended")
    happen(database, ids, bill("1", now_ms() - DAY), bill("2", now_ms()))
    run(database, press(now_ms), now_ms())
    assert texts(database) == ["2: 1000 1", "2: 1000 1", "1: 1000 1"]


def test_what_no_template_listens_for_waits_for_nobody(
    sqlite_database: Database, keys: Keys
) -> None:
    """A batch says whether there is something to tell, so that whoever tells it begins at once."""
    talk = Talk(sqlite_database, keys, "lorestan-water")

    def listen(name: str, kind: EventKind, *, utility: str, enabled: bool = True) -> None:
        definition = replace(ON_BILLS, trigger=OnEvents((kind.value,), {}))
        draft = Draft(utility, name, definition, "", "test", 0)
        sqlite_database.transact("add", partial(add, draft=draft, enabled=enabled))

    def register(place: int) -> bool:
        talk.ask(f"ثبت همراه {talk.number(place)} {talk.code(place)}", f"98913777000{place}")
        return sqlite_database.read("new", has_new)

    registered = EventKind.MOBILE_REGISTERED
    listen("elsewhere", registered, utility=UTILITY)
    listen("disabled", registered, utility="lorestan-water", enabled=False)
    listen("removed", EventKind.MOBILE_REMOVED, utility="lorestan-water")
    assert not register(1)
    assert not talk.happened
    listen("registered", registered, utility="lorestan-water")
    assert not register(3)
    # Another mobile has it already: it is asked whether it is meant.
    assert register(3)
    assert talk.happened
    assert [each.handled_at is None for each in talk.rows(events)] == [False, True]
    talk.ask("راهنما")
    assert not talk.happened


def test_a_schedule_of_production_puts_messages_off(
    database: Database, now_ms: Clock, ids: IdMaker
) -> None:
    """They are made when it is time, by the template as it is then; once."""
    ours = press(now_ms)
    daily = replace(ON_BILLS, produce=parse_schedule("every day 08:00"))
    in_use(database, daily)
    disabled = in_use(database, daily, "disabled")
    happen(database, ids, bill("1", now_ms()), bill("2", now_ms()))
    assert run(database, ours, now_ms()) == Produced(events=2, later=4)
    assert run_due(database, ours, now_ms()) == Produced()
    off = partial(set_enabled, enabled=False, by="test", now=now_ms())
    database.transact("disable", off, disabled.template_id)
    now_ms.advance(86_400)
    assert run_due(database, ours, now_ms()) == Produced(messages=2)
    assert run_due(database, ours, now_ms()) == Produced()
    assert texts(database) == ["1: 1000 1", "2: 1000 1"]


@pytest.mark.parametrize(("missed", "at_once"), [(Missed.ONCE, 1), (Missed.SKIP, 0)])
def test_a_time_that_was_missed_is_made_up_for_or_left_to_the_next(
    sqlite_database: Database, now_ms: Clock, ids: IdMaker, missed: Missed, at_once: int
) -> None:
    """A bill that came in before a week without a daemon is told once all the same."""
    ours = press(now_ms)
    in_use(
        sqlite_database, replace(ON_BILLS, produce=parse_schedule("every day 08:00"), missed=missed)
    )
    happen(sqlite_database, ids, bill("1", now_ms()))
    run(sqlite_database, ours, now_ms())
    now_ms.advance(7 * 86_400)
    assert run_due(sqlite_database, ours, now_ms()).messages == at_once
    now_ms.ms = next_after(parse_schedule("every day 08:00"), now_ms()) or 0
    run_due(sqlite_database, ours, now_ms())
    assert texts(sqlite_database) == ["1: 1000 1"]


class Faulty(PlainWords):
    """Words that fail for a template, or for the whole statement of one event."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = ""
        self.poison = ""

    def words(self, version: Version, rows: Sequence[Mapping[str, Fact]]) -> list[list[str]]:
        """As ``PlainWords``."""
        if version.name == self.gone:
            raise LookupError("its line is not in the settings any more")
        if any(row["number"] == self.poison for row in rows):
            raise DataError("INSERT", {}, ValueError("no such text"))
        return super().words(version, rows)


def test_what_cannot_be_made_holds_up_nothing_else(
    database: Database, now_ms: Clock, ids: IdMaker
) -> None:
    """A template without a line is tried again; an event that breaks the batch is set aside."""
    words = Faulty()
    ours = press(now_ms, words)
    in_use(database)
    in_use(database, name="gone")
    words.gone, words.poison = "gone", "2"
    happen(database, ids, *(bill(str(number), now_ms()) for number in (1, 2, 3)))
    unreadable = {"id": 7, "utility": "kerman-water", "kind": "bill_issued", "at": now_ms()}
    database.transact(
        "unreadable",
        lambda connection: connection.execute(insert(events).values(about="?", **unreadable)),
    )
    done = run(database, ours, now_ms())
    assert (done.events, done.messages) == (4, 2)
    assert texts(database) == ["1: 1000 1", "3: 1000 1"]
    assert run(database, ours, now_ms()) == Produced()
    now_ms.advance(RETRY_MS / 1000)
    assert run_due(database, ours, now_ms()).messages == 0
    words.gone = ""
    now_ms.advance(RETRY_MS / 1000)
    assert run_due(database, ours, now_ms()).messages == 2
    words.gone = "gone"
    happen(database, ids, bill("4", now_ms()))
    run(database, ours, now_ms())
    now_ms.advance(ON_BILLS.validity + 1)
    assert run_due(database, ours, now_ms()).later == 0


def test_what_was_put_off_and_cannot_be_made_holds_up_nothing_else(
    sqlite_database: Database, now_ms: Clock, ids: IdMaker
) -> None:
    """One that breaks the batch when its time has come is given up; the others are made."""
    words = Faulty()
    ours = press(now_ms, words)
    in_use(sqlite_database, replace(ON_BILLS, produce=parse_schedule("every day 08:00")))
    happen(sqlite_database, ids, *(bill(str(number), now_ms()) for number in (1, 2, 3, 4)))
    assert run(sqlite_database, ours, now_ms()).later == 4
    words.poison = "2"
    gone = events.delete().where(events.c.about.like('%"number":"3"%'))
    sqlite_database.transact("gone", lambda connection: connection.execute(gone))
    now_ms.advance(86_400)
    assert run_due(sqlite_database, ours, now_ms()) == Produced(messages=2, set_aside=1)
    assert texts(sqlite_database) == ["1: 1000 1", "4: 1000 1"]
    assert run_due(sqlite_database, ours, now_ms()) == Produced()
    assert not sqlite_database.read("due", due_now, now_ms(), 9)


def test_the_number_of_statements_does_not_grow(
    database: Database, now_ms: Clock, ids: IdMaker, count_statements: CountStatements
) -> None:
    """As many for two hundred events as for one."""
    ours = press(now_ms)
    in_use(database)
    counted = []
    for many in (1, MOST_AT_ONCE):
        happen(database, ids, *(bill(str(number), now_ms()) for number in range(many)))
        with count_statements(database) as found:
            done = run(database, ours, now_ms())
        assert done.messages == many
        counted.append(found.total)
    assert counted[1] <= counted[0]


def test_two_daemons_tell_of_different_events(
    postgresql_database: Database, now_ms: Clock, ids: IdMaker
) -> None:
    """What one has in hand the other passes over; there is one scheduler."""
    database = postgresql_database
    in_use(database)
    happen(database, ids, bill("1", now_ms()))
    with database.engine.begin() as first:
        assert produce(first, press(now_ms), now_ms()).messages == 1
        assert run(database, press(now_ms), now_ms()) == Produced()
    assert texts(database) == ["1: 1000 1"]
    one, two = Leadership(database), Leadership(database)
    assert (one.hold(), two.hold(), one.hold()) == (True, False, True)
    with database.engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks JOIN pg_database"
                " ON pg_database.oid = pg_locks.database"
                " WHERE locktype = 'advisory' AND datname = current_database()"
            )
        )
    assert (two.hold(), one.hold()) == (True, False)
    two.release()
    assert one.hold()
    one.release()


def test_while_the_scheduler_is_paused_events_wait(
    sqlite_database: Database, now_ms: Clock, ids: IdMaker
) -> None:
    """Nothing is lost by a pause."""
    database = sqlite_database
    ours: Press = press(now_ms)
    in_use(database)
    pause = insert(paused_services).values(name=SERVICE, since=0, by="test", note="")
    database.transact("pause", lambda connection: connection.execute(pause))
    happen(database, ids, bill("1", now_ms()))
    assert run(database, ours, now_ms()) == Produced()
    database.transact("go on", lambda connection: connection.execute(paused_services.delete()))
    assert run(database, ours, now_ms()).messages == 1
    assert not database.read(
        "due", lambda connection: connection.execute(due_events.select()).all()
    )
