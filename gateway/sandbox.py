"""The sandbox that every template of ours runs in, and the filters that it writes with.

Jinja2 makes a context for each text that holds whatever a template could ask for. The
replies of a batch ask for little of it: ``writer`` gives them a context that makes the rest
when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from jinja2 import StrictUndefined, Template
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core import jalali as calendar
from core.calls import Fact
from core.text import ascii_digits, group, persian_digits
from gateway.rules.scan import ENGLISH

Write: TypeAlias = Callable[[Mapping[str, Fact]], str]
"""A template, ready to be filled in."""

_REMEMBERED: Final = 4096
"""Figures and days. A list is written several times to find how many of its rows fit."""


def rial(amount: int | str) -> str:
    """Write a figure grouped and in Persian digits: ``۱٬۲۵۰٬۰۰۰``; nothing for ``""``."""
    return "" if amount == "" else _grouped(int(amount))


_grouped = lru_cache(_REMEMBERED)(group)


def jalali(day: date | str) -> str:
    """Write a day, or the day in Tehran of an instant, as ``۱۴۰۴/۰۵/۰۱``; nothing for ``""``."""
    if isinstance(day, str):
        return persian_digits(day)
    if isinstance(day, datetime):
        # Two instants of one clock that is set back may be equal; those of UTC never are.
        return _day_of(day) if day.tzinfo is UTC else _day(calendar.local(day).date())
    return _day(day)


@lru_cache(_REMEMBERED)
def _day(day: date) -> str:
    return persian_digits(calendar.jalali(day))


@lru_cache(_REMEMBERED)
def _day_of(instant: datetime) -> str:
    return _day(calendar.local(instant).date())


def jalali_time(instant: datetime | str) -> str:
    """Write an instant as it is in Tehran, ``۱۴۰۴/۰۵/۰۱ ۱۴:۰۵``; nothing for ``""``."""
    if isinstance(instant, str):
        return persian_digits(instant)
    return persian_digits(calendar.jalali_time(instant))


class _Sandbox(ImmutableSandboxedEnvironment):
    """What a row has under a name is what the name means, before the row's methods."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        # Data is looked up as data. For all that is none the sandbox decides, as ever.
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def environment(
    words: Mapping[str, str] = MappingProxyType({}), language: str = ""
) -> ImmutableSandboxedEnvironment:
    """Make the sandbox that every template of ours runs in.

    The filter ``word`` says in ``words`` what the data has as a key, such as a state; what is
    not there is left as it is. In English, figures and days are in ASCII digits.
    """
    made = _Sandbox(undefined=StrictUndefined, autoescape=False)
    made.globals.clear()
    filters = {"rial": rial, "fa": persian_digits, "jalali": jalali, "jalali_time": jalali_time}
    if language == ENGLISH:
        filters = {name: _in_ascii(made_of) for name, made_of in filters.items()}
    made.filters.update(filters, word=lambda key: words.get(str(key), str(key)))
    return made


def _in_ascii(written: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: ascii_digits(written(value)).replace("٬", ",")


class _Context(Context):
    """The facts of one text, for a template without blocks, in a sandbox without globals."""

    def __init__(self, sandbox: Any, facts: Any) -> None:
        self.environment = sandbox
        self.parent = facts
        self.vars = {}
        self.exported_vars = set()
        self.name = None
        self.blocks = {}
        self.globals_keys = set()

    @cached_property
    def eval_ctx(self) -> EvalContext:  # type: ignore[override]
        """For the few filters that ask whether to escape."""
        return EvalContext(self.environment, None)


def writer(template: Template) -> Write:
    """Return what ``template.render`` does, at less expense where the template allows it."""
    sandbox, root = template.environment, template.root_render_func
    if template.blocks or template.globals:
        return template.render

    def write(facts: Mapping[str, Fact]) -> str:
        try:
            return "".join(root(_Context(sandbox, facts)))
        except Exception:  # noqa: BLE001 - raised again, with the template's lines
            sandbox.handle_exception()

    return write
