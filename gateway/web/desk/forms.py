"""What a form sent, read field by field; what is wrong stands beside its field."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple, TypeVar

from core.identifiers import MobileError
from core.identifiers import mobile as normal_mobile
from core.ids import MOST
from core.jalali import DateError, parse_date
from core.text import ascii_digits, is_seen, storable

V = TypeVar("V")
_MOST_TEXT: Final = 2000
_MOST_DIGITS: Final = 19


class Upload(NamedTuple):
    """A file that was sent."""

    name: str
    content: bytes


class Form:
    """The fields of a form that was sent, or of one that is about to be filled in.

    Each reader notes in ``errors`` what is wrong with its field, in the visitor's language, and
    gives an empty value then: read every field first, ask ``is_right`` after.
    """

    def __init__(
        self,
        values: Mapping[str, Sequence[str]],
        say: Callable[..., str],
        uploads: Mapping[str, Upload] | None = None,
    ) -> None:
        self._values = {name: list(given) for name, given in values.items()}
        self.say = say
        """Words in the visitor's language, by their key."""
        self._uploads = uploads or {}
        self.errors: dict[str, str] = {}

    @property
    def names(self) -> Sequence[str]:
        """The fields that there are."""
        return list(self._values)

    @property
    def is_right(self) -> bool:
        """Whether nothing was wrong so far."""
        return not self.errors

    def wrong(self, field: str, key: str, **values: Any) -> None:
        """Note what is wrong with a field: a text's key. The first mistake of a field stays."""
        self.errors.setdefault(field, self.say(key, **values))

    def raw(self, field: str) -> str:
        """What was typed, for showing it again."""
        return next(iter(self._values.get(field, ())), "")

    def raws(self, field: str) -> Sequence[str]:
        """Every value of a field, such as boxes that are ticked."""
        return self._values.get(field, [])

    def fill(self, **values: object) -> Form:
        """Put in what the form begins with; None leaves a field empty."""
        for name, value in values.items():
            several = isinstance(value, list | tuple | set | frozenset)
            each: Iterable[Any] = value if several else ([] if value is None else [value])  # type: ignore[assignment]
            self._values[name] = [str(one) for one in each]
        return self

    def text(self, field: str, *, most: int = _MOST_TEXT, required: bool = False) -> str:
        """A text without blanks at its ends."""
        said = storable(self.raw(field)).replace("\r\n", "\n").strip()
        if required and not is_seen(said):
            self.wrong(field, "form.required")
            return ""
        if len(said) > most:
            self.wrong(field, "form.long", most=most)
            return ""
        return said

    def secret(self, field: str) -> str:
        """A password, as it was typed."""
        said = self.raw(field)
        if not said:
            self.wrong(field, "form.required")
        return said

    def tick(self, field: str) -> bool:
        """Whether a box is ticked."""
        return bool(self.raw(field))

    def choice(self, field: str, known: Collection[str], *, required: bool = True) -> str:
        """One of ``known``; "" for none where none is required."""
        said = self.raw(field)
        if said in known:
            return said
        if said or required:
            self.wrong(field, "form.choice")
        return ""

    def choices(self, field: str, known: Collection[str]) -> list[str]:
        """Several of ``known``, each once."""
        said = list(dict.fromkeys(self.raws(field)))
        if any(each not in known for each in said):
            self.wrong(field, "form.choice")
        return [each for each in said if each in known]

    def number(
        self,
        field: str,
        *,
        least: int = 0,
        most: int = 10**15,
        required: bool = False,
    ) -> int | None:
        """A whole number in any digits; grouping marks are forgiven."""
        said = ascii_digits(self.text(field, most=40, required=required))
        if not said:
            return None
        digits = said.translate({ord(mark): None for mark in ",٬ _"})
        if not digits.isascii() or not digits.isdigit() or len(digits) > _MOST_DIGITS:
            self.wrong(field, "form.number")
            return None
        if not least <= int(digits) <= most:
            self.wrong(field, "form.between", least=least, most=most)
            return None
        return int(digits)

    def row_id(self, field: str, *, required: bool = False) -> int | None:
        """The id of a row."""
        return self.number(field, most=MOST, required=required)

    def day(self, field: str, *, required: bool = False) -> date | None:
        """A Jalali (or ISO) date in any digits."""
        return self._parsed(field, parse_date, (DateError,), "form.date", required=required)

    def mobile(self, field: str, *, required: bool = False) -> str | None:
        """A mobile as it is stored: ``989131234567``."""
        return self._parsed(field, normal_mobile, (MobileError,), "form.mobile", required=required)

    def upload(self, field: str, *, required: bool = False) -> Upload | None:
        """A file that was sent."""
        found = self._uploads.get(field)
        if found is None and required:
            self.wrong(field, "form.file")
        return found

    def _parsed(
        self,
        field: str,
        parse: Callable[[str], V],
        mistakes: tuple[type[Exception], ...],
        key: str,
        *,
        required: bool,
    ) -> V | None:
        said = self.text(field, most=60, required=required)
        if not said:
            return None
        try:
            return parse(said)
        except mistakes:
            self.wrong(field, key)
            return None
