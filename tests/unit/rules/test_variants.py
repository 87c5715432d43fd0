"""Each published command in every way that people write it makes the same call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from core.calls import Argument, Call, Candidate
from core.text import ascii_digits, persian_digits

if TYPE_CHECKING:
    from gateway.profiles import Profile

FAMILIES = ("0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩")
SEPARATORS = "+*#,./-_:، ٫٬\n"
STRAY = "؛!()«»😀➕\u00a0\t"
UNSEEN = "\u200c\u200e\u200f\u202a\u202e\u2066\u2069\u061c\ufeffـ"

SIGNS = st.tuples(st.sampled_from(FAMILIES), st.sampled_from(["", "", "", *UNSEEN]))
"""How a digit is written, and what is not seen behind it."""
COMMANDS = {"010": "balance", "110": "mid_bill", "210": "bill_by_sms"}


def digits(shortest: int, longest: int) -> st.SearchStrategy[str]:
    """Digits that are no command."""
    found = st.text("0123456789", min_size=shortest, max_size=longest)
    return found.filter(lambda run: run not in {*COMMANDS, "9", "10", "11"})


@st.composite
def commands(draw: st.DrawFn) -> tuple[list[str], Call]:
    """A command's runs in published order, and its call."""
    code = draw(st.sampled_from(sorted(COMMANDS)))
    arguments = {Argument.NUMBER: draw(digits(8, 8)), Argument.CODE: draw(digits(4, 6))}
    if code == "110":
        arguments[Argument.READING] = draw(digits(1, 7))
    return [code, *arguments.values()], Call(COMMANDS[code], arguments)


@st.composite
def typed(draw: st.DrawFn, runs: list[str]) -> str:
    """Runs as somebody types them: any order that a reader would use, digits, separators."""
    order = draw(st.sampled_from(["published", "reversed", "command last"]))
    if order == "reversed":
        runs = [*reversed(runs)]
    elif order == "command last":
        runs = [*runs[1:], runs[0]]
    gap = st.text(SEPARATORS + STRAY, min_size=1, max_size=3)
    end = st.text(SEPARATORS + STRAY, max_size=2)
    parts = [draw(end)]
    for run in runs:
        parts += [draw(scribbled(run)), draw(gap)]
    parts[-1] = draw(end)
    return "".join(parts)


def scribbled(run: str) -> st.SearchStrategy[str]:
    """A run in any mix of digit families, with marks that nobody sees among them."""
    return st.lists(SIGNS, min_size=len(run), max_size=len(run)).map(
        lambda signs: "".join(
            family[int(digit)] + mark for digit, (family, mark) in zip(run, signs, strict=True)
        )
    )


def chosen(profile: Profile, text: str, call: Call) -> Candidate:
    """The candidate chosen when the data knows the call's number and code and no other."""
    knows = {each: call.arguments[each] for each in (Argument.NUMBER, Argument.CODE)}
    understanding = profile.understand(text)
    found = profile.choose(
        understanding, lambda other: knows.items() <= dict(other.arguments).items()
    )
    assert isinstance(found, Candidate), (text, understanding)
    return found


@settings(max_examples=150)
@given(data=st.data(), command=commands())
def test_every_spelling_makes_the_published_call(
    kerman: Profile, data: st.DataObject, command: tuple[list[str], Call]
) -> None:
    """Digits, separators, direction and stray marks change nothing, and the code is hidden."""
    runs, call = command
    text = data.draw(typed(runs))
    found = chosen(kerman, text, call)
    assert found.call == call
    assert len(found.masked) == len(text)
    alike = 1 + (call.arguments.get(Argument.READING) == call.arguments[Argument.CODE])
    hidden = found.masked.count("*") - text.count("*")
    assert hidden == alike * len(call.arguments[Argument.CODE])


@settings(max_examples=100)
@given(data=st.data(), command=commands())
def test_runs_written_together_make_the_published_call(
    kerman: Profile, data: st.DataObject, command: tuple[list[str], Call]
) -> None:
    """A separator that was left out is found again from the lengths of the fields."""
    runs, call = command
    if data.draw(st.booleans(), "reversed"):
        runs = runs[::-1]
    gaps = data.draw(st.lists(st.sampled_from(["", "", "*"]), min_size=3, max_size=3))
    gaps[data.draw(st.integers(0, len(runs) - 2))] = ""
    text = runs[0]
    for run, gap in zip(runs[1:], gaps, strict=False):
        text += gap + run
    calls = [candidate.call for candidate in kerman.understand(text).candidates]
    # What is left of the separators may make a shorter command by itself: 110*10000001 152.
    assert call in calls or ("*" in text and calls)
    persian = kerman.understand(persian_digits(text))
    assert [candidate.call for candidate in persian.candidates] == calls


@settings(max_examples=80)
@given(command=commands(), data=st.data())
def test_two_supported_readings_are_never_guessed_between(
    kerman: Profile, command: tuple[list[str], Call], data: st.DataObject
) -> None:
    """With data that supports every reading, only a message with one reading is acted on."""
    text = data.draw(typed(command[0]))
    understanding = kerman.understand(text)
    found = kerman.choose(understanding, lambda _: True)
    assert isinstance(found, Candidate) == (len(understanding.candidates) == 1)


@settings(max_examples=80)
@given(command=commands(), data=st.data())
def test_no_candidate_shows_a_code_when_none_is_chosen(
    kerman: Profile, command: tuple[list[str], Call], data: st.DataObject
) -> None:
    """When the data supports no reading, the stored text hides the code wherever it stood."""
    runs, call = command
    text = data.draw(typed(runs))
    found = kerman.choose(kerman.understand(text), lambda _: False)
    assert isinstance(found, Candidate)
    assert len(found.masked) == len(text)
    secret = call.arguments[Argument.CODE]
    shown = ascii_digits("".join(sign for sign in found.masked if sign.isdigit() or sign == "*"))
    others = "".join(run for run in runs if run != secret)
    assert secret not in shown or secret in others or secret in others[::-1]
