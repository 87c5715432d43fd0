"""The kinds of values that settings have, and what is checked of each.

A check raises ``ValueError`` with words that follow the key: ``lines[1].number: …``. It
never repeats the value of a secret.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from core.database import checked_url
from core.secrecy import KEY_BYTES
from core.text import ascii_digits

SYSTEM_ID_LIMIT = 15
PASSWORD_LIMIT = 8
"""SMPP 3.4, 4.1.1: what fits the fields of a bind request."""


def _digits(value: object) -> object:
    """A short code as ASCII digits: Persian ones, blanks and a leading + are forgiven."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return value
    digits = "".join(ascii_digits(str(value)).split()).removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("is not a number of digits")
    return digits


def _number_or_code(value: object) -> object:
    """A short code, or a USSD code such as ``*1522#``; Persian digits are forgiven here too."""
    if not (isinstance(value, str) and "*" in value):
        return _digits(value)
    code = "".join(ascii_digits(value).split()).removesuffix("#")
    if not re.fullmatch(r"(\*[0-9]+)+", code):
        raise ValueError("is not a code that can be dialled, such as *1522#")
    return f"{code}#"


def _short_enough(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) > PASSWORD_LIMIT:
        raise ValueError(f"has more than the {PASSWORD_LIMIT} characters that SMPP allows")
    return value


def _usable_url(value: SecretStr) -> SecretStr:
    url = checked_url(value.get_secret_value())
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise ValueError("a database in memory would lose everything; name a file")
    return value


def _long_enough(value: SecretStr) -> SecretStr:
    size = len(value.get_secret_value().encode())
    if size < KEY_BYTES:
        raise ValueError(f"has {size} bytes; it needs at least {KEY_BYTES}")
    return value


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]
LineNumber = Annotated[str, BeforeValidator(_number_or_code), Field(min_length=2, max_length=20)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
Octet = Annotated[int, Field(ge=0, le=255)]
Password = Annotated[SecretStr, AfterValidator(_short_enough)]
MasterKey = Annotated[SecretStr, AfterValidator(_long_enough)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_usable_url)]
SystemId = Annotated[str, Field(min_length=1, max_length=SYSTEM_ID_LIMIT)]
