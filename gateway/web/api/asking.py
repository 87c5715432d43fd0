"""What a request says, checked: its parameters, its body, its key; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final
from urllib.parse import parse_qs

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from gateway.web.api.models import Misfit
from gateway.web.api.problems import Problem, Words, Wrong, invalid, step_of

_MOST_FIELDS: Final = 100
_MOST_WRONG: Final = 50
"""Whoever has more mistakes sees these first."""
_KEY = re.compile(rb"[\x21-\x7e]{1,200}")
_CONTENT_TYPE = re.compile(r'application/json(\s*;\s*charset="?utf-8"?)?\s*', re.IGNORECASE)

_PERSIAN: Final[Mapping[str, str]] = {
    "missing": "لازم است",
    "extra_forbidden": "چنین فیلدی نیست",
    "string_type": "باید متن باشد",
    "string_too_short": "کوتاه‌تر از اندازه است (دست‌کم {min_length})",
    "string_too_long": "بلندتر از اندازه است (دست‌بالا {max_length})",
    "string_pattern_mismatch": "به شکل درست نیست",
    "int_type": "باید عدد صحیح باشد",
    "int_parsing": "باید عدد صحیح باشد",
    "bool_type": "باید true یا false باشد",
    "bool_parsing": "باید true یا false باشد",
    "list_type": "باید فهرست باشد",
    "dict_type": "باید شیء باشد",
    "model_type": "باید شیء باشد",
    "model_attributes_type": "باید شیء باشد",
    "too_short": "کمتر از اندازه است (دست‌کم {min_length})",
    "too_long": "بیشتر از اندازه است (دست‌بالا {max_length})",
    "greater_than_equal": "کوچک‌تر از اندازه است (دست‌کم {ge})",
    "less_than_equal": "بزرگ‌تر از اندازه است (دست‌بالا {le})",
    "literal_error": "از مقدارهای پذیرفته نیست",
    "enum": "از مقدارهای پذیرفته نیست",
}
_OTHERWISE: Final = "درست نیست"


def query_of(model: type[BaseModel], uri: bytes) -> Any:
    """The parameters behind the question mark. Raises ``Problem``."""
    _, _, asked = uri.partition(b"?")
    try:
        given = parse_qs(
            asked.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except ValueError:
        raise Problem(
            "malformed", "the address's parameters cannot be read", "پارامترهای نشانی خوانا نیست"
        ) from None
    twice = [name for name, values in given.items() if len(values) > 1]
    if twice:
        words = Words("is there more than once", "بیش از یک بار آمده است")
        raise Problem("invalid", wrong=[Wrong(name, words) for name in twice])
    plain = {name: values[0] for name, values in given.items()}
    _refuse_nul(plain, "")
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        raise _invalid(error, plain, slash="") from None


def body_of(model: type[BaseModel], content_type: str, content: bytes) -> Any:
    """The body as its model. Raises ``Problem``."""
    if not _CONTENT_TYPE.fullmatch(content_type):
        raise Problem(
            "media-type",
            "send JSON in UTF-8, with the header Content-Type: application/json",
            "بدنه را JSON با UTF-8 بفرستید، همراه سرآیند Content-Type: application/json",
        )
    try:
        data = from_json(content, allow_inf_nan=False)
    except ValueError as error:
        raise Problem(
            "malformed", f"the body is no JSON: {error}", "بدنهٔ درخواست JSON درستی نیست"
        ) from None
    _refuse_nul(data, "/")
    try:
        # By the rules of JSON and not of Python: a date is a text, "1" is no number.
        return model.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise _invalid(error, data, slash="/") from None


def key_of(said: bytes | None) -> str | None:
    """The idempotency key of a request, if it has one. Raises ``Problem``."""
    if said is None:
        return None
    if not _KEY.fullmatch(said):
        raise invalid(
            "Idempotency-Key",
            "has 1 to 200 visible ASCII characters, such as a UUID",
            "۱ تا ۲۰۰ نویسهٔ پیدای اسکی است، مانند یک UUID",
        )
    return said.decode("ascii")


def _refuse_nul(data: object, path: str) -> None:
    """PostgreSQL stores no NUL; nobody means one. Raises ``Problem``."""
    slash = "/" if path else ""
    match data:
        case str() if "\0" in data:
            raise invalid(path.rstrip("/"), "has a NUL character in it", "نویسهٔ NUL در آن است")
        case Mapping():
            for name, value in data.items():
                _refuse_nul(name, path)
                _refuse_nul(value, f"{path}{step_of(name)}{slash}")
        case Sequence() if not isinstance(data, str):
            for place, value in enumerate(data):
                _refuse_nul(value, f"{path}{place}{slash}")
        case _:
            pass


def _invalid(error: ValidationError, data: Any, slash: str) -> Problem:
    found: dict[str, list[Words]] = {}
    for one in error.errors(include_url=False, include_input=False):
        pointer = slash + "/".join(map(step_of, _place(one, data)))
        found.setdefault(pointer, []).append(_words(one))
    wrong = [
        # What may be of several kinds has a mistake for each of them.
        Wrong(pointer, Words("; ".join(w.en for w in said), "؛ ".join(w.fa for w in said)))
        for pointer, said in islice(found.items(), _MOST_WRONG)
    ]
    more = len(found) - len(wrong)
    return Problem(
        "invalid",
        f"{more} more mistakes are not listed" if more else "see errors",
        f"{more} نادرستی دیگر در فهرست نیامده است" if more else "errors را ببینید",
        wrong=wrong,
    )


def _place(one: ErrorDetails, data: Any) -> list[object]:
    """Where in ``data`` a mistake is: what pydantic calls kinds and keys is no place in it."""
    place: list[object] = []
    for depth, step in enumerate(one["loc"], 1):
        match data:
            case Mapping() if step in data:
                data = data[step]
            case list() if isinstance(step, int) and step < len(data):
                data = data[step]
            case _ if one["type"] != "missing" or depth < len(one["loc"]):
                continue
            case _:
                pass
        place.append(step)
    return place


def _words(one: ErrorDetails) -> Words:
    context = one.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, Misfit):
        return cause.words
    persian = _PERSIAN.get(one["type"], _OTHERWISE).format_map(context)
    return Words(one["msg"], persian)
