"""Report files: what they declare is what they give, and nothing can be changed by them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select, text, update

from core.bills import load_last_bills
from core.database import Database
from core.demo import fill
from core.reporting.known import check_known, unknown_values
from core.reporting.reading import FIRST, asked, check, count_rows, given, read_page, sorts
from core.reporting.sources import SHIPPED, Sources, read_source
from core.reporting.types import ParameterError, Source, SourceError
from core.secrecy import Keys
from core.tables import bills, subscribers

UTILITY = "kerman-water"
TODAY = date(2026, 9, 21)
NOW = 1_790_000_000_000
SHIPPED_REPORTS = sorted(file.stem for file in SHIPPED.glob("*.sql"))


@pytest.fixture
def filled(database: Database, keys: Keys) -> Database:
    """A hundred sample subscribers, as they are at the instant of tests."""
    fill(database, keys, today=TODAY, subscribers=100, bills_each=3)
    return database


def shipped(name: str) -> Source:
    """One that comes with Peyk."""
    return read_source(SHIPPED / f"{name}.sql")


def rows_of(
    database: Database, source: Source, size: int = 1000, at: int = NOW, **parameters: Any
) -> list[dict[str, Any]]:
    """All rows, read in pages of ``size``."""
    question = asked(source, UTILITY, given(source, parameters), at)
    found, after = [], FIRST
    while page := database.read("page", read_page, question, after, size):
        found += page
        after = page[-1].key
    assert database.read("count", count_rows, question) == len(found)
    assert len({row.key for row in found}) == len(found)
    return [dict(row.facts) for row in found]


@pytest.mark.parametrize("name", SHIPPED_REPORTS)
def test_shipped_reports_are_what_they_declare(filled: Database, name: str) -> None:
    """On both engines."""
    source = shipped(name)
    filled.read("check", check, source)
    filled.read("check", check_known, source)
    assert not filled.read("plan", sorts, source), "a page would cost as much as the whole"
    assert source.title
    assert source.about


def test_bills_of_a_period_come_page_by_page(filled: Database) -> None:
    """None twice, none left out, in the order of their keys."""
    with filled.engine.connect() as connection:
        period = connection.scalar(select(bills.c.period).limit(1))
        expected = connection.execute(
            select(bills.c.id, bills.c.payable).where(bills.c.period == period).order_by(bills.c.id)
        ).all()
    found = rows_of(filled, shipped("bills_of_period"), 7, period=period)
    assert [(row["bill"], row["payable"]) for row in found] == [tuple(row) for row in expected]
    assert isinstance(found[0]["due"], date | str)
    assert rows_of(filled, shipped("bills_of_period"), period="1390/01") == []


def test_bills_say_what_a_subscriber_is_told(filled: Database) -> None:
    """What was used follows from the readings; a debt of earlier bills has no deadline."""

    def change(connection: Connection) -> list[int]:
        of_three = select(func.min(bills.c.id)).group_by(bills.c.subscriber_id)
        keys = sorted(connection.scalars(of_three))[:3]
        read: dict[str, Any] = {
            "used": None,
            "from_reading": 99_990,
            "to_reading": 15,
            "period": "x",
        }
        owed: dict[str, Any] = {"used": 7, "payable": bills.c.amount + 1000, "period": "x"}
        unread: dict[str, Any] = {"used": None, "from_reading": None, "period": "x"}
        for key, values in zip(keys, (read, owed, unread), strict=True):
            connection.execute(update(bills).where(bills.c.id == key).values(values))
        return keys

    keys = filled.transact("change", change)
    found = rows_of(filled, shipped("bills_of_period"), period="x")
    assert [(row["bill"], row["used"], bool(row["due"])) for row in found] == [
        (keys[0], 25, True), (keys[1], 7, False), (keys[2], "", True),
    ]  # fmt: skip


def test_overdue_debts_are_those_that_a_subscriber_is_told(filled: Database) -> None:
    """The report and an answer to 010 reckon alike."""
    with filled.engine.connect() as connection:
        ids = connection.scalars(select(subscribers.c.id)).all()
        last = load_last_bills(connection, ids)
    expected = {
        key: bill.balance
        for key, bill in last.items()
        if bill.balance >= 1000 and bill.due_date and bill.due_date < TODAY
    }
    found = rows_of(filled, shipped("bills_overdue"), 3, days=1)
    assert expected
    assert {row["subscriber_id"]: row["debt"] for row in found} == expected


def test_meters_not_read_and_instalments_due(filled: Database) -> None:
    """Days are counted in Tehran, from the report's own day."""
    unread = rows_of(filled, shipped("meters_not_read"), days=1)
    assert len(unread) == 99, "all but the suspended one"
    assert rows_of(filled, shipped("meters_not_read"), days=3000) == []
    assert unread[0]["last_read_at"].tzinfo
    due = rows_of(filled, shipped("instalments_due"), 4, days=400)
    assert {row["plan"] for row in due} == {"water", "wastewater"}
    assert all(row["due"] >= TODAY for row in due)


def test_requests_name_whom_they_concern(filled: Database) -> None:
    """A request of somebody who is no subscriber yet has a mobile all the same."""
    request = (
        "INSERT INTO requests (utility, tracking, kind, state, mobile, fields, source, created_at,"
        " changed_at) VALUES ('kerman-water', '1', 'leak', :state, '98912', '{}', 'sms', 1, 1)"
    )
    with filled.engine.begin() as connection:
        connection.execute(text(request), {"state": "registered"})
    source = shipped("requests_by_state")
    question = asked(source, UTILITY, given(source, {"kind": "leak"}), NOW)
    (row,) = filled.read("page", read_page, question, FIRST, 10)
    assert (row.subscriber_id, row.mobile, row.facts["fee"]) == (None, "98912", "")
    assert rows_of(filled, source, state="done") == []


GOOD = """\
-- title = "a"
-- key = "id"
-- subscriber = "id"
-- [parameters]
-- days = "integer"
-- [columns]
-- id = "integer"
-- number = "text"
SELECT s.id, s.number
  FROM subscribers AS s
 WHERE s.id > :after AND :days > 0
 ORDER BY s.id LIMIT :limit
"""


def written(folder: Path, replaced: str = "", by: str = "") -> Source:
    """A report like ``GOOD`` but for this."""
    assert replaced in GOOD
    file = folder / "mine.sql"
    file.write_text(GOOD.replace(replaced, by), encoding="utf-8")
    return read_source(file)


@pytest.mark.parametrize(
    ("replaced", "by", "said"),
    [
        ('-- key = "id"', '-- key = "nr"', "key names no column 'nr'"),
        ("-- [columns]", "-- [colums]", "6: unknown key 'colums'; did you mean 'columns'?"),
        ('"integer"\n-- number', '"intger"\n-- number', "did you mean 'integer'?"),
        (":days", ":day", "11: there is no parameter :day; did you mean 'days'?"),
        ("LIMIT :limit", "", "there is no :limit"),
        ("SELECT s.id", "DELETE FROM bills; SELECT s.id", "9: the query is not a SELECT"),
        ("LIMIT :limit", "LIMIT :limit; DELETE FROM bills", "more than one statement"),
        ("-- title = ", "-- title ", "1: the declaration is not valid TOML"),
    ],
)
def test_mistakes_are_named_with_their_line(
    tmp_path: Path, replaced: str, by: str, said: str
) -> None:
    """Without any database."""
    with pytest.raises(SourceError) as caught:
        written(tmp_path, replaced, by)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'mine.sql'}:")


@pytest.mark.parametrize(
    ("replaced", "by", "said"),
    [
        ("s.number\n", "s.nummer\n", ":9: "),
        ("FROM subscribers", "FROM subscriber", ":10: "),
        ("s.id, s.number\n", "s.id\n", ":9: the columns differ"),
        ("s.id, s.number\n", "s.id, s.name\n", "does not give number and gives name"),
    ],
)
def test_the_database_finds_the_other_mistakes(
    database: Database, tmp_path: Path, replaced: str, by: str, said: str
) -> None:
    """They are told by file and line as well."""
    source = written(tmp_path, replaced, by)
    with pytest.raises(SourceError) as caught:
        database.read("check", check, source)
    assert said in str(caught.value)


def test_a_report_changes_nothing(filled: Database, tmp_path: Path) -> None:
    """Not even where PostgreSQL lets a query write."""
    writing = "WITH gone AS (DELETE FROM contacts RETURNING id) SELECT s.id, s.number"
    source = written(tmp_path, "SELECT s.id, s.number", writing)
    with pytest.raises(SourceError):
        filled.read("page", read_page, asked(source, UTILITY, {"days": 1}, NOW), FIRST, 10)
    # The connection is given back fit for writing.
    filled.transact("write", lambda c: c.execute(insert(subscribers).values(
        utility="x", number="1", changed_at=0)))  # fmt: skip
    with filled.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM contacts"))


def test_values_that_are_not_what_is_declared(filled: Database, tmp_path: Path) -> None:
    """A template must be able to rely on them."""
    source = written(tmp_path, '-- number = "text"', '-- number = "rial"')
    with pytest.raises(SourceError, match="number is declared rial and gives str"):
        filled.read("page", read_page, asked(source, UTILITY, {"days": 1}, NOW), FIRST, 10)


@pytest.mark.parametrize(
    ("replaced", "by"),
    [
        ("s.id > :after", "s.id >= :after"),
        ("s.id > :after", ":after IS NOT NULL"),
        ("ORDER BY s.id", "ORDER BY s.id DESC"),
        ("AS s\n", "AS s CROSS JOIN (SELECT 1 AS one UNION ALL SELECT 2) AS twice\n"),
    ],
)
def test_rows_that_do_not_go_on_by_the_key_are_refused(
    filled: Database, tmp_path: Path, replaced: str, by: str
) -> None:
    """Before anybody is told twice: at the latest when the second page would repeat the first."""
    source = written(tmp_path, replaced, by)
    with pytest.raises(SourceError, match=r"mine\.sql:9: the rows do not go on by id"):
        rows_of(filled, source, 7, days=1)


def test_parameters_are_checked_in_words(tmp_path: Path) -> None:
    """Before anything is read."""
    source = written(tmp_path)
    with pytest.raises(ParameterError, match="needs days"):
        given(source, {})
    with pytest.raises(ParameterError, match="did you mean 'days'"):
        given(source, {"dayz": 1})
    with pytest.raises(ParameterError, match="days of the report mine is 'x' and not a number"):
        given(source, {"days": "x"})
    with pytest.raises(ParameterError, match=r"is '9{40}' and not between"):
        given(source, {"days": "9" * 40})
    with pytest.raises(ParameterError, match="is 36501 and not between -36500 and 36500"):
        given(shipped("bills_overdue"), {"days": 36_501})
    assert given(source, {"days": "۳۰"}) == {"days": 30}


def test_values_that_no_row_has_are_told(filled: Database, tmp_path: Path) -> None:
    """With the nearest that one has; what is listed outright is refused otherwise."""
    source = shipped("subscribers_of_region")
    with filled.engine.connect() as connection:
        region = connection.scalar(select(subscribers.c.region).where(subscribers.c.region != ""))

    def told(**parameters: object) -> list[str]:
        question = asked(source, UTILITY, given(source, parameters), NOW)
        return filled.read("known", unknown_values, question, UTILITY)

    assert told() == told(region=region) == []
    (said,) = told(region=f"{region}ه")
    assert said.endswith(f"; did you mean {region!r}?")
    with pytest.raises(ParameterError, match=r"state .* is never 'dne'; did you mean 'done'"):
        given(shipped("requests_by_state"), {"state": "dne"})
    for values, said in (
        ('["x"]', "the values of days are told, and it is no text"),
        ('"SELECT 1 AS value", default = "a"', "that asks for :utility"),
    ):
        kind = "integer" if "[" in values else "text"
        written_so = f'days = {{ type = "{kind}", values = {values} }}'
        with pytest.raises(SourceError, match=said):
            written(tmp_path, 'days = "integer"', written_so)


def test_a_utility_has_its_own_reports_besides(tmp_path: Path) -> None:
    """Its own go before those that are shipped."""
    (tmp_path / "bills_of_period.sql").write_text(GOOD, encoding="utf-8")
    sources = Sources({UTILITY: [tmp_path]})
    assert sources.named(UTILITY, "bills_of_period").title == "a"
    assert sources.named("other", "bills_of_period").title != "a"
    assert [source.name for source in sources.of(UTILITY)] == SHIPPED_REPORTS
    with pytest.raises(LookupError, match="did you mean 'bills_of_period'"):
        sources.named(UTILITY, "bills_of_perod")
