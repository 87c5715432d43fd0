"""``peyk tariff explain`` and ``peyk reading``: what they print, write and refuse."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import insert, select

from core.database import Database
from core.reports.writing import safe
from core.tables import bills, outbox, readings, subscribers
from tests.commands import Peyk

MOBILE = "989131234567"
READ_AT = int(datetime(2026, 8, 1, 9, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def database(database: Database) -> Database:
    """A home that was billed to 1,120 m³, and two readings of it."""
    with database.engine.begin() as connection:
        connection.execute(
            insert(subscribers).values(
                id=1, utility="kerman-water", number="10000001", usage="خانگی", changed_at=0
            )
        )
        connection.execute(
            insert(bills).values(
                subscriber_id=1, period="1405/2", from_date=date(2026, 5, 1),
                to_date=date(2026, 7, 1), from_reading=1080, to_reading=1120, amount=90_000,
                payable=90_000, issued_at=READ_AT,
            )
        )  # fmt: skip
        both = {"subscriber_id": 1, "source": "sms", "mobile": MOBILE}
        rows = [
            {"id": 1, "reading": 1130, "read_at": READ_AT, "state": "accepted", "note": "=1+1"},
            {"id": 2, "reading": 1135, "read_at": READ_AT + 1, "state": "doubtful", "note": None},
        ]
        connection.execute(insert(readings), [both | row for row in rows])
    return database


# --- peyk tariff explain ------------------------------------------------------------------


def test_a_bill_is_explained_line_by_line(peyk: Peyk, database: Database) -> None:
    """With its period, its lines in words, and what there is to pay."""
    ran = peyk("tariff", "explain", "۱۰۰۰۰۰۰۱", "--reading", "1150", "--at", "1405/06/09")
    assert ran.code == 0
    assert "1405/04/10 to 1405/06/09, 61 days" in ran.out
    for words in ("آب‌بها، پله 1", "آبونمان آب", "کارمزد دفع فاضلاب", "مالیات بر ارزش افزوده"):
        assert words in ran.out
    assert "owed before   90,000 rial" in ran.out


def test_the_lines_add_up_in_json(peyk: Peyk, database: Database) -> None:
    """For programs: exact quantities, whole rial."""
    ran = peyk(
        "tariff", "explain", "10000001", "--reading", "1150", "--at", "1405/06/09", "--json"
    )  # fmt: skip
    found = json.loads(ran.out)
    assert found["used"] == 30
    assert found["amount"] == sum(line["amount"] for line in found["lines"])
    assert found["payable"] + found["carried"] == found["amount"] + found["owed_before"]
    assert found["lines"][0]["quantity"] == "61/6"  # 5 m³ in 30 days are 61/6 in 61


def test_the_number_says_whose_it_is_where_several_are_served(
    home: Path, peyk: Peyk, database: Database
) -> None:
    """Only a number that several utilities have needs their name."""
    file = home / "peyk.toml"
    second = '[[lines]]\nnumber = "100066133"\nprofile = "lorestan-water"\nbinds = ["mci"]\n'
    file.write_text(file.read_text(encoding="utf-8") + second, encoding="utf-8")
    asked = ("tariff", "explain", "10000001", "--reading", "1150", "--at", "1405/06/09")
    assert "61 days" in peyk(*asked).out
    ran = peyk("tariff", "explain", "19999999", "--reading", "1150")
    assert (ran.code, ran.err) == (1, "peyk: no utility has a subscription 19999999\n")
    theirs = {"utility": "lorestan-water", "number": "10000001", "changed_at": 0}
    with database.engine.begin() as connection:
        connection.execute(insert(subscribers).values(theirs))
    assert "say --utility of kerman-water, lorestan-water" in peyk(*asked).err
    assert "61 days" in peyk(*asked, "--utility", "kerman-water").out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("19999999", "--reading", "1"), 1, "no subscription 19999999"),
        (("10000001", "--reading", "9000", "--at", "1405/01/01"), 1, "the last bill ends later"),
        (("10000001", "--reading", "1119", "--at", "1405/06/09"), 1, "below the last one"),
        (("10000001", "--reading", "123456"), 1, "more digits than the meter"),
        (("10000001", "--reading", "-5"), 2, "is not what a meter shows"),
        (("10000001", "--reading", "5", "--at", "soon"), 2, "is not a date"),
        (("10000001", "--reading", "5", "--at", "1499/12/29"), 2, "more than a year from now"),
        (("10000001", "--reading", "5", "--utility", "kermn"), 1, "no line serves 'kermn'"),
    ],
)
def test_bills_that_cannot_be_explained(
    peyk: Peyk, database: Database, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """One line that says why."""
    ran = peyk("tariff", "explain", *arguments)
    assert (ran.code, ran.err.count("\n")) == (code, 1)
    assert words in ran.err


# --- peyk reading -------------------------------------------------------------------------


def test_readings_are_listed_by_state(peyk: Peyk, database: Database) -> None:
    """Those that staff have to look at."""
    ran = peyk("reading", "list", "--state", "doubtful", "--json")
    assert [(row["id"], row["reading"], row["mobile"]) for row in json.loads(ran.out)] == [
        (2, 1135, MOBILE)
    ]


def test_a_wrong_day_is_misuse(peyk: Peyk, database: Database) -> None:
    """And not a list of everything."""
    assert peyk("reading", "list", "--from", "1405/13/01").code == 2


def test_a_csv_file_has_no_formula_in_it(peyk: Peyk, database: Database, tmp_path: Path) -> None:
    """A note is somebody's text, and a spreadsheet would compute it."""
    file = tmp_path / "out.csv"
    assert peyk("reading", "export", file).code == 0
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = {row["id"]: row for row in csv.DictReader(stream)}
    assert (rows["1"]["note"], rows["1"]["number"], rows["2"]["note"]) == ("'=1+1", "10000001", "")


def test_an_xlsx_file_has_figures_and_texts(peyk: Peyk, database: Database, tmp_path: Path) -> None:
    """Readings can be added up; no text is a formula."""
    file = tmp_path / "out.xlsx"
    assert peyk("reading", "export", file, "--state", "accepted").code == 0
    sheet = load_workbook(file)["قرائت‌ها"]
    header, row = sheet.iter_rows()
    cells = {name.value: cell for name, cell in zip(header, row, strict=True)}
    assert (cells["رقم کنتور"].value, cells["شماره اشتراک"].value) == (1130, "10000001")
    assert (cells["یادداشت"].value, cells["یادداشت"].data_type) == ("=1+1", "s")


def test_a_file_of_another_kind_is_refused(peyk: Peyk, database: Database, tmp_path: Path) -> None:
    """By its ending, before anything is read."""
    assert "ends neither in .csv nor in .xlsx" in peyk("reading", "export", tmp_path / "a.pdf").err


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "|x", "%x"])
def test_every_beginning_of_a_formula_is_guarded(text: str) -> None:
    """And what only has such a sign in it is left alone."""
    assert safe(text) == f"'{text}"
    assert safe("5=1") == "5=1"


def test_a_rejection_is_told_in_the_profiles_words(peyk: Peyk, database: Database) -> None:
    """To the mobile that sent it, from a line of its utility; the reading no longer counts."""
    ran = peyk("reading", "reject", 2, "--note", "رقم خوانا نیست", "--by", "zahra")
    assert (ran.code, ran.out) == (
        0,
        f"reading 2 of 10000001 is rejected; {MOBILE} is told\n",
    )
    with database.engine.connect() as connection:
        sent = connection.execute(select(outbox.c.mobile, outbox.c.line, outbox.c.text)).all()
        state = connection.execute(select(readings.c.state, readings.c.decided_by))
        assert (("rejected", "zahra") in state.all(), sent[0][:2]) == (True, (MOBILE, "100034122"))
    assert "رقم خوانا نیست" in "".join(part.text for part in sent)


def test_a_decision_that_cannot_be_made_says_why(peyk: Peyk, database: Database) -> None:
    """And exits with 1."""
    ran = peyk("reading", "accept", 1)
    assert (ran.code, ran.err) == (1, "peyk: reading 1 is accepted already\n")
