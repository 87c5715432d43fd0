"""A message is run again: what it would do is seen before it counts, on both engines."""

from __future__ import annotations

from typing import Any

import pytest_twisted

from core.demo import FIRST_NUMBER, code_of
from core.tables import inbox, readings
from core.tables.access import manual_replies
from tests.arriving import OWN_NUMBER, STRANGER, receive, subscribers


@pytest_twisted.ensureDeferred
async def test_an_operation_is_done_again_once_its_effects_were_seen(desk: Any) -> None:
    """A reading that was mistyped is put right; nothing changes before it was confirmed."""
    subscribers(desk)
    number, code = OWN_NUMBER, code_of(int(OWN_NUMBER))
    (first,) = receive(desk, (STRANGER, f"110*{number}*{code}*1"))
    (row,) = desk.rows(inbox)
    assert (row.operation, row.outcome) == ("mid_bill", "reading_below_last")
    boss = desk.person("operator", name="boss")
    path = f"/inbox/{first}/redo"
    assert (await desk.get(path, boss)).code == 200
    before = desk.rows(readings)
    form = {"text": f"110*{number}*{code}*13890"}
    page = await desk.post(path, boss, form)
    assert "قرائت‌ها: ۱ مورد افزوده می‌شود" in page.text
    assert desk.rows(readings) == before
    seen = next(a["value"] for _, a in page.tags if a.get("name") == "seen")
    other = {"text": f"110*{number}*{code}*13891", "seen": seen}
    assert (await desk.post(path, boss, other)).code == 200  # not what was seen
    assert desk.rows(readings) == before
    assert (await desk.post(path, boss, {**form, "seen": seen})).code == 303
    assert len(desk.rows(readings)) == len(before) + 1
    (row,) = desk.rows(inbox)
    assert row.text == f"110*{number}******1"
    assert (row.state, row.operation) == ("answered", "mid_bill")
    assert row.outcome != "reading_below_last"
    assert row.reply_id in {each.outbox_id for each in desk.rows(manual_replies)}
    assert (await desk.post(path, boss, {**form, "seen": seen})).code == 200
    assert len(desk.rows(readings)) == len(before) + 1
    assert "inbox.redo" in [each.action for each in desk.audited()]


@pytest_twisted.ensureDeferred
async def test_what_was_shown_with_a_code_needs_none_again_and_codes_are_not_guessed(
    desk: Any,
) -> None:
    """A right that the message had stays with it; wrong codes count against who tries."""
    subscribers(desk)
    number = str(FIRST_NUMBER)
    shown, guess = receive(
        desk, (STRANGER, f"010*{number}*{code_of(FIRST_NUMBER)}"), (STRANGER, "سلام")
    )
    boss = desk.person("operator", name="boss")
    page = await desk.post(f"/inbox/{shown}/redo", boss, {"text": f"010*{number}*****"})
    assert "انجام شد" in page.text
    for _ in range(5):
        page = await desk.post(f"/inbox/{guess}/redo", boss, {"text": f"010*{number}*0000"})
        assert page.code == 200
        assert "اشتراک یا رمز نادرست" in page.text
    page = await desk.post(f"/inbox/{guess}/redo", boss, {"text": f"010*{number}*4321"})
    assert page.code == 422
    assert "رمز نادرست بیش از اندازه" in page.text
