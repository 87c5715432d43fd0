"""Which column of a file is which: names in English or Persian, in any order."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from core.importing.errors import ImportFileError
from core.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.importing.kinds import Column, Kind

_REMARK: Final = re.compile(r"[(\[].*?[)\]]")
_BETWEEN: Final = re.compile(r"[\s_\-./:،]+")


def matched(kind: Kind, header: list[str], *, optional: Iterable[str] = ()) -> dict[int, Column]:
    """Find the column that each header names: index in the file to column.

    Case, blanks, half-spaces, underscores and remarks in brackets such as ``(ریال)`` do not
    matter; a column without a header is passed over. Those in ``optional`` may be missing
    whatever the kind says. Raises ``ImportFileError`` for a name that is not known, one
    that comes twice, or a required one that is not there.
    """
    known = _known(kind)
    found: dict[int, Column] = {}
    for index, name in enumerate(header):
        if not _folded(name):
            continue
        column = known.get(_folded(name))
        if column is None:
            raise ImportFileError(_unknown(kind, name, known))
        if column in found.values():
            raise ImportFileError(f"two columns say {column.name}: the second is {name.strip()!r}")
        found[index] = column
    there = {column.name for column in found.values()} | set(optional)
    missing = [column.name for column in kind.columns if column.required]
    if missing := [name for name in missing if name not in there]:
        raise ImportFileError(f"a file of {kind.name} needs the column {', '.join(missing)}")
    return found


def _known(kind: Kind) -> dict[str, Column]:
    return {
        _folded(name): column for column in kind.columns for name in (column.name, *column.persian)
    }


def _unknown(kind: Kind, name: str, known: dict[str, Column]) -> str:
    near = get_close_matches(_folded(name), known, n=1, cutoff=0.5)
    if near:
        column = known[near[0]]
        names = (column.name, *column.persian)
        nearest = next(each for each in names if _folded(each) == near[0])
        same = "" if nearest == column.name else f" ({column.name})"
        hint = f"did you mean {nearest!r}{same}?"
    else:
        hint = f"there are {', '.join(column.name for column in kind.columns)}"
    return f"{name.strip()!r} is no column of {kind.name}: {hint}"


def _folded(name: str) -> str:
    return _BETWEEN.sub("", _REMARK.sub("", fold(name)))
