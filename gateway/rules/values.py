"""What the digits of a field may be, where the field itself says so: identifiers, years, mobiles.

Source: DOMAIN sections 3 and 4. A run of digits with the right length is not yet a bill ID or
a year: one that cannot be is no reading of a message, and the answer says which field it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from core import tracking
from core.calls import Argument
from core.identifiers import MobileError, check_bill_id, check_payment_id, mobile

IDENTIFIERS: Final = frozenset({Argument.BILL_ID, Argument.PAYMENT_ID, Argument.TRACKING})
"""The fields that prove themselves by a check digit."""

CHECKED: Final = IDENTIFIERS | {Argument.YEAR, Argument.START, Argument.MOBILE}
"""The fields whose digits cannot be just any."""

_FIRST_YEAR: Final = 1300
_LAST_YEAR: Final = 1499
_CENTURY_TURNS: Final = 50
"""A year of two digits from here on is of the 1300s: «۹۸» is 1398, «۰۴» is 1404."""


def unproven(arguments: Mapping[Argument, str]) -> Argument | None:
    """The first field among ``arguments`` that its digits cannot be, if any is."""
    for argument, digits in arguments.items():
        is_possible = _POSSIBLE.get(argument)
        if is_possible is not None and not is_possible(digits):
            return argument
    payment_id = arguments.get(Argument.PAYMENT_ID)
    # A pair is judged as one, when each of the two is sound by itself.
    if payment_id is not None and not check_payment_id(
        payment_id, arguments.get(Argument.BILL_ID, "")
    ):
        return Argument.PAYMENT_ID
    return None


def proven(arguments: Mapping[Argument, str]) -> bool:
    """Whether every field among ``arguments`` can be what its digits say."""
    return unproven(arguments) is None


def settled(arguments: Mapping[Argument, str]) -> dict[Argument, str]:
    """Proven ``arguments`` as operations take them: years of four digits, E.164 mobiles."""
    return {
        argument: _SETTLE[argument](digits) if argument in _SETTLE else digits
        for argument, digits in arguments.items()
    }


def _is_year(digits: str) -> bool:
    return len(digits) == 2 or (  # noqa: PLR2004 - 98 for 1398
        len(digits) == 4 and _FIRST_YEAR <= int(digits) <= _LAST_YEAR  # noqa: PLR2004
    )


def _year(digits: str) -> str:
    if len(digits) == 4:  # noqa: PLR2004
        return digits
    return f"{13 if int(digits) >= _CENTURY_TURNS else 14}{digits}"


def _is_start(digits: str) -> bool:
    return digits[0] != "0"


def _is_mobile(digits: str) -> bool:
    try:
        mobile(digits)
    except MobileError:
        return False
    return True


_POSSIBLE: Final[Mapping[Argument, Callable[[str], object]]] = MappingProxyType({
    Argument.BILL_ID: check_bill_id,
    Argument.TRACKING: tracking.check,
    Argument.YEAR: _is_year,
    Argument.START: _is_start,
    Argument.MOBILE: _is_mobile,
})  # fmt: skip
_SETTLE: Final[Mapping[Argument, Callable[[str], str]]] = MappingProxyType({
    Argument.YEAR: _year,
    Argument.MOBILE: mobile,
})  # fmt: skip
