"""``peyk campaign``: what it starts, lists and shows, and what it says when it cannot."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

import cli
from core.database import Database
from core.demo import fill
from core.outbox import State
from core.runs.progress import Progress, estimate
from core.runs.states import RunState
from core.runs.store import Run, RunSource
from core.secrecy import Keys
from core.services import CAMPAIGNS, Paused, pause
from core.tables import bills, outbox
from core.templates.store import Draft, add, set_enabled
from core.templates.types import OnReport
from tests.campaigning import DEFINITION, LINE, UTILITY
from tests.commands import PROFILES, Peyk, caller, furnish, settings_of

BODY = "اشتراک {{ number|fa }}: {{ payable|rial }} ریال"


@pytest.fixture
def database(sqlite_database: Database, keys: Keys) -> Database:
    """Sixty sample subscribers, and a template over their bills that is enabled."""
    fill(sqlite_database, keys, today=date(2026, 9, 21), subscribers=60, bills_each=1)
    with sqlite_database.engine.connect() as connection:
        period = str(connection.scalar(select(func.max(bills.c.period))))
    definition = replace(DEFINITION, trigger=OnReport("bills_of_period", {"period": period}))
    draft = Draft(UTILITY, "bills", definition, BODY, "test", 0)
    sqlite_database.transact("test", lambda connection: add(connection, draft, enabled=True))
    return sqlite_database


@pytest.fixture
def peyk(tmp_path: Path, database: Database, capfd: pytest.CaptureFixture[str]) -> Peyk:
    """Call ``peyk campaign`` on that database."""
    shutil.copytree(PROFILES / UTILITY, tmp_path / "profiles" / UTILITY)
    url = database.url.render_as_string(hide_password=False)
    settings = settings_of(UTILITY, LINE, profiles=None)
    furnish(tmp_path, f'{settings}[database]\nurl = "{url}"\n')
    return caller(tmp_path / "peyk.toml", capfd, "campaign")


def test_a_dry_run_says_what_it_would_come_to(peyk: Peyk, database: Database) -> None:
    """And changes nothing."""
    told = peyk("start", "bills", "--dry-run", "--json").json
    assert (told["rows"], told["sampled"], told["unwritten"]) == (60, 60, 0)
    assert told["messages"] + told["passed_over"] >= 60
    assert "ریال" in "".join(told["example"])
    assert "of the first" in peyk("start", "bills", "--dry-run").out
    assert peyk("list", "--json").json == []
    misspelt = peyk("start", "bills", "--param", "period=1405/6", "--dry-run")
    assert misspelt.code == 0
    assert "no row of kerman-water has the period '1405/6'; did you mean '140" in misspelt.err
    with database.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(outbox)) == 0


def test_a_campaign_is_begun_listed_shown_and_stopped(peyk: Peyk) -> None:
    """All but sent: there is no daemon."""
    key = peyk("start", "bills", "--param", "period=1390/01", "--json").json["id"]
    (listed,) = peyk("list", "--open", "--json").json
    assert (listed["id"], listed["parameters"]) == (key, {"period": "1390/01"})
    assert key in peyk("list", "--template", "bills").out
    twice = peyk("start", "bills", "--param", "period=1390/01")
    assert twice.code == 1
    assert f"({key}): everybody would get its message twice; say --again" in twice.err
    assert len(peyk("list", "--json").json) == 1
    again = peyk("start", "bills", "--param", "period=1390/01", "--again", "--json").json["id"]
    assert {each["id"] for each in peyk("list", "--json").json} == {key, again}
    assert peyk("pause", key).code == 0
    shown = peyk("show", key)
    assert "pausing" in shown.out
    assert "period=1390/01" in shown.out
    assert peyk("cancel", key).code == 0
    assert "it is cancelled" in peyk("resume", key).err
    assert peyk("show", key, "--json").json["state"] == "cancelling"


def test_a_pause_of_all_campaigns_is_told_of(peyk: Peyk, database: Database) -> None:
    """Or whoever watches one that makes nothing would not know why."""
    key = peyk("start", "bills", "--json").json["id"]
    assert "makes nothing" not in peyk("show", key).out
    database.transact("test", pause, Paused(CAMPAIGNS, 1, "sara", "wrong tariff"))
    told = peyk("show", key).out
    assert "paused by sara (wrong tariff); `peyk service resume campaigns`" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("start", "bils"), "did you mean 'bills'"),
        (("start", "bills", "--param", "periode=1"), "did you mean 'period'"),
        (("start", "bills", "--param", "period"), "'period' is not NAME=VALUE"),
        (("start", "bills", "--report", "bils_overdue"), "did you mean 'bills_overdue'"),
        (("start", "bills", "--report", "meters_not_read"), "need payable"),
        (("show", "today"), "'today' is not a valid id"),
        (("show", "77"), "there is no campaign 77"),
        (("cancel", "77"), "there is no campaign 77"),
        (("reports", "--utility", "kerman"), "did you mean 'kerman-water'"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(peyk: Peyk, arguments: Any, said: str) -> None:
    """With the name that would have been right."""
    ran = peyk(*arguments)
    assert ran.code in (1, 2)
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_a_disabled_template_is_only_tried(peyk: Peyk, database: Database) -> None:
    """Until somebody enables it."""
    database.transact("test", lambda c: set_enabled(c, 1, enabled=False, by="test", now=1))
    assert "peyk template enable bills" in peyk("start", "bills").err
    assert peyk("start", "bills", "--dry-run").code == 0


def test_reports_are_listed_and_checked(peyk: Peyk, tmp_path: Path) -> None:
    """A file of the utility's own among them; a wrong one is named with its line."""
    names = {each["name"] for each in peyk("reports", "--json").json}
    assert {"bills_of_period", "bills_overdue", "meters_not_read"} <= names
    own = tmp_path / "profiles" / UTILITY / "reports" / "mine.sql"
    own.parent.mkdir()
    shipped = Path(cli.__file__).parent / "core/reporting/shipped/subscribers_of_region.sql"
    own.write_text(shipped.read_text(encoding="utf-8").replace("s.name,", "s.nam,"), "utf-8")
    ran = peyk("reports")
    assert ran.code == 1
    assert "mine.sql:14: no such column: s.nam" in ran.err
    assert "bills_of_period" in ran.out
    own.write_text(shipped.read_text(encoding="utf-8").replace("ORDER BY s.id", "ORDER BY s.name"))
    assert "sorts all rows for every page" in peyk("reports").err


def run(state: RunState, rows: int, parts: int) -> Run:
    """A run of a thousand rows that has come so far."""
    source = RunSource("bills_of_period", {}, {})
    return Run(
        id=1, utility=UTILITY, template_id=1, template="bills", version=1, planned_for=0,
        subject="", source=source, state=state, position="", rows_expected=1000, rows_read=rows,
        made=parts, parts=parts, suppressed=0, passed_over=0, unwritten=0, asked_by="me",
        created_at=0, changed_at=0, produced_at=None, ended_at=None, error=None, node=None,
        lease_until=None,
    )  # fmt: skip


def test_the_end_is_told_from_two_looks() -> None:
    """While it is produced from rows and parts, then from parts alone; else not at all."""
    queued, gone = State.QUEUED.value, State.ACCEPTED.value
    early = Progress(0, run(RunState.PRODUCING, 100, 100), {queued: 100})
    later = Progress(1000, run(RunState.PRODUCING, 200, 200), {queued: 150, gone: 50})
    told = estimate(early, later)
    assert (told.rows_a_second, told.parts_a_second) == (100, 50)
    assert told.ends_at == 1000 + (150 + 800) * 1000 // 50
    sending = Progress(2000, run(RunState.SENDING, 1000, 1000), {queued: 100, gone: 900})
    last = Progress(3000, run(RunState.SENDING, 1000, 1000), {queued: 50, gone: 950})
    assert estimate(sending, last).ends_at == 4000
    assert estimate(last, last._replace(at=4000)).ends_at is None
    paused = last._replace(run=last.run._replace(state=RunState.PAUSED))
    assert estimate(sending, paused).ends_at is None


def test_help_has_an_example_for_every_command(peyk: Peyk) -> None:
    """As all commands have."""
    for name in ("list", "show", "start", "reports", "pause", "resume", "cancel"):
        assert f"peyk campaign {name}" in peyk(name, "--help").out


def test_what_became_of_a_campaign_is_told_in_groups(
    peyk: Peyk, database: Database, keys: Keys
) -> None:
    """What is held and what is queued waits; each state still has its figure."""
    key = str(peyk("start", "bills", "--json").json["id"])
    with database.engine.begin() as connection:
        for number, state in enumerate(("queued", "held", "held", "delivered", "rejected"), 1):
            connection.execute(
                outbox.insert().values(
                    id=number, message_id=number, part=1, parts=1, mobile="989131234567",
                    line=LINE, text="", priority=5, state=state, attempts=0, max_attempts=1,
                    resend_uncertain=False, created_at=0, due_at=0, changed_at=0, run_id=int(key),
                )
            )  # fmt: skip
    assert peyk("show", key, "--json").json["parts_by_group"] == {
        "pending": 3,
        "delivered": 1,
        "failed": 1,
    }
    assert "queued 1, held 2" in peyk("show", key).out
