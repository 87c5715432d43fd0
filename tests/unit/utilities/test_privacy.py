"""No answer tells a stranger personal data (docs/privacy.md; seed 002, 1-5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from core.calls import Argument
from core.operations import REGISTRY
from core.tables import contacts, subscribers
from core.text import ascii_digits
from gateway.rules.pattern import Pattern
from tests.talking import OWNER, SHIPPED, Talk

PLACE = 2
"""A subscription with a registered mobile."""


def values_of(talk: Talk) -> dict[Argument, str]:
    """What a stranger can know of a subscription: what stands on a bill or on the meter."""
    row = next(row for row in talk.rows(subscribers) if row.number == talk.number(PLACE))
    return {
        Argument.NUMBER: row.number,
        Argument.BILL_ID: row.bill_id,
        Argument.METER_SERIAL: row.meter_serial,
        Argument.READING: "99999",
        Argument.YEAR: "1404",
        Argument.START: "1",
        Argument.TRACKING: "10000004",
        Argument.MOBILE: OWNER,
        Argument.CODE: str(1 + int(talk.code(PLACE))),
        Argument.PAYMENT_ID: "1070189",
    }


def texts_of(pattern: Pattern, values: dict[Argument, str]) -> Iterator[str]:
    """Every form of a command about somebody else's subscription."""
    name = next(iter((*pattern.codes, *pattern.keywords)))
    words = " این متن است" if pattern.takes_text else ""
    for form in pattern.forms:
        text = " ".join([name, *(values[argument] for argument in form)])
        yield text + words
        if not words:
            yield f"{text} en"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_stranger_learns_nothing_of_anybody(talk: Callable[[str], Talk], name: str) -> None:
    """Every command in every form: no name, address or whole mobile of a subscriber in it."""
    line = talk(name)
    asked = set()
    # The second time there are requests to be tracked, and wrong codes have locked.
    for pattern in [*line.profile.grammar.patterns] * 2:
        for text in texts_of(pattern, values_of(line)):
            assert_tells_nobody(line, line.ask(text), text)
            asked.add(pattern.operation)
    assert asked == {pattern.operation for pattern in line.profile.grammar.patterns}


def assert_tells_nobody(line: Talk, answer: str, text: str) -> None:
    """Look for personal data in an answer."""
    for row in line.rows(subscribers):
        assert row.name not in answer, text
        assert row.address not in answer, text
        # A first and a last name are told apart from words that all may say.
        for word in row.name.split():
            assert f"به نام {word} " not in f"{answer} ", text
    digits = ascii_digits(answer)
    for row in line.rows(contacts):
        assert row.mobile[2:] not in digits, text
    assert not re.search(r"(?<!\d)(?:98|0)9\d{9}(?!\d)", digits), text


def test_the_name_is_told_to_who_has_a_right_to_it(talk: Callable[[str], Talk]) -> None:
    """The same enquiry, masked for a stranger, whole with the code or from the owner's mobile."""
    line = talk("kohgiluyeh-water")
    row = next(row for row in line.rows(subscribers) if row.number == line.number(PLACE))
    assert row.name not in line.ask(f"استعلام {row.number}")
    assert "***" in line.ask(f"استعلام {row.number}")
    assert row.name in line.ask(f"استعلام {row.number} {line.code(PLACE)}")
    assert row.name in line.ask("استعلام", OWNER)


def test_what_was_written_about_a_request_is_told_to_who_made_it(
    talk: Callable[[str], Talk],
) -> None:
    """A tracking number alone shows the state and nothing that was written."""
    line = talk("lorestan-water")
    told = ascii_digits(line.ask("شکایت همسایه من آب را می‌برد"))
    tracking = told.rsplit(maxsplit=1)[-1]
    assert "همسایه" not in line.ask(f"پیگیری {tracking}", OWNER)


def test_every_operation_says_who_may_see_what() -> None:
    """docs/privacy.md has a row for each operation there is, and for no other."""
    from tests.talking import PROFILES  # noqa: PLC0415

    text = (PROFILES.parents[1] / "docs" / "privacy.md").read_text(encoding="utf-8")
    who, _, _ = text.partition("\n## How long it is kept")
    rows = re.findall(r"^\| `(\w+)`", who, re.MULTILINE)
    assert sorted(rows) == sorted(REGISTRY)
