"""Seed 002, Kohgiluyeh and Boyer-Ahmad regional water: enquiries, suggestions, complaints."""

from __future__ import annotations

import pytest_twisted

from tests.acceptance.conftest import Daemon, Operator
from tests.acceptance.utilities import KOHGILUYEH, STRANGER, rows, tracking_in, utilities

__all__ = ["utilities"]


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
