"""What each sample subscriber is, owes, has paid and has read: ``core.demo`` says what holds."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core.demo.words import FAMILY_NAMES, FIRST_NAMES, STREETS, UTILITIES, SampleUtility
from core.identifiers import make_bill_id, make_payment_id, payable
from core.jalali import from_jalali, jalali, midnight_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.secrecy import Keys

_CHANNELS: Final = ("internet", "pos", "1522", "branch")
_HOME: Final = "خانگی"
_HOUR_MS: Final = 3_600_000
_INSTALMENTS: Final = 12
_LAST_WITH_INSTALMENTS: Final = 1_000
_OFFSETS: Final = 24
_PAID_INSTALMENTS: Final = 7
_PERIODS_A_YEAR: Final = 6
KERMAN: Final = "kerman-water"

_MOBILES: Final = {
    2: "989131111111",
    3: "989132222222",
    4: "989132222222",
    5: "989132222222",
    6: "989133333333",
    8: "989161234567",
}
"""The registered mobiles that examples may name, by place; ``mobile_of`` knows the others."""
_FIRST_UNNAMED: Final = 7


def number_of(place: int, utility: str = KERMAN) -> str:
    """Give the number of a sample subscriber: the first of each utility is at place 1."""
    return str(UTILITIES[utility].number(place))


def code_of(number: int, utility: str = KERMAN) -> str:
    """Give the secret code of a sample subscriber: four digits."""
    place = UTILITIES[utility].place(number)
    return str((place - 1) * 7919 % 9000 + 1000 if place > 1 else 4321)


def mobile_of(number: int, utility: str = KERMAN) -> str | None:
    """Give the mobile that is registered to a sample subscriber, E.164 digits."""
    place = UTILITIES[utility].place(number)
    if place in _MOBILES:
        return _MOBILES[place]
    # 0990…, so that none is a 0913 number of the examples.
    return f"98990{place % 10**7:07}" if place >= _FIRST_UNNAMED and place % 2 else None


class Period(NamedTuple):
    """Two months that everybody is billed for."""

    label: str
    """Jalali year and period of two months: ``1404/03``."""
    ends: date
    """The first day after it; each subscriber's meter is read some days later."""


class Batch(NamedTuple):
    """Some subscribers of one utility."""

    utility: str
    sample: SampleUtility
    places: range
    periods: Sequence[Period]
    seed: int
    today: date


class Account(NamedTuple):
    """What belongs to one subscriber: rows of tables, without the subscriber's id."""

    bills: list[tuple[Any, ...]]
    payments: list[tuple[Any, ...]]
    readings: list[tuple[int, int]]
    instalments: list[tuple[Any, ...]]


class _Dice:
    """Numbers that look random and follow from what they are made of."""

    def __init__(self, *seed: object) -> None:
        self._left = int.from_bytes(blake2b(repr(seed).encode()).digest(), "big")

    def roll(self, sides: int) -> int:
        """Give a number from 0 up to and not including ``sides``."""
        self._left, rolled = divmod(self._left, sides)
        return rolled


# --- what each one is ---------------------------------------------------------------

SUBSCRIBER: Final = (
    "utility", "number", "code_hash", "name", "usage", "units", "capacity", "meter_serial",
    "meter_digits", "address", "region", "bill_id", "wastewater", "state", "changed_at",
)  # fmt: skip


def subscriber(keys: Keys, batch: Batch, place: int, now: int) -> tuple[Any, ...]:
    """Give the subscriber at a place, in the order of ``SUBSCRIBER``."""
    sample = batch.sample
    number = sample.number(place)
    dice = _Dice(batch.seed, number)
    usage = sample.usages[dice.roll(len(sample.usages))]
    home = usage == _HOME
    region = sample.towns[dice.roll(len(sample.towns))]
    street = STREETS[dice.roll(len(STREETS))]
    return (
        batch.utility,
        str(number),
        keys.code_hash(batch.utility, str(number), code_of(number, batch.utility)),
        f"{FIRST_NAMES[dice.roll(len(FIRST_NAMES))]} {FAMILY_NAMES[dice.roll(len(FAMILY_NAMES))]}",
        usage,
        1 + dice.roll(4) if home else 1,
        None if home else 10 + dice.roll(200),
        str(500_000 + place),
        5 + dice.roll(2),
        f"{region}، {street}، کوچه {1 + dice.roll(40)}، پلاک {1 + dice.roll(180)}",
        region,
        _bill_id(sample, place),
        dice.roll(5) > 0,
        "suspended" if place % 100 == 48 else "active",  # noqa: PLR2004
        now,
    )


def _bill_id(sample: SampleUtility, place: int) -> str:
    return make_bill_id(sample.file(place), sample.company, sample.service)


def account(batch: Batch, place: int) -> Account:
    """Give what the subscriber at a place was billed, has paid, and has left to pay."""
    sample = batch.sample
    number = sample.number(place)
    dice = _Dice("account", batch.seed, number)
    account = Account([], [], [], [])
    if not batch.periods:
        return account
    bill_id = _bill_id(sample, place)
    account.instalments.extend(_instalments(batch, place, bill_id))
    offset = dice.roll(_OFFSETS)
    usual = sample.usual + dice.roll(sample.spread)
    reading = 200 + dice.roll(30_000)
    began = batch.periods[0].ends - timedelta(days=61 - offset)
    account.readings.append((reading, at_hour(began, 9)))
    owed = 0
    for index, period in enumerate(batch.periods):
        ended = period.ends + timedelta(days=offset)
        used = max(0, usual + dice.roll(13) - 6)
        due, left = payable(owed + sample.fixed + used * sample.rate + dice.roll(999))
        issued = ended + timedelta(days=2)
        deadline = issued + timedelta(days=0 if owed >= 1000 else 14)  # noqa: PLR2004
        payment_id = make_payment_id(bill_id, due, period.label[3], period.label[-2:])
        account.bills.append((
            period.label, began, ended, reading, reading + used, used, due + left - owed, due,
            bill_id, payment_id or None, deadline if due > 0 else None, at_hour(issued, 12),
        ))  # fmt: skip
        paid = _pays(place, len(batch.periods) - index, due)
        paid_on = issued + timedelta(days=2 + dice.roll(11))
        if paid > 0 and paid_on < batch.today:
            account.payments.append((
                bill_id, payment_id or None, paid, at_hour(paid_on, 17),
                _CHANNELS[dice.roll(len(_CHANNELS))], f"{number}{period.label.replace('/', '')}",
            ))  # fmt: skip
            owed = due + left - paid
        else:
            owed = due + left
        began, reading = ended, reading + used
        account.readings.append((reading, at_hour(ended, 9)))
    return account


def _instalments(batch: Batch, place: int, bill_id: str) -> Iterator[tuple[Any, ...]]:
    """The instalments of a connection: one a month, on its fifteenth; the eighth is overdue."""
    if not batch.sample.instalments or place % 5 or place > _LAST_WITH_INSTALMENTS:
        return
    plans = ("water", "wastewater") if place % 10 == 0 else ("water",)
    year, month = (int(part) for part in jalali(batch.today).split("/")[:2])
    first = year * 12 + month - 1 - (_PAID_INSTALMENTS + 1)
    for fee, plan in enumerate(plans, start=1):
        amount = (1_500 + 25 * (place % 40)) * 1000 * fee
        for number in range(1, _INSTALMENTS + 1):
            months = first + number - 1
            due = from_jalali(months // 12, months % 12 + 1, 15)
            paid_at = at_hour(due - timedelta(days=3), 11) if number <= _PAID_INSTALMENTS else None
            payment_id = make_payment_id(bill_id, amount, str(fee), f"{number:02}")
            yield plan, number, amount, due, paid_at, bill_id, payment_id


def _pays(place: int, to_go: int, due: int) -> int:
    """Rial paid of a bill that is the ``to_go``-th from the end."""
    habit = place % 10
    if (habit == 1 and to_go == 1) or (habit == 8 and to_go <= 3):  # noqa: PLR2004
        return 0
    return due + 1_500_000 if habit == 9 and to_go == 1 else due  # noqa: PLR2004


def periods(today: date, count: int) -> list[Period]:
    """Give the last ``count`` periods that everybody has had a bill for, oldest first."""
    year, period = int(jalali(today)[:4]), _PERIODS_A_YEAR
    found: list[Period] = []
    while len(found) < count:
        after = (year, 2 * period + 1) if period < _PERIODS_A_YEAR else (year + 1, 1)
        ends = from_jalali(*after, 1)
        if ends + timedelta(days=_OFFSETS + 16) < today:
            found.append(Period(f"{year}/{period:02}", ends))
        year, period = (year, period - 1) if period > 1 else (year - 1, _PERIODS_A_YEAR)
    return found[::-1]


@lru_cache(maxsize=4096)
def at_hour(day: date, hour: int) -> int:
    """Give an hour of a day in Tehran: UTC milliseconds."""
    return midnight_ms(day) + hour * _HOUR_MS
