"""Checking what somebody filled into a request, field by field. Pure.

Values are stored as text in one form each: digits are ASCII, mobiles E.164, dates ISO.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from core.identifiers import (
    MobileError,
    check_bill_id,
    check_legal_id,
    check_national_code,
)
from core.identifiers import mobile as normal_mobile
from core.jalali import DateError, parse_date
from core.requests.kinds import FieldType, RequestField, RequestKind
from core.text import fold, nearest_hint, normalise, storable

LONGEST_TEXT: Final = 20_000
"""Characters of a field or text: more than the 255 parts of a long message can hold."""
TOLD_BY_TEXT: Final = frozenset({FieldType.READING, FieldType.METER_SERIAL})
"""What a message by text has to bring where its kind asks for it; the rest is in its words."""
_LONGEST_NUMBER: Final = 20
"""Digits of a number that is a name, such as that of a subscription …"""
_LONGEST_COUNT: Final = 9
"""… and of one that counts something: units, instalments, a capacity."""
_SERIAL: Final = re.compile(r"[0-9A-Za-z/-]{2,30}")


class FieldError(ValueError):
    """A field of a request is missing, unknown or wrong; says which and how to do it right."""

    def __init__(self, words: str, key: str, place: str) -> None:
        """``key``: what is wrong, in any language: a type, ``long``, ``empty``, ``unknown``.

        ``place``: ``fields.NAME``, or ``text``.
        """
        self.key = key
        self.place = place
        super().__init__(words)


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint naming the nearest of ``known``, or all of them where none is near."""
    return nearest_hint(name, known) or "there are none"


def place_of(name: str) -> str:
    """Where a mistake in the field of that name is."""
    return f"fields.{name}"


def checked_text(text: str, place: str = "text") -> str:
    """Free text as it is stored. Raises ``FieldError`` when it is too long."""
    clean = storable(text).strip()
    if len(clean) > LONGEST_TEXT:
        words = f"the text has {len(clean)} characters; {LONGEST_TEXT} are taken"
        raise FieldError(words, "long", place)
    return clean


def checked(field: RequestField, value: str) -> str:
    """``value`` as it is stored. Raises ``FieldError``."""
    place = place_of(field.name)
    clean = checked_text(value, place)
    if not clean:
        raise FieldError(f"{field.name} ({field.title}) is empty", "empty", place)
    try:
        return _CHECKS[field.type](field, clean)
    except ValueError as error:
        words = f"{field.name} ({field.title}): {error}"
        raise FieldError(words, field.type.value, place) from None


def checked_fields(
    kind: RequestKind, values: Mapping[str, str], need: Container[FieldType] = tuple(FieldType)
) -> dict[str, str]:
    """All fields of a request, in the order in which the kind asks for them.

    A required field may be left out when its type is not in ``need``. Raises ``FieldError``
    for the first that is unknown, wrong or missing.
    """
    known = {field.name: field for field in kind.fields}
    for name in values:
        if name not in known:
            words = f"{kind.key} has no field {name!r}; {nearest(name, known)}"
            raise FieldError(words, "unknown", place_of(name))
    found = {name: checked(field, values[name]) for name, field in known.items() if name in values}
    missing = [
        field
        for field in kind.fields
        if field.required and field.type in need and field.name not in found
    ]
    if missing:
        names = ", ".join(f"{field.name} ({field.title})" for field in missing)
        raise FieldError(f"{kind.key} needs {names}", "empty", place_of(missing[0].name))
    return found


def _text(_field: RequestField, value: str) -> str:
    return value


def _digits(value: str, longest: int = _LONGEST_NUMBER) -> str:
    digits = normalise(value).replace(" ", "")
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{value!r} is not a number")
    if len(digits) > longest:
        raise ValueError(f"has {len(digits)} digits; at most {longest} are taken")
    return digits


def _name(_field: RequestField, value: str) -> str:
    return _digits(value)


def _count(_field: RequestField, value: str) -> str:
    count = int(_digits(value, _LONGEST_COUNT))
    if count == 0:
        raise ValueError("is nothing: 1 or more is taken")
    return str(count)


def _reading(_field: RequestField, value: str) -> str:
    return _digits(value, 9)


def _national_code(_field: RequestField, value: str) -> str:
    digits = _digits(value)
    check = check_legal_id if len(digits) == len("10380284790") else check_national_code
    found = check(digits)
    if not found:
        raise ValueError(f"{digits} is no national code or ID ({found})")
    return digits


def _mobile(_field: RequestField, value: str) -> str:
    try:
        return normal_mobile(value)
    except MobileError as error:
        raise ValueError(str(error)) from None


def _bill_id(_field: RequestField, value: str) -> str:
    digits = _digits(value)
    found = check_bill_id(digits)
    if not found:
        raise ValueError(f"{digits} is no bill ID ({found})")
    return digits


def _serial(_field: RequestField, value: str) -> str:
    serial = normalise(value).replace(" ", "")
    if not _SERIAL.fullmatch(serial):
        raise ValueError(f"{value!r} is no serial number")
    return serial


def _date(_field: RequestField, value: str) -> str:
    try:
        return parse_date(value).isoformat()
    except DateError as error:
        raise ValueError(str(error)) from None


def _choice(field: RequestField, value: str) -> str:
    for choice in field.choices:
        if fold(choice) == fold(value):
            return choice
    raise ValueError(f"{value!r} is none of {', '.join(field.choices)}")


_CHECKS: Final[Mapping[FieldType, Callable[[RequestField, str], str]]] = MappingProxyType(
    {
        FieldType.TEXT: _text,
        FieldType.NUMBER: _count,
        FieldType.NATIONAL_CODE: _national_code,
        FieldType.MOBILE: _mobile,
        FieldType.SUBSCRIPTION: _name,
        FieldType.READING: _reading,
        FieldType.METER_SERIAL: _serial,
        FieldType.BILL_ID: _bill_id,
        FieldType.DATE: _date,
        FieldType.CHOICE: _choice,
    }
)
