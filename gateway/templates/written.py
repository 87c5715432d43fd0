"""Templates in a TOML text: what is wrong with one is told with its line and column.

The same form is what an editor opens (one template, its keys at the top) and what a profile
ships (``templates.toml``: a table for each).
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from core.templates.checks import DefinitionError
from gateway.configuration import ConfigError, as_model
from gateway.templates.errors import BodyError
from gateway.templates.form import TemplateForm

_AT: Final = re.compile(r"(?P<problem>.*) \(at line (?P<line>\d+), column (?P<column>\d+)\)")
_BLANK: Final = " \t\r\n"
_ESCAPES: Final = {"u": 5, "U": 9}


class FormError(ValueError):
    """A mistake in a written template, in one line."""

    def __init__(self, where: str, line: int, column: int, problem: str) -> None:
        self.where = where
        self.line = line
        self.column = column
        self.problem = problem
        before = f"{where}, " if where else ""
        super().__init__(f"{before}line {line}, column {column}: {problem}")


class WrittenToml:
    """A TOML text, read, that knows where its keys stand."""

    def __init__(self, text: str, where: str = "") -> None:
        """``where``: what to call the text in errors. Raises ``FormError``."""
        self._text = text
        self._where = where
        try:
            self.tables: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            found = _AT.fullmatch(str(error))
            line = int(found["line"]) if found else text.count("\n") + 1
            column = int(found["column"]) if found else 1
            problem = (
                found["problem"] if found else str(error).removesuffix(" (at end of document)")
            )
            raise FormError(where, line, column, f"is not valid TOML: {problem}") from None

    def form(self, table: str = "") -> TemplateForm:
        """The template in ``table``, or at the top. Raises ``FormError``."""
        given = self.tables[table] if table else self.tables
        if not isinstance(given, dict):
            raise self.error(table, "is not a table")
        try:
            return as_model(Path(), given, TemplateForm)
        except ConfigError as error:
            problem = f"{error.key}: {error.problem}" + (f"; {error.hint}" if error.hint else "")
            raise self.error(error.key, problem, table, named=True) from None

    def of_definition(self, error: DefinitionError, table: str = "") -> FormError:
        """A mistake in a setting, with its place."""
        return self.error(error.key, str(error), table, named=True)

    def of_body(self, error: BodyError, table: str = "") -> FormError:
        """A mistake in the words, with its place in this text."""
        line, column = self._in_body(error.line, error.column, table)
        return FormError(self._where, line, column, f"body: {error.problem}")

    def error(self, key: str, problem: str, table: str = "", *, named: bool = False) -> FormError:
        """A mistake at a key."""
        line, column = self._place(self._key(re.split(r"[.\[]", key)[0], table))
        return FormError(self._where, line, column, problem if named else f"{key}: {problem}")

    def _begin(self, table: str) -> int:
        """Where a table begins."""
        if not table:
            return 0
        found = re.search(
            rf"^\s*\[\s*[\"']?{re.escape(table)}[\"']?\s*\]", self._text, re.MULTILINE
        )
        return found.end() if found else 0

    def _key(self, key: str, table: str) -> int:
        begin = self._begin(table)
        found = re.compile(rf"^[ \t]*([\"']?{re.escape(key)}[\"']?)\s*[=.]", re.MULTILINE).search(
            self._text, begin
        )
        return found.start(1) if found else begin

    def _place(self, offset: int) -> tuple[int, int]:
        before = self._text.rfind("\n", 0, offset)
        return self._text.count("\n", 0, offset) + 1, offset - before

    def _in_body(self, line: int, column: int, table: str) -> tuple[int, int]:
        """The place in this text of a place in the words."""
        key = self._key("body", table)
        opening = re.compile(r"body[\"']?\s*=\s*(\"\"\"|'''|\"|')").match(self._text, key)
        if opening is None:
            return self._place(key)
        at = _after_newline(self._text, opening.end()) if len(opening[1]) > 1 else opening.end()
        escaped = opening[1].startswith('"')
        # The words are kept without the blanks around them.
        while at < len(self._text) and self._text[at] in _BLANK:
            at += 1
        seen_line, seen_column = 1, 1
        while at < len(self._text) and (seen_line, seen_column) < (line, column):
            sign, at = self._next(at, escaped=escaped)
            if sign == "\n":
                seen_line, seen_column = seen_line + 1, 1
            elif sign:
                seen_column += 1
        return self._place(at)

    def _next(self, at: int, *, escaped: bool) -> tuple[str, int]:
        """What a sign of the text is in the words, and where the next one stands."""
        sign = self._text[at]
        if sign != "\\" or not escaped:
            return sign, at + 1
        follows = self._text[at + 1 : at + 2]
        if follows in _BLANK:
            # The end of a line that goes on in the next.
            at += 1
            while at < len(self._text) and self._text[at] in _BLANK:
                at += 1
            return "", at
        return ("\n" if follows == "n" else follows), at + 1 + _ESCAPES.get(follows, 1)


def _after_newline(text: str, at: int) -> int:
    return at + 1 if text[at : at + 1] == "\n" else at


# --- writing --------------------------------------------------------------------------

_COMMENTS: Final[Mapping[str, str]] = {
    "line": "the number that it goes out from",
    "audience": "service, advertising: which kind of line it needs",
    "topic": "what people may opt out of: bills, receipts, outages, notices …",
    "required": "true: the law requires it, also for those who opted out",
    "language": "fa, en",
    "receivers": "contacts, first_contact, recipients (asked for bills by SMS), row",
    "on": "the events that it is made of: bill_issued, voucher_issued …",
    "where": 'facts that an event must have: { kind = "period" }',
    "report": "or the report whose rows it is made of",
    "parameters": "of the report: { days = 30 }",
    "outage_before": "or how long before a planned outage: 1d",
    "outage_cancelled": "or true: an outage that was told of and is cancelled",
    "produce": "when it is made: every day 08:00; days 1,15,last of month 08:00; empty: at once",
    "missed": "once, skip: what becomes of times that passed while no daemon ran",
    "starts": "the first day on which it is made, such as 1405/01/01",
    "ends": "the last day",
    "attempts": "how often sending is tried",
    "pauses": "before the second attempt, the third …; the last one is repeated …",
    "growth": "… and grows by so many percent each time",
    "retry_on": "receipts after which it is tried again: undeliverable, expired",
    "hours": "when it may go out: 08:00-21:00; sat-wed 08:00-13:00; empty: at any time",
    "validity": "from when on it helps nobody any more",
    "priority": "1 to 9; answers to people go first always",
    "uncertain": "leave, resend: what becomes of a submission that was never answered",
}
_GAP: Final = 34


def write_form(head: str, form: Mapping[str, Any], footer: str = "") -> str:
    """A commented TOML text that reads as ``form``; ``head`` is its first line."""
    lines = [f"# {head}", ""]
    for key, value in form.items():
        if key == "body":
            continue
        said = f"{key} = {_toml(value)}"
        lines.append(f"{said:<{_GAP}}  # {_COMMENTS[key]}" if key in _COMMENTS else said)
    lines += [
        "",
        *(f"# {line}" for line in footer.splitlines()),
        f"body = {_words(form['body'])}",
        "",
    ]
    return "\n".join(lines)


def _words(body: str) -> str:
    if "'''" in body or "\r" in body or body.endswith("'"):
        return _toml(body)
    return f"'''\n{body}\n'''"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_bare(name)} = {_toml(each)}" for name, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    # JSON's texts are TOML's, but for the one control character that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _bare(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)
