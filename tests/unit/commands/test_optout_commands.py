"""``peyk optout``, and resending what a campaign did not bring: what they print and refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import insert, select

from core.database import Database
from core.tables import outbox, suppressions, templates
from tests.commands import Peyk

MOBILE, OTHER = "989131234567", "989120000000"
RUN = 77


@pytest.fixture
def database(database: Database) -> Database:
    """A database with a template of bills."""
    about = {"utility": "kerman-water", "topic": "bills", "required": False, "changed_by": ""}
    times = {"version": 1, "enabled": True, "created_at": 0, "changed_at": 0}
    with database.engine.begin() as connection:
        connection.execute(insert(templates).values(id=1, name="bill", **about, **times))
    return database


def store(database: Database, *states: str, mobile: str = MOBILE, **values: Any) -> None:
    """Messages of the template, one part each, in these states."""
    with database.engine.begin() as connection:
        first = len(connection.execute(select(outbox.c.id)).all()) + 1
        for key, state in enumerate(states, first):
            row = {
                "id": key, "message_id": key, "part": 1, "parts": 1, "mobile": mobile,
                "line": "100034122", "text": "قبض", "priority": 3, "state": state, "attempts": 1,
                "max_attempts": 3, "resend_uncertain": False, "created_at": 1, "due_at": 1,
                "changed_at": 1, "template_id": 1, "run_id": RUN,
            }  # fmt: skip
            connection.execute(insert(outbox).values(row | values))


def states(database: Database) -> list[str]:
    """The states of all messages."""
    with database.engine.begin() as connection:
        return list(connection.scalars(select(outbox.c.state).order_by(outbox.c.id)))


def test_staff_opt_a_mobile_out_and_in_again(database: Database, peyk: Peyk) -> None:
    """With a note, and what was queued for it is not sent."""
    store(database, "queued", "sending", "delivered")
    store(database, "queued", mobile=OTHER)

    ran = peyk("optout", "add", "۰۹۱۳۱۲۳۴۵۶۷", "--topic", "bills", "--note", "تلفنی", "--by", "رضا")

    assert (ran.code, ran.out) == (0, "1 mobile(s) opted out; 1 queued part(s) suppressed\n")
    assert "1 part(s) are being sent" in ran.err
    assert states(database) == ["suppressed", "sending", "delivered", "queued"]
    [row] = json.loads(peyk("optout", "list", "--mobile", MOBILE, "--json").out)
    assert (row["mobile"], row["topic"], row["reason"]) == (MOBILE, "bills", "desk")
    assert (row["note"], row["persian"]) == ("رضا: تلفنی", "ثبت کارکنان")
    assert "ثبت کارکنان" in peyk("optout", "list").out
    assert peyk("optout", "list", "--reason", "blocked").err == "nobody\n"

    ran = peyk("optout", "remove", MOBILE, OTHER)

    assert (ran.code, ran.out) == (1, "1 mobile(s) get messages again\n")
    assert f"had not opted out: {OTHER}" in ran.err
    assert peyk("optout", "list", "--json").out == "[]\n"


def test_who_wants_nothing_may_get_an_exception(database: Database, peyk: Peyk) -> None:
    """Bills again, and nothing else; then nothing at all again, or everything."""
    peyk("optout", "add", MOBILE)
    assert peyk("optout", "remove", MOBILE, "--topic", "bills").code == 0
    with database.engine.begin() as connection:
        rows = connection.execute(
            select(suppressions.c.topic, suppressions.c.reason).order_by(suppressions.c.topic)
        ).all()
    assert [tuple(row) for row in rows] == [("", "desk"), ("bills", "wanted")]
    assert peyk("optout", "remove", MOBILE, "--topic", "bills").code == 1
    assert peyk("optout", "remove", MOBILE).code == 0
    assert peyk("optout", "list", "--json").out == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "12"), "12"),
        (("add", MOBILE, "--topic", "bill"), "no message has the topic 'bill'; "),
        (("add", MOBILE, "--utility", "water"), "no line serves 'water'"),
    ],
)
def test_what_makes_no_sense_is_refused(peyk: Peyk, arguments: tuple[str, ...], said: str) -> None:
    """A topic that nothing has would stop nothing, and nobody would notice."""
    ran = peyk("optout", *arguments)
    assert ran.code != 0
    assert said in ran.err
    assert "unexpected" not in ran.err


def test_a_campaigns_failures_are_sent_again(database: Database, peyk: Peyk) -> None:
    """Counted first, then asked about; other campaigns and other states are left alone."""
    store(database, "undeliverable", "rejected", "uncertain", "delivered", "queued")
    store(database, "expired", run_id=RUN + 1)
    which = ("--run", RUN, "--template", "bill", "--state", "failed")

    ran = peyk("outbox", "resend", *which, "--dry-run")
    assert (ran.code, ran.out) == (0, "2 message(s) would be queued again\n")
    assert "say --yes to do it" in peyk("outbox", "resend", *which).err
    ran = peyk("outbox", "resend", *which, "--yes")

    assert (ran.code, ran.out) == (0, "2 message(s) queued again\n")
    assert states(database) == ["queued", "queued", "uncertain", "delivered", "queued", "expired"]
    listed = json.loads(peyk("outbox", "list", "--run", RUN, "--state", "pending", "--json").out)
    assert [(row["template"], row["group"]) for row in listed] == [("bill", "pending")] * 3
