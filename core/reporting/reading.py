"""Rows of a report, page by page: each page begins behind the key that the last one ended with.

However far it is, a page costs what the first one did, and what is added meanwhile shifts
nothing. Nothing that a report's query says can change data: SQLite is told to refuse it,
PostgreSQL reads in a read-only transaction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Date,
    Integer,
    Text,
    TextClause,
    bindparam,
    func,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.types import TypeEngine

from core.calls import Fact, Scalar
from core.database import by_index_only
from core.jalali import day_of, instant_of, midnight_ms
from core.receivers import Row
from core.reporting.sources import bound_names, given_value
from core.reporting.types import (
    OF_DAYS,
    ColumnType,
    Parameter,
    ParameterError,
    Parameters,
    ParameterType,
    Source,
    SourceError,
)
from core.text import nearest_hint

FIRST: Final = ""
"""The position before all rows, whatever the key's type."""
_LEAST: Final = -(2**63)
_MOST: Final = 2**31 - 1
_SHOWN: Final = 200
_SORT: Final = "SELECT set_config('enable_sort', '{}', true)"
_TYPES: Final[Mapping[ParameterType, TypeEngine[Any]]] = {
    ParameterType.TEXT: Text(),
    ParameterType.INTEGER: BigInteger(),
    ParameterType.DATE: Date(),
    ParameterType.DAYS_AGO: Date(),
    ParameterType.DAYS_AHEAD: Date(),
}


class Question(NamedTuple):
    """One report with everything that it asks for."""

    source: Source
    values: Mapping[str, Any]
    """What is bound, but for ``after`` and ``limit``."""


def given(source: Source, parameters: Mapping[str, object]) -> dict[str, Scalar]:
    """The report's parameters, of the right types, with defaults for those left out.

    Raises ``ParameterError``.
    """
    known = {parameter.name: parameter for parameter in source.parameters}
    for name in parameters.keys() - known.keys():
        hint = nearest_hint(name, known) or "it has none"
        raise ParameterError(f"the report {source.name} has no parameter {name!r}; {hint}")
    found: dict[str, Scalar] = {}
    for name, parameter in known.items():
        try:
            value = given_value(parameter, parameters.get(name))
        except ValueError as error:
            raise ParameterError(f"{name} of the report {source.name} {error}") from None
        value = parameter.default if value is None else value
        if value is None:
            raise ParameterError(f"the report {source.name} needs {name}: {parameter.title}")
        found[name] = value
    return found


def asked(source: Source, utility: str, parameters: Parameters, at: int) -> Question:
    """What is bound for a report of ``utility`` as of ``at`` (UTC milliseconds).

    Raises ``ParameterError``.
    """
    today = day_of(at)
    values: dict[str, Any] = {"utility": utility, "today": today, "now": at}
    for parameter in source.parameters:
        value: Any = given(source, parameters)[parameter.name]
        if parameter.type is ParameterType.DAYS_AGO:
            value = today - timedelta(days=value)
        elif parameter.type is ParameterType.DAYS_AHEAD:
            value = today + timedelta(days=value)
        values[parameter.name] = value
        if parameter.type in OF_DAYS:
            values[f"{parameter.name}_at"] = midnight_ms(value)
    used = bound_names(source)
    return Question(source, {name: value for name, value in values.items() if name in used})


def read_page(connection: Connection, question: Question, after: str, limit: int) -> list[Row]:
    """At most ``limit`` rows behind the key ``after``, in the order of their keys.

    Raises ``SourceError`` when the query fails, its values are not what is declared, or its
    keys do not go on behind ``after``.
    """
    source = question.source
    with only_reading(connection), _in_order(connection):
        rows = _execute(connection, question, after, limit)
    names = tuple(source.columns)
    places = {name: place for place, name in enumerate(names)}
    readers = [_READERS[kind] for kind in source.columns.values()]
    key = places[source.key]
    subscriber = places[source.subscriber] if source.subscriber else None
    mobile = places[source.mobile] if source.mobile else None
    found = []
    for row in rows:
        try:
            facts: dict[str, Fact] = {
                name: "" if value is None else read(value)
                for name, read, value in zip(names, readers, row, strict=True)
            }
        except (TypeError, ValueError):
            raise _mistyped(source, row) from None
        found.append(
            Row(
                str(row[key]),
                facts,
                None if subscriber is None else row[subscriber],
                None if mobile is None else row[mobile],
            )
        )
    _check_order(source, after, [row.key for row in found])
    return found


def count_rows(connection: Connection, question: Question) -> int:
    """How many rows the report has now. Raises ``SourceError``."""
    statement, values = _statement(question, FIRST, _MOST)
    counted = select(func.count()).select_from(statement.columns().subquery("counted"))
    with only_reading(connection):
        try:
            return int(connection.execute(counted, values).scalar_one())
        except SQLAlchemyError as error:
            raise _failed(question.source, error) from None


def check(connection: Connection, source: Source) -> None:
    """Have the database read the query, and see that its columns are those declared.

    Reads no row. Raises ``SourceError``.
    """
    values = {each.name: _example(each) for each in source.parameters}
    question = asked(source, "", values, 0)
    with only_reading(connection):
        _execute(connection, question, FIRST, 0)


def sorts(connection: Connection, source: Source) -> bool:
    """Whether the database would read all rows and sort them, for each page anew.

    What a campaign makes of such a report takes the square of its rows.
    """
    values = {each.name: _example(each) for each in source.parameters}
    _page, bound = _statement(asked(source, "", values, 0), FIRST, 1)
    is_sqlite = connection.dialect.name == "sqlite"
    words = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    with only_reading(connection), _in_order(connection):
        explain = _clause(words + source.query, tuple(sorted(_types(source, bound).items())))
        plan = [str(row[-1]) for row in connection.execute(explain, bound)]
    if is_sqlite:
        return any("TEMP B-TREE FOR ORDER BY" in line for line in plan)
    # Directly below the limit; further down it is of a row's own few.
    return "Sort " in plan[1]


@contextmanager
def _in_order(connection: Connection) -> Iterator[None]:
    """Have PostgreSQL go along the index of the key, whatever it thinks of the other columns."""
    if connection.dialect.name != "postgresql":
        yield
        return
    by_index_only(connection)
    connection.exec_driver_sql(_SORT.format("off"))
    yield
    # Other statements of the transaction sort a handful of rows, which is what they should do.
    connection.exec_driver_sql(_SORT.format("on"))


def _example(parameter: Parameter) -> Scalar:
    if parameter.default is not None:
        return parameter.default
    if parameter.type is ParameterType.TEXT:
        return ""
    return date(2025, 3, 21) if parameter.type is ParameterType.DATE else 1


@contextmanager
def only_reading(connection: Connection) -> Iterator[None]:
    """Let nothing be changed through this connection for a while."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        yield
        return
    connection.exec_driver_sql("PRAGMA query_only = ON")
    try:
        yield
    finally:
        connection.exec_driver_sql("PRAGMA query_only = OFF")


def _execute(
    connection: Connection, question: Question, after: str, limit: int
) -> Sequence[Sequence[Any]]:
    statement, values = _statement(question, after, limit)
    source = question.source
    try:
        result = connection.execute(statement, values)
        columns = list(result.keys())
        rows = result.all()
    except SQLAlchemyError as error:
        raise _failed(source, error) from None
    if columns != list(source.columns):
        raise _columns_differ(source, columns)
    return rows


def _statement(question: Question, after: str, limit: int) -> tuple[TextClause, dict[str, Any]]:
    source = question.source
    is_number = source.columns[source.key] is ColumnType.INTEGER
    start: int | str = after
    if is_number:
        start = int(after) if after else _LEAST
    values = {**question.values, "after": start, "limit": limit}
    return _clause(source.query, tuple(sorted(_types(source, values).items()))), values


def _types(source: Source, values: Mapping[str, Any]) -> dict[str, str]:
    own = {parameter.name: parameter.type.value for parameter in source.parameters}
    is_number = source.columns[source.key] is ColumnType.INTEGER
    fixed = {"utility": "text", "today": "date", "after": "integer" if is_number else "text"}
    return {name: own.get(name, fixed.get(name, "integer")) for name in values}


@lru_cache(maxsize=64)
def _clause(query: str, types: tuple[tuple[str, str], ...]) -> TextClause:
    # LIMIT takes no bigint on some servers' drivers; a plain integer always will do.
    bound = [
        bindparam(name, type_=Integer() if name == "limit" else _TYPES[ParameterType(kind)])
        for name, kind in types
    ]
    return text(query).bindparams(*bound)


# --- values ---------------------------------------------------------------------------


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _integer(value: Any) -> int:
    # PostgreSQL sums bigints into numeric.
    whole = int(value)
    if isinstance(value, str | bool) or whole != value:
        raise TypeError
    return whole


def _date(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def _instant(value: Any) -> datetime:
    return instant_of(_integer(value))


def _flag(value: Any) -> bool:
    if value not in (0, 1):
        raise TypeError
    return bool(value)


_READERS: Final[Mapping[ColumnType, Callable[[Any], Fact]]] = {
    ColumnType.TEXT: _text,
    ColumnType.INTEGER: _integer,
    ColumnType.RIAL: _integer,
    ColumnType.DATE: _date,
    ColumnType.INSTANT: _instant,
    ColumnType.FLAG: _flag,
}


# --- what is wrong --------------------------------------------------------------------


def _mistyped(source: Source, row: Sequence[Any]) -> SourceError:
    for (name, kind), value in zip(source.columns.items(), row, strict=True):
        try:
            if value is not None:
                _READERS[kind](value)
        except (TypeError, ValueError):
            problem = f"the column {name} is declared {kind.value} and gives {type(value).__name__}"
            return SourceError(source.file, 1, problem)
    return SourceError(source.file, 1, "a value is not of the type declared")


def _check_order(source: Source, after: str, keys: Sequence[str]) -> None:
    """Refuse a page that would have rows read twice, or passed over.

    How texts are ordered is the database's business: of those only repetitions are seen.
    """
    is_number = source.columns[source.key] is ColumnType.INTEGER
    whole = [after, *keys] if after else keys
    if is_number:
        numbers = [int(key) for key in whole]
        wrong = any(here >= there for here, there in pairwise(numbers))
    else:
        wrong = len(set(whole)) != len(whole)
    if wrong:
        problem = (
            f"the rows do not go on by {source.key}: the query must give only rows behind :after "
            "(>, not >=), ordered by the key, no key twice"
        )
        raise SourceError(source.file, source.first_line, problem)


def _columns_differ(source: Source, columns: Sequence[str]) -> SourceError:
    declared = list(source.columns)
    missing = [name for name in declared if name not in columns]
    more = [name for name in columns if name not in declared]
    said = [f"does not give {', '.join(missing)}"] if missing else []
    said += [f"gives {', '.join(more)}, which is not declared"] if more else []
    said = said or [f"gives them in another order: {', '.join(columns)}"]
    problem = f"the columns differ from those declared: the query {' and '.join(said)}"
    return SourceError(source.file, source.first_line, problem)


def _failed(source: Source, error: SQLAlchemyError) -> SourceError:
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    words = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
    return SourceError(source.file, source.first_line + _lines_down(source, cause), words[:_SHOWN])


def _lines_down(source: Source, cause: Any) -> int:
    """How many lines below the query's first the mistake is, as far as the database says."""
    said = re.search(r'near "([^"]+)"|no such \w+: (?:\w+\.)?(\w+)', str(cause))
    word = next((each for each in said.groups() if each), "") if said else ""
    at_line = re.search(r"^LINE (\d+):", str(cause), re.MULTILINE)
    if at_line:
        return int(at_line[1]) - 1
    lines = source.query.split("\n")
    return next((n for n, line in enumerate(lines) if word and word in line), 0)
