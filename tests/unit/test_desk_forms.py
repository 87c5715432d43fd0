"""Fields as people type them, and what is said of those that are not right."""

from __future__ import annotations

import datetime as dt
from typing import Any

from gateway.web.desk.forms import Form


def form(**fields: str | list[str]) -> Form:
    """A form with these fields; what is wrong is said by its key."""
    values = {name: each if isinstance(each, list) else [each] for name, each in fields.items()}

    def say(key: str, **more: Any) -> str:
        return " ".join([key, *map(str, more.values())])

    return Form(values, say)


def test_fields_are_read_as_they_are_typed_here() -> None:
    """Persian digits, grouping marks, Jalali dates, mobiles in every form."""
    sent = form(
        amount="۱٬۲۵۰٬۰۰۰", day="۱۴۰۵/۶/۳۱", mobile="۰۹۱۳ ۱۲۳ ۴۵۶۷", text=" سطر\r\nدوم ", on="1"
    )
    assert sent.number("amount") == 1_250_000
    assert sent.day("day") == dt.date(2026, 9, 22)
    assert sent.mobile("mobile") == "989131234567"
    assert sent.text("text") == "سطر\nدوم"
    assert sent.tick("on")
    assert not sent.tick("off")
    assert sent.number("nothing") is None
    assert sent.is_right


def test_every_id_that_there_may_be_is_read() -> None:
    """Ids grow to nineteen digits in the 2030s; more than the database holds is told."""
    sent = form(last=str(2**63 - 1), beyond=str(2**63), none="")
    assert sent.row_id("last") == 2**63 - 1
    assert sent.row_id("none") is None
    assert sent.is_right
    assert sent.row_id("beyond") is None
    assert list(sent.errors) == ["beyond"]


def test_what_is_wrong_stands_beside_its_field() -> None:
    """The first mistake of each, and nothing of a wrong value goes on."""
    sent = form(
        amount="12a",
        much="99",
        day="1405/13/1",
        mobile="123",
        long="x" * 9,
        kind="x",
        many=["a", "x"],
        unseen="\u200c \u200f",
    )
    assert sent.number("amount") is None
    assert sent.number("much", most=10) is None
    assert sent.day("day") is None
    assert sent.mobile("mobile") is None
    assert sent.text("long", most=8) == ""
    assert sent.choice("kind", ["a"]) == ""
    assert sent.choices("many", ["a", "b"]) == ["a"]
    assert sent.text("empty", required=True) == ""
    assert sent.text("unseen", required=True) == ""
    assert sent.upload("file", required=True) is None
    sent.wrong("amount", "another")
    assert sent.errors == {
        "amount": "form.number",
        "much": "form.between 0 10",
        "day": "form.date",
        "mobile": "form.mobile",
        "long": "form.long 8",
        "kind": "form.choice",
        "many": "form.choice",
        "empty": "form.required",
        "unseen": "form.required",
        "file": "form.file",
    }


def test_a_form_begins_with_what_is_there() -> None:
    """Several values tick several boxes; None leaves a field empty."""
    begun = form().fill(title="قبض", tries=3, kinds=["a", "b"], note=None)
    assert (begun.raw("title"), begun.raw("tries"), begun.raw("note")) == ("قبض", "3", "")
    assert begun.raws("kinds") == ["a", "b"]
