"""Messages of templates: written for a line, in parts, none for what cannot be written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.calls import Fact
from core.operations import REGISTRY
from core.templates.types import (
    Audience,
    Definition,
    Missed,
    OnEvents,
    Receivers,
    SendPolicy,
    Uncertain,
    Version,
)
from gateway.minds import LineMind
from gateway.profiles import load_profile
from gateway.smpp.text import Alphabet
from gateway.templates.wordings import LineGone, Wordings

PROFILES = Path(__file__).parents[3] / "config" / "profiles"
DEFINITION = Definition(
    line="100066133",
    audience=Audience.SERVICE,
    topic="bills",
    required=False,
    language="fa",
    trigger=OnEvents(("bill_issued",), {}),
    receivers=Receivers.CONTACTS,
    produce=None,
    missed=Missed.ONCE,
    starts=None,
    ends=None,
    attempts=3,
    validity=86_400,
    priority=5,
    uncertain=Uncertain.LEAVE,
    policy=SendPolicy((60,), 100, (), frozenset()),
)


def version(body: str, number: int = 1, **changed: Any) -> Version:
    """A template that says ``body``."""
    definition = replace(DEFINITION, **changed)
    return Version(7, "lorestan-water", "bill", number, definition, body, 1)


@pytest.fixture(scope="module")
def mind() -> LineMind:
    """Lorestan's line."""
    return LineMind(load_profile(PROFILES / "lorestan-water", REGISTRY), Alphabet.GSM7, 8)


def bill(**changed: Fact) -> dict[str, Fact]:
    """A bill's facts."""
    facts: dict[str, Fact] = {"number": "10000001", "payable": 1_250_000, "due": date(2026, 9, 21)}
    return facts | changed


def test_rows_are_written_in_their_order(mind: LineMind) -> None:
    """A row that cannot be written has no parts, and keeps nobody else from theirs."""
    words = Wordings({"100066133": mind})
    made = version("{{ company }}\n{{ number|fa }}: {{ payable|rial }} تا {{ due|jalali }}\n")
    rows: list[dict[str, Fact]] = [bill(), {"number": "1"}, bill(payable="much"), bill(number="2")]
    said = "آب و فاضلاب استان لرستان\n۱۰۰۰۰۰۰۱: ۱٬۲۵۰٬۰۰۰ تا ۱۴۰۵/۰۶/۳۰"
    first, *unwritten, last = words.words(made, rows)
    assert first == [said]
    assert unwritten == [(), ()]
    assert last == [said.replace("۱۰۰۰۰۰۰۱", "۲")]


def test_messages_are_cut_as_their_line_needs(mind: LineMind) -> None:
    """Persian into 67 units, or not at all; nothing at all and far too much are no message."""
    made = version("{{ number }}")
    long = "ا" * 100
    words = Wordings({"100066133": mind})
    found = words.words(made, [bill(number=long), bill(number=" "), bill(number="ا" * 671)])
    assert [list(map(len, parts)) for parts in found] == [[67, 33], [], []]
    whole = Wordings({"100066133": replace(mind, whole=True)})
    assert whole.words(made, [bill(number=long)]) == [[long]]


def test_versions_are_kept_apart(mind: LineMind) -> None:
    """Each says what it says, whenever it is asked; English has its own digits."""
    words = Wordings({"100066133": mind})
    english = version("{{ payable|rial }}", 2, language="en")
    for _ in range(2):
        assert words.words(version("{{ payable|rial }}"), [bill()]) == [["۱٬۲۵۰٬۰۰۰"]]
        assert words.words(english, [bill()]) == [["1,250,000"]]
    with pytest.raises(LineGone, match="100066133"):
        Wordings({}).words(version("x"), [bill()])
