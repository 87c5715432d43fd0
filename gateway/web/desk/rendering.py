"""Pages out of templates: escaped, in the visitor's language, digits and dates with it.

What every template has: ``t(key, **values)`` for words, ``language``, ``visit`` (who looks, and
``visit.may("inbox.reply")``), ``csrf`` (put by the macro ``form_begin``), ``link`` and ``static``
for addresses. Macros are imported ``with context``, so that they have these too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from core import jalali as calendar
from core.access.permissions import BUILT_IN, TITLES, Permission
from core.identifiers import masked_mobile
from core.particulars import masked_name
from core.text import ascii_digits, group, persian_digits
from gateway.precedence import Precedence
from gateway.web.desk import bill_words, wording
from gateway.web.desk.static import Static
from gateway.web.desk.texts import PERSIAN

FOLDER: Final = Path(__file__).parent / "templates"
NONE: Final = "–"
_LEAST_TO_MASK: Final = 5


class Renderer:
    """The templates, each compiled once."""

    def __init__(self, static: Static, precedence: Precedence) -> None:
        self._precedence = precedence
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(static=static.address, link=link)
        self._environment.filters.update(FILTERS)
        self._environment.filters.update(wording.FILTERS)
        self._environment.filters.update(bill_words.FILTERS)

    def warm(self) -> None:
        """Compile every template, which takes a tenth of a second and more: for a thread."""
        for name in self._environment.list_templates():
            self._environment.get_template(name)

    def render(self, name: str, /, **values: Any) -> bytes:
        """One page, in UTF-8."""
        return self._environment.get_template(name).render(values).encode()

    def draw(self, name: str, /, **values: Any) -> bytes:
        """The same on a thread of its own, where it gives way to messages."""
        pieces = self._environment.get_template(name).generate(values)
        return self._precedence.drawn(pieces).encode()


def link(path: str) -> str:
    """The address of a page of the desk by its path, ``/inbox``."""
    return f"/desk{path}"


def in_digits(language: str, text: object) -> str:
    """A text with its digits as the language has them."""
    return persian_digits(str(text)) if language == PERSIAN else str(text)


def in_threes(language: str, value: int) -> str:
    """A whole number grouped in threes, as the language writes it."""
    return group(value) if language == PERSIAN else f"{value:,}"


def masked_code(number: str) -> str:
    """A number that names somebody, with so much of it as tells two apart in a list."""
    return f"{number[:2]}***{number[-2:]}" if len(number) >= _LEAST_TO_MASK else "***"


@pass_context
def _digits(context: Context, value: object) -> str:
    return NONE if value is None else in_digits(context["language"], value)


@pass_context
def _number(context: Context, value: int | None) -> str:
    """Grouped in threes."""
    if value is None:
        return NONE
    return in_threes(context["language"], value)


@pass_context
def _date(context: Context, value: date | int | None) -> str:
    """A day, or the day in Tehran of UTC milliseconds, in Jalali."""
    if value is None:
        return NONE
    day = calendar.local(_instant(value)).date() if isinstance(value, int) else value
    return in_digits(context["language"], calendar.jalali(day))


@pass_context
def _time(context: Context, value: int | None) -> str:
    """UTC milliseconds as a Jalali date and the time in Tehran."""
    if value is None:
        return NONE
    return in_digits(context["language"], calendar.jalali_time(_instant(value)))


def _instant(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


@pass_context
def _mobile(context: Context, number: str | None, *, whole: bool = False) -> str:
    """A mobile as people write it; masked where it is not to be seen."""
    if not number:
        return NONE
    shown = number if whole else masked_mobile(number)
    local = f"0{shown[2:]}" if shown.startswith("98") else shown
    return in_digits(context["language"], local)


def _person(name: str | None, *, whole: bool = False) -> str:
    """A person's name; masked where it is not to be seen."""
    if not name:
        return NONE
    return name if whole else masked_name(name)


@pass_context
def _code(context: Context, number: str | None, *, whole: bool = False) -> str:
    """A subscription, a bill ID or a national code; masked where it is not to be seen."""
    if not number:
        return NONE
    return in_digits(context["language"], number if whole else masked_code(number))


@pass_context
def _role_title(context: Context, name: str, title: str = "") -> str:
    """What a role is called: a built-in one in the visitor's language."""
    built_in = BUILT_IN.get(name)
    if built_in is None:
        return title or name
    return built_in.title if context["language"] == PERSIAN else built_in.english


@pass_context
def _act_title(context: Context, action: str) -> str:
    """What an action of the audit log is called; its own name where nobody has named it."""
    words: str = context["visit"].say_or(f"audit.act.{action}", "")
    if words:
        return words
    titles = TITLES.get(Permission(action)) if action in set(Permission) else None
    return titles[context["language"] != PERSIAN] if titles else action


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "digits": _digits,
    "number": _number,
    "date": _date,
    "time": _time,
    "mobile": _mobile,
    "person": _person,
    "code": _code,
    "act_title": _act_title,
    "role_title": _role_title,
    "ascii": lambda text: ascii_digits(str(text)),
}
