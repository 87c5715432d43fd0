"""The words of the desk: a catalogue for each language, of the files in ``texts/``.

``texts/login.fa.toml`` holds Persian words whose keys begin with ``login.``; a table in it is
one more step: ``[error] name = "…"`` is ``login.error.name``. ``{name}`` is filled in. Both
languages have every key; a test compares them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from core.text import persian_digits

FOLDER: Final = Path(__file__).parent / "texts"
PERSIAN: Final = "fa"
ENGLISH: Final = "en"
LANGUAGES: Final = (PERSIAN, ENGLISH)


class Texts:
    """Every text in every language, read once."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.catalogues: Mapping[str, Mapping[str, str]] = {
            language: dict(_read(folder, language)) for language in LANGUAGES
        }

    def say(self, language: str, key: str, /, **values: Any) -> str:
        """One text, filled in; whole numbers in the language's digits. ``KeyError`` for no key."""
        text = self.catalogues[language][key]
        if not values:
            return text
        written = {
            name: persian_digits(value)
            if isinstance(value, int) and language == PERSIAN
            else str(value)
            for name, value in values.items()
        }
        return text.format_map(written)

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in self.catalogues[PERSIAN]


def _read(folder: Path, language: str) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.glob(f"*.{language}.toml")):
        page = file.name.removesuffix(f".{language}.toml")
        yield from _flat(page, tomllib.loads(file.read_text(encoding="utf-8")))


def _flat(prefix: str, table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}.{name}", value)
        else:
            yield f"{prefix}.{name}", value
