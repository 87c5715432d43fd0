"""Seed 002, Kohgiluyeh and Boyer-Ahmad regional water: enquiries, suggestions, complaints."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest_twisted

from core.jalali import TEHRAN, jalali_time
from core.text import persian_digits
from tests.acceptance.conftest import Daemon, Operator
from tests.acceptance.utilities import (
    KOHGILUYEH,
    STRANGER,
    let_tell,
    rows,
    tracking_in,
    utilities,
)
from tests.waiting import until

__all__ = ["utilities"]

UTILITY = ("--utility", "kohgiluyeh-water")


@pytest_twisted.ensureDeferred
async def test_status_is_told_and_the_name_kept(operator: Operator, utilities: Daemon) -> None:
    """The service of the title: anybody learns the status, the name only who has the code."""
    (row,) = rows(
        utilities,
        "SELECT * FROM subscribers WHERE utility = 'kohgiluyeh-water' AND number = '50000001'",
    )
    told = await operator.ask(STRANGER, "استعلام وضعیت 50000001", KOHGILUYEH)
    assert told.startswith("اشتراک ۵۰۰۰۰۰۰۱: فعال")
    assert row.name not in told
    assert row.name in await operator.ask(STRANGER, "استعلام وضعیت 50000001 4321", KOHGILUYEH)


@pytest_twisted.ensureDeferred
async def test_suggestions_and_complaints_are_followed(
    operator: Operator, utilities: Daemon
) -> None:
    """Part 1-1: they are registered at any hour and followed by their number."""
    for word, text in (("پیشنهاد", "قبض را پیامک کنید"), ("شکایت", "پاسخ نامه نیامد")):
        asked = await operator.ask(STRANGER, f"{word} {text}", KOHGILUYEH)
        (row,) = rows(utilities, "SELECT * FROM requests WHERE text = :text", text=text)
        assert tracking_in(asked) == row.tracking
        followed = await operator.ask(STRANGER, f"پیگیری پیام {row.tracking}", KOHGILUYEH)
        assert "ثبت شده" in followed
        moved = await utilities.peyk("request", "state", row.tracking, "in_review")
        assert moved.returncode == 0, moved.stderr
        followed = await operator.ask(STRANGER, f"پیگیری {row.tracking}", KOHGILUYEH)
        assert "در دست بررسی" in followed


@pytest_twisted.ensureDeferred
async def test_an_outage_is_told_beforehand_and_taken_back(
    operator: Operator, utilities: Daemon, tmp_path: Path
) -> None:
    """Part 4: who is registered in the region is told, and told again when it is cancelled."""
    file = tmp_path / "contacts.csv"
    file.write_text(f"number,mobile\n50000001,{STRANGER}\n")
    taken = await utilities.peyk(
        "import", "subscribers", str(file), "--utility", "kohgiluyeh-water"
    )
    assert taken.returncode == 0, taken.stderr
    await let_tell(utilities, "kohgiluyeh-water", "outage_notice", "outage_cancelled")
    (row,) = rows(
        utilities,
        "SELECT region FROM subscribers WHERE utility = 'kohgiluyeh-water' AND number = '50000001'",
    )
    begins = datetime.now(TEHRAN) + timedelta(hours=5)
    given = (*UTILITY, "--region", row.region, "--reason", "تعمیر شبکه")
    times = ("--from", jalali_time(begins), "--to", jalali_time(begins + timedelta(hours=2)))
    entered = await utilities.peyk("outage", "add", *given, *times, "--json")
    assert entered.returncode == 0, entered.stderr
    await until(lambda: operator.answers_to(STRANGER), "the outage is told of")
    (told,) = operator.answers_to(STRANGER)
    assert f"آب در {row.region} از {persian_digits(jalali_time(begins))} تا" in told
    assert "تعمیر شبکه" in told
    cancelled = await utilities.peyk("outage", "cancel", str(json.loads(entered.stdout)["id"]))
    assert cancelled.returncode == 0, cancelled.stderr
    await until(lambda: len(operator.answers_to(STRANGER)) > 1, "that it is cancelled is told")
    assert "لغو شد" in operator.answers_to(STRANGER)[1]
