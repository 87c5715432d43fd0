"""Statements that go to the driver as they are behave as SQLAlchemy's do."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date

import pytest
from sqlalchemy import BigInteger, Connection, Date, bindparam, event, select, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError

from core.bulk import as_rows, insert_rows, unfolded
from core.database import Database, DatabaseUnavailable
from core.statements import change, fetch, sent_together
from core.tables import bind_marks

_COLUMNS = ("node", "bind", "confirmed_id")
_asked = unfolded({"id": BigInteger(), "day": Date()})
_DAYS = select(_asked.c.id, _asked.c.day, (_asked.c.id + bindparam("more", 1)).label("sum"))
_MARKS = select(bind_marks.c.bind, bind_marks.c.confirmed_id).order_by(bind_marks.c.bind)
_MARK = update(bind_marks).values(confirmed_id=bindparam("to")).where(bind_marks.c.node == 1)
_NAMED = select(bind_marks.c.bind).where(bind_marks.c.bind.in_(["mci", "mtn"]))


def _put(connection: Connection) -> None:
    insert_rows(connection, bind_marks, _COLUMNS, [(1, "mci", 5), (1, "mtn", 7)])


def test_rows_have_names_and_types(database: Database) -> None:
    """A date is a date on both engines; a value that is not given is the statement's own."""
    rows = as_rows([(1, date(2026, 3, 21)), (2, None)])
    found = database.read("days", fetch, _DAYS, rows)
    assert [(row.id, row.day, row.sum) for row in found] == [
        (1, date(2026, 3, 21), 2),
        (2, None, 3),
    ]
    more = database.read("days", fetch, _DAYS, {**rows, "more": 10})
    assert [row.sum for row in more] == [11, 12]


def test_a_change_says_how_many_rows_it_wrote(database: Database) -> None:
    """Whoever settles messages counts them by it."""
    database.transact("put", _put)
    assert database.transact("mark", change, _MARK, {"to": 9}) == 2
    assert [row.confirmed_id for row in database.read("marks", fetch, _MARKS)] == [9, 9]


def test_errors_are_sqlalchemys(database: Database) -> None:
    """Who catches a key that is there already catches it on this way, too; nothing is kept."""
    database.transact("put", _put)
    with pytest.raises(IntegrityError):
        database.transact("put", _put)
    assert [row.confirmed_id for row in database.read("marks", fetch, _MARKS)] == [5, 7]


@pytest.mark.parametrize("asks", [False, True])
def test_an_error_among_what_is_sent_together_is_told_as_itself(
    database: Database, *, asks: bool
) -> None:
    """Taken for an outage it would be tried for ever; what follows it fails because of it alone."""
    database.transact("put", _put)

    def work(connection: Connection) -> None:
        with sent_together(connection):
            insert_rows(connection, bind_marks, _COLUMNS, [(2, "mci", 8)])
            _put(connection)
            insert_rows(connection, bind_marks, _COLUMNS, [(3, "mci", 9)])
            if asks:
                fetch(connection, _MARKS)

    with pytest.raises(IntegrityError):
        database.transact("work", work)
    assert [row.confirmed_id for row in database.read("marks", fetch, _MARKS)] == [5, 7]


def test_what_is_sent_together_is_there_for_a_query_and_afterwards(database: Database) -> None:
    """A query among it sees what was sent before; all of it is committed."""

    def work(connection: Connection) -> list[int]:
        with sent_together(connection):
            _put(connection)
            seen = [row.confirmed_id for row in fetch(connection, _MARKS)]
            change(connection, _MARK, {"to": 9})
        return seen

    assert database.transact("work", work) == [5, 7]
    assert [row.confirmed_id for row in database.read("marks", fetch, _MARKS)] == [9, 9]


@pytest.mark.parametrize("together", [False, True])
def test_a_connection_that_is_cut_is_given_up(
    postgresql_database: Database, *, together: bool
) -> None:
    """The work failed for now, and the next transaction has a connection that lives."""

    def cut(connection: Connection) -> None:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with sent_together(connection) if together else nullcontext():
            with postgresql_database.engine.connect() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            _put(connection)
            if not together:
                fetch(connection, _MARKS)

    with pytest.raises(DatabaseUnavailable):
        postgresql_database.transact("cut", cut)
    assert postgresql_database.read("marks", fetch, _MARKS) == []


def test_listeners_hear_of_what_is_executed(database: Database) -> None:
    """What a text would do is found by listening; the rows are the same."""
    heard: list[str] = []

    def listen(connection: Connection) -> list[str]:
        event.listen(connection, "after_cursor_execute", lambda *said: heard.append(said[2]))
        _put(connection)
        return [row.bind for row in fetch(connection, _MARKS)]

    assert database.transact("heard", listen) == ["mci", "mtn"]
    assert [said.split()[0] for said in heard] == ["INSERT", "SELECT"]


def test_a_text_that_depends_on_its_values_is_refused(database: Database) -> None:
    """It would be kept with the values of the first time."""
    with pytest.raises(TypeError, match="depends on its values"):
        database.read("named", fetch, _NAMED)


def test_a_value_that_is_missing_is_an_error(database: Database) -> None:
    """It is not taken for NULL."""
    with pytest.raises((KeyError, ProgrammingError), match="rows"):
        database.read("days", fetch, _DAYS)
