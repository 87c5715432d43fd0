"""``peyk profile check`` tells every mistake in a profile, not only the first."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.operations import REGISTRY
from gateway.profile_check import check_profile

PROFILES = Path(__file__).parents[2] / "config" / "profiles"

Spoil = Callable[..., list[str]]


@pytest.fixture
def spoilt(tmp_path: Path) -> Spoil:
    """Spoil a copy of Lorestan's profile; returns what checking it then says."""

    def check(*changes: tuple[str, str, str], parts: int = 2) -> list[str]:
        folder = shutil.copytree(PROFILES / "lorestan-water", tmp_path / "lorestan-water")
        for file, old, new in changes:
            path = folder / file
            text = path.read_text(encoding="utf-8")
            assert old in text, old
            path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return [str(error) for error in check_profile(folder, REGISTRY, parts)]

    return check


def test_all_mistakes_are_told_at_once(spoilt: Spoil) -> None:
    """Codes that clash, unknown operations and kinds, variables, outcomes without a reply."""
    found = "\n".join(
        spoilt(
            ("codes.toml", 'codes = ["203"]', 'codes = ["202"]'),
            ("codes.toml", 'operation = "instalments"', 'operation = "instalment"'),
            ("codes.toml", 'kind = "reader_complaint"', 'kind = "reader_complaints"'),
            ("replies.toml", "{{ number|fa }}: \\", "{{ numbre|fa }}: \\"),
            ("replies.toml", "no_payment = ", "no_payments = "),
            ("replies.toml", "locked_out = ", "# locked_out = "),
            ("replies.en.toml", "no_fee = ", "# no_fee = "),
        )
    )
    for told in (
        "pattern[3].codes: '202' also names pattern[2]",
        "there is no operation 'instalment'; did you mean 'instalments'?",
        "there is no kind of request 'reader_complaints'",
        "balance.done: there is no variable 'numbre'; did you mean 'number'?",
        "last_payment.no_payments: there is no such outcome; did you mean 'no_payment'?",
        "last_payment.no_payment: this outcome has no reply",
        "balance.locked_out: this outcome has no reply",
        "replies.en.toml: request_cost.no_fee: this outcome has no reply",
    ):
        assert told in found, found


def test_a_file_that_cannot_be_read_is_the_last_that_is_told(spoilt: Spoil) -> None:
    """Nothing can be said of what stands behind broken TOML."""
    (found,) = spoilt(("replies.toml", "[balance]", "[balance"))
    assert "is not valid TOML" in found


def test_the_number_of_parts_is_a_choice(spoilt: Spoil) -> None:
    """A utility that pays for each part asks what would take more than one."""
    found = spoilt(parts=1)
    assert any("last_bill.done" in told and "there is room for 70" in told for told in found)


def test_the_guide_is_one_part(spoilt: Spoil) -> None:
    """It is sent most often and before anything else; what is Latin has more room in a part."""
    found = spoilt(
        ("replies.toml", "قبض، بدهی، مصرف", "بفرستید: قبض، بدهی، مصرف"),
        ("replies.en.toml", "reading...", "reading…"),
    )
    persian, english = found
    assert "replies.toml: help.done: is 74 units long; the guide is one part: 70" in persian
    assert "replies.en.toml: help.done: is 129 units long" in english


def test_commands_that_can_be_taken_for_each_other_are_told(spoilt: Spoil) -> None:
    """A reading that equals another reading command's code has two meanings for ever."""
    found = spoilt(
        ("codes.toml", 'operation = "submit_reading"\n',
         'operation = "submit_reading"\ncodes = ["218"]\n'),
    )  # fmt: skip
    assert any("mid_bill" in told and "submit_reading" in told for told in found), found


def test_mistakes_in_templates_are_told_too(spoilt: Spoil) -> None:
    """All of them, each with its line and column, whichever line it is to go out from."""
    found = spoilt(
        ("templates.toml", 'topic = "bills"', 'line = "3000"\ntopic = "bills"'),
        ("templates.toml", "{{ fee|rial }}", "{{ fees|rial }}"),
        ("templates.toml", 'report = "bills_overdue"', 'report = "bills_overdu"'),
    )
    variable, report = found
    assert "templates.toml: line 21, column 9: body: there is no variable 'fees'" in variable
    assert "report: there is no report 'bills_overdu'; did you mean 'bills_overdue'?" in report
