"""Texts that come in to the desk's lines, and who sends them."""

from __future__ import annotations

from datetime import date
from typing import Final

from core.batch import Batch, Desk
from core.demo import FIRST_NUMBER, fill
from core.inbox import Arrival
from core.running import run
from tests.desks import KERMAN, DeskWorld

LINE: Final = "100034122"
STRANGER: Final = "989131234567"
"""Registered to nothing."""
OWNER: Final = "989131111111"
OWN_NUMBER: Final = str(FIRST_NUMBER + 1)
"""What the owner is registered to."""


def receive(desk: DeskWorld, *texts: tuple[str, str]) -> list[int]:
    """Have the line get these: (mobile, text); ids of the messages."""
    means = desk.means
    core = Desk(0, means.ids, means.keys, means.minds, lambda _bind, _parts: "")
    arrivals = [
        Arrival(
            means.ids.one(), desk.now_ms(), "mci", 1, LINE, KERMAN, mobile, text, place, None, None
        )
        for place, (mobile, text) in enumerate(texts)
    ]
    run(desk.database, core, Batch(arrivals=arrivals, now=desk.now_ms()))
    return [each.id for each in arrivals]


def subscribers(desk: DeskWorld) -> None:
    """Twenty of Kerman."""
    fill(desk.database, desk.means.keys, subscribers=20, today=date(2026, 9, 21))
