"""The languages a profile answers in: its own, and English where it has ``replies.en.toml``.

Whoever writes in Latin letters (``balance 10000001 4321``, or just ``en`` after the command)
is answered in English; without that file everybody is answered in the utility's own language.
The file is like ``replies.toml`` with a table more: ``[titles]``, what fields are called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import TemplateError

from core.calls import Argument
from core.text import persian_digits
from gateway.configuration import ConfigError, Frozen, as_model, read_toml
from gateway.rules.grammar import Wording
from gateway.rules.pattern import TEXT, Field, Pattern
from gateway.rules.scan import ENGLISH
from gateway.rules.values import CHECKED
from gateway.sandbox import environment

OWN: Final = ""
"""The language of ``replies.toml``."""


class Spoken(NamedTuple):
    """A replies file, and what was wrong with a message in its words."""

    file: Path
    tables: Mapping[str, Any]
    """The file's tables, without those that ``wording`` was made of."""
    wording: Wording


class _Wrong(Frozen):
    missing: str
    length: str
    check: str
    extra: str
    alone: str


def load_languages(
    directory: Path, fields: Mapping[Argument, Field], patterns: Sequence[Pattern]
) -> dict[str, Spoken]:
    """The languages of the profile in ``directory``; ``OWN`` is always one.

    Raises ``ConfigError`` for the first mistake in what was wrong and in titles.
    """
    file = directory / "replies.toml"
    tables = read_toml(file)
    wording = _wording(file, tables.pop("wrong", {}), {**fields, Argument.TEXT: TEXT}, OWN)
    spoken = {OWN: Spoken(file, tables, wording)}
    file = directory / "replies.en.toml"
    if file.exists():
        tables = read_toml(file)
        titled = _titled(file, tables.pop("titles", {}), fields)
        wording = _wording(file, tables.pop("wrong", {}), titled, ENGLISH)
        for pattern in patterns:
            wording.formats[pattern.rank] = _format(pattern, titled)
        spoken[ENGLISH] = Spoken(file, tables, wording)
    return spoken


def _titled(file: Path, titles: Any, fields: Mapping[Argument, Field]) -> dict[Argument, Field]:
    if not isinstance(titles, dict):
        raise ConfigError(file, "titles", "is not a table")
    named = {**fields, Argument.TEXT: TEXT}
    for argument in named:
        if not isinstance(titles.get(argument), str):
            raise ConfigError(file, f"titles.{argument}", "is missing", "every field needs one")
    return {argument: known._replace(title=titles[argument]) for argument, known in named.items()}


def _format(pattern: Pattern, titled: Mapping[Argument, Field]) -> str:
    """How to write a command in English: as ``gateway.rules.published`` does in Persian."""
    names = [*pattern.codes, *(word for word in pattern.keywords if word.isascii())]
    form = pattern.full if pattern.basic is None else pattern.basic
    titles = [titled[argument].title for argument in form]
    if pattern.takes_text and not pattern.text_optional:
        titles.append(titled[Argument.TEXT].title)
    shown = "*".join([*(names[:1] or pattern.keywords[:1]), *titles])
    if Argument.YEAR in pattern.full and Argument.YEAR not in form:
        shown += f" (*{titled[Argument.YEAR].title})"
    return shown


def _wording(file: Path, table: Any, named: Mapping[Argument, Field], language: str) -> Wording:
    """Write what can be wrong with each field, so that no message has to wait for it."""
    if not isinstance(table, dict):
        raise ConfigError(file, "wrong", "is not a table")
    phrases = as_model(file, table, _Wrong, "wrong")

    def each(key: str, arguments: Sequence[Argument]) -> dict[Argument, str]:
        source = getattr(phrases, key)
        return {each: _phrase(file, key, source, named[each], language) for each in arguments}

    digits = [argument for argument in named if argument is not Argument.TEXT]
    text = named[Argument.TEXT]
    return Wording(
        each("missing", list(named)),
        each("length", digits),
        each("check", [argument for argument in digits if argument in CHECKED]),
        _phrase(file, "extra", phrases.extra, text, language),
        _phrase(file, "alone", phrases.alone, text, language),
    )


def _phrase(file: Path, key: str, source: str, known: Field, language: str) -> str:
    lengths = list(dict.fromkeys((known.shortest, known.longest)))
    if language == ENGLISH:
        digits = " to ".join(map(str, lengths))
    else:
        digits = " تا ".join(map(persian_digits, lengths))
    try:
        return environment().from_string(source).render(field=known.title, digits=digits)
    except TemplateError as error:
        hint = "the variables are field and digits"
        raise ConfigError(file, f"wrong.{key}", f"cannot be filled in: {error}", hint) from None
