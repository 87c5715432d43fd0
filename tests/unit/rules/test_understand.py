"""Messages as they come in, and what is made of each."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.calls import Argument, Call, Candidate, Misreading, Problem
from core.identifiers import make_payment_id
from gateway.rules.match import understand
from gateway.rules.quick import at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.profiles import Profile
    from gateway.rules.grammar import Grammar

NUMBER, CODE, READING = Argument.NUMBER, Argument.CODE, Argument.READING
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
LIKELY = st.text("019۰۱۹4+* \u200cب?قض\ud800\0", max_size=60)


def calls(profile: Profile, text: str) -> list[tuple[str, dict[str, str]]]:
    """The calls of a text, in plain form."""
    return [
        (each.call.operation, {str(key): value for key, value in each.call.arguments.items()})
        for each in profile.understand(text).candidates
    ]


OWN = {"number": "10000001", "code": "4321"}


@pytest.mark.parametrize(
    ("text", "operation", "arguments"),
    [
        ("010*10000001*4321", "balance", OWN),
        ("۰۱۰+۱۰۰۰۰۰۰۱+۴۳۲۱", "balance", OWN),
        ("٠١٠ ١٠٠٠٠٠٠١ ٤٣٢١", "balance", OWN),
        ("4321+10000001+010", "balance", OWN),
        ("*010*10000001*4321#", "balance", OWN),
        ("010 - 10000001 - 4321 .", "balance", OWN),
        ("0️⃣1️⃣0️⃣ 10000001 4321", "balance", OWN),
        ("سلام کد ۰۱۰ شماره اشتراک ۱۰۰۰۰۰۰۱ رمز رایانه ۴۳۲۱ باتشکر", "balance", OWN),
        ("10*10000001*4321", "balance", OWN),
        ("۱۰", "balance", {}),
        ("010", "balance", {}),
        ("لطفا 010", "balance", {}),
        ("010*10000001", "balance", {"number": "10000001"}),
        ("10000001 010", "balance", {"number": "10000001"}),
        ("010100000014321", "balance", OWN),
        ("۰۱۰۱۰۰۰۰۰۰۱۴۳۲۱", "balance", OWN),
        ("432110000001010", "balance", OWN),
        ("010 100000014321", "balance", OWN),
        ("01010000001 4321", "balance", OWN),
        ("بدهی", "balance", {}),
        ("سلام، آخرین بدهي من چقدر است؟", "balance", {}),
        ("بدهی ۱۰۰۰۰۰۰۱ ۴۳۲۱", "balance", OWN),
        ("4321 10000001 بدهی", "balance", OWN),
        ("بدهی ۰۱۰ ۱۰۰۰۰۰۰۱ ۴۳۲۱", "balance", OWN),
        ("۰۱۰ ۱۰۰۰۰۰۰۱ ۴۳۲۱ این قبض منزل ماست", "balance", OWN),
        ("بدهی خونه مادرم ۱۰۰۰۰۰۰۱ ۴۳۲۱", "balance", OWN),
        ("110*152", "mid_bill", {"reading": "152"}),
        ("۱۱۰+۱۰۰۰۰۰۰۱+۴۳۲۱+۰۱۵", "mid_bill", OWN | {"reading": "015"}),
        ("110*10000001*4321*9", "mid_bill", OWN | {"reading": "9"}),
        ("9*4321*10000001*110", "mid_bill", OWN | {"reading": "9"}),
        ("110*10000001*4321*010", "mid_bill", OWN | {"reading": "010"}),
        ("110*10000001*4321*110", "mid_bill", OWN | {"reading": "110"}),
        ("110 10", "mid_bill", {"reading": "10"}),
        ("110 9", "mid_bill", {"reading": "9"}),
        ("عدد کنتور ۱۵۲", "mid_bill", {"reading": "152"}),
        ("210/10000001/4321", "bill_by_sms", OWN),
        ("210 .", "bill_by_sms", {}),
        ("9", "stop_bill_by_sms", {}),
        ("۹", "stop_bill_by_sms", {}),
        ("*٩#", "stop_bill_by_sms", {}),
        ("عدد ۹", "stop_bill_by_sms", {}),
        ("لغو ۹", "stop_bill_by_sms", {}),
        ("لغو", "stop_bill_by_sms", {}),
        ("11", "opt_out", {}),
        ("لغو ۱۱", "opt_out", {}),
        ("لغو۱۱", "opt_out", {}),
        ("۱۱ لغو", "opt_out", {}),
        ("لغو پیامک", "opt_out", {}),
        ("لغو قطعی آب", "opt_out", {"topic": "outages"}),
        ("دریافت پیامک", "opt_in", {}),
        ("راهنما", "help", {}),
        ("راه\u200cنما!", "help", {}),
        ("HELP", "help", {}),
        ("؟", "help", {}),
        (" ?? ", "help", {}),
    ],
)
def test_one_reading(kerman: Profile, text: str, operation: str, arguments: dict[str, str]) -> None:
    """What subscribers of Kerman send means what they mean by it."""
    assert calls(kerman, text) == [(operation, arguments)]
    assert kerman.understand(text).problem is None


WRONG, UNKNOWN, EMPTY = Misreading.WRONG_FORMAT, Misreading.UNKNOWN_CODE, Misreading.EMPTY


@pytest.mark.parametrize(
    ("text", "kind", "code", "wrong"),
    [
        ("", EMPTY, "", ""),
        (" \n\u200f", EMPTY, "", ""),
        ("🙂👍", EMPTY, "", ""),
        ("سلام", UNKNOWN, "", ""),
        ("011*10000001*4321", UNKNOWN, "", ""),
        ("10000001", UNKNOWN, "", ""),
        ("11012345", UNKNOWN, "", ""),
        ("09131234567", UNKNOWN, "", ""),
        ("9 ماه است آب نداریم", UNKNOWN, "", ""),
        ("010*1000001*4321", WRONG, "010", "شماره اشتراک باید ۸ رقم باشد"),
        ("010*10000001*432", WRONG, "010", "رمز رایانه باید ۴ تا ۶ رقم باشد"),
        ("010*4321", WRONG, "010", "شماره اشتراک نوشته نشده است"),
        ("4321 010", WRONG, "010", "شماره اشتراک نوشته نشده است"),
        ("010*10000001*4321*77", WRONG, "010", "در پیام عددی اضافه هست"),
        ("بدهی ۴۳۲۱", WRONG, "010", "شماره اشتراک نوشته نشده است"),
        ("010 زودتر آب را وصل کنید", WRONG, "010", "شماره اشتراک نوشته نشده است"),
        ("قبض من نیامده", WRONG, "210", "شماره اشتراک نوشته نشده است"),
        ("110", WRONG, "110", "عدد مشکی کنتور نوشته نشده است"),
        ("110*10000001", WRONG, "110", "عدد مشکی کنتور نوشته نشده است"),
        ("در 110 متری 152 نفر", WRONG, "110", "شماره اشتراک نوشته نشده است"),
        ("01010000001432", WRONG, "010", "رمز رایانه باید ۴ تا ۶ رقم باشد"),
        ("10*1*2", WRONG, "010", "شماره اشتراک باید ۸ رقم باشد"),
        ("9*10000001", WRONG, "9", "این کد به‌تنهایی فرستاده می‌شود"),
        ("لغو 210 10000001 4321", WRONG, "9", "این کد به‌تنهایی فرستاده می‌شود"),
        ("210 10000001 4321 لغو", WRONG, "9", "این کد به‌تنهایی فرستاده می‌شود"),
        ("قبض 010 10000001 4321", WRONG, "210", "در پیام عددی اضافه هست"),
        ("راهنما ۱۱۰", WRONG, "راهنما", "این کد به‌تنهایی فرستاده می‌شود"),
        ("راهنمایی کنید چه کنم", WRONG, "راهنما", "این کد به‌تنهایی فرستاده می‌شود"),
    ],
)
def test_no_reading(kerman: Profile, text: str, kind: Misreading, code: str, wrong: str) -> None:
    """What cannot be read is answered with what was wrong and how to write it."""
    understanding = kerman.understand(text)
    assert understanding.candidates == ()
    problem = understanding.problem
    assert problem is not None
    assert problem.kind is kind
    assert problem.facts.get("code", "") == code
    assert problem.facts.get("wrong", "") == wrong
    assert bool(problem.facts.get("format")) == bool(code)
    assert kerman.choose(understanding, lambda _: True) == problem


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("۰۱۰+۱۰۰۰۰۰۰۱+۴۳۲۱", "۰۱۰+۱۰۰۰۰۰۰۱+****"),
        ("4\u200f321 10000001 010", "*\u200f*** 10000001 010"),
        ("01010000001٤321", "01010000001****"),
        ("110*10000001*4321*152", "110*10000001******152"),
        ("110*152", "110*152"),
        ("110*10000001*1523", "110*10000001*****"),
        ("110*10000001*152", "110*10000001*152"),
        ("010*10000001*432", "010*10000001****"),
        ("010*1000001*4321", "010*************"),
        ("010 4321", "010 ****"),
        ("011*10000001*4321", "011*10000001*****"),
        ("رمز من 4321 است", "رمز من **** است"),
        ("تلفن 09131234567", "تلفن 09131234567"),
        ("قبض 2050327604613", "قبض 2050327604613"),
        ("010*10000001*10000002", "010*10000001*********"),
        ("0101000000143", "*************"),
        ("a\0b\ud800", "a\ufffdb\ufffd"),
        ("010 😀 10000001 4321 \0", "010 😀 10000001 **** \ufffd"),
    ],
)
def test_what_is_stored(kerman: Profile, text: str, stored: str) -> None:
    """No text in the inbox shows what was understood as a code, or may be one."""
    assert kerman.understand(text).masked == stored


def test_lengths_alike_are_told_apart_by_the_data(kerman: Profile) -> None:
    """A reading as long as a code: the data says which is which, whatever the order."""
    understanding = kerman.understand("110*10000001*1523*4321")
    assert len(understanding.candidates) == 2
    assert understanding.masked == "110*10000001**********"
    found = kerman.choose(understanding, lambda call: call.arguments[CODE] == "4321")
    assert isinstance(found, Candidate)
    assert found.call.arguments[READING] == "1523"
    assert found.masked == "110*10000001*1523*****"


def test_no_supported_reading_is_the_published_one_with_all_hidden(kerman: Profile) -> None:
    """A wrong code is refused by the operation, and neither figure is shown in the inbox."""
    understanding = kerman.understand("110*10000001*1523*4321")
    found = kerman.choose(understanding, lambda _: False)
    assert isinstance(found, Candidate)
    assert found.call.arguments == {NUMBER: "10000001", CODE: "1523", READING: "4321"}
    assert found.masked == "110*10000001**********"


def test_two_supported_readings_are_not_guessed(kerman: Profile) -> None:
    """When the data supports both, the subscriber is asked to write it as published."""
    found = kerman.choose(kerman.understand("110*10000001*1523*4321"), lambda _: True)
    assert isinstance(found, Problem)
    assert found.kind is Misreading.AMBIGUOUS
    assert found.facts["code"] == "110"


def test_equal_fields_make_one_call_with_both_hidden(kerman: Profile) -> None:
    """A reading that happens to equal the code does not show the code."""
    understanding = kerman.understand("110*10000001*4321*4321")
    assert len(understanding.candidates) == 1
    assert understanding.candidates[0].masked == "110*10000001**********"
    assert kerman.understand("110*10000001*4321*4321!").masked == "110*10000001**********!"


@settings(max_examples=150)
@given(text=ANY_TEXT | LIKELY)
def test_any_text_is_understood_or_has_a_problem(kerman: Profile, text: str) -> None:
    """No text raises, and every text can be stored and is answered somehow."""
    understanding = kerman.understand(text)
    assert bool(understanding.candidates) or understanding.problem is not None
    for stored in (understanding.masked, *(each.masked for each in understanding.candidates)):
        assert "\0" not in stored
        stored.encode()
    found = kerman.choose(understanding, lambda _: False)
    assert isinstance(found, Candidate | Problem)


@settings(max_examples=150)
@given(text=LIKELY)
def test_the_quick_way_reads_as_the_thorough_one(kerman: Profile, text: str) -> None:
    """What is read at once would have been read the same with all the care there is."""
    quick = at_once(kerman.grammar, text)
    if quick is not None:
        # A mark that no quick reading takes sends the same text the other way.
        thorough = kerman.understand(text + "؛")
        assert [each.call for each in quick.candidates] == [
            each.call for each in thorough.candidates
        ]
        assert quick.masked + "؛" == thorough.masked
        assert quick.problem == thorough.problem


@pytest.mark.parametrize(
    "text",
    ["1" * 50_000, "010*" * 12_500, "9 " * 25_000, "+" * 50_000, "بدهی " * 10_000,
     "ب" * 50_000, "ب\u200c" * 25_000, "ب " * 25_000,
     "4\u200c" * 25_000, "010 " + "1" * 59, "شکایت " * 8_000, "?" * 50_000, "1*" * 6 + "110"],
    ids=lambda text: f"{text[:6]!r}×{len(text)}",
)  # fmt: skip
def test_long_texts_take_linear_time(kerman: Profile, others: Grammar, text: str) -> None:
    """A text of 50,000 characters cannot hold up the others; squared it were hours."""
    start = time.process_time()
    kerman.understand(text)
    understand(others, text)
    assert time.process_time() - start < 5


class TestOtherUtilities:
    """Commands that other seeds publish, which Kerman does not."""

    def only(self, grammar: Grammar, text: str) -> Call:
        """The one call of a text."""
        (candidate,) = understand(grammar, text).candidates
        return candidate.call

    @pytest.mark.parametrize(
        "text", ["152*5*123456789012", "123456789012 5 152", "5*152*123456789012"]
    )
    def test_command_between_its_fields(self, others: Grammar, text: str) -> None:
        """Qazvin gas prints ``reading*5*subscription`` (seed 003)."""
        call = self.only(others, text)
        assert call == Call("read", {READING: "152", NUMBER: "123456789012"})

    def test_either_of_two_fields(self, others: Grammar) -> None:
        """A meter serial stands for the subscription number (seed 003)."""
        call = self.only(others, "152*5*123456789")
        assert call.arguments == {READING: "152", Argument.METER_SERIAL: "123456789"}

    def test_reading_that_equals_the_command(self, others: Grammar) -> None:
        """A meter that shows 5 is read as such."""
        assert self.only(others, "5*5*123456789012").arguments[READING] == "5"

    def test_identifiers_are_bound_by_their_check_digits(self, others: Grammar) -> None:
        """Bill and payment ID may come in either order: the digits prove which is which."""
        expected = {Argument.BILL_ID: "2050327604613", Argument.PAYMENT_ID: "1070189"}
        for text in ("1522*2050327604613*1070189", "1070189 2050327604613 1522",
                     "پرداخت ۱۰۷۰۱۸۹ ۲۰۵۰۳۲۷۶۰۴۶۱۳"):  # fmt: skip
            assert self.only(others, text) == Call("pay", expected)

    def test_payment_of_another_bill(self, others: Grammar) -> None:
        """A payment ID that belongs to another bill is no reading."""
        payment = make_payment_id("9403272004129", 50_000)
        for text in (f"1522*2050327604613*{payment}", f"{payment} 2050327604613 1522"):
            problem = understand(others, text).problem
            assert problem is not None
            assert problem.kind is Misreading.BAD_CHECK_DIGIT
            assert problem.facts["wrong"] == "check payment_id"

    def test_wrong_check_digit_is_said(self, others: Grammar) -> None:
        """A mistyped bill ID is told from a wrong format, with and without the command."""
        for text in ("2050327604614", "ثبت 2050327604614"):
            problem = understand(others, text).problem
            assert problem is not None
            assert problem.kind is Misreading.BAD_CHECK_DIGIT
            assert problem.facts["wrong"] == "check bill_id"

    def test_bare_bill_id(self, others: Grammar) -> None:
        """A line may take a bill ID alone (Alborz), but not from the middle of talk."""
        call = self.only(others, "۲۰۵۰۳۲۷۶۰۴۶۱۳")
        assert call == Call("register", {Argument.BILL_ID: "2050327604613"})
        assert self.only(others, "سلام 2050327604613") == call
        assert not understand(others, "چرا 2050327604613 زیاد است").candidates

    @pytest.mark.parametrize(
        ("text", "arguments", "stored"),
        [
            ("77 123456789012 54321 مامور ۲ بار آمد.",
             {NUMBER: "123456789012", CODE: "54321", Argument.TEXT: "مامور ۲ بار آمد."},
             "77 123456789012 ***** مامور ۲ بار آمد."),
            ("سلام شکایت: 54321 - 123456789012، آب قطع",
             {NUMBER: "123456789012", CODE: "54321", Argument.TEXT: "آب قطع"},
             "سلام شکایت: ***** - 123456789012، آب قطع"),
            ("شکایت از مامور*123456789012*نیامد",
             {NUMBER: "123456789012", Argument.TEXT: "نیامد"}, None),
            ("77 آب قطع است 3 روز", {Argument.TEXT: "آب قطع است 3 روز"}, None),
        ],
    )  # fmt: skip
    def test_free_text(
        self, others: Grammar, text: str, arguments: dict[Argument, str], stored: str | None
    ) -> None:
        """What follows the fields is kept as it was written, figures and all."""
        assert self.only(others, text) == Call("complain", arguments)
        assert understand(others, text).masked == (stored or text)

    @pytest.mark.parametrize(
        "text", ["شکایت", "77", "77 123456789012 54321", "77 123456789012 5432 آب قطع"]
    )
    def test_missing_text(self, others: Grammar, text: str) -> None:
        """A complaint about nothing is asked for its text, or its number."""
        problem = understand(others, text).problem
        assert problem is not None
        assert problem.kind is Misreading.WRONG_FORMAT
        assert str(problem.facts["wrong"]) in {"missing text", "missing number", "length code"}
        assert "5432" not in understand(others, text).masked

    def test_a_command_that_names_no_subscription_stands_alone(self, others: Grammar) -> None:
        """A figure among words is no reading, and the answer says to send it alone."""
        problem = understand(others, "کد 88 و 12 متر").problem
        assert problem is not None
        assert problem.facts["wrong"] == "alone"
        assert self.only(others, "88 12") == Call("test", {READING: "12"})

    def test_keyword_inside_talk_is_no_complaint(self, others: Grammar) -> None:
        """Only a message that begins with the command ends in free text."""
        assert not understand(others, "دیروز 77 نفر شکایت کردند").candidates


@pytest.mark.parametrize(
    ("codes", "meant"), [(["010"], ["010"]), (["010", "0010"], []), (["010", "10"], ["10"])]
)
def test_zeros_are_lost_only_where_one_command_is_left(
    with_codes: Callable[[list[str]], Grammar], codes: list[str], meant: list[str]
) -> None:
    """``10`` means ``010`` only while no other command is, or becomes, ``10``."""
    found = understand(with_codes(codes), "10").candidates
    assert [each.call.operation for each in found] == meant
