"""The message box: two sides, what each has not read, and nothing of anybody else's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from core.database import Database
from core.requests.box import (
    Box,
    Message,
    Reader,
    Side,
    Writing,
    count_unseen,
    list_boxes,
    note_seen,
    read_box,
    write,
)
from core.requests.browse import RequestFilter, list_requests
from core.requests.changes import edit
from core.requests.counter import Counter, NewRequest, RequestError, register
from core.tables import events
from tests.unit.core.requests.conftest import MINE, NOW, UTILITY, rows

OFFICE = Reader(Side.OFFICE, None, "12")
STAFF = Reader(Side.UTILITY, {UTILITY})
Write = Callable[..., Message]


@pytest.fixture
def tracking(utility: Database, counter: Counter) -> str:
    """A request of office 12, beside one of office 13 and one of nobody's."""
    for office in ("13", ""):
        new = NewRequest("meter_test", "10000001", MINE, text="تند است", office=office)
        utility.transact("new", register, counter, new)
    new = NewRequest("meter_test", "10000002", MINE, text="تند است", office="12")
    return str(utility.transact("new", register, counter, new).tracking)


@pytest.fixture
def say(utility: Database, counter: Counter, tracking: str) -> Write:
    """Write into the box of that request."""

    def work(side: Side, by: str, text: str, after: int | None = None, at: int = NOW) -> Message:
        who = replace(counter, by=by, now=at)
        new = Writing(side, text, after)
        made: Message = utility.transact("write", write, who, tracking, new)
        return made

    return work


def unseen(database: Database, *readers: Reader) -> list[int]:
    """What waits for each."""
    return [database.transact("unseen", count_unseen, reader) for reader in readers]


def test_each_side_is_told_what_it_has_not_read(
    utility: Database, say: Write, tracking: str
) -> None:
    """Reading it, or answering, takes it off; other offices and utilities know nothing of it."""
    told = len(rows(utility, events, "kind"))
    say(Side.UTILITY, "clerk", "سند کو؟")
    asked = say(Side.UTILITY, "clerk", "  نشانی هم لازم است ")
    others = (Reader(Side.OFFICE, None, "13"), Reader(Side.UTILITY, {"kerman-water"}))
    assert unseen(utility, OFFICE, STAFF, *others) == [2, 0, 0, 0]

    def boxes(reader: Reader, **which: Any) -> list[Box]:
        return list(utility.transact("boxes", lambda c: list_boxes(c, reader, **which)))

    (box,) = boxes(OFFICE, only_unseen=True)
    assert (box.request.tracking, box.number, box.last.text, box.unseen) == (
        tracking, "10000002", "نشانی هم لازم است", 2,
    )  # fmt: skip
    assert boxes(STAFF, only_unseen=True) == []
    assert [each.unseen for each in boxes(STAFF)] == [0]
    assert [boxes(each) for each in others] == [[], []]
    assert boxes(OFFICE, before=box.last.id) == []

    say(Side.OFFICE, "desk12", "پیوست شد", asked.id, NOW + 5)
    assert unseen(utility, OFFICE, STAFF) == [0, 1]
    found = utility.transact("box", read_box, box.request.id)
    assert [(each.side, each.by, each.seen_at) for each in found] == [
        ("utility", "clerk", NOW + 5), ("utility", "clerk", NOW + 5), ("office", "desk12", None),
    ]  # fmt: skip
    utility.transact("seen", note_seen, box.request.id, Side.UTILITY, found[-1].id, NOW + 9)
    assert unseen(utility, OFFICE, STAFF) == [0, 0]
    assert len(rows(utility, events, "kind")) == told  # the subscriber hears of none of it


def test_a_message_is_written_once_and_to_what_its_writer_has_read(
    utility: Database, say: Write, counter: Counter
) -> None:
    """The same form again is the same message; an answer to something older is refused."""
    first = say(Side.OFFICE, "desk12", "چه شد؟", 0)
    assert say(Side.OFFICE, "desk12", "چه شد؟", 0) == first
    with pytest.raises(RequestError) as caught:
        say(Side.UTILITY, "clerk", "سلام", 0)
    assert caught.value.key == "answered"
    for words, key in (("  ", "empty"), ("x" * 2001, "long")):
        with pytest.raises(RequestError) as caught:
            say(Side.UTILITY, "clerk", words)
        assert caught.value.key == key
    (nobodys,) = (
        each.request.tracking
        for each in utility.transact("list", list_requests, RequestFilter(utility=UTILITY))
        if each.request.office is None
    )
    for tracking, key in ((nobodys, "no_office"), ("99999990", "tracking")):
        with pytest.raises(RequestError) as caught:
            utility.transact("write", write, counter, tracking, Writing(Side.UTILITY, "سلام"))
        assert caught.value.key == key


def test_a_request_is_changed_as_its_changer_saw_it(utility: Database, counter: Counter) -> None:
    """Sent twice it is registered once; two people do not write over each other."""
    values = {"national_code": "0499370899", "mobile": "09131234567", "neighbour": "10000002"}
    new = NewRequest("water_connection", fields=values, office="12", id=77)
    made = utility.transact("new", register, counter, new)
    assert utility.transact("new", register, counter, new) == made
    assert made.id == 77
    later = replace(counter, now=NOW + 1, as_of=made.changed_at)
    other = {"mobile": "09121111111"}
    changed = utility.transact("edit", edit, later, made.tracking, other)
    # Who was told by the kind's own field is told there from now on.
    assert (changed.mobile, changed.values["mobile"]) == ("989121111111", "989121111111")
    with pytest.raises(RequestError) as caught:
        utility.transact("edit", edit, later, made.tracking, {"units": "2"})
    assert caught.value.key == "changed"
    told = utility.transact("edit", partial(edit, mobile=MINE), counter, made.tracking, {})
    assert told.mobile == MINE
    kept = utility.transact("edit", edit, counter, made.tracking, values)
    assert kept.mobile == MINE
    older = RequestFilter(tracking=made.tracking, utilities={UTILITY}, before=made.id + 1)
    assert [each.request for each in utility.transact("list", list_requests, older)] == [kept]
    for nothing in (replace(older, before=made.id), replace(older, utilities=())):
        assert utility.transact("list", list_requests, nothing) == []
