"""What subscribers text in a measurement: made before anything is timed.

``balance`` is ``010`` alone, each from a mobile of its own and for a subscriber chosen at
random. ``mix`` is what seed 001 lets subscribers of Kerman water do, in turn. What they book
is really booked: readings rise, no two requests are worded alike, who wants to pay owes
something, who stops bills gets some. ``bench.mix`` looks into the database whether it was so.
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
from core import tracking
from core.demo import UTILITIES, code_of, number_of
from core.demo.making import KERMAN, Batch, Period, account, periods

POOL: Final = 50_000
"""Texts of one operation that are made beforehand; then they are used again."""
MIXED: Final = 100_000
"""Texts of a mix; used again they would be refused, or taken for those already sent."""
ALONE: Final = "balance"
MIX: Final = "mix"

_EARLIER: Final = 50
"""Turns between a text and what follows from it: more texts than are ever open at once."""
_MONTHS: Final = (
    "فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور",
    "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند",
)  # fmt: skip


class Who(Enum):
    """Which sample subscriber a text is about."""

    ANY = auto()
    DEBTOR = auto()
    NEXT = auto()
    """One after the other, so that nobody tells two figures at once; debtors keep their bills."""


class Kind(NamedTuple):
    """What is asked for, in the words that people use for it, in turn."""

    wordings: tuple[str, ...]
    who: Who = Who.ANY
    after: str = ""
    """What has to be done before: in the first turns that is written instead."""


KINDS: Final = {
    ALONE: Kind(("010+{number}+{code}",)),
    "mid_bill": Kind(("110+{number}+{code}+{reading}",), Who.NEXT),
    "bill_by_sms": Kind(("210+{number}+{code}",)),
    "stop_bill_by_sms": Kind(("9",), after="bill_by_sms"),
    "pay": Kind(("1522+{bill_id}+{payment_id}", "پرداخت بدهی {number} {code}"), Who.DEBTOR),
    "last_bill": Kind(("آخرین قبض {number} {code}", "مشاهده قبض {number} {code}")),
    "consumption_history": Kind(("گزارش مصارف {number} {code}", "سوابق مصرف {number} {code}")),
    "payment_history": Kind(("گزارش پرداخت {number} {code}", "سوابق پرداخت {number} {code}")),
    "register_request": Kind(
        (
            "تعویض کنتور {number} {code} کنتور از {month} کار نمی‌کند",
            "جابجایی کنتور {number} {code} کنتور در {month} زیر خاک رفته",
            "آزمایش کنتور {number} {code} از {month} زیاد می‌اندازد",
            "اصلاح قبض {number} {code} مبلغ قبض {month} درست نیست",
        ),
        Who.NEXT,
    ),
    "track_request": Kind(
        ("رهگیری {tracking}", "کد رهگیری {tracking}", "پیگیری درخواست {tracking}"),
        after="register_request",
    ),
}
"""The mix, by operation, as seed 001 names them."""
_NAMES: Final = tuple(KINDS)
_BACK: Final = _EARLIER * len(KINDS) + (
    _NAMES.index("stop_bill_by_sms") - _NAMES.index("bill_by_sms")
)
"""From a ``9`` back to the ``210`` that it ends, in texts: both are of one mobile."""


class Texts:
    """The texts, ready to be sent: number ``n`` comes from mobile ``first_mobile + n``.

    But for a ``9``: it comes from a mobile that has texted before. ``later`` gives, for the
    number of the first text of such a mobile, that of its second.
    """

    def __init__(self, what: str, subscribers: int, first_mobile: int) -> None:
        size = POOL if what == ALONE else MIXED
        written = islice(_written(what, subscribers, first_mobile), size)
        self.first_mobile = first_mobile
        self.later: dict[int, int] = {}
        self._texts = []
        for place, text in enumerate(written):
            from_place = place
            if text == wire.persian("9"):
                from_place -= _BACK
                self.later[from_place] = place
            self._texts.append(wire.deliver_sm(first_mobile + from_place, text))

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
            early = kind.after and turn < _EARLIER
            # Those written instead come after all others, so that they are not alike.
            place = turn + MIXED if early else turn
            yield _write(KINDS[kind.after] if early else kind, place, subscribers, dice)


def _place(who: Who, turn: int, subscribers: int, dice: Random) -> int:
    if who is Who.NEXT:
        tens, rest = divmod(turn % (subscribers * 9 // 10), 9)
        return tens * 10 + rest + 2
    if who is Who.DEBTOR:
        return dice.randrange(subscribers // 10) * 10 + 1
    return dice.randrange(subscribers) + 1


def _write(kind: Kind, turn: int, subscribers: int, dice: Random) -> str:
    place = _place(kind.who, turn, subscribers, dice)
    number = number_of(place)
    told: dict[str, object] = {"number": number, "code": code_of(int(number))}
    wording = kind.wordings[turn % len(kind.wordings)]
    lap = turn * 10 // (subscribers * 9)
    if "{reading}" in wording:
        told["reading"] = _standing(place).reading + 1 + lap
    elif "{bill_id}" in wording:
        told |= _standing(place)._asdict()
    elif "{tracking}" in wording:
        # One request was registered in each turn, and the last of them are still open.
        told["tracking"] = tracking.make(tracking.FIRST + dice.randrange(turn))
    elif "{month}" in wording:
        told["month"] = _MONTHS[lap % len(_MONTHS)]
    return wire.persian(wording.format_map(told))


class _Standing(NamedTuple):
    """What a sample subscriber's last bill says."""

    reading: int
    bill_id: str
    payment_id: str


@cache
def _standing(place: int) -> _Standing:
    batch = Batch(KERMAN, UTILITIES[KERMAN], range(place, place + 1), _billed(), 1, TODAY)
    known = account(batch, place)
    *_, bill_id, payment_id, _, _ = known.bills[-1]
    return _Standing(known.readings[-1][0], bill_id, payment_id)


@lru_cache(maxsize=1)
def _billed() -> tuple[Period, ...]:
    return tuple(periods(TODAY, MIX_BILLS))
