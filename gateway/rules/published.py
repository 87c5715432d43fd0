"""The commands of a profile as its ``codes.toml`` declares them, checked and made.

Each mistake an operator can make there is one ``ConfigError`` naming the pattern by its place
in the file, counted from one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from pydantic import Field as Setting

from core.calls import Argument
from core.text import ascii_digits, nearest_hint, persian_digits
from gateway.configuration import ConfigError, Frozen
from gateway.findings import Findings
from gateway.rules.grammar import spellings
from gateway.rules.pattern import MOST_FIELDS, TEXT, Field, Form, Pattern

_CODE: Final = re.compile(r"[0-9]{1,20}")
_KEYWORD: Final = re.compile(r"[^\W\d_]+(?: [^\W\d_]+)*|[^\w\s]")

_OMISSIBLE: Final = (Argument.NUMBER, Argument.CODE)
_TEXT: Final = (Argument.TEXT.value, f"{Argument.TEXT.value}?")
_OPTIONAL_YEAR: Final = f"{Argument.YEAR.value}?"


class OperationLike(Protocol):
    """What a profile needs to know of an operation in ``core.operations.REGISTRY``."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def required(self) -> frozenset[Argument]:
        """What it cannot do without."""

    @property
    def optional(self) -> frozenset[Argument]:
        """What it can work with besides."""

    @property
    def outcomes(self) -> Mapping[str, frozenset[str]]:
        """For each kind of outcome, the facts that a reply may use."""

    @property
    def rows(self) -> frozenset[str]:
        """What each row of its list holds; nothing where it lists nothing."""


class PublishedPattern(Frozen):
    """A ``[[pattern]]`` table."""

    operation: str
    codes: tuple[str, ...] = ()
    """Digits that name the command."""
    keywords: tuple[str, ...] = ()
    """Words, or one sign such as ``?``, that name it."""
    fields: tuple[str, ...] = ()
    """In published order; ``number|meter_serial`` is either, ``year?`` may be left out;
    ``text`` or ``text?``, if any, is last."""
    given: dict[Argument, str] = Setting(default_factory=dict, alias="with")
    """``with``: arguments that nobody types, such as the kind of a request."""
    registered_may_omit: bool = False
    """Whether a registered mobile may leave out the number and code, or the code."""
    bare: bool = False
    """Whether the fields alone, without code or keyword, name the command."""
    format: str = ""
    """How to write it, as replies show it; made from the first code and the fields if empty."""


class Codes(Frozen):
    """A ``codes.toml``."""

    courtesies: tuple[str, ...] = ()
    """Words that change nothing, also in a message that leaves the number out."""
    pattern: tuple[PublishedPattern, ...]


def patterns_of(
    file: Path,
    codes: Codes,
    fields: Mapping[Argument, Field],
    operations: Mapping[str, OperationLike],
    findings: Findings | None = None,
) -> tuple[Pattern, ...]:
    """Make the patterns of a file. Raises ``ConfigError`` for the first mistake, or notes all."""
    noting = (findings or Findings()).noting
    taken: dict[str, int] = {}
    made: list[Pattern] = []
    for place, given in enumerate(codes.pattern, 1):
        at = f"pattern[{place}]"
        with noting():
            _check_names(file, at, given, (place, taken))
        with noting():
            if given.operation not in operations:
                hint = nearest_hint(given.operation, operations)
                problem = f"there is no operation {given.operation!r}"
                raise ConfigError(file, f"{at}.operation", problem, hint)
            where = _Place(file, at, fields, operations[given.operation])
            made.append(_pattern(where, len(made), given))
    return tuple(made)


def _check_names(
    file: Path, at: str, given: PublishedPattern, others: tuple[int, dict[str, int]]
) -> None:
    place, taken = others
    for key, name in _names(file, at, given):
        if taken.setdefault(name, place) != place:
            problem = f"{name!r} also names pattern[{taken[name]}]"
            raise ConfigError(file, f"{at}.{key}", problem, "give each command its own")


def _names(file: Path, at: str, given: PublishedPattern) -> list[tuple[str, str]]:
    """The codes and keywords of a pattern with their keys, as they are compared."""
    names = [("codes", ascii_digits(code)) for code in given.codes]
    names += [("keywords", each) for word in given.keywords for each in spellings(word)]
    for key, name in names:
        if not (_CODE if key == "codes" else _KEYWORD).fullmatch(name):
            hint = "up to 20 digits" if key == "codes" else "words of letters, or one sign"
            raise ConfigError(file, f"{at}.{key}", f"{name!r} cannot name a command", hint)
    if not names and not given.bare:
        raise ConfigError(file, at, "has neither codes nor keywords", "or is it bare = true?")
    return names


class _Place(NamedTuple):
    """Where a pattern stands, and what its names may refer to."""

    file: Path
    at: str
    fields: Mapping[Argument, Field]
    operation: OperationLike

    def error(self, problem: str, hint: str = "", key: str = "fields") -> ConfigError:
        """A mistake in one of the pattern's keys."""
        return ConfigError(self.file, f"{self.at}.{key}", problem, hint)


def _pattern(place: _Place, rank: int, given: PublishedPattern) -> Pattern:
    takes_text = bool(given.fields) and given.fields[-1] in _TEXT
    digits = given.fields[:-1] if takes_text else given.fields
    choices = [_arguments(place, name) for name in digits]
    full = [_without_nothing(form) for form in product(*choices)]
    forms = list(dict.fromkeys(_forms(full, omit=given.registered_may_omit)))
    _check_given(place, given.given)
    for form in forms:
        said = (*form, *given.given, *([Argument.TEXT] if takes_text else ()))
        _check_form(place, form, said)
    codes = tuple(ascii_digits(code) for code in given.codes)
    return Pattern(
        place.operation.name,
        codes,
        given.keywords,
        tuple(sorted(forms, key=len, reverse=True)),
        given.format or _format(place, given, choices),
        {argument: place.fields[argument] for form in full for argument in form},
        rank,
        takes_text,
        given.bare,
        given.given,
        given.fields[-1:] == (_TEXT[1],),
        next((form for form in full if len(form) == _needed(choices)), ()),
    )


def _without_nothing(form: Iterable[Argument | None]) -> Form:
    return tuple(argument for argument in form if argument is not None)


def _needed(choices: Iterable[Sequence[Argument | None]]) -> int:
    return sum(None not in choice for choice in choices)


def _format(
    place: _Place, given: PublishedPattern, choices: Iterable[Sequence[Argument | None]]
) -> str:
    """How to write a command, where the file does not say it.

    Of the fields that may be left out it shows the year, whose form has to be told; where a list
    begins is told by the list before.
    """
    codes = (persian_digits(ascii_digits(code)) for code in given.codes)
    titles = [
        " یا ".join(place.fields[each].title for each in _without_nothing(choice))
        for choice in choices
        if None not in choice
    ]
    if given.fields[-1:] == (Argument.TEXT.value,):
        titles.append(TEXT.title)
    shown = "+".join([*[*codes, *given.keywords][:1], *titles])
    if _OPTIONAL_YEAR in given.fields:
        shown += f" (+{place.fields[Argument.YEAR].title})"
    return shown


def _arguments(place: _Place, name: str) -> list[Argument | None]:
    """The arguments that a name in ``fields`` stands for: one, or several after ``|``.

    ``None`` is among them when the field may be left out.
    """
    operation = place.operation
    takes = operation.required | operation.optional
    found: list[Argument | None] = []
    for part in name.removesuffix("?").split("|"):
        if part == Argument.TEXT:
            raise place.error("'text' is not the last field", "text takes all the rest")
        if part not in takes:
            raise place.error(f"{operation.name!r} takes no {part!r}", nearest_hint(part, takes))
        if part not in place.fields:
            hint = f"write [fields.{part}] in profile.toml"
            raise place.error(f"the length of {part!r} is not known", hint)
        found.append(Argument(part))
    return [*found, None] if name.endswith("?") else found


def _forms(full: list[Form], *, omit: bool) -> Iterator[Form]:
    yield from full
    if omit:
        for form in full:
            yield tuple(argument for argument in form if argument is not Argument.CODE)
        for form in full:
            yield tuple(argument for argument in form if argument not in _OMISSIBLE)


def _check_given(place: _Place, given: Mapping[Argument, str]) -> None:
    takes = place.operation.required | place.operation.optional
    for argument, value in given.items():
        if argument not in takes:
            problem = f"{place.operation.name!r} takes no {str(argument)!r}"
            raise place.error(problem, nearest_hint(argument, takes), "with")
        if not value:
            raise place.error(f"{str(argument)!r} is empty", key="with")


def _check_form(place: _Place, form: Form, said: Sequence[Argument]) -> None:
    """``said`` is all that a call gets: the form's digits, what is given, free text."""
    operation = place.operation
    if len(form) > MOST_FIELDS:
        raise place.error(f"more than {MOST_FIELDS} fields")
    if len(set(said)) < len(said):
        raise place.error("the same field twice")
    if Argument.TEXT in said and Argument.TEXT not in operation.required | operation.optional:
        raise place.error(f"{operation.name!r} takes no 'text'")
    for argument in sorted(operation.required.difference(said)):
        problem = f"{operation.name!r} needs {str(argument)!r}, and it may be left out"
        raise place.error(problem, "add it, or take registered_may_omit away")
