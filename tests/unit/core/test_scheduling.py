"""Schedules, over a year and over a daemon's absence: each run is begun once, in its time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import insert

from core.database import Database
from core.jalali import jalali, local, parse_date
from core.planning import BY_SCHEDULE
from core.production import SERVICE
from core.runs.failures import FailedRun
from core.runs.producing import fail
from core.runs.states import Move
from core.runs.store import Run, RunFilter, list_runs, move
from core.runs.taking import take_runs
from core.scheduling import Round, go_round
from core.tables import paused_services
from core.templates import store
from core.templates.store import Draft
from core.templates.types import Missed
from tests.campaigning import UTILITY
from tests.conftest import Clock
from tests.happening import every, in_use, press

HOUR = 3_600_000
Go = Callable[[], Round]


@pytest.fixture
def go(database: Database, now_ms: Clock) -> Go:
    """Go round once."""
    ours = press(now_ms)
    return lambda: go_round(database, ours, now_ms())


def at(day: str, hour: int = 0, minute: int = 0) -> int:
    """An instant in Tehran, which keeps no summer time any more."""
    found = parse_date(day)
    utc = datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp() - 3.5 * 3600
    return round(utc * 1000) + hour * HOUR + minute * 60_000


def begun(database: Database, name: str) -> list[str]:
    """When the runs of a template were planned for, in Tehran, in their order."""
    found = database.read("runs", list_runs, RunFilter(template=name, limit=1000))
    return [_in_tehran(run) for run in reversed(found)]


def _in_tehran(run: Run) -> str:
    shown = local(datetime.fromtimestamp(run.planned_for / 1000, UTC))
    return f"{jalali(shown.date())} {shown:%H:%M}"


def test_a_year_of_schedules(database: Database, now_ms: Clock, go: Go) -> None:
    """1403 is a leap year: each run is begun once, whatever the month, and as often as planned."""
    start, end = at("1403/01/01"), at("1404/01/01")
    for name, definition in (
        ("daily", every("every day 08:00")),
        ("weekly", every("saturday,monday 09:30")),
        ("monthly", every("days 1,15,last of month 08:00")),
        ("leap", every("months 12 days 30 07:00")),
        ("halves", every("months 1,7 days 1 08:00")),
        ("once", every("once 1403/09/15 10:00")),
        (
            "summer",
            every(
                "days 1 of month 08:00",
                starts=parse_date("1403/04/01"),
                ends=parse_date("1403/06/31"),
            ),
        ),
    ):
        in_use(database, definition, name, since=start)
    now_ms.ms = start
    while now_ms.ms < end:
        now_ms.ms += 24 * HOUR
        go()
    assert len(begun(database, "daily")) == 366
    assert len(set(begun(database, "daily"))) == 366
    assert len(begun(database, "weekly")) == 2 * 52
    assert begun(database, "monthly")[:4] == [
        "1403/01/01 08:00", "1403/01/15 08:00", "1403/01/31 08:00", "1403/02/01 08:00",
    ]  # fmt: skip
    assert begun(database, "monthly")[-1] == "1403/12/30 08:00"
    assert begun(database, "leap") == ["1403/12/30 07:00"]
    assert begun(database, "halves") == ["1403/01/01 08:00", "1403/07/01 08:00"]
    assert begun(database, "once") == ["1403/09/15 10:00"]
    assert begun(database, "summer") == [f"1403/0{month}/01 08:00" for month in (4, 5, 6)]


def test_what_was_missed_is_made_up_for_once_or_skipped(
    database: Database, now_ms: Clock, go: Go
) -> None:
    """The daemon is off for a week; a restart of some minutes is none."""
    start = at("1405/06/01")
    in_use(database, every("every day 08:00"), "once", since=start)
    in_use(database, every("every day 08:00", missed=Missed.SKIP), "skip", since=start)
    now_ms.ms = at("1405/06/08", 12)
    assert (len(go().begun), begun(database, "once")) == (1, ["1405/06/08 08:00"])
    assert begun(database, "skip") == []
    assert go().begun == ()
    now_ms.ms = at("1405/06/09", 8, 5)
    assert len(go().begun) == 2
    assert begun(database, "skip") == ["1405/06/09 08:00"]


def test_templates_are_changed_beside_the_daemon(sqlite_database: Database, now_ms: Clock) -> None:
    """What is disabled begins nothing, what is edited goes by its new schedule from then on."""
    database, ours = sqlite_database, press(now_ms)
    now_ms.ms = at("1405/06/01")
    version = in_use(database, every("every day 08:00"), "bills", since=now_ms())
    now_ms.ms = at("1405/06/01", 8)
    assert len(go_round(database, ours, now_ms()).begun) == 1
    off, on = (partial(store.set_enabled, enabled=enabled, by="test") for enabled in (False, True))
    database.transact("off", off, version.template_id, now=now_ms())
    now_ms.ms = at("1405/06/03", 8)
    assert go_round(database, ours, now_ms()).begun == ()
    database.transact("on", on, version.template_id, now=now_ms())
    assert go_round(database, ours, now_ms()).begun == ()
    now_ms.ms = at("1405/06/03", 20)
    draft = Draft(UTILITY, "bills", every("every day 06:00"), "{{ number }}", "test", now_ms())
    database.transact("edit", store.edit, version, draft)
    found = go_round(database, ours, now_ms())
    assert found.begun == ()
    assert [(each.template, each.at) for each in found.planned] == [("bills", at("1405/06/04", 6))]
    now_ms.ms = at("1405/06/04", 6)
    assert len(go_round(database, ours, now_ms()).begun) == 1
    found_runs = database.read("runs", list_runs, RunFilter())
    assert [(run.version, run.asked_by) for run in found_runs] == [
        (2, BY_SCHEDULE),
        (1, BY_SCHEDULE),
    ]


def test_a_paused_scheduler_begins_nothing_and_says_what_it_would(
    sqlite_database: Database, now_ms: Clock
) -> None:
    """When it goes on, what was missed is made up for."""
    database, ours = sqlite_database, press(now_ms)
    in_use(database, every("every day 08:00"), since=now_ms())
    pause = insert(paused_services).values(name=SERVICE, since=0, by="test", note="")
    database.transact("pause", lambda connection: connection.execute(pause))
    now_ms.advance(86_400)
    found = go_round(database, ours, now_ms())
    assert (found.is_paused, found.begun, found.overdue(now_ms())) == (True, (), ())
    assert len(found.planned) == 1
    database.transact("go on", lambda connection: connection.execute(paused_services.delete()))
    assert len(go_round(database, ours, now_ms()).begun) == 1


def test_a_campaign_that_failed_is_told_of_until_somebody_sees_to_it(
    database: Database, now_ms: Clock, go: Go
) -> None:
    """The newest of each template: one that went well since then makes up for it."""
    version = in_use(database, every("every day 08:00"), since=now_ms())
    now_ms.advance(86_400)
    (first,) = go().begun

    def break_off(run_id: int) -> None:
        database.transact("take", take_runs, [run_id], 0, now_ms())
        database.transact("fail", fail, run_id, 0, "there is no report 'x'", now_ms())

    break_off(first)
    assert go().failed_runs == (FailedRun(UTILITY, version.name, "there is no report 'x'"),)
    assert database.transact("cancel", move, first, Move.CANCEL, now_ms())
    assert go().failed_runs == ()
    now_ms.advance(86_400)
    (second,) = go().begun
    break_off(second)
    assert len(go().failed_runs) == 1
    now_ms.advance(86_400)
    assert len(go().begun) == 1
    assert go().failed_runs == ()
