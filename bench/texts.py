"""What subscribers text in a measurement: made before anything is timed.

``balance`` is ``010`` alone, each from a mobile of its own and for a subscriber chosen at
random. ``mix`` is ten operations in turn, as subscribers of Kerman water text them. What
they book is really booked: readings rise, no two requests are worded alike, and who wants
to pay owes something. ``bench.mix`` looks into the database whether it was so.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto
from functools import cache, lru_cache
from itertools import count, islice
from random import Random
from typing import Final, NamedTuple

from bench import wire
from bench.databases import MIX_BILLS, TODAY
from core.demo import UTILITIES, code_of, number_of
from core.demo_making import KERMAN, Batch, Period, account, periods

POOL: Final = 50_000
"""Texts of one operation that are made beforehand; then they are used again."""
MIXED: Final = 100_000
"""Texts of a mix; used again they would be refused, or taken for those already sent."""
ALONE: Final = "balance"
MIX: Final = "mix"

_WITH_INSTALMENTS: Final = 1_000
"""Sample subscribers after this one have no instalments (``core.demo``)."""
_MONTHS: Final = (
    "فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور",
    "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند",
)  # fmt: skip


class Who(Enum):
    """Which sample subscriber a text is about."""

    ANY = auto()
    DEBTOR = auto()
    WITH_INSTALMENTS = auto()
    NEXT = auto()
    """One after the other, so that nobody tells two figures at once."""


class Kind(NamedTuple):
    """A text without its subscription and code."""

    command: str
    who: Who = Who.ANY
    end: str = ""
    """With ``{reading}`` for a figure that rises, or ``{month}`` for words that differ."""
    ahead: int = 1
    """Units that the figure is above the last one."""


KINDS: Final = {
    ALONE: Kind("010"),
    "last_bill": Kind("آخرین قبض"),
    "last_payment": Kind("آخرین پرداخت"),
    "consumption_history": Kind("سوابق مصرف"),
    "payment_history": Kind("سوابق پرداخت"),
    "instalments": Kind("اقساط", Who.WITH_INSTALMENTS),
    "quick_bill": Kind("محاسبه", Who.ANY, " {reading}", 30),
    "mid_bill": Kind("110", Who.NEXT, " {reading}"),
    "register_request": Kind("اصلاح قبض", Who.NEXT, " مبلغ قبض {month} درست نیست"),
    "pay": Kind("پرداخت بدهی", Who.DEBTOR),
}
"""The mix, by operation."""


class Texts:
    """The texts, ready to be sent: number ``n`` comes from mobile ``first_mobile + n``."""

    def __init__(self, what: str, subscribers: int, first_mobile: int) -> None:
        size = POOL if what == ALONE else MIXED
        written = islice(_written(what, subscribers, first_mobile), size)
        self.first_mobile = first_mobile
        self._texts = [
            wire.deliver_sm(mobile, text)
            for mobile, text in zip(count(first_mobile), written, strict=False)
        ]

    def __len__(self) -> int:
        return len(self._texts)

    def take(self, sequence: int) -> bytearray:
        """Return text ``sequence``, modulo their count, with that sequence number."""
        text = self._texts[sequence % len(self._texts)]
        wire.SEQUENCE.pack_into(text, wire.SEQUENCE_AT, sequence)
        return text


def _written(what: str, subscribers: int, seed: int) -> Iterator[str]:
    """Write texts without end: one operation, or all of them in turn."""
    dice = Random(seed)  # noqa: S311 - the same texts on every machine
    kinds = tuple(KINDS.values()) if what == MIX else (KINDS[what],)
    for turn in count():
        for kind in kinds:
            yield _write(kind, _place(kind.who, turn, subscribers, dice), turn // subscribers)


def _place(who: Who, turn: int, subscribers: int, dice: Random) -> int:
    if who is Who.NEXT:
        return turn % subscribers + 1
    if who is Who.DEBTOR:
        return dice.randrange(subscribers // 10) * 10 + 1
    if who is Who.WITH_INSTALMENTS:
        return dice.randrange(min(subscribers, _WITH_INSTALMENTS) // 5) * 5 + 5
    return dice.randrange(subscribers) + 1


def _write(kind: Kind, place: int, lap: int) -> str:
    """Write a text in its ``lap``-th use for that subscriber."""
    number = number_of(place)
    # Where only figures follow, plus signs divide, as seed 001 prints it: ۰۱۰+number+code.
    end = kind.end
    if "{reading}" in end:
        end = end.format(reading=_last_reading(place) + kind.ahead + lap)
    elif end:
        end = end.format(month=_MONTHS[lap % len(_MONTHS)])
    text = f"{kind.command} {number} {code_of(int(number))}{end}"
    return wire.persian(text.replace(" ", "+") if kind.command.isdigit() else text)


@cache
def _last_reading(place: int) -> int:
    """The figure that a sample subscriber's last bill ends with."""
    batch = Batch(KERMAN, UTILITIES[KERMAN], range(place, place + 1), _billed(), 1, TODAY)
    return account(batch, place).readings[-1][0]


@lru_cache(maxsize=1)
def _billed() -> tuple[Period, ...]:
    return tuple(periods(TODAY, MIX_BILLS))
