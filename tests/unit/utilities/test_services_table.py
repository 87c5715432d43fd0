"""docs/services.md: each item of each seed has a row, and what a row claims is there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from core import tracking
from core.calls import Argument
from core.identifiers import make_bill_id, make_payment_id
from core.operations import REGISTRY
from gateway.configuration import read_toml
from gateway.profiles import Profile, load_profile
from gateway.ussd.state import restored
from tests.talking import PROFILES
from tests.walks import Core, Phone, sample, talker_of

ROOT: Final = Path(__file__).parents[3]
TABLE: Final = (ROOT / "docs" / "services.md").read_text(encoding="utf-8")
ROW: Final = re.compile(r"^\| (\d{3}/\S+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
ROWS: Final = ROW.findall(TABLE)

ITEMS: Final = (
    *(f"000/1/{number}" for number in range(1, 22)),
    *(f"000/1/counter/{number}" for number in range(1, 4)),
    *(f"000/2/capability/{number}" for number in range(1, 14)),
    *(f"000/2/pattern/{number}" for number in range(1, 15)),
    *(f"000/3/{menu}/{entry}" for menu in range(1, 5) for entry in (1, 2)),
    *(f"001/site/{number}" for number in range(1, 7)),
    *(f"001/code/{code}" for code in ("010", "110", "210", "9")),
    *(f"001/pay/{number}" for number in range(1, 5)),
    *("001/122", "002/title", "002/3/5", "002/4"),
    *(f"002/1/{number}" for number in range(1, 6)),
    *("003/service", "003/documents", "003/complaints"),
    *("004/1", "004/3/2", "004/3/3", "004/4"),
)
"""All that the five documents list, by file and number."""

PROFILE_OF: Final = {
    "000": "lorestan-water",
    "001": "kerman-water",
    "002": "kohgiluyeh-water",
    "003": "qazvin-gas",
    "004": "qom-power",
}
NUMBERS: Final = {
    "lorestan-water": "20000001",
    "kerman-water": "10000001",
    "kohgiluyeh-water": "50000001",
}
_BILL_ID: Final = make_bill_id("20000001", "061", "1")
_STANDS_FOR: Final = {
    "شناسه قبض": _BILL_ID,
    "شناسه پرداخت": make_payment_id(_BILL_ID, 50_000),
    "شماره پیگیری": tracking.make(1_000_000),
    "پیگیری شماره": f"پیگیری {tracking.make(1_000_000)}",
    "شماره اشتراک": "101100000101",
    "سریال": "500001",
    "کارکرد*": "1520*",
    "رقم": "1520",
}
"""What the words for fields in the table stand for."""


def test_every_item_of_every_seed_has_a_row() -> None:
    """None is forgotten, none is there twice."""
    there = [row[0] for row in ROWS]
    assert sorted(set(ITEMS) - set(there)) == []
    assert len(there) == len(set(there))


@pytest.mark.parametrize(("item", "reached", "shown"), [(row[0], row[2], row[3]) for row in ROWS])
def test_every_row_is_shown_by_a_test_that_there_is(item: str, reached: str, shown: str) -> None:
    """A row without a test says that it is no text."""
    if shown == "–":
        assert "not by text" in reached
        return
    file, name = re.fullmatch(r"`(\S+)::(\w+)`", shown).groups()  # type: ignore[union-attr]
    source = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {name}\(", source, re.MULTILINE), f"{item}: no {name}"


LINES: Final[Mapping[str, Sequence[str]]] = {
    profile: [
        line["number"]
        for line in read_toml(PROFILES.parent / "peyk.toml")["lines"]
        if line["profile"] == profile
    ]
    for profile in PROFILE_OF.values()
}
"""What is texted and dialled, as the settings ship."""


@cache
def profile_of(name: str) -> Profile:
    """A shipped profile."""
    return load_profile(PROFILES / name, REGISTRY)


def texts() -> list[tuple[str, str]]:
    """Every whole text of the table, with the profile it is for."""
    found = [
        (PROFILE_OF[item[:3]], text)
        for item, _, reached, _ in ROWS
        for text in re.findall(r"`([^`]+)`", reached)
        if not text.startswith(("peyk", "--", "*")) and not text.endswith((".toml", "…"))
    ]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize(("profile", "text"), texts())
def test_every_text_of_the_table_is_understood(profile: str, text: str) -> None:
    """What the table says to send is a command of the line that it says to send it to."""
    number = NUMBERS.get(profile, "")
    said = text.replace("N C", f"{number} 4321").replace("استعلام شماره", f"استعلام {number}")
    for words, digits in _STANDS_FOR.items():
        said = said.replace(words, digits)
    understand = profile_of(profile).understand
    # A keyword by itself stands for the code of the text before it, with the same fields.
    fields = ("", f" {number} 4321", f" {_BILL_ID}")
    reasons = ("", " و شرح آن")
    assert any(understand(said + more + why).candidates for more in fields for why in reasons), said


def dialled() -> list[tuple[str, str, str]]:
    """Every code of the table that is dialled, with its profile and the item that it is for."""
    return [
        (PROFILE_OF[item[:3]], item, code)
        for item, _, reached, _ in ROWS
        for code in re.findall(r"`(\*[^`]+#)`", reached)
    ]


@pytest.mark.parametrize(("profile", "item", "code"), dialled())
def test_every_code_of_the_table_leads_somewhere(profile: str, item: str, code: str) -> None:
    """Whoever dials it is asked for what it needs, or shown it: no piece of it is refused."""
    for words, digits in _STANDS_FOR.items():
        code = code.replace(words, digits)
    talker = talker_of(profile)
    menu = talker.menus.own
    phone = Phone(talker, Core(), (sample(menu, Argument.NUMBER),))
    line, _, path = code.removesuffix("#").removeprefix("*").partition("*")
    assert f"*{line}#" in LINES[profile]
    screen = phone.dial(f"*1522*{path}#")
    assert menu.words.no_item not in screen
    session = restored(phone.state)
    assert session.leaf or len(session.trail) > 1, item


def test_annex_3_is_dialled_in_full() -> None:
    """Each of its eight entries has a code of its own."""
    codes = {item: code for _, item, code in reversed(dialled()) if item.startswith("000/3/")}
    assert len(codes) == len(set(codes.values())) == 8
    for item, code in codes.items():
        _, _, menu, entry = item.split("/")
        assert code.startswith(f"*1522*{menu}*{entry}")
