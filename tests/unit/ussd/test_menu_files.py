"""What ships is right, and each mistake in a menu is told with its file, its key and a hint."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

import cli
from core.operations import REGISTRY
from gateway.configuration import ConfigError
from gateway.findings import Findings
from gateway.profile_check import check_profile
from gateway.profiles import load_profile
from gateway.settings import load_settings
from gateway.ussd.menu_file import load_menu
from gateway.ussd.menu_findings import check_menu
from gateway.ussd.menu_tree import tree_of
from gateway.ussd.pages import PageSize
from gateway.ussd.talker import talkers_of
from tests.walks import DIALLED, PROFILES, Core, Phone, talker_of

Spoil = Callable[..., list[str]]
FA, EN = "menu.toml", "menu.en.toml"
ANNEX_3 = (
    ("*1522*1#", "پرداخت"),
    ("*1522*1*1#", "صورتحساب آب‌بها"),
    ("*1522*1*2#", "حق انشعاب"),
    ("*1522*2#", "بدهی"),
    ("*1522*2*1#", "مانده آب‌بها"),
    ("*1522*2*2#", "اقساط آب و فاضلاب"),
    ("*1522*3#", "صورتحساب"),
    ("*1522*3*1#", "صورتحساب میان‌دوره"),
    ("*1522*3*2#", "اعلام کارکرد کنتور"),
    ("*1522*4#", "سایر"),
    ("*1522*4*1#", "عدم چاپ صورتحساب"),
    ("*1522*4*2#", "آخرین مصرف"),
)


@pytest.fixture
def spoilt(tmp_path: Path) -> Spoil:
    """Spoil a copy of Lorestan's menu; returns what loading it then finds wrong."""

    def check(*changes: tuple[str, str, str]) -> list[str]:
        folder = shutil.copytree(PROFILES / "lorestan-water", tmp_path / "lorestan-water")
        for file, old, new in changes:
            path = folder / file
            text = path.read_text(encoding="utf-8")
            assert old in text, old
            path.write_text(text.replace(old, new, 1), encoding="utf-8")
        findings = Findings(keeps_all=True)
        try:
            load_menu(folder, talker_of("lorestan-water").profile, REGISTRY, findings)
        except ConfigError as error:
            findings.add(error)
        return [str(error) for error in findings.found]

    return check


@pytest.mark.parametrize("name", DIALLED)
def test_nothing_is_wrong_with_what_ships(name: str) -> None:
    """On pages of 80 units and on those of a narrow network."""
    for units in (80, 60):
        assert check_menu(PROFILES / name, REGISTRY, PageSize(units, units * 2)).mistakes == []


def test_lorestan_has_annex_3_in_full_and_in_its_order() -> None:
    """Seed 000; what is added stands behind it."""
    tree = tree_of(talker_of("lorestan-water").menus.own, "*1522#")
    branches = [(one.dial, one.title) for top in tree.below[:4] for one in (top, *top.below[:2])]
    assert tuple(branches) == ANNEX_3


FATAL: Final = (
    ((FA, 'more = "9"', 'more = "0"'), "keys", "must differ"),
    ((FA, 'title = "سایر", ', ""), "menus.home.items.4.title", "is missing"),
    ((FA, 'title = "سایر"', 'titel = "سایر"'), "menus.home.items.4.titel", "'title'"),
    ((FA, '6 = { title = "Eng', 'six = { title = "Eng'), "menus.home.items.six", "figures"),
    ((FA, 'operation = "instalments"', 'operaton = "x"'), "instalments.operaton", "'operation'"),
    ((FA, 'when = ""', 'if = "registered"'), "menus.home.items.1.if", "unknown key"),
    ((FA, 'goodbye = "خدانگهدار"\n', ""), "words.goodbye", "is missing"),
    ((FA, 'argument = "reading"', 'argument = "legal_id"'), "questions.reading", "there is no"),
    ((FA, 'to = "debt"', 'to = "debt", subscription = true'), "menus.home.items.2", "needs one"),
    ((EN, 'title = "Mid-period bill"', 'title = ""'), "menus.bill.items.1.title", "at least 1"),
)
"""Beyond these nothing of a file can be read."""
TOGETHER: Final = (
    ((FA, 'to = "payment"', 'to = "paymnt"'), "menus.home.items.1.to", "'payment'"),
    ((FA, 'to = "last_use"', 'to = "reading"'), "leaves.last_use", "nothing leads to it"),
    ((FA, 'operation = "last_bill"', 'operation = "lastbill"'), "last_bill.operation", "last_bill"),
    ((FA, 'ask = ["reading"]\npre', 'ask = ["raeding"]\npre'), "mid_bill.ask", "'reading'"),
    ((FA, 'ask = ["reading"]\ncon', "ask = []\ncon"), "leaves.reading", "needs 'reading'"),
    ((FA, '"رقم {{ reading|fa }} برای', '""  # "'), "leaves.reading.confirm", "counts"),
    ((FA, 'needs = "debt"', 'needs = "depth"'), "leaves.pay_bill", "'debt'"),
    ((FA, "نرسیدن قبض اشتراک", f"{'نرسیدن ' * 40}"), "bill_not_received.confirm", "2 at the most"),
    ((FA, "{{ fee|rial }}", "{{ free|rial }}"), "leaves.pay_connection.confirm", "'fee'"),
    ((FA, 'kind = "bill_not_received"', 'kind = "bill_lost"'), "with.kind", "bill_lost"),
    ((FA, '4 = { title = "سایر"', '9 = { title = "سایر"'), "menus.home.items.9", "moves about"),
    ((FA, "[words]", '[questions.odd]\nargument = "year"\ntext = "؟"\n[words]'), "odd", "no leaf"),
    ((FA, 'code = "رمز رایانه (بالای قبض) را وارد کنید"', ""), "identify.code", "is missing"),
    ((FA, 'title = "بدهی", to', f'title = "{"پ" * 80}", to'), "items.2.title", "not fit a line"),
    ((FA, 'text = "عدد مشکی', f'text = "{"ب " * 90}عدد'), "questions.reading.text", "3 pages"),
    ((FA, 'to = "bill"', 'to = "bill", when = "rich"'), "items.3.when", "registered"),
    ((FA, "بدهی {{ debt|rial }} ریال{% if due", "{{ det }}{% if due"), "balance.done", "'debt'"),
    ((FA, "confirm_reading =", "confirm_reeding ="), "screens.mid_bill.confirm_reading", "again"),
    ((EN, 'more = "More"\n', ""), "words.more", "is missing"),
    ((EN, "[leaves.reading]", "[leaves.readings]"), "leaves.readings.confirm", "no word"),
)


@pytest.mark.parametrize(("change", "key", "says"), FATAL, ids=[key for _, key, _ in FATAL])
def test_a_file_that_cannot_be_read_says_why(
    spoilt: Spoil, change: tuple[str, str, str], key: str, says: str
) -> None:
    """With the file and the key."""
    file, old, new = change
    first = (FA, '1 = { title = "پرداخت"', '1 = { when = "", title = "پرداخت"')
    (found,) = spoilt(first, change) if old == 'when = ""' else spoilt((file, old, new))
    assert file in found
    assert f"{key}: " in found or f"{key}." in found
    assert says in found


def test_all_mistakes_of_a_menu_are_told_at_once(spoilt: Spoil) -> None:
    """With the nearest name that there is."""
    found = spoilt(*(change for change, _, _ in TOGETHER))
    for (file, _, _), key, says in TOGETHER:
        assert any(file in one and key in one and says in one for one in found), (key, found)


def test_a_right_is_shown_by_number_and_code_alone(spoilt: Spoil) -> None:
    """Unless the profile leaves an operation open."""
    found = spoilt((FA, 'by = ["number"]', 'by = ["bill_id"]'))
    assert any("by the number and its code" in one for one in found)


def test_all_mistakes_are_told_and_the_profile_is_told_of_them_too(tmp_path: Path) -> None:
    """The daemon stops at the first."""
    folder = shutil.copytree(PROFILES / "lorestan-water", tmp_path / "lorestan-water")
    file = folder / "menu.toml"
    text = file.read_text(encoding="utf-8")
    for word in ('to = "debt"', 'preview = "balance"', 'operation = "instalments"'):
        text = text.replace(word, word.replace('"', '"x', 1))
    file.write_text(text, encoding="utf-8")
    found = "\n".join(map(str, check_profile(folder, REGISTRY)))
    for key in ("menus.home.items.2.to", "leaves.pay_bill.preview", "leaves.instalments.operation"):
        assert key in found


SETTINGS = """
[daemon]
data = "var"
key = "0123456789abcdef0123456789abcdef"
[[binds]]
name = "mci"
host = "127.0.0.1"
system_id = "peyk"
ussd = "default"
[[lines]]
number = "100066133"
profile = "lorestan-water"
binds = ["mci"]
[[lines]]
number = "*1522#"
profile = "lorestan-water"
binds = ["mci"]
sms_line = "100066133"
page = 60
timeout = 90
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Settings with one code that is dialled."""
    shutil.copytree(PROFILES, tmp_path / "profiles")
    (tmp_path / "peyk.toml").write_text(SETTINGS)
    return tmp_path / "peyk.toml"


def test_a_dialled_line_talks_as_its_settings_say(home: Path) -> None:
    """Its page, its patience, and the line that texts go out from."""
    settings = load_settings(home)
    profiles = {"lorestan-water": load_profile(PROFILES / "lorestan-water", REGISTRY)}
    talkers = talkers_of(settings, profiles)
    assert list(talkers) == ["*1522#"]
    talker = talkers["*1522#"]
    assert (talker.sms_line, talker.timeout_ms, talker.rules.size.units) == (
        "100066133",
        90_000,
        60,
    )
    phone = Phone(talker, Core(), ("20000001",))
    phone.dial("*1522*1*1#")
    phone.type("1")
    assert len(phone.texts) == 1
    (home.parent / "profiles" / "lorestan-water" / "menu.toml").unlink()
    with pytest.raises(ConfigError, match=r"menu\.toml: there is no such file"):
        talkers_of(settings, profiles)


def test_the_command_draws_a_menu_and_tells_what_is_wrong(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """For people as a tree, for programs as JSON."""

    def peyk(*arguments: str) -> tuple[int, str]:
        try:
            code: Any = cli._run(["--config", str(home), "ussd", "check", *arguments])
        except SystemExit as end:
            code = end.code
        return int(code or 0), capfd.readouterr().out

    code, out = peyk("lorestan-water")
    assert code == 0
    assert "*1522*2*1#  number, code → balance" in out
    assert "nothing is wrong with its menu" in out
    code, out = peyk("--page", "40", "--json", "lorestan-water")
    assert code == 1
    (told,) = json.loads(out)
    assert told["menu"]["below"][1]["below"][0]["node"] == "water_balance"
    assert any("words.over: does not fit" in one for one in told["mistakes"])
    assert peyk("--language", "en")[0] == 0
    file = home.parent / "profiles" / "lorestan-water" / "menu.toml"
    text = file.read_text(encoding="utf-8")
    text = text.replace('start = "home"', 'start = "hom"').replace(
        'ask = ["bill_id"', 'ask = ["bil"'
    )
    file.write_text(text, encoding="utf-8")
    code, out = peyk("lorestan-water")
    assert code == 1
    assert "start: there is no menu 'hom'; did you mean 'home'?" in out
    assert "leaves.pay_ids.ask: there is no question 'bil'" in out
    assert "nothing leads to it" not in out
