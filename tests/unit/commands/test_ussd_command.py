"""``peyk ussd``: the handset in the terminal, by hand and by script."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from gateway.commands.handset import WIDE, framed
from gateway.smpp.smsc_control import NO_SCREEN, End, Screen, SmscError, Text
from tests.commands import DAEMON, Peyk, caller, furnish

SETTINGS = f'{DAEMON}[smsc]\ncontrol = "smsc.sock"\n'
MENU = "آب و فاضلاب لرستان\n۱ پرداخت\n۲ بدهی"
MOBILE = "989161234567"


class Handset:
    """Stands for the operator's door: plays what it is given, and notes what is typed."""

    def __init__(self) -> None:
        self.plays: list[Screen | Text | End | SmscError] = []
        self.dialled: tuple[Any, ...] = ()
        self.typed: list[str | None] = []

    def dial(self, *arguments: Any) -> Generator[Any, str | None, None]:
        """What ``smsc_control.dial`` does."""
        self.dialled = arguments[1:]
        for each in self.plays:
            if isinstance(each, SmscError):
                raise each
            typed = yield each
            if isinstance(each, Screen):
                self.typed.append(typed)


@pytest.fixture
def handset(monkeypatch: pytest.MonkeyPatch) -> Handset:
    """A handset in place of the operator's."""
    made = Handset()
    monkeypatch.setattr("gateway.smpp.smsc_control.dial", made.dial)
    return made


@pytest.fixture
def peyk(tmp_path: Path, handset: Handset, capfd: pytest.CaptureFixture[str]) -> Peyk:
    """Call the command."""
    furnish(tmp_path, SETTINGS)
    return caller(tmp_path / "peyk.toml", capfd)


def test_a_script_types_by_itself(peyk: Peyk, handset: Handset) -> None:
    """Each screen is shown with what is typed into it; texts are shown between them."""
    handset.plays = [
        Screen(MENU, asks=True),
        Screen("بدهی: ۱۲۰ ریال", asks=True),
        Text("شناسه قبض 1", "100066133"),
        Screen("پایان", asks=False),
        End("last"),
    ]
    ran = peyk("ussd", "--from", "0916 123 4567", "--script", "2, 1", "*۱۵۲۲*2#")
    assert ran.code == 0, ran.err
    assert handset.dialled == (MOBILE, "*1522*2#", 10.0)
    assert handset.typed == ["2", "1", None]
    lines = ran.out.splitlines()
    assert [line for line in lines if line.startswith(">")] == ["> 2", "> 1"]
    assert lines[1] == "│ " + "آب و فاضلاب لرستان".rjust(WIDE) + " │"
    assert "SMS from 100066133:" in lines


def test_by_hand_an_empty_line_hangs_up(
    peyk: Peyk, handset: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is typed goes to the screen that asks for it; nothing is asked by the last one."""
    answers = iter(["۲", ""])
    monkeypatch.setattr("click.prompt", lambda *_, **__: next(answers))
    handset.plays = [Screen(MENU, asks=True), Screen(MENU, asks=True), End("aborted")]
    assert peyk("ussd", "--from", MOBILE, "*1522#").code == 0
    assert handset.typed == ["۲", None]


def test_a_session_as_json(peyk: Peyk, handset: Handset) -> None:
    """Screens, what was typed, texts and the end, and nothing else on standard output."""
    handset.plays = [Screen(MENU, asks=True), Screen("۵", asks=False), End("last")]
    ran = peyk("ussd", "dial", "--from", MOBILE, "--script", "2", "--json", "*1522#")
    assert json.loads(ran.out) == {
        "mobile": MOBILE,
        "code": "*1522#",
        "screens": [
            {"text": MENU, "asks": True, "typed": "2"},
            {"text": "۵", "asks": False, "typed": None},
        ],
        "texts": [],
        "end": "last",
    }


@pytest.mark.parametrize(
    ("plays", "code", "words"),
    [
        ([End(NO_SCREEN)], 1, "no screen within 3 s; see `peyk health`"),
        ([Screen(MENU, asks=True), End("timeout")], 1, "the network ended the session"),
        ([Screen(MENU, asks=False), End("last")], 1, "over before 2,1 could be typed"),
        ([SmscError("not_running", "x")], 1, "start it with `peyk smsc`"),
        ([SmscError("no_esme_bound", "x")], 1, "no daemon is bound to the operator for *1522#"),
    ],
)
def test_what_goes_wrong_is_one_line(
    peyk: Peyk, handset: Handset, plays: list[Any], code: int, words: str
) -> None:
    """Silence, the network's patience, a script that is too long, nobody there."""
    handset.plays = plays
    ran = peyk("ussd", "--from", MOBILE, "--wait", "3", "--script", "2,1", "*1522#")
    assert ran.code == code
    assert words in ran.err
    assert ran.err.count("\n") == 1


def test_a_foolish_call_is_misuse(peyk: Peyk) -> None:
    """No mobile, no number for one, an empty answer; alone it says what there is."""
    assert "--from" in peyk("ussd", "*1522#").err
    assert peyk("ussd", "--from", "12", "*1522#").code == 2
    assert "answers with commas" in peyk("ussd", "--from", MOBILE, "--script", "2,,1", "*1#").err
    assert "dial" in peyk("ussd").err


def test_long_lines_are_folded_at_words() -> None:
    """A frame is as wide as it is, whatever is in it; Latin stands on the left."""
    lines = framed("مبلغ بدهی اشتراک شما تا پایان دوره برابر است با ۱۲۳ ریال\n\nAB")
    assert len({len(line) for line in lines}) == 1
    assert lines[-2].startswith("│ AB ")
    assert lines[-3].strip("│").isspace()
    assert "".join(line.strip("│ ") for line in lines[1:3]).replace(" ", "").startswith("مبلغبدهی")
