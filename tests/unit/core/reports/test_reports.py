"""Reports on messages: what is counted where, on both engines, however long a message is."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import Connection, event, text

from core.database import Database
from core.reports import scan
from core.reports.catalogue import REPORTS, masked
from core.reports.tally import Tally
from core.reports.types import Column, Kind, Wanted
from core.reports.writing import Format, write
from core.runs.store import Beginning, RunSource, begin
from tests.campaigning import UTILITY, save
from tests.unit.core.test_browse import HOUR, LINE, MOBILE, NOW, Box

DAY = 24 * HOUR
OTHER, OTHER_LINE = "989122222222", "100066133"


@pytest.fixture
def filled(database: Database) -> tuple[Database, int]:
    """Two days of two mobiles: answers, and a campaign's messages; and the run's id."""
    version = save(database)
    run = 42 << 22

    def fill(connection: Connection) -> None:
        box = Box(connection)
        box.now = NOW - DAY
        source = RunSource("bills_of_period", {}, {})
        about = (UTILITY, version.template_id, version.version, box.now, source, "test", box.now)
        begin(connection, Beginning(run, *about))
        box.subscriber(1, "10000001")
        box.subscriber(2, "10000002", "lorestan-water")
        box.received(subscriber_id=1)
        box.sent("delivered", subscriber_id=1, accepted_at=NOW)
        of_run: dict[str, Any] = {
            "template_id": version.template_id,
            "run_id": run,
            "subscriber_id": 2,
        }
        box.sent("delivered", "undeliverable", mobile=OTHER, accepted_at=NOW, **of_run)
        box.sent("waiting", mobile=OTHER, attempts=2, code=88, **of_run)
        box.now = NOW
        box.sent("suppressed", mobile=MOBILE, **of_run)
        box.received(mobile=OTHER, line=OTHER_LINE, state="set_aside")
        box.sent("accepted", "queued", "queued", mobile=OTHER, line=OTHER_LINE)

    database.transact("fill", fill)
    return database, run


def _read(database: Database, name: str, **wanted: Any) -> list[dict[str, Any]]:
    """The report's rows, without what is nothing."""
    report = REPORTS[name]
    names = [column.name for column in report.columns]
    found = report.rows(database, Wanted(**wanted))
    return [{n: v for n, v in zip(names, row, strict=True) if v} for row in found]


def test_messages_are_counted_by_mobile_and_by_file_number(filled: tuple[Database, int]) -> None:
    """Seed 000, annex 2 item 10: a message once, as the worst of its parts is."""
    database, _run = filled
    assert _read(database, "mobiles") == [
        {"mobile": OTHER, "produced": 3, "parts": 6, "sent": 1, "failed": 1, "received": 1}
        | {"failed_for_now": 1, "pending": 1},
        {"mobile": MOBILE, "produced": 2, "parts": 2, "sent": 1, "delivered": 1, "received": 1}
        | {"suppressed": 1},
    ]
    assert _read(database, "subscriptions") == [
        {"produced": 1, "parts": 3, "pending": 1, "received": 1},
        {"utility": "kerman-water", "subscription": "10000001", "produced": 1, "parts": 1}
        | {"sent": 1, "delivered": 1, "received": 1},
        {"utility": "lorestan-water", "subscription": "10000002", "produced": 3, "parts": 4}
        | {"sent": 1, "failed": 1, "failed_for_now": 1, "suppressed": 1},
    ]


def test_messages_are_counted_by_template_line_day_and_campaign(
    filled: tuple[Database, int],
) -> None:
    """What is in none of them is where it can be seen; a day is one in Tehran."""
    database, run = filled
    assert [(row.get("template"), row["produced"]) for row in _read(database, "templates")] == [
        (None, 2),
        ("bills", 3),
    ]
    by_line = [(row["line"], row["produced"], row["received"]) for row in _read(database, "lines")]
    assert by_line == [(LINE, 4, 1), (OTHER_LINE, 1, 1)]
    by_day = [(row["day"], row["produced"]) for row in _read(database, "days")]
    assert by_day == [(date(2026, 9, 20), 3), (date(2026, 9, 21), 2)]
    (campaign,) = _read(database, "campaigns")
    assert (campaign["campaign"], campaign["template"], campaign["produced"]) == (run, "bills", 3)


def test_a_report_is_narrowed(filled: tuple[Database, int]) -> None:
    """By period, mobile, file number, line, template, campaign and state, together too."""
    database, run = filled

    def count(**wanted: Any) -> int:
        return len(_read(database, "messages", **wanted))

    assert count() == 5
    assert (count(since=NOW), count(until=NOW)) == (2, 3)
    assert (count(mobile=OTHER), count(mobile=OTHER, since=NOW)) == (3, 1)
    assert (count(subscription="10000002"), count(subscription="9")) == (3, 0)
    assert count(lines=frozenset({OTHER_LINE})) == 1
    assert (count(template="bills"), count(template="none"), count(run=run)) == (3, 0, 3)
    assert (count(state="failed"), count(state="pending"), count(run=run, state="waiting")) == (
        (1, 1, 1)
    )
    received = [row["state"] for row in _read(database, "received")]
    assert received == ["answered", "set_aside"]
    assert not _read(database, "received", template="bills")
    assert len(_read(database, "received", mobile=OTHER)) == 1


def test_each_message_of_a_campaign_says_what_became_of_it(filled: tuple[Database, int]) -> None:
    """State, group in both languages, attempts, the operator's code."""
    database, run = filled
    tried = _read(database, "messages", run=run)[1]
    assert (tried["state"], tried["what"], tried["attempts"], tried["code"]) == (
        ("waiting", "failed for now", 2, 88)
    )
    assert (tried["subscription"], tried["campaign"]) == ("10000002", run)
    assert tried["status"] == "ناموفق، دوباره فرستاده می‌شود"


def test_pages_cut_no_message_in_two(
    filled: tuple[Database, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However short a page is, the rows are the same."""
    database, _run = filled
    whole = {name: _read(database, name) for name in REPORTS}
    of_one = _read(database, "messages", mobile=OTHER)
    monkeypatch.setattr(scan, "PAGE_ROWS", 4)
    monkeypatch.setattr(scan, "_FEW", 1)
    assert {name: _read(database, name) for name in REPORTS} == whole
    assert _read(database, "messages", mobile=OTHER) == of_one


@pytest.mark.parametrize(
    "wanted",
    [
        {"since": NOW - DAY, "until": NOW},
        {"mobile": MOBILE},
        {"subscription": "10000001"},
        {"run": 42 << 22},
        {"template": "bills", "since": NOW},
    ],
)
def test_a_report_goes_along_indexes(filled: tuple[Database, int], wanted: dict[str, Any]) -> None:
    """Neither the whole outbox nor the whole inbox is read or sorted for a page."""
    database, _run = filled
    statements: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if "FROM outbox" in statement or "FROM inbox" in statement:
            statements.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    for name in ("messages", "received"):
        _read(database, name, **wanted)
    event.remove(database.engine, "before_cursor_execute", note)
    plans = database.read("plans", _plans, statements, is_sqlite=database.is_sqlite)
    assert statements
    for plan in plans:
        bad = ["SCAN outbox", "SCAN inbox", "Seq Scan on outbox", "Seq Scan on inbox"]
        # The few messages of a subscription may be sorted.
        bad += [] if "subscription" in wanted else ["TEMP B-TREE", "Sort Key"]
        assert not [word for word in bad if word in plan], plan


def _plans(
    connection: Connection, statements: list[tuple[str, Any]], *, is_sqlite: bool
) -> list[str]:
    explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    if not is_sqlite:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        connection.execute(text("SET LOCAL enable_sort = off"))
        connection.execute(text("SET LOCAL enable_bitmapscan = off"))
    found = []
    for statement, parameters in statements:
        rows = connection.exec_driver_sql(explain + statement, parameters)
        found.append("\n".join(str(row[-1]) for row in rows))
    return found


def test_more_keys_than_memory_is_given_are_counted_all_the_same() -> None:
    """What was put away is added to what came later; the keys come out in order."""
    tally = Tally(2, kept=3)
    for turn in range(3):
        for key in range(10):
            tally.of(f"k{9 - key}")[0] += 1
            tally.of(f"k{key}")[1] += turn
    assert list(tally.items()) == [(f"k{key}", [3, 3]) for key in range(10)]
    tally.close()


COLUMNS = (
    Column("mobile", "همراه", Kind.MOBILE),
    Column("name", "نام", Kind.NAME),
    Column("id", "شناسه", Kind.ID),
    Column("count", "تعداد", Kind.NUMBER),
    Column("at", "زمان", Kind.INSTANT),
    Column("day", "روز", Kind.DAY),
    Column("said", "متن"),
)
AT = datetime(2026, 9, 21, 14, 13, tzinfo=UTC)
ROWS = [
    (MOBILE, "علی محمدی", 227794327961600001, -5, AT, AT.date(), "=HYPERLINK(1)"),
    (None, None, None, None, None, None, "\t+1\x00"),
]


def _file(kind: Format) -> bytes:
    stream = io.BytesIO()
    assert write(kind, stream, "گزارش", COLUMNS, iter(ROWS)) == 2
    return stream.getvalue()


def test_csv_runs_nothing_in_a_spreadsheet() -> None:
    """Texts that look like formulas are marked; numbers, also negative ones, stay numbers."""
    header, first, second = csv.reader(io.StringIO(_file(Format.CSV).decode("utf-8-sig")))
    assert header[0] == "mobile"
    assert first == [
        MOBILE, "علی محمدی", "227794327961600001", "-5", "1405/06/30 17:43", "1405/06/30",
        "'=HYPERLINK(1)",
    ]  # fmt: skip
    assert second[-1].startswith("'\t")


def test_xlsx_holds_texts_as_texts_and_every_digit_of_an_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is a formula; what XML cannot say is marked; long reports go on in a new sheet."""
    monkeypatch.setattr("core.reports.sheets.MOST_ROWS_OF_SHEET", 1)
    book = load_workbook(io.BytesIO(_file(Format.XLSX)))
    first, second = book.worksheets
    assert (first.title, second.title, first.sheet_view.rightToLeft) == ("گزارش", "گزارش 2", True)
    cells = next(iter(first.iter_rows(min_row=2)))
    assert [cell.value for cell in cells[2:4]] == ["227794327961600001", -5]
    assert (cells[6].value, cells[6].data_type) == ("=HYPERLINK(1)", "s")
    assert second["G2"].value == "\t+1\ufffd"


def test_json_is_for_programs() -> None:
    """Instants with their zone, ids as texts, or their last digits would be lost."""
    first, second = json.loads(_file(Format.JSON))
    assert (first["id"], first["at"]) == ("227794327961600001", "2026-09-21T14:13:00.000+00:00")
    assert second["mobile"] is None


def test_whose_it_is_is_hidden() -> None:
    """Mobiles and names; nothing else changes."""
    (first, _second) = masked(COLUMNS, ROWS)
    assert first[:3] == ("98913***4567", "ع*** م***", 227794327961600001)
