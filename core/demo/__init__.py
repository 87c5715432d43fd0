"""Sample data: the subscribers of imaginary companies, one like that of each seed.

Everything about a subscriber follows from the seed and the number, so that the same call
makes the same data on every machine. What examples and tests may rely on, in the words of
Kerman's urban water; of the other companies the subscriptions at the same places are alike,
with the same codes and mobiles (``number_of`` says which number is at a place):

- numbers run from 10000001; ``code_of`` gives the secret code, 4321 for 10000001;
- 09131234567 is registered to nobody;
- 09131111111 is registered to 10000002, 09133333333 to 10000006, 09161234567 to 10000008, each
  to that one alone;
- 09132222222 is registered to 10000003, 10000004 and 10000005;
- of the others from place 7 on every second one has a mobile of its own (``mobile_of``);
- the last digit of a place tells how it pays: 1 owes its last bill, 8 its last three,
  9 has paid too much, the rest pay what they are billed;
- of the first thousand of Kerman and Lorestan, those that end in 5 or 0 pay their water
  connection in twelve instalments, those that end in 0 their wastewater connection too:
  seven are paid and the eighth is overdue;
- one in a hundred (48, 148 …) is suspended.

A bill's payable is its amount with what was left of the bills and payments before, cut to
the thousand that a payment ID can carry; the rest goes to the next one (DOMAIN 4).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from sqlalchemy import Text, insert, select, update

from core.bulk import as_rows, insert_rows, unfolded
from core.demo.making import (
    KERMAN,
    SUBSCRIBER,
    Account,
    Batch,
    account,
    at_hour,
    code_of,
    mobile_of,
    number_of,
    periods,
    subscriber,
)
from core.demo.words import UTILITIES
from core.tables import (
    bills,
    contacts,
    imports,
    instalments,
    payments,
    readings,
    subscribers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from core.database import Database
    from core.secrecy import Keys

FIRST_NUMBER: Final = UTILITIES[KERMAN].first
_ROWS_AT_ONCE: Final = 8_000

__all__ = ["FIRST_NUMBER", "UTILITIES", "code_of", "fill", "mobile_of", "number_of"]


def fill(  # noqa: PLR0913 - each is what a caller chooses
    database: Database,
    keys: Keys,
    *,
    today: date,
    utility: str = KERMAN,
    subscribers: int = 3000,
    bills_each: int = 7,
    seed: int = 1,
) -> None:
    """Put sample subscribers of ``utility``, one of ``UTILITIES``, into the database.

    Each has its last bills. What is there already is left alone, and a call with the same choices
    changes nothing, on whatever day; one that was interrupted goes on where it stopped.
    ``bills_each`` may be 0. Raises ``DatabaseUnavailable``.
    """
    digest = f"{utility}/{subscribers}/{bills_each}/{seed}"
    done = database.transact("demo.position", _position, digest)
    step = max(1, _ROWS_AT_ONCE // max(1, bills_each))
    billed = periods(today, bills_each)
    while done < subscribers:
        places = range(done + 1, min(done + step, subscribers) + 1)
        batch = Batch(utility, UTILITIES[utility], places, billed, seed, today)
        done += len(places)
        database.transact("demo.fill", _store, keys, batch, digest, done)


# --- storing ------------------------------------------------------------------------


def _position(connection: Connection, digest: str) -> int:
    mine = (imports.c.kind == "demo") & (imports.c.digest == digest)
    done = connection.execute(select(imports.c.rows_done).where(mine)).scalar()
    if done is None:
        row = {"kind": "demo", "digest": digest, "rows_done": 0, "changed_at": 0}
        connection.execute(insert(imports).values(row))
    return done or 0


def _store(connection: Connection, keys: Keys, batch: Batch, digest: str, done: int) -> None:
    now = at_hour(batch.today, 0)
    rows = [subscriber(keys, batch, place, now) for place in batch.places]
    insert_rows(connection, subscribers, SUBSCRIBER, rows, or_ignore=True)
    ids = _ids(connection, batch)
    _store_contacts(connection, batch, ids, now)
    accounts = {ids[place]: account(batch, place) for place in batch.places}
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


def _ids(connection: Connection, batch: Batch) -> dict[int, int]:
    """By place."""
    sample = batch.sample
    wanted = as_rows((batch.utility, str(sample.number(place))) for place in batch.places)
    rows = connection.execute(_IDS, wanted)
    return {sample.place(int(number)): key for number, key in rows}


def _store_contacts(connection: Connection, batch: Batch, ids: dict[int, int], now: int) -> None:
    columns = ("utility", "mobile", "subscriber_id", "source", "created_at")
    rows = [
        (batch.utility, mobile, ids[place], "import", now)
        for place in batch.places
        if (mobile := mobile_of(batch.sample.number(place), batch.utility))
    ]
    insert_rows(connection, contacts, columns, rows, or_ignore=True)


_BILL: Final = (
    "subscriber_id", "period", "from_date", "to_date", "from_reading", "to_reading", "used",
    "amount", "payable", "bill_id", "payment_id", "due_date", "issued_at",
)  # fmt: skip
_PAYMENT: Final = (
    "utility", "subscriber_id", "bill_id", "payment_id", "amount", "paid_at", "channel",
    "reference",
)  # fmt: skip
_INSTALMENT: Final = (
    "subscriber_id", "plan", "number", "amount", "due_date", "paid_at", "bill_id", "payment_id",
)  # fmt: skip
_READING: Final = ("subscriber_id", "reading", "read_at", "source", "state")


def _store_accounts(connection: Connection, utility: str, accounts: dict[int, Account]) -> None:
    def each() -> Iterator[tuple[int, Account]]:
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
    owed = [(key, *one) for key, account in each() for one in account.instalments]
    insert_rows(connection, instalments, _INSTALMENT, owed, or_ignore=True)
