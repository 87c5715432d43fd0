"""What a report is asked for and no row has: a region, a period, a kind that is misspelt."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from core.reporting.reading import Question, only_reading
from core.reporting.types import Parameter, Source, SourceError
from core.text import nearest_hint


def unknown_values(connection: Connection, question: Question, utility: str) -> list[str]:
    """A sentence for each parameter whose value no row of the utility has now.

    The report gives nothing then, which may be right: nothing is refused for it. A query that
    is served by no index reads its table, so this is for people who wait, not for rounds.
    Raises ``SourceError``.
    """
    return list(_unknown(connection, question, utility))


def check_known(connection: Connection, source: Source) -> None:
    """Have the database read the queries for known values. Raises ``SourceError``."""
    for parameter in source.parameters:
        if parameter.known:
            _ask(connection, source, _ANY.format(parameter.known), {"utility": "", "said": ""})


def _unknown(connection: Connection, question: Question, utility: str) -> Iterator[str]:
    source = question.source
    for parameter in source.parameters:
        said = question.values.get(parameter.name)
        if not parameter.known or said is None or said == parameter.default:
            continue
        if not _ask(connection, source, _ANY.format(parameter.known), _bound(utility, said)):
            yield _words(connection, source, parameter, utility, said)


def _words(
    connection: Connection, source: Source, parameter: Parameter, utility: str, said: str
) -> str:
    known = _ask(connection, source, _EVERY.format(parameter.known), {"utility": utility})
    hint = nearest_hint(said, known) or "it has none yet"
    return f"no row of {utility} has the {parameter.name} {said!r}; {hint}"


def _ask(connection: Connection, source: Source, query: str, bound: dict[str, str]) -> list[str]:
    with only_reading(connection):
        try:
            return [str(value) for value in connection.scalars(text(query), bound) if value]
        except SQLAlchemyError as error:
            problem = str(getattr(error, "orig", error)).splitlines()[0]
            raise SourceError(source.file, 1, f"the query for known values: {problem}") from None


def _bound(utility: str, said: str) -> dict[str, str]:
    return {"utility": utility, "said": said}


_ANY = "SELECT value FROM ({}) AS known WHERE value = :said LIMIT 1"
_EVERY = "SELECT DISTINCT value FROM ({}) AS known ORDER BY value DESC LIMIT 40"
