"""What comes from handsets, as the core's inputs, and its screens, as connections take them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from core.batch import Desk
from core.dialogues.types import Event, Input, Shown
from core.identifiers import MobileError, mobile
from core.text import ascii_digits, storable
from gateway.ledger import Ledger
from gateway.messages import Screen, ScreenKind, UssdEvent, UssdInput
from gateway.screens import ToShow

UNKNOWN_CODE: Final = "این کد دستوری در دسترس نیست."
"""To who dials a code that no line has, and to whoever is no mobile that could be served."""
OVER: Final = "این گفتگو پایان یافته است؛ لطفاً دوباره شماره‌گیری کنید."
"""What is shown where no line, and so no profile, has words for it."""
_JOINTS: Final = re.compile("[*#]+")


class Dials:
    """Makes inputs, and knows which line is dialled."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        lines = [(_pieces(number), number) for number in desk.talkers]
        self._lines = sorted(lines, key=lambda line: -len(line[0]))

    def of_ussd(self, ledger: Ledger, ussd: UssdInput, received_at: int) -> Input:
        """One step: who dials, which line, and what."""
        event, *told, joined = ussd
        session, source, code, text, turn = map(storable, told)
        typed = ascii_digits(text).strip()
        pieces = _pieces(ascii_digits(code))
        if event is UssdEvent.BEGIN:
            pieces = _whole(pieces, _pieces(typed))
            typed = f"*{'*'.join(pieces)}#"
        line = self._line(pieces)
        try:
            sender = mobile(source) if source else ""
        except MobileError:
            # No mobile that we could serve; nor must the network's name of its session be
            # taken for somebody else's, as it would be without a sender.
            sender, line = source, ""
        marks = (session, source, event.value, code, text, turn)
        return Input(
            self._desk.ids.one(),
            received_at,
            ledger.bind,
            ledger.link,
            session,
            line,
            sender,
            Event(event.value),
            typed,
            turn,
            self._desk.keys.fingerprint(*(mark.encode() for mark in marks)),
            joined,
        )

    def _line(self, pieces: tuple[str, ...]) -> str:
        """The line whose code is the longest that what was dialled begins with."""
        for code, number in self._lines:
            if pieces[: len(code)] == code:
                return number
        return ""


def to_show(shown: Iterable[Shown], came: Iterable[tuple[Ledger, Input]]) -> list[ToShow]:
    """Screens, each for the connection that its input came on."""
    inputs = {one.id: (ledger.connection, one) for ledger, one in came}
    found = []
    for each in shown:
        connection, one = inputs[each.input_id]
        found.append(ToShow(connection, each.door, _as_screen(each, one)))
    return found


def opening(shown: Shown) -> ToShow:
    """The screen that begins a session of ours."""
    kind = ScreenKind.NOTIFY if shown.opens is Event.CONFIRM else ScreenKind.OPEN
    screen = Screen(shown.input_id, kind, shown.network_id, shown.mobile, shown.line, shown.text)
    return ToShow(None, shown.door, screen)


def _as_screen(shown: Shown, one: Input) -> Screen:
    text, code = shown.text, shown.line
    if not (text or code):
        text = UNKNOWN_CODE if one.event is Event.BEGIN else OVER
    if not code and one.event is Event.BEGIN:
        # Networks want to know what a screen comes from, even one that says there is nothing.
        code = f"*{''.join(_pieces(one.text)[:1])}#"
    return Screen(
        shown.input_id,
        ScreenKind.LAST if shown.ends else ScreenKind.ASK,
        shown.network_id,
        shown.mobile,
        code,
        text,
        shown.turn,
    )


def _pieces(dialled: str) -> tuple[str, ...]:
    return tuple(piece for piece in _JOINTS.split(dialled) if piece)


def _whole(code: tuple[str, ...], typed: tuple[str, ...]) -> tuple[str, ...]:
    """What was dialled, whole: some networks tell the code only once, or apart."""
    return typed if typed[: len(code)] == code else code + typed
