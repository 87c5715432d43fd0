"""Bill and payment IDs, national codes, mobiles: the vectors of DOMAIN 4 and properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.identifiers import (
    BillId,
    Check,
    MobileError,
    PaymentId,
    barcode,
    check_bill_id,
    check_legal_id,
    check_national_code,
    check_payment_id,
    make_bill_id,
    make_payment_id,
    masked_mobile,
    mobile,
    payable,
    split_bill_id,
    split_payment_id,
)


def digits(shortest: int, longest: int) -> st.SearchStrategy[str]:
    """Digit strings of these lengths."""
    return st.text("0123456789", min_size=shortest, max_size=longest)


BILL_IDS = st.builds(make_bill_id, digits(1, 8), digits(3, 3), digits(1, 1))


@pytest.mark.parametrize(
    ("bill_id", "payment_id", "bill", "payment"),
    [
        ("2050327604613", "1070189", Check.VALID, Check.VALID),
        ("9403272004129", "95570163", Check.VALID, Check.VALID),
        ("1117753200140", "12070160", Check.VALID, Check.VALID),
        ("9174639504124", "12908197", Check.VALID, Check.PAIR),
        ("9174639504124", "12908190", Check.VALID, Check.VALID),
        ("2234322344613", "1070189", Check.CHECK_DIGIT, Check.PAIR),
    ],
)
def test_published_bills(bill_id: str, payment_id: str, bill: Check, payment: Check) -> None:
    """Real bills check as banks check them."""
    assert check_bill_id(bill_id) is bill
    assert check_payment_id(payment_id, bill_id) is payment
    assert bool(bill) == (bill is Check.VALID)


def test_parts() -> None:
    """The parts of the first published bill are what is printed on it."""
    assert split_bill_id("2050327604613") == BillId("20503276", "046", "1", "3")
    assert split_payment_id("1070189") == PaymentId(10_000, "7", "01", "8", "9")
    assert split_payment_id("95570163").amount == 955_000
    assert barcode("2050327604613", "1070189") == "20503276046130000001070189"


@pytest.mark.parametrize(
    ("text", "found"),
    [("", Check.NOT_DIGITS), ("12a456", Check.NOT_DIGITS), ("۱۲۳۴۵۶", Check.NOT_DIGITS),
     ("12345", Check.LENGTH), ("1" * 14, Check.LENGTH)],
)  # fmt: skip
def test_shape_is_told_apart_from_check_digit(text: str, found: Check) -> None:
    """What is wrong is said, so that the answer can say it."""
    assert check_bill_id(text) is check_payment_id(text) is found
    with pytest.raises(ValueError, match="bill ID"):
        split_bill_id(text)
    with pytest.raises(ValueError, match="payment ID"):
        split_payment_id(text)


def test_payment_id_of_zeros_only() -> None:
    """Zeros that are stripped before the second check leave too little to be an ID."""
    assert check_payment_id("0000000") is Check.LENGTH


@given(BILL_IDS, st.integers(1000, 99_999_999_999), digits(1, 1), digits(2, 2))
def test_made_ids_are_valid(bill_id: str, amount: int, year: str, period: str) -> None:
    """What we print, banks accept, with the amount that we meant and padded as they pad it."""
    payment_id = make_payment_id(bill_id, amount, year, period)
    assert check_bill_id(bill_id)
    assert check_payment_id(payment_id, bill_id)
    assert check_payment_id(payment_id.zfill(13), bill_id)
    parts = split_payment_id(payment_id)
    assert (parts.amount, amount - parts.amount) == payable(amount)
    assert (parts.year, parts.period) == (year, period)


@given(BILL_IDS, st.data())
def test_a_mistyped_digit_is_mostly_noticed(bill_id: str, data: st.DataObject) -> None:
    """A wrong digit passes only where two remainders share the check digit 0."""
    place = data.draw(st.integers(0, len(bill_id) - 2))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != bill_id[place]]))
    wrong = bill_id[:place] + other + bill_id[place + 1 :]
    assert not check_bill_id(wrong) or bill_id[-1] == "0"


@pytest.mark.parametrize("amount", [0, 999, -5000, 100_000_000_000])
def test_no_payment_id_where_none_is_printed(amount: int) -> None:
    """Nothing to pay, or an amount too long for 13 digits, leaves the payment ID blank."""
    assert make_payment_id("2050327604613", amount) == ""


@pytest.mark.parametrize(
    ("file", "company", "service"),
    [
        ("", "046", "1"),
        ("123456789", "046", "1"),
        ("1", "46", "1"),
        ("1", "046", ""),
        ("a", "046", "1"),
    ],
)  # fmt: skip
def test_parts_of_wrong_length_make_no_bill_id(file: str, company: str, service: str) -> None:
    """A company code without its zero would make a valid-looking ID of another company."""
    with pytest.raises(ValueError, match="of a bill ID"):
        make_bill_id(file, company, service)


@pytest.mark.parametrize(("year", "period"), [("04", "01"), ("4", "1"), ("", "01")])
def test_year_and_period_have_their_width(year: str, period: str) -> None:
    """A period of one digit would move the amount."""
    with pytest.raises(ValueError, match="year and period"):
        make_payment_id("2050327604613", 10_000, year, period)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("0499370899", Check.VALID),
        ("0790419904", Check.VALID),
        ("4271427685", Check.CHECK_DIGIT),
        ("1111111111", Check.IMPOSSIBLE),
        ("1230000007", Check.IMPOSSIBLE),
        ("049937089", Check.LENGTH),
        ("04993708a9", Check.NOT_DIGITS),
    ],
)
def test_national_codes(code: str, found: Check) -> None:
    """National codes check as DOMAIN 4 says, with those never given out refused."""
    assert check_national_code(code) is found


@pytest.mark.parametrize(
    ("legal_id", "found"),
    [
        ("10380284790", Check.VALID),
        ("10380284791", Check.CHECK_DIGIT),
        ("1038028479", Check.LENGTH),
        ("", Check.NOT_DIGITS),
    ],
)
def test_legal_ids(legal_id: str, found: Check) -> None:
    """Companies' IDs check as DOMAIN 4 says."""
    assert check_legal_id(legal_id) is found


@pytest.mark.parametrize("prefix", ["+98", "0098", "98", "0", ""])
@pytest.mark.parametrize(
    "number", ["9131234567", "۹۱۳۱۲۳۴۵۶۷", "٩١٣١٢٣٤٥٦٧", "9999999999", "913 123-4567"]
)
def test_mobiles_are_one_in_every_spelling(prefix: str, number: str) -> None:
    """One mobile is one key, however it was written; new prefixes are not refused."""
    found = mobile(f"\u200f{prefix}{number} ")
    assert found == "98" + mobile(number)[2:]
    assert len(found) == 12
    assert mobile(found) == found


@pytest.mark.parametrize(
    "text",
    ["", "913123456", "98913123456", "091312345678", "+98 0913 1234567", "02133334444", "913x1234"],
)
def test_what_is_no_mobile_is_refused(text: str) -> None:
    """A landline, or a number short of a digit, is not stored as somebody's mobile."""
    with pytest.raises(MobileError):
        mobile(text)


def test_masked_mobile() -> None:
    """Logs show enough of a mobile to recognise it and too little to dial it."""
    assert masked_mobile("989131234567") == "98913***4567"
