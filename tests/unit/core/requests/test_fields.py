"""What is filled into a request, each by its own check."""

from __future__ import annotations

import pytest

from core.requests.fields import FieldError, checked, checked_fields
from core.requests.kinds import FieldType, RequestField, RequestKind

KIND = RequestKind(
    "kind",
    "عنوان",
    fields=(
        RequestField("code", "کد ملی", FieldType.NATIONAL_CODE),
        RequestField("reason", "علت", required=False),
    ),
)


@pytest.mark.parametrize(
    ("type_", "typed", "stored"),
    [
        (FieldType.TEXT, "  خیابان ۱۲ ", "خیابان ۱۲"),
        (FieldType.NUMBER, "۱۲", "12"),
        (FieldType.NATIONAL_CODE, "۰۴۹۹۳۷۰۸۹۹", "0499370899"),
        (FieldType.NATIONAL_CODE, "10380284790", "10380284790"),
        (FieldType.MOBILE, "0913 123 4567", "989131234567"),
        (FieldType.SUBSCRIPTION, "١٠٠٠٠٠٠١", "10000001"),
        (FieldType.READING, "00123", "00123"),
        (FieldType.METER_SERIAL, "A-12/34", "A-12/34"),
        (FieldType.BILL_ID, "2050327604613", "2050327604613"),
        (FieldType.DATE, "1404/06/15", "2025-09-06"),
        (FieldType.CHOICE, "نقد", "نقد"),
    ],
)
def test_each_type_is_stored_in_one_form(type_: FieldType, typed: str, stored: str) -> None:
    """Whatever digits and blanks it was typed with."""
    field = RequestField("field", "عنوان", type_, choices=("نقد", "اقساط"))
    assert checked(field, typed) == stored


@pytest.mark.parametrize(
    ("type_", "typed"),
    [
        (FieldType.TEXT, " \n "),
        (FieldType.TEXT, "آ" * 20_001),
        (FieldType.NUMBER, "-1"),
        (FieldType.NUMBER, "دو"),
        (FieldType.NUMBER, "1" * 10),
        (FieldType.NUMBER, "0"),
        (FieldType.NUMBER, "۰۰"),
        (FieldType.NATIONAL_CODE, "4271427685"),
        (FieldType.NATIONAL_CODE, "1111111111"),
        (FieldType.NATIONAL_CODE, "10380284791"),
        (FieldType.MOBILE, "021 1234567"),
        (FieldType.SUBSCRIPTION, "1000000۱x"),
        (FieldType.READING, "12345678901"),
        (FieldType.METER_SERIAL, "کنتور"),
        (FieldType.BILL_ID, "2050327604614"),
        (FieldType.DATE, "1404/13/01"),
        (FieldType.CHOICE, "چک"),
    ],
)
def test_what_is_wrong_is_told_with_the_fields_name(type_: FieldType, typed: str) -> None:
    """So that the office knows which one to type again."""
    field = RequestField("field", "عنوان", type_, choices=("نقد", "اقساط"))
    with pytest.raises(FieldError, match=r"field \(عنوان\)|the text has"):
        checked(field, typed)


def test_unknown_and_missing_fields_are_named() -> None:
    """The nearest known one, and all that are missing."""
    with pytest.raises(FieldError, match="no field 'reson'; did you mean 'reason'"):
        checked_fields(KIND, {"code": "0499370899", "reson": "…"})
    with pytest.raises(FieldError, match=r"kind needs code \(کد ملی\)"):
        checked_fields(KIND, {"reason": "…"})
    assert checked_fields(KIND, {"reason": "…"}, need=()) == {"reason": "…"}
