"""Many rows in one statement, on both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection, bindparam, delete, select

from core.bulk import Upsert, insert_rows, update_rows, upsert_rows
from core.tables import subscribers

if TYPE_CHECKING:
    from core.database import Database
    from tests.conftest import CountStatements

COLUMNS = ("utility", "number", "code_hash", "name", "units", "changed_at")
HOW = Upsert(
    subscribers,
    COLUMNS,
    key=("utility", "number"),
    keep=frozenset({"code_hash"}),
    once=frozenset({"units"}),
    stamps=frozenset({"changed_at"}),
)
ODD_TEXTS = ("", 'O\'Neil "x" \\ %s :p {0}', "کرمان\u200c", "😀", "a\nb\tc", "null", "1e5", "007")


def _row(
    number: str, *, code: str | None = "h", name: str = "n", units: int = 1, at: int = 1
) -> Any:
    return ("kerman-water", number, code, name, units, at)


def _all(connection: Connection) -> list[tuple[Any, ...]]:
    columns = (subscribers.c[name] for name in COLUMNS)
    return [tuple(row) for row in connection.execute(select(*columns).order_by("number"))]


def test_inserted_values_come_back_as_they_were(database: Database) -> None:
    """Quotes, line ends, digits and emoji in texts survive the way through JSON."""
    rows = [_row(str(i), name=name) for i, name in enumerate(ODD_TEXTS)]
    database.transact("insert", insert_rows, subscribers, COLUMNS, rows)
    assert database.transact("read", _all) == rows


def test_insert_or_ignore_leaves_what_is_there(database: Database) -> None:
    """A row that breaks a uniqueness constraint is passed over and the others go in."""
    database.transact("one", insert_rows, subscribers, COLUMNS, [_row("1", name="first")])
    rows = [_row("1", name="second"), _row("2")]
    database.transact("two", insert_rows, subscribers, COLUMNS, rows, or_ignore=True)
    assert [row[3] for row in database.transact("read", _all)] == ["first", "n"]


def test_update_rows_touches_only_the_named_rows(database: Database) -> None:
    """Each row of the batch changes its own row, and the rest stay."""
    database.transact(
        "insert", insert_rows, subscribers, COLUMNS, [_row("1"), _row("2"), _row("3")]
    )
    changes = [("1", "one", 5), ("3", "three", 6)]
    database.transact("update", update_rows, subscribers, ("number", "name", "units"), changes)
    assert [(row[3], row[4]) for row in database.transact("read", _all)] == [
        ("one", 5),
        ("n", 1),
        ("three", 6),
    ]


def test_upsert_tells_inserted_updated_and_unchanged_apart(database: Database) -> None:
    """The importer's report rests on these counts."""
    first = database.transact("a", upsert_rows, HOW, [_row("1"), _row("2")])
    assert (first.inserted, first.updated) == (2, 0)
    rows = [_row("1"), _row("2", name="other"), _row("3")]
    second = database.transact("b", upsert_rows, HOW, rows)
    assert (second.inserted, second.updated) == (1, 1)


def test_upsert_of_the_same_rows_writes_nothing(database: Database) -> None:
    """A later stamp alone is no change: the old one stays too."""
    database.transact("a", upsert_rows, HOW, [_row("1", at=1)])
    again = database.transact("b", upsert_rows, HOW, [_row("1", at=2)])
    assert (again.inserted, again.updated) == (0, 0)
    assert database.transact("read", _all) == [_row("1", at=1)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"code": None, "name": "x", "at": 9}, ("h", "x", 1, 9)),
        ({"code": "new", "at": 9}, ("new", "n", 1, 9)),
        ({"units": 7, "at": 9}, ("h", "n", 1, 1)),
        ({"units": 7, "name": "x", "at": 9}, ("h", "x", 1, 9)),
    ],
    ids=["null keeps", "value replaces", "once is no change", "once stays"],
)
def test_upsert_columns_with_rules(
    database: Database, change: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    """NULL leaves a kept column, a once-column never changes, a stamp goes with a change."""
    database.transact("a", upsert_rows, HOW, [_row("1")])
    database.transact("b", upsert_rows, HOW, [_row("1", **change)])
    assert database.transact("read", _all)[0][2:] == expected


@pytest.mark.parametrize("size", [1, 200])
def test_statements_do_not_grow_with_the_rows(
    database: Database, count_statements: CountStatements, size: int
) -> None:
    """One statement for an insert or update, two for an upsert, for one row or for many."""
    rows = [_row(str(number)) for number in range(size)]
    with count_statements(database) as counted:
        database.transact("insert", insert_rows, subscribers, COLUMNS, rows)
        database.transact("update", update_rows, subscribers, ("number", "name"), [("1", "x")])
        database.transact("upsert", upsert_rows, HOW, rows)
    assert counted.total == 4


def test_the_counter_counts_an_executemany_by_its_rows(
    database: Database, count_statements: CountStatements
) -> None:
    """What DESIGN forbids on hot paths does not pass the counter as one statement."""
    statement = delete(subscribers).where(subscribers.c.number == bindparam("gone"))
    gone = [{"gone": str(number)} for number in range(3)]

    def many(connection: Connection) -> None:
        connection.execute(statement, gone)

    with count_statements(database) as counted:
        database.transact("many", many)
    assert counted.total == 3


def test_no_rows_no_statement(database: Database, count_statements: CountStatements) -> None:
    """An empty batch does not go to the database at all."""

    def nothing(connection: Connection) -> None:
        insert_rows(connection, subscribers, COLUMNS, [])
        update_rows(connection, subscribers, COLUMNS, [])
        assert upsert_rows(connection, HOW, []) == (0, 0)

    with count_statements(database) as counted:
        database.transact("nothing", nothing)
    assert counted.total == 0
