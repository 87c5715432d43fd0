"""What subscribers tell in their own words, whatever else the words mean."""

from __future__ import annotations

import pytest

from core.calls import Argument, Misreading
from core.operations import REGISTRY
from gateway.profiles import Profile, load_profile
from tests.unit.rules.conftest import PROFILES

NUMBER, CODE, TEXT = Argument.NUMBER, Argument.CODE, Argument.TEXT
OWN = {NUMBER: "20000001", CODE: "4321"}


@pytest.fixture(scope="module")
def lorestan() -> Profile:
    """The profile with the most commands that take words."""
    return load_profile(PROFILES / "lorestan-water", REGISTRY)


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("312 20000001 4321 کنتور خراب است", "meter_replacement", "کنتور خراب است"),
        ("317 20000001 4321 قبض دوره قبل", "bill_review", "قبض دوره قبل"),
        ("310*20000001*4321*قرائت سخت است", "meter_relocation", "قرائت سخت است"),
        ("205 20000001 4321 خیابان پرداخت", "address_correction", "خیابان پرداخت"),
        ("آدرس من 20000001 4321 خرم‌آباد", "address_correction", "خرم‌آباد"),
        ("نشانی اشتراک 20000001 رمز 4321 پلاک ۳", "address_correction", "پلاک ۳"),
    ],
)
def test_words_after_number_and_code_are_no_keywords(
    lorestan: Profile, text: str, kind: str, told: str
) -> None:
    """«کنتور خراب است» after 312 is a reason, and no meter reading of 312."""
    (candidate,) = lorestan.understand(text).candidates
    assert candidate.call.arguments == {**OWN, Argument.KIND: kind, TEXT: told}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("322 قبض پیامکی شود", "قبض پیامکی شود"),
        ("321 بدهی من زیاد است", "بدهی من زیاد است"),
        ("321 12 روز آب نداریم", "12 روز آب نداریم"),
    ],
)
def test_words_that_are_no_whole_command_are_told(lorestan: Profile, text: str, told: str) -> None:
    """Without fields the keyword comes first, where the message is all that it needs."""
    (candidate,) = lorestan.understand(text).candidates
    assert candidate.call.arguments[TEXT] == told


def test_a_figure_before_a_whole_command_is_its_field(lorestan: Profile) -> None:
    """A reading may happen to be a code: «205 کارکرد» and the rest is a reading of 205."""
    (candidate,) = lorestan.understand("205 کارکرد 20000001 4321").candidates
    assert candidate.call.operation == "submit_reading"
    assert candidate.call.arguments == {**OWN, Argument.READING: "205"}


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("شکایت رسیدگی کنید 20000001 4321", "رسیدگی کنید 20000001 ****"),
        ("شکایت رسیدگی کنید ۴۳۲۱ - ۲۰۰۰۰۰۰۱", "رسیدگی کنید **** - ۲۰۰۰۰۰۰۱"),
        ("321 آب قطع است رمز من 4321", "آب قطع است رمز من ****"),
        ("321 آب قطع است رمز: 4321", "آب قطع است رمز: ****"),
        ("321 آب قطع است اشتراک 20000001 رمز 4321", "آب قطع است اشتراک 20000001 رمز ****"),
        ("321 از سال 1404 آب نداریم پلاک 1234", "از سال 1404 آب نداریم پلاک 1234"),
    ],
)
def test_a_code_among_the_words_is_hidden(lorestan: Profile, text: str, hidden: str) -> None:
    """Neither the request nor the inbox shows it; years and house numbers stay."""
    (candidate,) = lorestan.understand(text).candidates
    assert candidate.call.arguments[TEXT] == hidden
    assert candidate.masked.endswith(hidden)


def test_many_figures_take_linear_time(lorestan: Profile) -> None:
    """A text of nothing but numbers and codes is still one that somebody waits for."""
    (candidate,) = lorestan.understand("شکایت است " + "20000001 4321 " * 1500).candidates
    assert "4321" not in candidate.masked


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("205", "۲۰۵+شماره اشتراک+رمز رایانه+متن"),
        ("312 20000001 4321", "۳۱۲+شماره اشتراک+رمز رایانه+متن"),
        ("شکایت", "۳۲۱+متن شکایت"),
        ("شکایت 😀", "۳۲۱+متن شکایت"),
    ],
)
def test_missing_words_are_asked_for(lorestan: Profile, text: str, how: str) -> None:
    """Who sends the command alone is told that words belong to it, and where."""
    problem = lorestan.understand(text).problem
    assert problem is not None
    assert problem.kind is Misreading.WRONG_FORMAT
    assert problem.facts["wrong"] == "متن نوشته نشده است"
    assert problem.facts["format"] == how
