"""The templates that a profile ships: ``templates.toml``, a table for each.

They are saved once, as the first versions of templates that the utility has none of by that
name. What the utility made of them since is its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from core.reporting.sources import Sources
from core.reporting.types import SourceError
from core.templates.checks import DefinitionError, checked_name
from core.templates.loading import Ready
from core.templates.store import Draft
from gateway.minds import LineMind
from gateway.profiles import Profile
from gateway.report_files import REPORTS
from gateway.smpp.text import Alphabet
from gateway.templates.checking import Checked, Checker
from gateway.templates.errors import BodyError
from gateway.templates.written import FormError, WrittenToml

FILE: Final = "templates.toml"
IN_DEMO: Final = "in_demo"
"""A key of the file alone: whether the demo uses the template from the beginning."""

ANY_LINE: Final = "0"
"""In the place of a line's number, where there are no settings to look it up in."""


class Shipped(NamedTuple):
    """One of a profile's templates, checked."""

    name: str
    checked: Checked
    in_demo: bool


def read_shipped(folder: Path, utility: str, checker: Checker) -> list[Shipped]:
    """The templates in a profile's folder; none without a file. Raises ``FormError``."""
    found = []
    for each in _each(folder, utility, checker):
        if isinstance(each, FormError):
            raise each
        found.append(each)
    return found


def mistakes(folder: Path, profile: Profile) -> list[FormError]:
    """What is wrong with a profile's templates, whatever line they are to go out from."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8") if (folder / FILE).exists() else ""
        lines = {str(table.get("line", ANY_LINE)) for table in tomllib.loads(text).values()}
    except (OSError, ValueError, AttributeError):
        lines = set()  # what is wrong there is told when it is read
    mind = LineMind(profile, Alphabet.GSM7, 16)
    sources = Sources({profile.utility: [folder / REPORTS]})
    checker = Checker(dict.fromkeys((ANY_LINE, *sorted(lines)), mind), sources)
    return [each for each in _each(folder, profile.utility, checker) if isinstance(each, FormError)]


def _each(folder: Path, utility: str, checker: Checker) -> Iterator[Shipped | FormError]:
    """Each template of a file, or what is wrong with it."""
    file = folder / FILE
    if not file.exists():
        return
    try:
        written = WrittenToml(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        yield FormError(str(file), 1, 1, f"cannot be read: {error}")
        return
    except FormError as error:
        yield error
        return
    for name in written.tables:
        try:
            yield _checked(written, name, utility, checker)
        except FormError as error:
            yield error


def _checked(written: WrittenToml, name: str, utility: str, checker: Checker) -> Shipped:
    table = written.tables[name]
    in_demo = table.pop(IN_DEMO, False) if isinstance(table, dict) else False
    if not isinstance(in_demo, bool):
        raise written.error(IN_DEMO, "is neither true nor false", name)
    form = written.form(name)
    try:
        return Shipped(checked_name(name), checker.check(utility, form.made(), form.words), in_demo)
    except DefinitionError as error:
        raise written.of_definition(error, name) from None
    except BodyError as error:
        raise written.of_body(error, name) from None
    except SourceError as error:
        raise written.error("report", str(error), name) from None


def ready(
    shipped: Iterable[Shipped], utility: str, by: str, now: int, *, demo: bool = False
) -> list[Ready]:
    """As the core saves them: not in use, but in the demo those that are meant for it."""
    return [
        Ready(Draft(utility, name, checked.definition, checked.body, by, now), demo and in_demo)
        for name, checked, in_demo in shipped
    ]
