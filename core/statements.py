"""Statements that are made once, executed without what SQLAlchemy does for each execution.

It takes longer over most statements of a small batch than the database does: finding what
was compiled, an execution context, a result with its metadata. So what a statement comes to is
kept: its text, the order of its parameters, how its rows are made; and it goes to the driver as it
is. Errors are those that SQLAlchemy would raise. Where somebody listens to what is executed, it is
executed by SQLAlchemy, and they hear of it.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from operator import attrgetter, methodcaller
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Executable
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_Convert = Callable[[Any], Any]


def fetch(
    connection: Connection, statement: Executable, parameters: Mapping[str, Any] = _NOTHING
) -> list[Any]:
    """All rows of a query, or of what a statement returns: named tuples.

    ``statement`` is kept for ever: one that is made once. Raises what ``Connection.execute`` does.
    """
    if _is_heard(connection):
        return list(connection.execute(statement, parameters).all())
    ready = _ready(connection.dialect, statement)
    found = _executed(connection, ready.text, ready.values(parameters), _ROWS)
    return list(map(ready.row, found))


def change(
    connection: Connection, statement: Executable, parameters: Mapping[str, Any] = _NOTHING
) -> int:
    """Execute a statement that returns nothing; how many rows it wrote. As ``fetch``."""
    if _is_heard(connection):
        # Without this only UPDATE and DELETE are asked how many rows they wrote.
        heard = statement.execution_options(preserve_rowcount=True)
        return connection.execute(heard, parameters).rowcount
    ready = _ready(connection.dialect, statement)
    wrote: int = _executed(connection, ready.text, ready.values(parameters), _COUNT)
    return wrote


@contextmanager
def sent_together(connection: Connection) -> Iterator[None]:
    """Have what is executed within sent without waiting for each answer, where an engine can.

    For changes of which nobody asks how many rows they wrote: there ``change`` cannot tell. A query
    waits for its rows. An error comes up with the next query or at the end, as ``fetch`` raises it.
    """
    if connection.dialect.name != "postgresql" or _is_heard(connection):
        yield
        return
    driver: Any = connection.connection.dbapi_connection
    try:
        with driver.pipeline():
            yield
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy(connection, None, "statements sent together", error) from error


def command(connection: Connection, text: str) -> None:
    """Execute what has no parameters and returns nothing, unheard. Raises as ``fetch`` does."""
    _executed(connection, text, (), _COUNT)


_ROWS: Final = methodcaller("fetchall")
_COUNT: Final = attrgetter("rowcount")


def _executed(
    connection: Connection, text: str, values: Any, wanted: Callable[[DBAPICursor], Any]
) -> Any:
    """Execute a text, and take from the cursor what is wanted."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(text, values)
        found = wanted(cursor)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy(connection, cursor, text, error) from error
    cursor.close()
    return found


def _is_heard(connection: Connection) -> bool:
    heard = connection.dispatch
    return bool(heard.before_cursor_execute or heard.after_cursor_execute)


class _Ready(NamedTuple):
    """What a statement comes to on one engine."""

    text: str
    order: tuple[str, ...] | None
    """The names of its parameters, one for each mark; None where they are marked by name."""
    fixed: Mapping[str, Any]
    """Values that are the statement's own."""
    converted: Mapping[str, _Convert]
    row: Callable[[Sequence[Any]], Any]

    def values(self, given: Mapping[str, Any]) -> Any:
        """The parameters as the driver takes them."""
        values = {**self.fixed, **given}
        for name, convert in self.converted.items():
            values[name] = convert(values[name])
        return values if self.order is None else [values[name] for name in self.order]


_known: dict[tuple[Executable, str], _Ready] = {}


def _ready(dialect: Dialect, statement: Executable) -> _Ready:
    key = statement, dialect.name
    found = _known.get(key)
    if found is None:
        found = _known[key] = _make(dialect, statement)
    return found


def _make(dialect: Dialect, statement: Any) -> _Ready:
    compiled = statement.compile(dialect=dialect)
    binds = {name: bind for bind, name in compiled.bind_names.items()}
    if compiled.post_compile_params:
        raise TypeError(f"the text of this statement depends on its values: {compiled}")
    converted = {
        name: convert
        for name, bind in binds.items()
        if (convert := bind.type.dialect_impl(dialect).bind_processor(dialect))
    }
    fixed = {name: bind.effective_value for name, bind in binds.items() if not bind.required}
    order = tuple(compiled.positiontup) if compiled.positional else None
    return _Ready(str(compiled), order, fixed, converted, _row_of(dialect, statement))


def _row_of(dialect: Dialect, statement: Any) -> Callable[[Sequence[Any]], Any]:
    columns = list(statement.exported_columns)
    types = [column.type.dialect_impl(dialect) for column in columns]
    row: Any = namedtuple("Row", [column.key for column in columns], rename=True)  # type: ignore[misc]  # noqa: PYI024
    processors = enumerate(each.result_processor(dialect, None) for each in types)
    converts = [(place, convert) for place, convert in processors if convert is not None]
    return partial(_converted, row._make, converts) if converts else row._make


def _converted(
    make: Callable[[Sequence[Any]], Any],
    converts: Sequence[tuple[int, _Convert]],
    values: Sequence[Any],
) -> Any:
    found = list(values)
    for place, convert in converts:
        found[place] = convert(found[place])
    return make(found)


def _as_sqlalchemy(
    connection: Connection, cursor: DBAPICursor | None, text: str, error: Exception
) -> Exception:
    """The error as SQLAlchemy raises it; a connection that it has broken is given up."""
    dialect: Any = connection.dialect
    is_gone = dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor)
    if is_gone:
        connection.invalidate(error)
    return DBAPIError.instance(
        text,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_gone,
        dialect=dialect,
    )
