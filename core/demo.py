"""Sample data: the subscribers of an imaginary urban water company in Kerman.

Everything about a subscriber follows from the seed and the number, so that the same call
makes the same data on every machine. What examples and tests may rely on:

- numbers run from 10000001; ``code_of`` gives the secret code, 4321 for 10000001;
- 09131234567 is registered to nobody;
- 09131111111 is registered to 10000002, 09133333333 to 10000006, each to that one alone;
- 09132222222 is registered to 10000003, 10000004 and 10000005;
- of the others every second one has a mobile of its own (``mobile_of``);
- the last digit of a number tells how it pays: 1 owes its last bill, 8 its last three,
  9 has paid too much, the rest pay what they are billed.

A bill's payable is its amount with what was left of the bills and payments before, cut to
the thousand that a payment ID can carry; the rest goes to the next one (DOMAIN 4).
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import Text, insert, select, update

from core.bulk import as_rows, insert_rows, unfolded
from core.demo_words import CITIES, FAMILY_NAMES, FIRST_NAMES, STREETS, USAGES
from core.identifiers import make_bill_id, make_payment_id, payable
from core.jalali import day_interval, from_jalali, jalali
from core.tables import bills, contacts, imports, payments, readings, subscribers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from core.database import Database
    from core.secrecy import Keys

FIRST_NUMBER: Final = 10_000_001
COMPANY: Final = "046"
SERVICE: Final = "1"
"""Water; with the company as in the valid examples of DOMAIN 4."""

MOBILES: Final = {
    10_000_002: "989131111111",
    10_000_003: "989132222222",
    10_000_004: "989132222222",
    10_000_005: "989132222222",
    10_000_006: "989133333333",
}
"""The registered mobiles that examples may name; ``mobile_of`` knows the others too."""

_ROWS_AT_ONCE: Final = 8_000
_HOUR_MS: Final = 3_600_000
_PERIODS_A_YEAR: Final = 6
_OFFSETS: Final = 24
_CHANNELS: Final = ("internet", "pos", "1522", "branch")


def code_of(number: int) -> str:
    """Give the secret code of a sample subscriber: four digits."""
    return str((number - FIRST_NUMBER) * 7919 % 9000 + 1000 if number != FIRST_NUMBER else 4321)


def mobile_of(number: int) -> str | None:
    """Give the mobile that is registered to a sample subscriber, E.164 digits."""
    if number in MOBILES:
        return MOBILES[number]
    # 0990…, so that none is a 0913 number of the examples.
    return f"98990{number % 10**7:07}" if number > max(MOBILES) and number % 2 else None


def fill(  # noqa: PLR0913 - each is what a caller chooses
    database: Database,
    keys: Keys,
    *,
    today: date,
    utility: str = "kerman-water",
    subscribers: int = 3000,
    bills_each: int = 7,
    seed: int = 1,
) -> None:
    """Put ``subscribers`` sample subscribers into the database, each with its last bills.

    What is there already is left alone, and a call with the same choices changes nothing,
    on whatever day; one that was interrupted goes on where it stopped. ``bills_each`` may
    be 0. Raises ``DatabaseUnavailable``.
    """
    digest = f"{utility}/{subscribers}/{bills_each}/{seed}"
    done = database.transact("demo.position", _position, digest)
    step = max(1, _ROWS_AT_ONCE // max(1, bills_each))
    periods = _periods(today, bills_each)
    while done < subscribers:
        numbers = range(FIRST_NUMBER + done, FIRST_NUMBER + min(done + step, subscribers))
        batch = _Batch(utility, numbers, periods, seed, today)
        done += len(numbers)
        database.transact("demo.fill", _store, keys, batch, digest, done)


class _Period(NamedTuple):
    label: str
    """Jalali year and period of two months: ``1404/03``."""
    ends: date
    """The first day after it; each subscriber's meter is read some days later."""


class _Batch(NamedTuple):
    utility: str
    numbers: range
    periods: Sequence[_Period]
    seed: int
    today: date


class _Account(NamedTuple):
    """The bills, payments and readings of one subscriber, without the subscriber's id."""

    bills: list[tuple[Any, ...]]
    payments: list[tuple[Any, ...]]
    readings: list[tuple[int, int]]


class _Dice:
    """Numbers that look random and follow from what they are made of."""

    def __init__(self, *seed: object) -> None:
        self._left = int.from_bytes(blake2b(repr(seed).encode()).digest(), "big")

    def roll(self, sides: int) -> int:
        """Give a number from 0 up to and not including ``sides``."""
        self._left, rolled = divmod(self._left, sides)
        return rolled


# --- what each one is ---------------------------------------------------------------

_SUBSCRIBER: Final = (
    "utility", "number", "code_hash", "name", "usage", "units", "capacity", "meter_serial",
    "meter_digits", "address", "region", "changed_at",
)  # fmt: skip


def _subscriber(keys: Keys, batch: _Batch, number: int, now: int) -> tuple[Any, ...]:
    dice = _Dice(batch.seed, number)
    usage = USAGES[dice.roll(len(USAGES))]
    home = usage == USAGES[0]
    region = CITIES[dice.roll(len(CITIES))]
    street = STREETS[dice.roll(len(STREETS))]
    return (
        batch.utility,
        str(number),
        keys.code_hash(batch.utility, str(number), code_of(number)),
        f"{FIRST_NAMES[dice.roll(len(FIRST_NAMES))]} {FAMILY_NAMES[dice.roll(len(FAMILY_NAMES))]}",
        usage,
        1 + dice.roll(4) if home else 1,
        None if home else 10 + dice.roll(200),
        str(number - FIRST_NUMBER + 500_001),
        5 + dice.roll(2),
        f"{region}، {street}، کوچه {1 + dice.roll(40)}، پلاک {1 + dice.roll(180)}",
        region,
        now,
    )


def _account(batch: _Batch, number: int) -> _Account:
    dice = _Dice("account", batch.seed, number)
    account = _Account([], [], [])
    if not batch.periods:
        return account
    bill_id = make_bill_id(str(number), COMPANY, SERVICE)
    offset = dice.roll(_OFFSETS)
    usual = 12 + dice.roll(28)
    reading = 200 + dice.roll(30_000)
    began = batch.periods[0].ends - timedelta(days=61 - offset)
    account.readings.append((reading, _at(began, 9)))
    owed = 0
    for index, period in enumerate(batch.periods):
        ended = period.ends + timedelta(days=offset)
        used = max(0, usual + dice.roll(13) - 6)
        due, left = payable(owed + 85_000 + used * 13_750 + dice.roll(999))
        issued = ended + timedelta(days=2)
        deadline = issued + timedelta(days=0 if owed >= 1000 else 14)  # noqa: PLR2004
        payment_id = make_payment_id(bill_id, due, period.label[3], period.label[-2:])
        account.bills.append((
            period.label, began, ended, reading, reading + used, due + left - owed, due,
            bill_id, payment_id or None, deadline if due > 0 else None, _at(issued, 12),
        ))  # fmt: skip
        paid = _pays(number, len(batch.periods) - index, due)
        paid_on = issued + timedelta(days=2 + dice.roll(11))
        if paid > 0 and paid_on < batch.today:
            account.payments.append((
                bill_id, payment_id or None, paid, _at(paid_on, 17),
                _CHANNELS[dice.roll(len(_CHANNELS))], f"{number}{period.label.replace('/', '')}",
            ))  # fmt: skip
            owed = due + left - paid
        else:
            owed = due + left
        began, reading = ended, reading + used
        account.readings.append((reading, _at(ended, 9)))
    return account


def _pays(number: int, to_go: int, due: int) -> int:
    """Rial paid of a bill that is the ``to_go``-th from the end."""
    habit = number % 10
    if (habit == 1 and to_go == 1) or (habit == 8 and to_go <= 3):  # noqa: PLR2004
        return 0
    return due + 1_500_000 if habit == 9 and to_go == 1 else due  # noqa: PLR2004


def _periods(today: date, count: int) -> list[_Period]:
    """Give the last ``count`` periods that everybody has had a bill for, oldest first."""
    year, period = int(jalali(today)[:4]), _PERIODS_A_YEAR
    found: list[_Period] = []
    while len(found) < count:
        after = (year, 2 * period + 1) if period < _PERIODS_A_YEAR else (year + 1, 1)
        ends = from_jalali(*after, 1)
        if ends + timedelta(days=_OFFSETS + 16) < today:
            found.append(_Period(f"{year}/{period:02}", ends))
        year, period = (year, period - 1) if period > 1 else (year - 1, _PERIODS_A_YEAR)
    return found[::-1]


@lru_cache(maxsize=4096)
def _at(day: date, hour: int) -> int:
    return int(day_interval(day)[0].timestamp() * 1000) + hour * _HOUR_MS


# --- storing ------------------------------------------------------------------------


def _position(connection: Connection, digest: str) -> int:
    mine = (imports.c.kind == "demo") & (imports.c.digest == digest)
    done = connection.execute(select(imports.c.rows_done).where(mine)).scalar()
    if done is None:
        row = {"kind": "demo", "digest": digest, "rows_done": 0, "changed_at": 0}
        connection.execute(insert(imports).values(row))
    return done or 0


def _store(connection: Connection, keys: Keys, batch: _Batch, digest: str, done: int) -> None:
    now = _at(batch.today, 0)
    rows = [_subscriber(keys, batch, number, now) for number in batch.numbers]
    insert_rows(connection, subscribers, _SUBSCRIBER, rows, or_ignore=True)
    ids = _ids(connection, batch)
    _store_contacts(connection, batch, ids, now)
    accounts = {ids[number]: _account(batch, number) for number in batch.numbers}
    _store_accounts(connection, batch.utility, accounts)
    connection.execute(
        update(imports)
        .where(imports.c.kind == "demo", imports.c.digest == digest)
        .values(rows_done=done, changed_at=now)
    )


_wanted = unfolded({"utility": Text(), "number": Text()})
_IDS = select(subscribers.c.number, subscribers.c.id).join_from(
    _wanted,
    subscribers,
    (subscribers.c.utility == _wanted.c.utility) & (subscribers.c.number == _wanted.c.number),
)


def _ids(connection: Connection, batch: _Batch) -> dict[int, int]:
    wanted = as_rows((batch.utility, str(number)) for number in batch.numbers)
    return {int(number): key for number, key in connection.execute(_IDS, wanted)}


def _store_contacts(connection: Connection, batch: _Batch, ids: dict[int, int], now: int) -> None:
    columns = ("utility", "mobile", "subscriber_id", "source", "created_at")
    rows = [
        (batch.utility, mobile, ids[number], "import", now)
        for number in batch.numbers
        if (mobile := mobile_of(number))
    ]
    insert_rows(connection, contacts, columns, rows, or_ignore=True)


_BILL: Final = (
    "subscriber_id", "period", "from_date", "to_date", "from_reading", "to_reading", "amount",
    "payable", "bill_id", "payment_id", "due_date", "issued_at",
)  # fmt: skip
_PAYMENT: Final = (
    "utility", "subscriber_id", "bill_id", "payment_id", "amount", "paid_at", "channel",
    "reference",
)  # fmt: skip
_READING: Final = ("subscriber_id", "reading", "read_at", "source", "state")


def _store_accounts(connection: Connection, utility: str, accounts: dict[int, _Account]) -> None:
    def each() -> Iterator[tuple[int, _Account]]:
        return iter(accounts.items())

    billed = [(key, *bill) for key, account in each() for bill in account.bills]
    insert_rows(connection, bills, _BILL, billed, or_ignore=True)
    paid = [(utility, key, *payment) for key, account in each() for payment in account.payments]
    insert_rows(connection, payments, _PAYMENT, paid, or_ignore=True)
    read = [
        (key, figure, at, "reader", "accepted")
        for key, account in each()
        for figure, at in account.readings
    ]
    insert_rows(connection, readings, _READING, read, or_ignore=True)
