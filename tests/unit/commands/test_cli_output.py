"""How results are shown to people."""

from __future__ import annotations

import json
import sys

import pytest

from gateway.commands.output import (
    for_people,
    for_programs,
    isolated,
    one_line,
    print_json,
    print_table,
)


def test_persian_is_isolated_in_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that reorders text keeps the columns apart; a pipe gets the text itself."""
    assert isolated("بدهی") == "بدهی"

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert isolated("بدهی") == "\u2068بدهی\u2069"
    assert isolated("queued") == "queued"


def test_columns_stay_in_line_with_isolated_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The marks take no room, so that what follows a Persian cell is not shifted."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    print_table(("a", "b"), [("بدهی", "x"), ("debt", "y")])

    lines = capsys.readouterr().out.splitlines()
    persian, latin = (line.replace("\u2068", "").replace("\u2069", "") for line in lines[1:])
    assert persian.index("x") == latin.index("y")


def test_only_texts_are_cut_in_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half an id is of no use: a long text gives way first, and never the id."""
    row = ("227794327961600000", "1404/05/03 10:00", "t" * 60, "r" * 30)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    for columns in (100, 40):
        monkeypatch.setenv("COLUMNS", str(columns))
        print_table(("id", "received", "text", "reply"), [row], texts=("text", "reply"))
        first = capsys.readouterr().out.splitlines()[1]
        assert row[0] in first
        assert row[1] in first
        assert ("t" * 29 + "…" if columns < 50 else "t" * 29 + "…  " + "r" * 30) in first


def test_a_persian_text_that_is_cut_stays_isolated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without its closing mark it would turn round whatever follows it."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    print_table(("text", "id"), [("بدهی " * 20, "7")], texts=("text",))

    line = capsys.readouterr().out.splitlines()[1]
    assert line.index("…") < line.index("\u2069") < line.index("7")


def test_nothing_is_cut_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever reads it has no width."""
    print_table(("a", "b"), [("x" * 150, "y" * 150)])

    assert "x" * 150 + "  " + "y" * 150 in capsys.readouterr().out


def test_markup_in_a_text_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    """What a subscriber wrote in brackets is shown, not obeyed."""
    print_table(("text",), [("[bold]010[/bold]",)])

    assert "[bold]010[/bold]" in capsys.readouterr().out


def test_what_people_wrote_neither_turns_text_round_nor_drives_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It shows that there was something; JSON keeps it, as an escape."""
    print_table(("text", "id"), [("ab\u202ecd\u2066\x1b[2J", "7")])
    assert "ab\ufffdcd\ufffd\ufffd[2J  7" in capsys.readouterr().out

    print_json({"text": "ab\u202ecd\u2069"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"text": "ab\u202ecd\u2069"}


def test_a_long_text_is_cut_to_one_line() -> None:
    """Line breaks become strokes, and what does not fit an ellipsis."""
    assert one_line("a\nb") == "a / b"
    assert one_line("x" * 70, 10) == "x" * 9 + "…"


def test_instants_for_people_and_programs() -> None:
    """The same instant as Jalali in Tehran and as ISO in UTC."""
    assert for_people(1_790_000_000_000) == "1405/06/30 17:43"
    assert for_programs(1_790_000_000_000) == "2026-09-21T14:13:20.000+00:00"
    assert (for_people(None), for_programs(None)) == ("–", None)
