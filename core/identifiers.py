"""The numbers that Iranian utilities and their subscribers go by, and their check digits.

Source: DOMAIN section 4. Arguments are ASCII digits (see ``core.text.ascii_digits``); what
is not is answered with ``Check.NOT_DIGITS``, never with an exception.
"""

from __future__ import annotations

import re
from enum import StrEnum
from itertools import cycle
from operator import mul
from typing import Final, NamedTuple

from core.text import normalise

SHORTEST_ID: Final = 6
LONGEST_ID: Final = 13
"""A bill ID and a payment ID have between these many digits."""

RIAL_STEP: Final = 1000
"""A payment ID carries whole thousands of rial; the rest goes to the next bill."""

_NATIONAL_CODE_LENGTH: Final = 10
_LEGAL_ID_LENGTH: Final = 11
_LEGAL_WEIGHTS: Final = (29, 27, 23, 19, 17, 29, 27, 23, 19, 17)
_ELEVEN: Final = 11
_WEIGHTS: Final = (2, 3, 4, 5, 6, 7)
_CLOSING: Final = "00987654321"
"""The check digit for each remainder."""
_FIGURES: Final = bytes.maketrans(b"0123456789", bytes(range(10)))


class Check(StrEnum):
    """What checking an identifier found."""

    VALID = "valid"
    NOT_DIGITS = "not_digits"
    LENGTH = "length"
    """Too short or too long."""
    CHECK_DIGIT = "check_digit"
    """Its own check digit is wrong (of a payment ID, the first one)."""
    PAIR = "pair"
    """The payment ID is sound by itself and does not belong to the bill ID."""
    IMPOSSIBLE = "impossible"
    """The check digit fits a number that is never given out, such as ten equal digits."""

    def __bool__(self) -> bool:
        """Only ``VALID`` is true."""
        return self is Check.VALID


class BillId(NamedTuple):
    """The parts of a bill ID, as digits."""

    file: str
    company: str
    service: str
    """1 water, 2 electricity, 3 gas, 4 landline, 5 mobile, 6 municipality."""
    check: str


class PaymentId(NamedTuple):
    """The parts of a payment ID.

    ``year`` and ``period`` are labels, not a date: production systems write 0 and 00.
    """

    amount: int
    """Rial, a multiple of ``RIAL_STEP``."""
    year: str
    period: str
    check1: str
    check2: str


class MobileError(ValueError):
    """The text is not an Iranian mobile number."""


def check_digit(digits: str) -> str:
    """The digit that closes ``digits``: weights 2 to 7 from the right, modulo 11."""
    figures = digits[::-1].encode().translate(_FIGURES)
    return _CLOSING[sum(map(mul, figures, cycle(_WEIGHTS))) % _ELEVEN]


def check_bill_id(bill_id: str) -> Check:
    """What is wrong with a bill ID, or ``VALID``."""
    shape = _shape(bill_id, SHORTEST_ID, LONGEST_ID)
    if not shape:
        return shape
    return Check.VALID if check_digit(bill_id[:-1]) == bill_id[-1] else Check.CHECK_DIGIT


def check_payment_id(payment_id: str, bill_id: str = "") -> Check:
    """What is wrong with a payment ID, by itself or, when given, with its bill ID."""
    shape = _shape(payment_id, SHORTEST_ID, LONGEST_ID)
    if not shape:
        return shape
    payment_id = payment_id.lstrip("0")
    if len(payment_id) < SHORTEST_ID:
        return Check.LENGTH
    if check_digit(payment_id[:-2]) != payment_id[-2]:
        return Check.CHECK_DIGIT
    if bill_id and check_digit(bill_id + payment_id[:-1]) != payment_id[-1]:
        return Check.PAIR
    return Check.VALID


def make_bill_id(file: str, company: str, service: str) -> str:
    """A bill ID of a file of up to 8 digits, a company of 3 and a service of 1.

    Raises ``ValueError`` when a part has the wrong length or is not digits.
    """
    for name, part, longest in (
        ("file", file, 8),
        ("company", company, 3),
        ("service", service, 1),
    ):
        exact = name != "file"
        if not _shape(part, longest if exact else 1, longest):
            raise ValueError(f"{name} of a bill ID: {part!r}")
    digits = file + company + service
    return digits + check_digit(digits)


def make_payment_id(bill_id: str, amount: int, year: str = "0", period: str = "00") -> str:
    """The payment ID of ``amount`` rial on a bill; ``""`` when none can be made.

    The amount is floored to ``RIAL_STEP`` (see ``payable``). There is none for nothing to
    pay, nor where it would be longer than 13 digits: both are left blank on the bill.
    Raises ``ValueError`` when ``year`` is not one digit or ``period`` not two.
    """
    if not _shape(year, 1, 1) or not _shape(period, 2, 2):
        raise ValueError(f"year and period of a payment ID: {year!r}, {period!r}")
    thousands = amount // RIAL_STEP
    if thousands <= 0:
        return ""
    digits = f"{thousands}{year}{period}"
    digits += check_digit(digits)
    digits += check_digit(bill_id + digits)
    return digits if len(digits) <= LONGEST_ID else ""


def payable(amount: int) -> tuple[int, int]:
    """``amount`` rial as what a payment ID can carry, and the rest for the next bill."""
    rest = amount % RIAL_STEP
    return amount - rest, rest


def split_bill_id(bill_id: str) -> BillId:
    """The parts of a bill ID. Raises ``ValueError`` when it is not valid."""
    found = check_bill_id(bill_id)
    if not found:
        raise ValueError(f"bill ID {bill_id!r}: {found}")
    return BillId(bill_id[:-5], bill_id[-5:-2], bill_id[-2], bill_id[-1])


def split_payment_id(payment_id: str) -> PaymentId:
    """The parts of a payment ID. Raises ``ValueError`` when its first check is wrong."""
    found = check_payment_id(payment_id)
    if not found:
        raise ValueError(f"payment ID {payment_id!r}: {found}")
    amount = int(payment_id[:-5]) * RIAL_STEP
    return PaymentId(amount, payment_id[-5], payment_id[-4:-2], payment_id[-2], payment_id[-1])


def barcode(bill_id: str, payment_id: str) -> str:
    """The 26 digits under a printed bill: each ID padded with zeros to 13."""
    return bill_id.zfill(LONGEST_ID) + payment_id.zfill(LONGEST_ID)


def check_national_code(code: str) -> Check:
    """What is wrong with a person's national code (کد ملی), or ``VALID``."""
    shape = _shape(code, _NATIONAL_CODE_LENGTH, _NATIONAL_CODE_LENGTH)
    if not shape:
        return shape
    if len(set(code)) == 1 or code[3:9] == "000000":
        return Check.IMPOSSIBLE
    remainder = sum(int(digit) * (10 - place) for place, digit in enumerate(code[:9])) % _ELEVEN
    right = remainder if remainder < 2 else _ELEVEN - remainder  # noqa: PLR2004
    return Check.VALID if int(code[9]) == right else Check.CHECK_DIGIT


def check_legal_id(legal_id: str) -> Check:
    """What is wrong with a company's national ID (شناسه ملی), or ``VALID``."""
    shape = _shape(legal_id, _LEGAL_ID_LENGTH, _LEGAL_ID_LENGTH)
    if not shape:
        return shape
    offset = int(legal_id[9]) + 2
    weighed = zip(legal_id[:10], _LEGAL_WEIGHTS, strict=True)
    right = sum((int(digit) + offset) * weight for digit, weight in weighed) % _ELEVEN % 10
    return Check.VALID if int(legal_id[10]) == right else Check.CHECK_DIGIT


_E164 = re.compile(r"989[0-9]{9}")
_MOBILE = re.compile(r"(?:\+98|0098|98|0|)(9[0-9]{9})")
_TYPED_BETWEEN = str.maketrans("", "", " -()\t\r\n\u00a0")


def mobile(text: str) -> str:
    """A mobile number as E.164 digits without the plus: ``989131234567``.

    Takes any digit family, ``+98``, ``0098``, ``98``, ``0`` or nothing before the nine, and
    the blanks and dashes people write between. Prefixes are not judged: new ones are given
    out all the time. Raises ``MobileError``.
    """
    if _E164.fullmatch(text):
        return text
    found = _MOBILE.fullmatch(normalise(text).translate(_TYPED_BETWEEN))
    if found is None:
        raise MobileError(f"not a mobile number: {text!r}")
    return "98" + found[1]


def masked_mobile(number: str) -> str:
    """An E.164 mobile as logs may show it: ``98913***4567``."""
    return f"{number[:5]}***{number[-4:]}"


def _shape(digits: str, shortest: int, longest: int) -> Check:
    if not (digits.isascii() and digits.isdigit()):
        return Check.NOT_DIGITS
    return Check.VALID if shortest <= len(digits) <= longest else Check.LENGTH
