"""Many rows in one statement, whatever their number, on SQLite and PostgreSQL alike.

``executemany`` is one statement for each row underneath: with SQLite every one of them
gives up the interpreter lock and waits for it again while the reactor's thread is busy,
which costs a hundred times the work itself (docs/decisions/002-batches-as-json.md). So
the rows of a batch travel as one JSON array of arrays, and the database unfolds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import orjson
from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Executable,
    Subquery,
    Table,
    Text,
    and_,
    bindparam,
    column,
    exists,
    func,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement, GenericFunction
from sqlalchemy.types import TypeEngine

from core.statements import change, fetch

ROWS = "rows"
"""The name of the one parameter of every statement made here."""

_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]


class _Elements(GenericFunction[Any]):
    """The elements of a JSON array, as a table with the column ``value``."""

    inherit_cache = True
    name = "peyk_elements"


@compiles(_Elements, "sqlite")
def _elements_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


@compiles(_Elements, "postgresql")
def _elements_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"jsonb_array_elements(CAST({compiler.process(element.clauses, **kw)} AS JSONB))"


class _Field(FunctionElement[Any]):
    """One field of an element that is itself an array: its place, and its type's name."""

    inherit_cache = True

    def __init__(self, index: int, type_: TypeEngine[Any]) -> None:
        name = type_.compile(_POSTGRESQL)
        # As literals they are part of the statement's cache key; attributes would not be.
        super().__init__(literal_column(str(index)), literal_column(name))
        self.type = type_


@compiles(_Field, "sqlite")
def _field_sqlite(element: _Field, _compiler: Any, **_kw: Any) -> str:
    index, _name = element.clauses
    return f"json_extract(value, '$[{index}]')"


@compiles(_Field, "postgresql")
def _field_postgresql(element: _Field, _compiler: Any, **_kw: Any) -> str:
    index, name = element.clauses
    return f"CAST(value ->> {index} AS {name})"


def unfolded(columns: Mapping[str, TypeEngine[Any]], name: str = "batch") -> Subquery:
    """The rows of the JSON parameter ``rows`` as a subquery with these columns."""
    elements = func.peyk_elements(bindparam(ROWS, type_=Text)).table_valued(column("value"))
    fields = [_Field(i, type_).label(key) for i, (key, type_) in enumerate(columns.items())]
    return select(*fields).select_from(elements).subquery(name)


def unfolded_once(columns: Mapping[str, TypeEngine[Any]], name: str = "batch") -> CTE:
    """As ``unfolded``, for a statement that uses a column in several places, or for many rows.

    Otherwise the database would take it out of its JSON each time.
    """
    return select(unfolded(columns)).cte(name).prefix_with("MATERIALIZED")


def has_rows(table: Table) -> ColumnElement[bool]:
    """Whether there is anything in a table that is mostly empty.

    As a condition it spares looking each row of a batch up in it, and unfolding them for that.
    """
    return exists(select(literal_column("1")).select_from(table.alias("filled")))


def as_rows(rows: Iterable[Sequence[Any]]) -> dict[str, str]:
    """The parameter of a statement made with ``unfolded``; dates become ISO text."""
    # Plain tuples, since named ones are not taken for arrays.
    return {ROWS: orjson.dumps(list(map(tuple, rows)), str, _DATES_BY_STR).decode()}


_DATES_BY_STR = orjson.OPT_PASSTHROUGH_DATETIME


def insert_rows(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[Sequence[Any]],
    *,
    or_ignore: bool = False,
) -> None:
    """Insert ``rows`` (values in the order of ``columns``) in one statement.

    With ``or_ignore`` a row that breaks a uniqueness constraint is passed over.
    """
    if rows:
        statement = _insert(connection.dialect.name, table, columns, or_ignore=or_ignore)
        change(connection, statement, as_rows(rows))


def update_rows(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[Sequence[Any]],
) -> None:
    """Set ``columns[1:]`` of the row whose ``columns[0]`` equals the first value of each."""
    if rows:
        change(connection, _update(table, columns), as_rows(rows))


class Upsert(NamedTuple):
    """How rows are put into a table that may already have them, by a natural key."""

    table: Table
    columns: tuple[str, ...]
    """What the rows hold, in this order; ``key`` is among them."""
    key: tuple[str, ...]
    """The columns of a uniqueness constraint. No two rows of a batch may have them equal."""
    keep: frozenset[str] = frozenset()
    """Columns in which NULL leaves what is there."""
    once: frozenset[str] = frozenset()
    """Columns that are set when a row is new, and never changed."""
    stamps: frozenset[str] = frozenset()
    """Columns that are set with a change and are not one by themselves."""


class Upserted(NamedTuple):
    """What became of the rows; the rest were there and the same."""

    inserted: int
    updated: int


def upsert_rows(connection: Connection, how: Upsert, rows: Sequence[Sequence[Any]]) -> Upserted:
    """Insert the rows that are new and update those that differ, in two statements."""
    if not rows:
        return Upserted(0, 0)
    parameter = as_rows(rows)
    there = fetch(connection, _count(how), parameter)[0][0]
    written = change(connection, _upsert(connection.dialect.name, how), parameter)
    inserted = len(rows) - there
    return Upserted(inserted, written - inserted)


def put_rows(connection: Connection, how: Upsert, rows: Sequence[Sequence[Any]]) -> None:
    """As ``upsert_rows`` in one statement, for who need not know what became of them."""
    if rows:
        change(connection, _upsert(connection.dialect.name, how), as_rows(rows))


@cache
def _count(how: Upsert) -> Executable:
    batch = unfolded({name: how.table.c[name].type for name in how.columns})
    same = (how.table.c[name] == batch.c[name] for name in how.key)
    return select(func.count()).select_from(batch.join(how.table, and_(*same)))


@cache
def _upsert(dialect: str, how: Upsert) -> Executable:
    table = how.table
    batch = unfolded({name: table.c[name].type for name in how.columns})
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = make(table).from_select(how.columns, select(batch).where(true()))
    new: dict[str, ColumnElement[Any]] = {
        name: func.coalesce(statement.excluded[name], table.c[name])
        if name in how.keep
        else statement.excluded[name]
        for name in how.columns
        if name not in {*how.key, *how.once}
    }
    differs = (table.c[key].is_distinct_from(v) for key, v in new.items() if key not in how.stamps)
    return statement.on_conflict_do_update(index_elements=how.key, set_=new, where=or_(*differs))


@cache
def _insert(dialect: str, table: Table, columns: tuple[str, ...], *, or_ignore: bool) -> Executable:
    batch = unfolded({name: table.c[name].type for name in columns})
    # SQLite would read "SELECT … ON CONFLICT" as a join; a WHERE tells it otherwise.
    source = select(batch).where(true())
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = make(table).from_select(columns, source)
    return statement.on_conflict_do_nothing() if or_ignore else statement


@cache
def _update(table: Table, columns: tuple[str, ...]) -> Executable:
    batch = unfolded({name: table.c[name].type for name in columns})
    key, *others = columns
    return (
        update(table)
        .where(table.c[key] == batch.c[key])
        .values({table.c[name]: batch.c[name] for name in others})
    )
