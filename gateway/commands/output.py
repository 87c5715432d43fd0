"""How results are shown: tables for people, JSON for programs.

People see Jalali dates and Tehran time, programs ISO 8601 in UTC. Persian text in a table
is isolated (U+2068 … U+2069) so that a terminal that reorders it leaves the columns
beside it alone; in a pipe and in JSON it stays as it is. What people wrote may hold marks
that turn text round, or drive a terminal: those show as ``\ufffd``, and in JSON as escapes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table

from core.jalali import jalali_time
from core.text import harmless

FIRST_STRONG_ISOLATE = "\u2068"
POP_ISOLATE = "\u2069"
WIDE = 200
"""Columns to assume when the output is not a terminal."""
SHOWN_OF_TEXT = 60
GAP = 2
"""Blanks between two columns of a table."""
NARROWEST = 12
"""The least that is left of a text so that a line fits the terminal …"""
WHEN_FOLDED = 30
"""… and what is left of it where the line does not fit at all."""

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")

_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def console(*, stderr: bool = False) -> Console:
    """A console that does not fold tables to 80 columns in a pipe."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(
        stderr=stderr, width=None if stream.isatty() else WIDE, highlight=False, soft_wrap=False
    )


def print_json(value: Any) -> None:
    """Print JSON that people can read too."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    print(_TURNING.sub(lambda mark: f"\\u{ord(mark[0]):04x}", text))  # noqa: T201 - it is the output


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print names and their values, one pair a line."""
    print_table(("", ""), facts, header=False)


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    header: bool = True,
    texts: Collection[str] = (),
) -> None:
    """Print rows of plain values; None shows as a dash.

    Where a terminal is too narrow the columns ``texts`` are cut. The others never are,
    since an id or a date that is cut is of no use: the terminal folds the line instead.
    """
    shown = [["–" if value is None else harmless(str(value)) for value in row] for row in rows]
    screen = console()
    widths = [max(map(cell_len, column)) for column in zip(columns, *shown, strict=True)]
    if sys.stdout.isatty():
        widths = _fitted(widths, [column in texts for column in columns], screen.width)
    table = Table(box=None, header_style="bold", pad_edge=False, show_header=header)
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column, no_wrap=True, width=width)
    for cells in shown:
        table.add_row(*(isolated(_cut(c, width)) for c, width in zip(cells, widths, strict=True)))
    screen.width = max(screen.width, sum(widths) + GAP * (len(widths) - 1))
    screen.print(table, markup=False)


def _fitted(widths: Sequence[int], may_be_cut: Sequence[bool], most: int) -> list[int]:
    """``widths`` with those that may be cut made alike narrow, so far that a line fits."""

    def with_texts_of(longest: int) -> list[int]:
        columns = zip(widths, may_be_cut, strict=True)
        return [min(width, longest) if cut else width for width, cut in columns]

    room = most - GAP * (len(widths) - 1)
    for longest in range(max(widths), NARROWEST - 1, -1):
        if sum(with_texts_of(longest)) <= room:
            return with_texts_of(longest)
    return with_texts_of(WHEN_FOLDED)


def _cut(text: str, width: int) -> str:
    """``text`` as far as it fits, before it is isolated: the closing mark has to stay."""
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def isolated(text: str) -> str:
    """``text``, harmless, so that its direction touches nothing beside it where that matters."""
    text = harmless(text)
    if sys.stdout.isatty() and is_right_to_left(text):
        return f"{FIRST_STRONG_ISOLATE}{text}{POP_ISOLATE}"
    return text


def is_right_to_left(text: str) -> bool:
    """Whether there is Persian in it, or another script that is written that way."""
    return _RIGHT_TO_LEFT.search(text) is not None


def one_line(text: str, most: int = SHOWN_OF_TEXT) -> str:
    """The beginning of a text as it fits a table's cell."""
    line = " / ".join(text.split("\n"))
    return line if len(line) <= most else line[: most - 1] + "…"


def for_people(at_ms: int | None) -> str:
    """An instant as Jalali date and Tehran time."""
    return "–" if at_ms is None else jalali_time(datetime.fromtimestamp(at_ms / 1000, UTC))


def for_programs(at_ms: int | None) -> str | None:
    """An instant as ISO 8601 in UTC."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
