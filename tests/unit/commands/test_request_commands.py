"""``peyk request``: a counter office's day, and how mistakes are told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from core.database import Database
from core.requests.documents import MOST_BYTES
from core.tables import subscribers
from tests.commands import PROFILES, Peyk, settings_of


@pytest.fixture
def settings(tmp_path: Path, sqlite_database: Database) -> str:
    """Of Lorestan's counter offices; 10000001 is the one subscription."""
    shutil.copytree(PROFILES / "lorestan-water", tmp_path / "profiles" / "lorestan-water")
    with sqlite_database.engine.begin() as connection:
        row = {"utility": "lorestan-water", "number": "10000001", "changed_at": 0}
        connection.execute(insert(subscribers).values(row))
    return settings_of("lorestan-water", "500066", profiles=None)


def register(peyk: Peyk, *arguments: str) -> str:
    """Register a meter test and return its tracking number."""
    ran = peyk("request", "new", "meter_test", "--number", "10000001", *arguments)
    assert ran.code == 0, ran.err
    return ran.out.split(":")[0]


def show(peyk: Peyk, tracking: str) -> dict[str, Any]:
    """What is stored of it."""
    found: dict[str, Any] = json.loads(peyk("request", "show", tracking, "--json").out)
    return found


def test_a_request_from_registering_to_its_voucher(peyk: Peyk) -> None:
    """New, state, fee: each says where the request stands, and the history who did it."""
    tracking = register(peyk, "--mobile", "0913 123 4567", "--office", "12", "--by", "sara")
    assert peyk("request", "state", tracking, "in-review", "--note", "بررسی شد").code == 0
    ran = peyk("request", "fee", tracking, "250000")
    assert f"{tracking}: آزمایش کنتور (meter_test), voucher_issued" in ran.out
    assert "fee 250,000 rial; account IR" in ran.out

    found = show(peyk, tracking)
    assert (found["mobile"], found["office"], found["fee"], found["subscription"]) == (
        "989131234567", "12", 250_000, "10000001",
    )  # fmt: skip
    assert [(step["state"], step["note"]) for step in found["history"]] == [
        ("registered", ""), ("in_review", "بررسی شد"), ("voucher_issued", ""),
    ]  # fmt: skip
    assert found["history"][0]["by"] == "sara"
    shown = peyk("request", "show", tracking).out
    assert "بررسی شد" in shown
    assert len(found["steps"]) > 1
    assert all(step in shown for step in found["steps"])


def test_an_office_and_the_utility_write_to_each_other(peyk: Peyk) -> None:
    """In the message box of what an office registered; whom to tell is put right."""
    tracking = register(peyk, "--office", "12")
    ran = peyk("request", "write", tracking, "سند کو؟", "--side", "utility", "--by", "reza")
    assert ran.out == f"{tracking}: written to the office\n", ran.err
    assert peyk("request", "write", tracking, "پیوست شد", "--side", "office").code == 0
    assert peyk("request", "edit", tracking, "--mobile", "0913 123 4567").code == 0
    found = show(peyk, tracking)
    assert found["mobile"] == "989131234567"
    assert [(each["side"], each["text"], bool(each["seen_at"])) for each in found["messages"]] == [
        ("utility", "سند کو؟", True), ("office", "پیوست شد", False),
    ]  # fmt: skip
    assert "reza" in peyk("request", "show", tracking).out
    nobodys = peyk("request", "write", register(peyk, "--text", "x"), "سلام", "--side", "utility")
    assert "came from no counter office" in nobodys.err


def test_papers_are_attached_once_and_only_as_they_are_taken(peyk: Peyk, tmp_path: Path) -> None:
    """By what a file begins with, however large it may be; while the request may be edited."""
    tracking = register(peyk)
    good, page, large = (tmp_path / name for name in ("کارت ملی.pdf", "a.pdf", "b.pdf"))
    good.write_bytes(b"%PDF-1.7 ...")
    page.write_text("<html>")
    large.write_bytes(b"%PDF-" + bytes(MOST_BYTES))
    for _ in range(2):
        ran = peyk("request", "attach", tracking, str(good), "--by", "sara")
        assert ran.out == f"{tracking}: کارت ملی.pdf (application/pdf, 12 bytes)\n", ran.err
    for file, told in ((page, "only PDF, JPEG and PNG"), (large, "at most 2,097,152 bytes")):
        ran = peyk("request", "attach", tracking, str(file))
        assert (ran.code, ran.out) == (1, "")
        assert told in ran.err
    assert [each["name"] for each in show(peyk, tracking)["papers"]] == [good.name]
    assert "sara" in peyk("request", "show", tracking).out
    assert peyk("request", "state", tracking, "operational").code == 0
    assert "it can be edited no more" in peyk("request", "attach", tracking, str(good)).err


def test_a_connection_with_its_fields_and_what_has_to_be_brought(peyk: Peyk) -> None:
    """Fields are given one by one; the command says which documents the kind wants."""
    given = (
        "national_code=0499370899",
        "mobile=09131234567",
        "neighbour=10000001",
        "property=خرم‌آباد",
    )
    fields = [word for field in given for word in ("--field", field)]
    ran = peyk("request", "new", "water_connection", *fields)
    assert "to be brought: مدارک ملک" in ran.out
    tracking = ran.out.split(":")[0]
    assert peyk("request", "edit", tracking, "--field", "units=3").code == 0
    assert show(peyk, tracking)["fields"]["units"] == "3"


def test_requests_are_listed_by_what_is_known_of_them(peyk: Peyk) -> None:
    """In a table, and as JSON."""
    tracking = register(peyk, "--office", "12", "--text", "تند می‌چرخد")
    assert tracking in peyk("request", "list", "--kind", "meter_test", "--editable").out
    (found,) = json.loads(peyk("request", "list", "--office", "12", "--json").out)
    assert (found["tracking"], found["text"]) == (tracking, "تند می‌چرخد")
    none = peyk("request", "list", "--state", "done")
    assert "no such requests" in none.err
    assert "reader_complaint" in peyk("request", "kinds").out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("new", "meter_tst", "--number", "10000001"), 1, "did you mean 'meter_test'?"),
        (("new", "mid_bill", "--number", "10000001"), 1, "it is answered by mid_bill"),
        (("new", "meter_test", "--number", "7"), 1, "has no subscription 7"),
        (("new", "meter_test", "--field", "x"), 2, "'x' is not NAME=VALUE"),
        (("new", "meter_test", "--number", "10000001", "--field", "x=1"), 1, "no field 'x'"),
        (("new", "meter_test", "--utility", "lorestan"), 1, "did you mean 'lorestan-water'?"),
        (("list", "--kind", "meter_tst"), 2, "did you mean 'meter_test'?"),
        (("list", "--state", "finished"), 2, "there is no state 'finished'"),
        (("list", "--mobile", "12"), 2, "not a mobile number"),
        (("show", "10000001"), 1, "no tracking number"),
        (("show", "10000004"), 1, "there is no request 10000004"),
        (("edit", "10000004"), 2, "say what to change"),
        (("fee", "10000004", "0"), 2, "0 is not in the range"),
    ],
)
def test_mistakes_are_told_in_one_line(
    peyk: Peyk, arguments: tuple[str, ...], code: int, told: str
) -> None:
    """With the nearest name that there is; nothing is stored."""
    ran = peyk("request", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert told in ran.err
    assert json.loads(peyk("request", "list", "--json").out) == []
