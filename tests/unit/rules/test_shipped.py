"""Every command of every profile that ships, in every way that people write it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import tracking
from core.calls import Argument, Call, Candidate
from core.identifiers import make_bill_id, make_payment_id, mobile
from core.operations import REGISTRY
from core.text import persian_digits
from gateway.profile_check import check_profile
from gateway.profiles import Profile, load_profile
from gateway.rules.pattern import Form, Pattern
from tests.unit.rules.test_variants import typed

PROFILES = Path(__file__).parents[3] / "config" / "profiles"
SHIPPED = sorted(folder.name for folder in PROFILES.iterdir())
IDENTIFYING = {Argument.NUMBER, Argument.BILL_ID, Argument.METER_SERIAL, Argument.TRACKING}


@cache
def shipped(name: str) -> Profile:
    """A profile as it ships."""
    return load_profile(PROFILES / name, REGISTRY)


@st.composite
def digits_of(draw: st.DrawFn, profile: Profile, form: Form) -> dict[Argument, str]:
    """Digits for each field of a form: right identifiers, and figures that are no command."""
    bill_id = make_bill_id(str(draw(st.integers(10_000_000, 99_999_999))), "046", "1")
    made = {
        Argument.BILL_ID: bill_id,
        Argument.PAYMENT_ID: make_payment_id(bill_id, 1000 * draw(st.integers(100, 99_999))),
        Argument.TRACKING: tracking.make(draw(st.integers(tracking.FIRST, tracking.LAST))),
        Argument.YEAR: str(draw(st.integers(1300, 1499))),
        Argument.START: str(draw(st.integers(1, 99))),
        Argument.MOBILE: f"09{draw(st.integers(100_000_000, 999_999_999))}",
    }
    taken = {*profile.grammar.codes, *profile.grammar.shortened}
    for argument in form:
        if argument not in made:
            field = profile.grammar.fields[argument]
            run = st.text("0123456789", min_size=field.shortest, max_size=field.longest)
            made[argument] = draw(run.filter(lambda digits: digits not in taken))
    return {argument: made[argument] for argument in form}


@st.composite
def commands(draw: st.DrawFn) -> tuple[Profile, Pattern, dict[Argument, str]]:
    """A profile, one of its commands without free text, and digits for one of its forms."""
    profile = shipped(draw(st.sampled_from(SHIPPED)))
    patterns = [
        each for each in profile.grammar.patterns if not each.takes_text or each.text_optional
    ]
    pattern = draw(st.sampled_from(patterns))
    form = draw(st.sampled_from(pattern.forms))
    return profile, pattern, draw(digits_of(profile, form))


def call_of(pattern: Pattern, digits: dict[Argument, str]) -> Call:
    """The call that a command with these digits is to make."""
    arguments = {**digits, **pattern.fixed}
    if Argument.MOBILE in digits:
        arguments[Argument.MOBILE] = mobile(digits[Argument.MOBILE])
    return Call(pattern.operation, arguments)


@settings(max_examples=150)
@given(command=commands(), data=st.data())
def test_every_spelling_of_every_command_makes_its_call(
    command: tuple[Profile, Pattern, dict[Argument, str]], data: st.DataObject
) -> None:
    """By code or keyword, in any order, digits and separators, its call is among the readings.

    And it is the one that is chosen when the data supports no other.
    """
    profile, pattern, digits = command
    meant = call_of(pattern, digits)
    name = data.draw(st.sampled_from([*pattern.codes, *pattern.keywords]))
    if name in pattern.codes:
        text = data.draw(typed([name, *digits.values()]))
    else:
        if not name.isalpha() and " " not in name and digits:
            return  # a sign such as ? stands alone
        order = data.draw(st.permutations(list(digits.values())))
        gap = data.draw(st.sampled_from([" ", "*", "+", " - "]))
        if data.draw(st.booleans()):
            order = [persian_digits(run) for run in order]
        text = gap.join([name, *order])
    understanding = profile.understand(text)
    calls = [candidate.call for candidate in understanding.candidates]
    assert meant in calls, (text, calls, understanding.problem)
    found = profile.choose(understanding, lambda call: call == meant)
    assert isinstance(found, Candidate)
    assert found.call == meant


@settings(max_examples=80)
@given(command=commands())
def test_what_is_written_as_published_means_one_thing(
    command: tuple[Profile, Pattern, dict[Argument, str]],
) -> None:
    """No two commands of a line clash: readings differ in their fields, never in the command."""
    profile, pattern, digits = command
    name = next(iter((*pattern.codes, *pattern.keywords)))
    candidates = profile.understand(" ".join([name, *digits.values()])).candidates
    assert {candidate.call.operation for candidate in candidates} == {pattern.operation}


@settings(max_examples=80)
@given(command=commands())
def test_no_spelling_shows_a_code(
    command: tuple[Profile, Pattern, dict[Argument, str]],
) -> None:
    """Whatever comes of a message, the stored text does not show the secret code in it."""
    profile, pattern, digits = command
    secret = digits.get(Argument.CODE)
    if secret is None:
        return
    name = next(iter((*pattern.codes, *pattern.keywords)))
    understanding = profile.understand(" ".join([name, *digits.values()]))
    others = " ".join([name, *(run for key, run in digits.items() if key is not Argument.CODE)])
    for stored in (understanding.masked, *(one.masked for one in understanding.candidates[:1])):
        assert secret not in stored.split() or secret in others.split()


@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_is_wrong_with_what_ships(name: str) -> None:
    """``peyk profile check`` has nothing to say of it."""
    assert check_profile(PROFILES / name, REGISTRY) == []


@pytest.mark.parametrize(
    ("profile", "text", "operation", "arguments"),
    [
        ("qazvin-gas", "۱۵۲۰*۵*۱۰۱۱۰۰۰۰۰۱۰۱", "submit_reading",
         {"reading": "1520", "number": "101100000101"}),
        ("qazvin-gas", "101100000101*5*1520", "submit_reading",
         {"reading": "1520", "number": "101100000101"}),
        ("qazvin-gas", "1520*5*5000012", "submit_reading",
         {"reading": "1520", "meter_serial": "5000012"}),
        ("lorestan-water", "کارکرد ۲۰۵۰۳۲۷۶۰۴۶۱۳ ۴۳۲۱ ۱۵۲", "submit_reading",
         {"reading": "152", "code": "4321", "bill_id": "2050327604613"}),
        ("lorestan-water", "2050327604613 کارکرد 152", "submit_reading",
         {"reading": "152", "bill_id": "2050327604613"}),
        ("lorestan-water", "کارکرد 10000004 4321 152", "submit_reading",
         {"reading": "152", "code": "4321", "number": "10000004"}),
        ("qom-power", "مصرف ۲۰۵۰۳۲۷۶۰۴۶۱۳ ۰۳", "consumption_history",
         {"bill_id": "2050327604613", "year": "1403"}),
        ("qom-power", "1403 2050327604613 مصرف", "consumption_history",
         {"bill_id": "2050327604613", "year": "1403"}),
        ("qom-power", "سوابق 2050327604613 1403 7", "bill_history",
         {"bill_id": "2050327604613", "year": "1403", "start": "7"}),
        ("qom-power", "2050327604613 1070189", "pay",
         {"bill_id": "2050327604613", "payment_id": "1070189"}),
        # As the bill has it, or as an answer of ours has it, whatever the words name besides.
        *(
            (profile, text, "pay", {"bill_id": "2050327604613", "payment_id": "1070189"})
            for profile in ("kerman-water", "lorestan-water", "qom-power")
            for text in (
                "شناسه قبض: 2050327604613\nشناسه پرداخت: 1070189",
                "پرداخت 2050327604613 1070189",
                "قبض ۲۰۵۰۳۲۷۶۰۴۶۱۳\nپرداخت ۱۰۷۰۱۸۹",
            )
        ),
        ("lorestan-water", "قبض 2050327604613 پرداخت 1070188", "", {}),
        ("lorestan-water", "لغو 2050327604613 1070189", "", {}),
        ("lorestan-water", "لغو 220 2050327604613 1070189", "", {}),
        ("lorestan-water", "مصرف 2050327604613 1070189", "", {}),
        ("qom-power", "قبض\u200cها 2050327604613", "bill_history", {"bill_id": "2050327604613"}),
        ("qom-power", "قبض 2050327604613", "bill_history", {"bill_id": "2050327604613"}),
        ("qom-power", "قبضها 2050327604613", "bill_history", {"bill_id": "2050327604613"}),
        ("kerman-water", "مصرف ۱۴۰۳", "consumption_history", {"year": "1403"}),
        ("kerman-water", "مصرف ۷", "consumption_history", {"start": "7"}),
        ("kerman-water", "10000001 1000000104616", "", {}),
        ("kerman-water", "پرداخت بدهی", "pay", {}),
        ("kerman-water", "last bill", "last_bill", {}),
        ("kerman-water", "010 en", "balance", {}),
        ("lorestan-water", "حذف همراه ۰۹۱۳ ۱۲۳ ۴۵۶۷", "", {}),
        ("lorestan-water", "حذف همراه ۰۹۱۳۱۲۳۴۵۶۷", "remove_mobile", {"mobile": "989131234567"}),
        ("lorestan-water", "قبض نرسید", "register_request", {"kind": "bill_not_received"}),
        ("lorestan-water", "قبض نرسید چرا؟", "register_request",
         {"kind": "bill_not_received", "text": "چرا؟"}),
        ("lorestan-water", "شماره کنتور 20000001 4321 5000012", "register_request",
         {"kind": "meter_number", "number": "20000001", "code": "4321",
          "meter_serial": "5000012"}),
        ("lorestan-water", "شکایت از مامور: نیامد", "register_request",
         {"kind": "reader_complaint", "text": "نیامد"}),
        ("lorestan-water", "شکایت آب شور است", "register_request",
         {"kind": "complaint", "text": "آب شور است"}),
    ],
)  # fmt: skip
def test_fields_that_only_some_utilities_have(
    profile: str, text: str, operation: str, arguments: dict[str, str]
) -> None:
    """Years, rows, serials, mobiles, kinds of requests, and pairs without a command."""
    calls = [candidate.call for candidate in shipped(profile).understand(text).candidates]
    expected = [Call(operation, {Argument(key): value for key, value in arguments.items()})]
    assert calls == (expected if operation else [])


@pytest.mark.parametrize(
    ("profile", "text", "language"),
    [
        ("kerman-water", "balance", "en"), ("kerman-water", "BALANCE 10000001 4321", "en"),
        ("kerman-water", "what is this", "en"), ("kerman-water", "010 10000001 4321 en", "en"),
        ("kerman-water", "بدهی", ""), ("kerman-water", "010*10000001*4321", ""),
        ("kerman-water", "بدهی please", ""), ("kerman-water", "", ""),
    ],
)  # fmt: skip
def test_the_language_is_that_of_the_letters(profile: str, text: str, language: str) -> None:
    """Latin letters and no others ask for English."""
    assert shipped(profile).understand(text).language == language


def test_a_two_digit_year_is_not_guessed_where_a_row_may_stand() -> None:
    """«۹۸» is 1398 or the ninety-eighth row: both are readings, and the data cannot tell."""
    understanding = shipped("qom-power").understand("مصرف 2050327604613 98")
    assert len(understanding.candidates) == 2
    assert understanding.problem is not None
    assert understanding.problem.kind == "ambiguous"
