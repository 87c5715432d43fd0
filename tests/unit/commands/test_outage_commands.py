"""``peyk outage`` and ``peyk campaign planned``: what is entered, and what will come of it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from core.database import Database
from core.schedules.words import parse_schedule
from core.templates.types import OnOutage
from tests.campaigning import DEFINITION
from tests.commands import Peyk
from tests.happening import in_use, subscriber


@pytest.fixture
def database(database: Database) -> Database:
    """Kerman's, with one subscription."""
    subscriber(database, "1", "989131111111", region="زرند")
    return database


def test_an_outage_is_entered_listed_and_cancelled(peyk: Peyk, database: Database) -> None:
    """Who enters one is told whom it concerns, and which templates tell of it when."""
    planned = ("--region", "زرند", "--from", "1499/07/03 09:00", "--reason", "تعمیر")
    ran = peyk("outage", "add", *planned)
    assert (ran.code, ran.out) == (1, "")
    assert "more than a year" in ran.err
    begins = json_time(time.time() + 2 * 86_400)
    planned = ("--region", "زرند", "--from", begins, "--reason", "تعمیر")
    ran = peyk("outage", "add", *planned)
    assert "concerns 1 subscriptions" in ran.out
    assert "nobody is told of it" in ran.err
    in_use(database, replace(DEFINITION, trigger=OnOutage(1440)), "notice")
    ran = peyk("outage", "add", *planned)
    assert "the template notice tells of it at 1" in ran.out
    listed: Any = json.loads(peyk("outage", "list", "--json").out)
    assert [(one["id"], one["region"], one["state"]) for one in listed] == [
        (1, "زرند", "planned"), (2, "زرند", "planned"),
    ]  # fmt: skip
    next_ones = json.loads(peyk("campaign", "planned", "--json").out)
    assert [(one["template"], one["what"]) for one in next_ones] == [
        ("notice", "outage:1"), ("notice", "outage:2"),
    ]  # fmt: skip
    assert peyk("outage", "cancel", 1).code == 0
    assert "cancelled already" in peyk("outage", "cancel", 1).err
    assert "cancelled" in peyk("outage", "list").out
    ran = peyk("outage", "add", "--region", "زرد", "--from", begins)
    assert (ran.code, "زرند" in ran.err) == (1, True)
    assert peyk("outage", "add", "--from", begins).code == 2
    assert peyk("outage", "add", "--everywhere", "--from", "tomorrow").code == 2


def test_what_is_planned_is_listed(peyk: Peyk, database: Database) -> None:
    """The next run of each schedule, in Tehran's time; what should have been begun is said."""
    assert "nothing is planned" in peyk("campaign", "planned").err
    daily = replace(DEFINITION, produce=parse_schedule("every day 08:00"))
    in_use(database, daily, "late", since=0)
    in_use(database, daily, "next", since=time.time_ns() // 1_000_000)
    rows = peyk("campaign", "planned").out.splitlines()
    assert "1348/10/12 08:00" in rows[1] or "1348/10/11 08:00" in rows[1]
    assert rows[1].rstrip().endswith("overdue")
    assert " 08:00 " in rows[2]
    assert "bills_of_period" in rows[2]


def json_time(seconds: float) -> str:
    """An instant as an option takes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
