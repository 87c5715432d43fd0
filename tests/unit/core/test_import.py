"""Importing the utility's files into the database, on both engines."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import Workbook
from sqlalchemy import Connection, Table, insert, select, update

from core.importing import KINDS, ImportFileError, ImportReport, Progress, import_file
from core.jalali import jalali, local
from core.services import IMPORT, Paused, ServicePaused, pause, resume
from core.tables import (
    bills,
    contacts,
    events,
    imports,
    instalments,
    orders,
    payments,
    readings,
    subscribers,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from core.database import Database
    from core.secrecy import Keys
    from tests.conftest import Clock, CountStatements

    Import = Callable[..., ImportReport]
    Read = Callable[[Table], list[Any]]

NUMBERS = ("10000001", "10000002", "10000003")
BILL = "number,period,to_date,amount,payable,bill_id,payment_id\n"


@pytest.fixture
def take(database: Database, keys: Keys, tmp_path: Path, now_ms: Clock) -> Import:
    """Import a text, or a file, of a kind, for kerman-water."""

    def run(kind: str, content: str | bytes | Path, **options: Any) -> ImportReport:
        path = content if not isinstance(content, str | bytes) else tmp_path / "file.csv"
        if isinstance(content, str | bytes):
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        options = {"default_utility": "kerman-water", "now_ms": now_ms, **options}
        return import_file(database, keys, kind, path, **options)

    return run


@pytest.fixture
def known(take: Import) -> None:
    """A few subscribers are there."""
    take("subscribers", "number\n" + "\n".join(NUMBERS))


@pytest.fixture
def read(database: Database) -> Callable[[Table], list[Any]]:
    """Read a whole table in the order of its ids."""

    def rows(connection: Connection, table: Table) -> list[Any]:
        return list(connection.execute(select(table).order_by(table.c.id)))

    return lambda table: database.transact("read", rows, table)


def _counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.inserted, report.updated, report.unchanged, report.bad


# --- subscribers --------------------------------------------------------------------


def test_a_subscriber_with_every_column(take: Import, read: Read, keys: Keys) -> None:
    """Persian headers, digits and letters arrive as the database keeps them."""
    report = take(
        "subscribers",
        "شرکت;شماره اشتراک;رمز رایانه;نام;کاربری;تعداد واحد;ظرفیت;سریال کنتور;"
        "ارقام کنتور;موبایل;نشانی;شهر;شناسه قبض;فاضلاب;وضعیت\n"
        "Kerman-Water;۱۰۰۰۰۰۰۱;۴۳۲۱;علي ايران‌منش;خانگي;۲;;A۱۲;"
        "۶;۰۹۱۳ ۱۲۳ ۴۵۶۷;كرمان، کوچه ۴;ماهان;۲۰۵۰۳۲۷۶۰۴۶۱۳;ندارد;قطع موقت\n",
        default_utility=None,
    )
    assert _counts(report) == (1, 0, 0, 0)
    (row,) = read(subscribers)
    assert (row.utility, row.number, row.name) == ("kerman-water", "10000001", "علی ایران‌منش")
    assert (row.usage, row.units, row.capacity, row.meter_serial) == ("خانگی", 2, None, "A12")
    assert (row.meter_digits, row.address, row.region) == (6, "کرمان، کوچه 4", "ماهان")
    assert (row.bill_id, row.wastewater, row.state) == ("2050327604613", False, "suspended")
    assert keys.code_matches(row.code_hash, "kerman-water", "10000001", "4321")
    assert [contact.mobile for contact in read(contacts)] == ["989131234567"]


def test_the_code_is_nowhere_in_the_database(take: Import, read: Read) -> None:
    """A secret code is kept as a keyed hash and nothing else."""
    take("subscribers", "number,code\n10000001,987654\n")
    assert "987654" not in repr([read(table) for table in (subscribers, contacts, imports)])


def test_a_file_of_numbers_alone_leaves_the_rest_to_defaults(take: Import, read: Read) -> None:
    """One unit, five digits, no code: what the documentation says of missing columns."""
    take("subscribers", "number\n10000001\n")
    (row,) = read(subscribers)
    assert (row.units, row.meter_digits, row.code_hash, row.name) == (1, 5, None, "")
    assert (row.wastewater, row.state, row.bill_id) == (True, "active", None)


def test_the_same_file_twice_changes_nothing(take: Import, read: Read, now_ms: Clock) -> None:
    """The second run says so, and not even the time of change moves."""
    content = "number,code,name,mobile\n10000001,1,a,09131234567\n10000002,2,b,\n"
    assert _counts(take("subscribers", content)) == (2, 0, 0, 0)
    before = [read(subscribers), read(contacts)]
    now_ms.advance(60)
    assert _counts(take("subscribers", content)) == (0, 0, 2, 0)
    assert [read(subscribers), read(contacts)] == before


def test_a_paused_import_stops_at_a_batch_and_goes_on_there(
    database: Database, take: Import, read: Read
) -> None:
    """What was taken before stays; resumed, the same file goes on after it."""
    content = "number\n" + "\n".join(NUMBERS)
    paused = Paused(IMPORT, 0, "reza", "")

    def after_one(_progress: Progress) -> None:
        database.transact("pause", pause, paused)

    with pytest.raises(ServicePaused, match="import has been paused by reza"):
        take("subscribers", content, batch_rows=1, progress=after_one)
    assert len(read(subscribers)) == 1
    database.transact("resume", resume, IMPORT)
    report = take("subscribers", content)
    assert (report.before, report.inserted) == (1, 2)


def test_a_changed_row_is_updated_alone(take: Import, read: Read, now_ms: Clock) -> None:
    """The others keep their time of change."""
    take("subscribers", "number,name\n10000001,a\n10000002,b\n")
    now_ms.advance(60)
    assert _counts(take("subscribers", "number,name\n10000001,a\n10000002,c\n")) == (0, 1, 1, 0)
    first, second = read(subscribers)
    assert (first.name, second.name) == ("a", "c")
    assert second.changed_at - first.changed_at == 60_000


def test_missing_columns_and_empty_secrets_leave_what_was_there(take: Import, read: Read) -> None:
    """An extract without code, mobile or name does not wipe them out."""
    take("subscribers", "number,code,name,mobile,units\n10000001,1,a,09131234567,3\n")
    (before,) = read(subscribers)
    take("subscribers", "number,code,mobile,units\n10000001,,,4\n")
    (after,) = read(subscribers)
    assert (after.code_hash, after.name, after.units) == (before.code_hash, "a", 4)
    assert len(read(contacts)) == 1


@pytest.mark.parametrize(
    "cell", ["09131234567/09131111111", "+989131234567; 989131111111", "9131234567 09131111111"]
)
def test_several_mobiles_in_a_cell(take: Import, read: Read, cell: str) -> None:
    """Each is registered; the file is their source."""
    take("subscribers", f"number,mobile\n10000001,{cell}\n")
    found = [(row.mobile, row.source, row.utility) for row in read(contacts)]
    assert found == [
        ("989131234567", "import", "kerman-water"),
        ("989131111111", "import", "kerman-water"),
    ]


def test_a_number_on_two_rows_is_one_subscriber(take: Import, read: Read) -> None:
    """The later row's values are taken and the mobiles of both."""
    take("subscribers", "number,name,mobile\n1,a,09131234567\n1,b,09131111111\n")
    assert [row.name for row in read(subscribers)] == ["b"]
    assert len(read(contacts)) == 2


def test_two_utilities_may_have_the_same_number(take: Import, read: Read) -> None:
    """A number is a subscriber's within its utility."""
    take("subscribers", "utility,number\nkerman-water,1\nqom-power,1\n,1\n")
    assert [row.utility for row in read(subscribers)] == ["kerman-water", "qom-power"]


# --- bills, payments, readings ------------------------------------------------------


@pytest.mark.usefixtures("known")
def test_a_bill_with_every_column(take: Import, read: Read) -> None:
    """Jalali dates, thousands separators and valid identifiers are understood."""
    report = take(
        "bills",
        "شماره اشتراک\tدوره\tاز تاریخ\tتا تاریخ\tرقم قبلی\tرقم فعلی\tمبلغ دوره (ریال)\tقابل پرداخت"
        "\tشناسه قبض\tشناسه پرداخت\tمهلت پرداخت\tتاریخ صدور\n"
        "10000001\t۱۴۰۴/۰۳\t۱۴۰۴/۰۳/۰۱\t1404-05-01\t100\t۱٬۱۳۰\t9,500\t۱۰٬۰۰۰"
        "\t2050327604613\t0001070189\t2025-08-10\t1404/05/02 12:30\n",
    )
    assert report.errors == ()
    (row,) = read(bills)
    assert (row.period, row.from_date, row.to_date) == (
        "1404/03",
        date(2025, 5, 22),
        date(2025, 7, 23),
    )
    assert (row.from_reading, row.to_reading, row.amount, row.payable) == (100, 1130, 9500, 10_000)
    assert (row.bill_id, row.payment_id) == ("2050327604613", "1070189")
    assert row.due_date == date(2025, 8, 10)
    assert row.issued_at == datetime.fromisoformat("2025-07-24T12:30+03:30").timestamp() * 1000


@pytest.mark.usefixtures("known")
def test_a_bill_without_a_time_of_issue_was_issued_at_its_end(take: Import, read: Read) -> None:
    """The balance needs to know which payments came after a bill."""
    take("bills", "number,period,to_date,amount,payable\n10000001,1,1404/05/01,5,-7\n")
    (row,) = read(bills)
    assert row.issued_at == datetime.fromisoformat("2025-07-23T00:00+03:30").timestamp() * 1000
    assert row.payable == -7


@pytest.mark.usefixtures("known")
def test_payments_by_channel_and_reference(take: Import, read: Read) -> None:
    """The same payment from two extracts is one; the same reference elsewhere is another."""
    head = "number,amount,paid_at,channel,reference\n"
    take("payments", f"{head}10000001,1000,1404/05/01,pos,7\n10000001,1000,1404/05/01,bank,7\n")
    again = take("payments", f"{head}10000001,1000,1404/05/01,pos,7\n10000002,5,1404/05/02,pos,8\n")
    assert _counts(again) == (1, 0, 1, 0)
    assert [row.amount for row in read(payments)] == [1000, 1000, 5]


@pytest.fixture
def paid_here(database: Database, take: Import, now_ms: Clock) -> int:
    """A payment of 200,000 rial that came through our own page yesterday; the start of that day."""
    take("subscribers", "number\n" + "\n".join(NUMBERS))
    yesterday = now_ms() - 86_400_000
    pair = {"bill_id": "1000000104616", "payment_id": "20050850", "amount": 200_000}
    both = {**pair, "utility": "kerman-water", "subscriber_id": 1, "reference": "881"}
    times = {"created_at": yesterday, "changed_at": yesterday, "expires_at": yesterday}

    def fill(connection: Connection) -> None:
        order = {**both, **times, "id": 1, "link": "abc", "state": "booked", "provider": "page"}
        connection.execute(insert(orders).values(order))
        paid = {**both, "channel": "page", "paid_at": yesterday}
        connection.execute(insert(payments).values(paid))

    database.transact("fill", fill)
    return yesterday


OURS = "number,amount,paid_at,channel,reference,bill_id,payment_id\n"


def test_a_payment_of_our_own_page_is_known_by_its_reference(
    take: Import, read: Read, paid_here: int, now_ms: Clock
) -> None:
    """Under the bank's channel and on another day; it counts once, and nobody is told again."""
    day = jalali(local(datetime.fromtimestamp(paid_here / 1000, UTC)).date() + timedelta(days=1))
    again = OURS + f"10000001,200000,{day},mellat,881,,\n"
    for _ in range(2):
        assert _counts(take("payments", again)) == (0, 0, 1, 0)
        now_ms.advance(60)
    (row,) = read(payments)
    assert (row.channel, row.paid_at, row.file_channel) == ("page", paid_here, "mellat")
    assert read(events) == []


def test_a_payment_of_our_own_page_is_known_by_its_pair_and_day_once(
    take: Import, read: Read, paid_here: int, now_ms: Clock
) -> None:
    """A second one of that pair and day is somebody's second payment, in whichever order."""
    day = jalali(local(datetime.fromtimestamp(paid_here / 1000, UTC)).date())
    first = f"10000001,200000,{day},mellat,55,1000000104616,20050850\n"
    second = f"10000001,200000,{day} 23:59,mellat,56,1000000104616,20050850\n"
    assert _counts(take("payments", OURS + first + second)) == (1, 0, 1, 0)
    now_ms.advance(60)
    assert _counts(take("payments", OURS + second + first)) == (0, 0, 2, 0)
    assert [(row.reference, row.file_reference) for row in read(payments)] == [
        ("881", "55"), ("56", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        "10000002,200000,{0},mellat,881,,",
        "10000001,199000,{0},mellat,881,,",
        "10000001,200000,{0},mellat,55,,",
        "10000001,200000,1404/05/01,mellat,55,1000000104616,20050850",
    ],
    ids=["another's", "another amount", "neither reference nor pair", "another day"],
)
def test_what_is_another_payment_is_stored(
    take: Import, read: Read, paid_here: int, row: str
) -> None:
    """One thing that differs is enough."""
    day = jalali(local(datetime.fromtimestamp(paid_here / 1000, UTC)).date())
    assert _counts(take("payments", OURS + row.format(day) + "\n")) == (1, 0, 0, 0)
    assert len(read(payments)) == 2


@pytest.mark.usefixtures("known")
def test_a_meter_that_was_changed_comes_with_its_last_figure(take: Import, read: Read) -> None:
    """Bills that are computed later need both ends of it."""
    take(
        "readings", "number,reading,read_at,وضعیت کنتور,old_end\n10000001,3,1404/05/01,تعویض,1130\n"
    )
    (row,) = read(readings)
    assert (row.reading, row.meter_state, row.old_end) == (3, "changed", 1130)


@pytest.mark.usefixtures("known")
def test_readings_keep_what_staff_made_of_them(
    take: Import, read: Read, database: Database
) -> None:
    """A file that comes again does not accept a reading that was rejected meanwhile."""
    content = "number,reading,read_at,source\n10000001,1234,1404/05/01 09:00,reader\n"
    take("readings", content)

    def reject(connection: Connection) -> None:
        connection.execute(update(readings).values(state="rejected"))

    database.transact("reject", reject)
    assert _counts(take("readings", content)) == (0, 0, 1, 0)
    (row,) = read(readings)
    assert (row.reading, row.source, row.state) == (1234, "reader", "rejected")


INSTALMENT = "number,plan,instalment,amount,due_date,paid_at\n"


@pytest.mark.usefixtures("known")
def test_an_instalment_with_every_column(take: Import, read: Read) -> None:
    """Whose fee it is may be said in words of either language; the number is not the row's."""
    report = take(
        "instalments",
        "شماره اشتراک,بابت,شماره قسط,مبلغ قسط (ریال),سررسید,تاریخ پرداخت,شناسه قبض,شناسه پرداخت\n"
        "۱۰۰۰۰۰۰۱,حق انشعاب فاضلاب,۳,۱۰٬۰۰۰,۱۴۰۵/۰۸/۰۱,,۲۰۵۰۳۲۷۶۰۴۶۱۳,۱۰۷۰۱۸۹\n"
        "10000002,Water,1,2000000,1405/01/15,1405/01/10,,\n",
    )
    assert _counts(report) == (2, 0, 0, 0)
    first, second = read(instalments)
    assert (first.plan, first.number, first.amount) == ("wastewater", 3, 10_000)
    assert (first.due_date, first.paid_at, first.payment_id) == (
        date(2026, 10, 23),
        None,
        "1070189",
    )
    assert (second.plan, second.paid_at is not None) == ("water", True)


@pytest.mark.usefixtures("known")
def test_an_instalment_that_is_paid_stays_paid(take: Import, read: Read) -> None:
    """A file made before the payment came in says nothing against it."""
    take("instalments", INSTALMENT + "10000001,water,1,5000,1405/02/01,1405/01/30\n")
    report = take("instalments", INSTALMENT + "10000001,water,1,6000,1405/02/01,\n")
    (row,) = read(instalments)
    assert (row.amount, row.paid_at is not None, report.updated) == (6000, True, 1)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("10000001,gas,1,5000,1405/02/01,", "plan"),
        ("10000001,water,0,5000,1405/02/01,", "instalment"),
        ("10000001,water,1,0,1405/02/01,", "amount"),
        ("10000001,water,1,-5,1405/02/01,", "amount"),
        ("10000001,water,1,5000,,", "due_date"),
        ("10000001,water,1,5000,1499/02/01,", "due_date"),
        ("10000001,water,1,5000,1405/02/01,1406/01/01", "paid_at"),
        ("19999999,water,1,5000,1405/02/01,", "number"),
    ],
)
def test_instalments_that_cannot_be(take: Import, read: Read, row: str, column: str) -> None:
    """Each is told by its column, and nothing of it is stored."""
    report = take("instalments", INSTALMENT + row + "\n")
    assert [error.column for error in report.errors] == [column]
    assert read(instalments) == []


@pytest.mark.usefixtures("known")
def test_unknown_subscribers_are_reported_and_the_others_taken(take: Import, read: Read) -> None:
    """By line, whichever batch they are in."""
    content = (
        "number,reading,read_at\n10000001,1,1404/05/01\n55,2,1404/05/01\n10000002,3,1404/05/01\n"
    )
    report = take("readings", content, batch_rows=2)
    assert _counts(report) == (2, 0, 0, 1)
    (error,) = report.errors
    assert str(error) == "line 3, number: there is no subscriber 55 of kerman-water"
    assert [row.reading for row in read(readings)] == [1, 3]


# --- news ---------------------------------------------------------------------------

PAYMENT = "number,amount,paid_at,reference,bill_id,payment_id\n"


@pytest.mark.usefixtures("known")
def test_a_bill_just_issued_is_an_event_and_an_old_one_is_not(
    take: Import, read: Read, now_ms: Clock
) -> None:
    """Messages to subscribers follow from events: nobody wants one about an archive."""
    rows = "10000001,1405/02,1405/03/01,5000,5000,,\n10000001,1405/03,1405/06/01,7000,10000,"
    content = f"{BILL}{rows}2050327604613,1070189\n"
    take("bills", content)
    (event,) = read(events)
    assert (event.kind, event.utility, event.at) == ("bill_issued", "kerman-water", now_ms())
    about = json.loads(event.about)
    assert (about["number"], about["period"], about["payable"]) == ("10000001", "1405/03", 10_000)
    assert (about["bill_id"], about["payment_id"]) == ("2050327604613", "1070189")
    assert about["due"] == ""  # something was owed before: at once
    now_ms.advance(60)
    take("bills", content + "10000002,1405/03,1405/06/01,1,1,,\n")
    assert [json.loads(row.about)["number"] for row in read(events)] == ["10000001", "10000002"]


@pytest.mark.usefixtures("known")
def test_a_bill_s_event_says_what_was_used(take: Import, read: Read) -> None:
    """As the bill does, or its two readings; meters pass their highest figure."""
    header = "number,period,issued_at,amount,payable,from_reading,to_reading,used\n"
    content = (
        "10000001,1,1405/06/01,1,1,100,130,\n10000001,2,1405/06/01,1,1,99990,15,\n"
        "10000001,3,1405/06/01,1,1,100,130,7\n10000001,4,1405/06/01,1,1,,130,\n"
    )
    take("bills", header + content)
    assert [json.loads(row.about)["used"] for row in read(events)] == [30, 25, 7, 0]


@pytest.mark.usefixtures("known")
def test_a_payment_just_made_is_an_event_once(take: Import, read: Read, now_ms: Clock) -> None:
    """The same file again tells nothing new, nor does a correction of the row."""
    take("payments", PAYMENT + "10000001,1000,1405/06/20,7,,\n10000001,1000,1404/06/20,6,,\n")
    now_ms.advance(60)
    take("payments", PAYMENT + "10000001,2000,1405/06/20,7,,\n")
    (event,) = read(events)
    assert (event.kind, json.loads(event.about)["reference"]) == ("payment_booked", "7")


# --- strict, restart, size ----------------------------------------------------------


@pytest.mark.parametrize("bad", ["x,1,1404/05/01", "55,2,1404/05/01"], ids=["cell", "unknown"])
@pytest.mark.usefixtures("known")
def test_strict_takes_nothing_when_any_row_is_bad(take: Import, read: Read, bad: str) -> None:
    """Neither rows before nor after the bad one, and the next run begins at the start."""
    content = f"number,reading,read_at\n10000001,1,1404/05/01\n{bad}\n10000002,3,1404/05/01\n"
    report = take("readings", content, strict=True, batch_rows=1)
    assert not report.taken
    assert (report.bad, report.errors[0].line) == (1, 3)
    assert read(readings) == []
    assert [row.kind for row in read(imports)] == ["subscribers"]


def test_strict_takes_a_good_file(take: Import, read: Read) -> None:
    """And reports it as any other."""
    report = take("subscribers", "number\n1\n2\n", strict=True)
    assert report.taken
    assert _counts(report) == (2, 0, 0, 0)
    assert len(read(subscribers)) == 2


class KilledError(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("strict", [False, True])
def test_a_killed_import_goes_on_where_it_stopped(
    take: Import, read: Read, *, strict: bool
) -> None:
    """Rows taken before are not written again, bad ones are reported again."""
    content = "number\n1\nx\n3\n4\n5\n6\n7"
    if strict:
        content = content.replace("x", "2")
    taken = 0

    def die(progress: Progress) -> None:
        nonlocal taken
        taken += progress.phase == "taking"
        if taken == 2:
            raise KilledError

    with pytest.raises(KilledError):
        take("subscribers", content, batch_rows=2, strict=strict, progress=die)
    assert len(read(subscribers)) == (4 if strict else 3)
    phases: list[str] = []
    report = take(
        "subscribers", content, batch_rows=3, progress=lambda now: phases.append(now.phase)
    )
    assert (report.before, report.inserted, report.unchanged) == (4, 3, 0)
    assert report.bad == (0 if strict else 1)
    assert phases == ["checking", "checking", "taking"]
    assert len(read(subscribers)) == (7 if strict else 6)
    assert read(imports)[0].finished


@pytest.mark.usefixtures("known")
def test_bad_rows_are_told_in_the_order_of_the_file(take: Import) -> None:
    """Those of unknown subscribers too, which are found out only after the others."""
    lines: list[int] = []
    take(
        "readings",
        "number,reading,read_at\n55,1,1404/05/01\n10000001,x,1404/05/01\n56,1,1404/05/01\n",
        progress=lambda now: lines.extend(error.line for error in now.errors),
    )
    assert lines == [2, 3, 4]


def test_every_error_goes_by_in_progress(take: Import) -> None:
    """The report keeps a hundred; a file that is all bad is still told line by line."""
    lines: list[int] = []
    content = "number\n" + "x\n" * 250
    report = take(
        "subscribers",
        content,
        batch_rows=100,
        progress=lambda now: lines.extend(error.line for error in now.errors),
    )
    assert lines == list(range(2, 252))
    assert (report.bad, len(report.errors)) == (250, 100)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("known")
def test_statements_of_a_batch_do_not_grow(
    take: Import, database: Database, count_statements: CountStatements, now_ms: Clock, kind: str
) -> None:
    """A batch of one row and one of two hundred cost the same round trips."""
    rows = {
        "subscribers": "number,mobile\n{0},09131234567\n",
        "bills": "number,period,to_date,amount,payable\n10000001,{0},1405/06/01,5,5\n",
        "payments": "number,amount,paid_at,reference\n10000001,5,1405/06/01,{0}\n",
        "readings": "number,reading,read_at\n10000001,{0},1404/05/01 00:00:{1:02}\n",
        "instalments": INSTALMENT + "10000001,water,1{0:02},5,1404/05/01,\n",
    }
    header, row = rows[kind].splitlines()
    totals = []
    for size in (1, 50):
        content = "\n".join([header, *(row.format(i, i) for i in range(size))])
        now_ms.advance(1)  # commands of one millisecond may take the same ids
        with count_statements(database) as counted:
            assert take(kind, content).bad == 0
        totals.append(counted.total)
    assert totals[0] == totals[1] < 14


# --- files --------------------------------------------------------------------------


def _xlsx(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    book = Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


@pytest.mark.usefixtures("known")
def test_a_workbook(take: Import, read: Read, tmp_path: Path) -> None:
    """Excel's numbers, dates and empty rows; lines are the sheet's own."""
    path = _xlsx(
        tmp_path / "bills.xlsx",
        [
            ("شماره اشتراک", "دوره", "تا تاریخ", "مبلغ", "قابل پرداخت", "شناسه قبض", None),
            (10000001, "1", datetime(2025, 7, 23), 1250000.0, "۱٬۲۵۰٬۰۰۰", 2050327604613.0),  # noqa: DTZ001
            (),
            ("10000002", 2, "1404/05/01", 12.5, 7),
            (10000003.0, 1.0, date(2025, 7, 23), 5, 7),
        ],
    )
    report = take("bills", path)
    assert [str(error) for error in report.errors] == [
        "line 4, amount: '12.5' is not a whole number"
    ]
    first, second = read(bills)
    assert (first.amount, first.payable, first.bill_id) == (1_250_000, 1_250_000, "2050327604613")
    assert (second.period, second.to_date) == ("1", date(2025, 7, 23))
    assert _counts(take("bills", path)) == (0, 0, 2, 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1256"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters(
    take: Import, read: Read, tmp_path: Path, encoding: str, delimiter: str
) -> None:
    """Whatever Excel and older programs write; Windows-1256 has the Arabic letters alone."""
    path = tmp_path / "file.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows([("شماره اشتراك", "نام"), ("1", 'علي, "اكبر"; زند\tدوم\nخط')])
    assert take("subscribers", path).errors == ()
    assert [row.name for row in read(subscribers)] == ['علی, "اکبر"; زند دوم خط']


def test_lines_are_counted_over_cells_with_line_ends(take: Import) -> None:
    """The operator's editor goes to the line that was named."""
    content = 'number,address\n1,"a\nb"\nx,"c\nd"\n\ny,e\n'
    errors = take("subscribers", content).errors
    assert [error.line for error in errors] == [4, 7]


def test_a_quote_that_is_not_closed(take: Import) -> None:
    """The rows it swallows are named as such, not stored as an address."""
    content = 'number,address\n1,a\n2,"b\n' + "3,c\n" * 40
    report = take("subscribers", content)
    assert report.inserted == 1
    assert [str(error) for error in report.errors] == [
        "line 3: a quote that is not closed takes in 41 lines, up to 43"
    ]


def test_a_quote_that_is_not_closed_near_the_end(take: Import) -> None:
    """However few rows it swallows, the end of the file shows it."""
    report = take("subscribers", 'number,address\n1,a\n2,"b\n3,c\n')
    assert report.inserted == 1
    assert [str(error) for error in report.errors] == [
        "line 3: a quote that is not closed takes in 2 lines, up to 4"
    ]
    assert take("subscribers", 'number,address\n1,"a\nb"').bad == 0


def test_a_cell_that_is_too_long(take: Import) -> None:
    """It is a bad row; the next one is taken."""
    report = take("subscribers", f"number,address\n1,{'x' * 200_000}\n2,a\n")
    assert report.inserted == 1
    assert [str(error) for error in report.errors] == [
        "line 2: a cell is longer than 131,072 characters"
    ]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("number,nmae", "'nmae' is no column of subscribers: did you mean 'name'"),
        ("number,شماره مبایل", r"did you mean 'شماره موبایل' \(mobile\)"),
        ("number,colour of the door", "there are utility, number, code"),
        ("name,code", "a file of subscribers needs the column number"),
        ("number,اشتراک", "two columns say number"),
        ("", "the file is empty"),
    ],
)
def test_headers_that_are_not_right(take: Import, header: str, message: str) -> None:
    """The whole file is refused, with the nearest name."""
    with pytest.raises(ImportFileError, match=message):
        take("subscribers", f"{header}\n1,2\n")


def test_a_file_without_utility_needs_to_be_told_it(take: Import) -> None:
    """There is no utility by default."""
    with pytest.raises(ImportFileError, match="needs the column utility"):
        take("subscribers", "number\n1\n", default_utility=None)


def test_headers_in_any_order_and_dress(take: Import, read: Read) -> None:
    """Case, blanks, half-spaces, underscores and remarks do not matter."""
    take("subscribers", "Meter Serial ,نام‌ و نام خانوادگي,NUMBER,,Meter_Digits (رقم)\ns,n,1,zz,6\n")
    (row,) = read(subscribers)
    assert (row.meter_serial, row.name, row.number, row.meter_digits) == ("s", "n", "1", 6)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04 not a zip", "not a workbook"),
        (b"\xd0\xcf\x11\xe0 old", "old Excel file"),
    ],
)
def test_files_that_are_not_what_they_seem(take: Import, content: bytes, message: str) -> None:
    """A clear refusal rather than a traceback."""
    with pytest.raises(ImportFileError, match=message):
        take("subscribers", content)


def test_a_file_that_is_not_there(take: Import, tmp_path: Path) -> None:
    """The error names it."""
    with pytest.raises(ImportFileError, match=r"nowhere\.csv: No such file"):
        take("subscribers", tmp_path / "nowhere.csv")


def test_a_kind_that_is_not_there(take: Import) -> None:
    """The error names those that are."""
    with pytest.raises(ImportFileError, match="subscribers, bills, payments, readings"):
        take("meters", "number\n1\n")
