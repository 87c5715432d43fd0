"""Report files: SQL with a declaration in TOML, in the comments it begins with.

What a file must be like is told in docs/campaigns.md. ``read_source`` checks all that can be
checked without a database; ``core.reporting.reading.check`` does the rest.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from core.calls import Scalar
from core.jalali import parse_date
from core.reporting.types import (
    GIVEN,
    MOST_DAYS,
    MOST_NUMBER,
    OF_DAYS,
    ColumnType,
    Parameter,
    ParameterType,
    Source,
    SourceError,
)
from core.text import nearest_hint

SHIPPED: Final = Path(__file__).parent / "shipped"
_KEYS: Final = frozenset({
    "title", "about", "key", "subscriber", "mobile", "parameters", "columns",
})  # fmt: skip
_NAME: Final = re.compile("[a-z][a-z0-9_]*")
_OF_PARAMETER: Final = frozenset({"type", "title", "default", "values"})
_SKIPPED: Final = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/|::\w+", re.DOTALL)
_BOUND: Final = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")
_BEGINS: Final = re.compile(r"\s*(SELECT|WITH)\b", re.IGNORECASE)


class Sources:
    """The reports of each utility: its own, and those that are shipped."""

    def __init__(self, folders: Mapping[str, Sequence[Path]]) -> None:
        """``folders``: by utility, where its own are; one that is not there holds none."""
        self._folders = folders

    def files(self, utility: str) -> dict[str, Path]:
        """Every report's file by its name; the utility's own goes before a shipped one."""
        found: dict[str, Path] = {}
        for folder in (SHIPPED, *self._folders.get(utility, ())):
            found |= {file.stem: file for file in sorted(folder.glob("*.sql"))}
        return found

    def of(self, utility: str) -> list[Source]:
        """All reports of a utility, by name. Raises ``SourceError``."""
        return [read_source(file) for _name, file in sorted(self.files(utility).items())]

    def named(self, utility: str, name: str) -> Source:
        """One report, read anew: a change to its file needs no restart.

        Raises ``SourceError``, and ``LookupError`` with the nearest name.
        """
        files = self.files(utility)
        if name not in files:
            raise LookupError(f"there is no report {name!r}; {nearest_hint(name, files)}")
        return read_source(files[name])


def read_source(file: Path) -> Source:
    """Read a report's file. Raises ``SourceError``."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(file, 1, f"cannot be read: {error}") from None
    lines = text.splitlines()
    head = 0
    while head < len(lines) and lines[head].startswith("--"):
        head += 1
    declared = _declaration(file, [line.removeprefix("--") for line in lines[:head]])
    query = "\n".join(lines[head:]).strip()
    begins = next((n for n, line in enumerate(lines[head:], head + 1) if line.strip()), head + 1)
    query = query.removesuffix(";").rstrip()
    parameters = _parameters(file, declared.get("parameters", {}))
    source = Source(
        name=file.stem,
        file=file,
        title=_text(file, declared, "title"),
        about=_text(file, declared, "about", required=False),
        parameters=parameters,
        columns=_columns(file, declared.get("columns", {})),
        key=_text(file, declared, "key"),
        subscriber=_text(file, declared, "subscriber", required=False) or None,
        mobile=_text(file, declared, "mobile", required=False) or None,
        query=query,
        first_line=begins,
    )
    _check_columns(source)
    _check_query(source)
    return source


def _declaration(file: Path, lines: list[str]) -> dict[str, Any]:
    # One blank after the dashes is no part of what they say.
    toml = "\n".join(line.removeprefix(" ") for line in lines)
    try:
        declared = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        line = int(at[1]) if at else max(1, len(lines))
        raise SourceError(file, line, f"the declaration is not valid TOML: {error}") from None
    for name in declared.keys() - _KEYS:
        hint = nearest_hint(name, _KEYS)
        raise SourceError(file, _line_of(lines, name), f"unknown key {name!r}; {hint}")
    return declared


def _line_of(lines: Sequence[str], word: str) -> int:
    pattern = re.compile(rf"\b{re.escape(word)}\b")
    return next((number for number, line in enumerate(lines, 1) if pattern.search(line)), 1)


def _text(file: Path, declared: Mapping[str, Any], name: str, *, required: bool = True) -> str:
    value = declared.get(name, "")
    if not isinstance(value, str) or (required and not value):
        raise SourceError(file, 1, f'the declaration needs {name} = "…"')
    return value


def _parameters(file: Path, tables: Any) -> tuple[Parameter, ...]:
    if not isinstance(tables, dict):
        raise SourceError(file, 1, "[parameters] is not a table")
    found = []
    for name, table in tables.items():
        given = {"type": table} if isinstance(table, str) else table
        if not isinstance(given, dict) or given.keys() - _OF_PARAMETER:
            problem = f"parameter {name} is not {{ type, title, default, values }}"
            raise SourceError(file, 1, problem)
        if not _NAME.fullmatch(name) or name in GIVEN:
            raise SourceError(file, 1, f"a parameter cannot be called {name!r}")
        kind = given.get("type", "")
        if kind not in set(ParameterType):
            hint = nearest_hint(str(kind), ParameterType)
            raise SourceError(file, 1, f"parameter {name} has no type {kind!r}; {hint}")
        title = str(given.get("title", name))
        values, known = _values(file, name, kind, given.get("values", []))
        parameter = Parameter(name, ParameterType(kind), title, None, values, known)
        try:
            default = given_value(parameter, given.get("default"))
        except ValueError as error:
            raise SourceError(file, 1, f"the default of {name} {error}") from None
        found.append(replace(parameter, default=default))
    return tuple(found)


def _values(file: Path, name: str, kind: str, said: Any) -> tuple[tuple[str, ...], str]:
    """What a parameter may be: listed outright, or asked of the database."""
    if said and kind != ParameterType.TEXT:
        raise SourceError(file, 1, f"the values of {name} are told, and it is no text")
    if isinstance(said, list) and all(isinstance(each, str) for each in said):
        return tuple(said), ""
    if not isinstance(said, str):
        raise SourceError(file, 1, f"the values of {name} are neither texts nor a query")
    bare = _SKIPPED.sub(" ", said)
    if not _BEGINS.match(bare) or ";" in bare or set(_BOUND.findall(bare)) != {"utility"}:
        problem = f"the values of {name} are not one SELECT … AS value … that asks for :utility"
        raise SourceError(file, 1, problem)
    return (), said


def given_value(parameter: Parameter, given: object) -> Scalar | None:
    """What was given for a parameter, as its type and among its values; None stays None.

    Raises ``ValueError`` with what it is not: ``is not a number``.
    """
    value = parameter_value(parameter.type, given)
    if value is not None and parameter.values and value not in parameter.values:
        raise ValueError(f"is never {value!r}; {nearest_hint(str(value), parameter.values)}")
    return value


def parameter_value(kind: ParameterType, given: object) -> str | int | date | None:
    """What was given for a parameter, as its type; None stays None.

    Raises ``ValueError`` with what it is not: ``is not a number``.
    """
    if given is None:
        return None
    if kind is ParameterType.TEXT:
        return str(given)
    if kind is ParameterType.DATE:
        if isinstance(given, date):
            return given
        return parse_date(str(given))
    try:
        number = int(str(given))
    except ValueError:
        raise ValueError(f"is {given!r} and not a number") from None
    most = MOST_DAYS if kind in OF_DAYS else MOST_NUMBER
    if abs(number) > most:
        raise ValueError(f"is {given!r} and not between -{most} and {most}")
    return number


def _columns(file: Path, declared: Any) -> dict[str, ColumnType]:
    if not isinstance(declared, dict) or not declared:
        raise SourceError(file, 1, 'the declaration needs [columns]: name = "type"')
    for name, kind in declared.items():
        if kind not in set(ColumnType):
            hint = nearest_hint(str(kind), ColumnType)
            raise SourceError(file, 1, f"column {name} has no type {kind!r}; {hint}")
    return {name: ColumnType(kind) for name, kind in declared.items()}


def _check_columns(source: Source) -> None:
    for role in ("key", "subscriber", "mobile"):
        name = getattr(source, role)
        if name and name not in source.columns:
            hint = nearest_hint(name, source.columns)
            raise SourceError(source.file, 1, f"{role} names no column {name!r}; {hint}")
    if source.columns[source.key] not in (ColumnType.INTEGER, ColumnType.TEXT):
        raise SourceError(source.file, 1, f"the key {source.key} is neither integer nor text")
    if not source.subscriber and not source.mobile:
        problem = "says neither subscriber nor mobile: nobody could be told"
        raise SourceError(source.file, 1, problem)


def _check_query(source: Source) -> None:
    bare = _SKIPPED.sub(" ", source.query)
    if not _BEGINS.match(bare):
        raise SourceError(source.file, source.first_line, "the query is not a SELECT")
    if ";" in bare:
        raise SourceError(source.file, source.first_line, "there is more than one statement")
    known = {*GIVEN}
    for parameter in source.parameters:
        known.add(parameter.name)
        if parameter.type in OF_DAYS:
            known.add(f"{parameter.name}_at")
    for used in _BOUND.findall(bare):
        if used not in known:
            line = source.first_line + _line_of(source.query.split("\n"), f":{used}"[1:]) - 1
            raise SourceError(
                source.file, line, f"there is no parameter :{used}; {nearest_hint(used, known)}"
            )
    for needed in ("after", "limit"):
        if needed not in _BOUND.findall(bare):
            problem = "the query must go on behind :after and stop at :limit, by its key"
            raise SourceError(source.file, source.first_line, f"there is no :{needed}; {problem}")


def bound_names(source: Source) -> set[str]:
    """The parameters that the query really uses."""
    return set(_BOUND.findall(_SKIPPED.sub(" ", source.query)))
