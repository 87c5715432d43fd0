"""The templates that a profile ships: ``templates.toml``, a table for each.

They are saved once, as the first versions of templates that the utility has none of by that
name. What the utility made of them since is its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from core.templates.checks import DefinitionError, checked_name
from core.templates.loading import Ready
from core.templates.store import Draft
from gateway.templates.checking import Checked, Checker
from gateway.templates.errors import BodyError
from gateway.templates.written import FormError, WrittenToml

FILE: Final = "templates.toml"
IN_DEMO: Final = "in_demo"
"""A key of the file alone: whether the demo uses the template from the beginning."""


class Shipped(NamedTuple):
    """One of a profile's templates, checked."""

    name: str
    checked: Checked
    in_demo: bool


def read_shipped(folder: Path, utility: str, checker: Checker) -> list[Shipped]:
    """The templates in a profile's folder; none without a file. Raises ``FormError``."""
    file = folder / FILE
    if not file.exists():
        return []
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FormError(str(file), 1, 1, f"cannot be read: {error}") from None
    written = WrittenToml(text, str(file))
    return list(_each(written, utility, checker))


def _each(written: WrittenToml, utility: str, checker: Checker) -> Iterator[Shipped]:
    for name, table in written.tables.items():
        in_demo = table.pop(IN_DEMO, False) if isinstance(table, dict) else False
        if not isinstance(in_demo, bool):
            raise written.error(IN_DEMO, "is neither true nor false", name)
        form = written.form(name)
        try:
            checked = checker.check(utility, form.made(), form.words)
            yield Shipped(checked_name(name), checked, in_demo)
        except DefinitionError as error:
            raise written.of_definition(error, name) from None
        except BodyError as error:
            raise written.of_body(error, name) from None


def ready(
    shipped: Iterable[Shipped], utility: str, by: str, now: int, *, demo: bool = False
) -> list[Ready]:
    """As the core saves them: not in use, but in the demo those that are meant for it."""
    return [
        Ready(Draft(utility, name, checked.definition, checked.body, by, now), demo and in_demo)
        for name, checked, in_demo in shipped
    ]
