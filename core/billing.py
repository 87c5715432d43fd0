"""Making a bill of two readings (seed 000, annex 1: صورتحساب میان‌دوره).

What a bill says is computed by ``draft``, which is pure: the lines of the tariff, and on
top what was owed before. Payable is floored to 1,000 rial, as a payment ID carries no less,
and the rest is carried to the next bill (DOMAIN section 4). ``Billing`` is the shelf that
knows what a draft needs and stores the bills that a batch issues.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, select

from core import identifiers
from core.bills import MID_PERIOD, LastBill, facts_of_issue
from core.bulk import Upsert, as_rows, put_rows, unfolded
from core.events import Event, EventKind
from core.jalali import day_of, jalali
from core.readings import IS_METER_CHANGE, MeterChange
from core.shelf import Asker, Shelf, Subject, Subscriber, ids_of
from core.statements import fetch
from core.tables import bills, readings, subscribers
from core.tariff import Line, Part, Tariff, Use, amount_of, lines_in, parts_of, to_store
from core.terms import BillingTerms, Terms

_LONGEST_FILE = 8
_MONTH = slice(5, 7)


class Account(NamedTuple):
    """What a bill needs to know of a subscription besides its readings."""

    id: int
    number: str
    usage: str
    """As the utility's data has it; ``Tariff.usage`` knows what it means."""
    units: int
    capacity: int | None
    region: str
    wastewater: bool
    bill_id: str | None
    changes: tuple[MeterChange, ...] = ()
    """Of its meter, oldest first."""


class Start(NamedTuple):
    """Where the period of a bill begins."""

    reading: int
    day: date
    owed: int
    """Rial owed before this bill, what was carried over in it; negative for a credit."""


class End(NamedTuple):
    """Where it ends."""

    reading: int
    day: date
    used: int
    """Units of the meter since the start."""


class Draft(NamedTuple):
    """A bill that has been computed and not been stored."""

    start: Start
    end: End
    parts: Sequence[Part]
    amount: int
    """Rial, this period alone: the sum of the parts."""
    payable: int
    """Rial, with what was owed before; negative for a credit."""
    carried: int
    """Rial that are left for the next bill."""
    bill_id: str
    """"" where none can be made."""
    payment_id: str
    """"" for nothing to pay, or more than a payment ID can carry."""
    due: date | None
    """None: pay at once, since something was owed before; or nothing to pay."""

    @property
    def lines(self) -> tuple[Line, ...]:
        """What the amount is made of."""
        return lines_in(self.parts)


def use_of(tariff: Tariff, account: Account, start: Start, end: End) -> Use | None:
    """What is billed for a period; None when the subscription's usage has no price.

    A period has at least one day: what is used on the day of the last bill is that day's.
    """
    usage = tariff.usage(account.usage)
    if usage is None:
        return None
    return Use(
        used=Fraction(end.used),
        first=start.day,
        end=max(end.day, start.day + timedelta(days=1)),
        usage=usage,
        units=max(account.units, 1),
        capacity=account.capacity,
        region=account.region,
        wastewater=account.wastewater,
    )


def draft(terms: Terms, account: Account, start: Start, end: End) -> Draft | None:
    """Compute the bill of a period; None when the utility has no price for it."""
    use = use_of(terms.tariff, account, start, end) if terms.tariff else None
    if terms.tariff is None or use is None:
        return None
    parts = parts_of(terms.tariff, use)
    amount = amount_of(parts)
    payable, carried = rounded(amount + start.owed)
    bill_id = bill_id_of(account.bill_id, account.number, terms.billing)
    overdue = start.owed >= identifiers.RIAL_STEP
    deadline = end.day + timedelta(days=terms.billing.due_days)
    return Draft(
        start=start,
        end=End(end.reading, use.end, end.used),
        parts=parts,
        amount=amount,
        payable=payable,
        carried=carried,
        bill_id=bill_id,
        payment_id=payment_id_of(bill_id, payable, end.day) if bill_id else "",
        due=None if overdue or payable <= 0 else deadline,
    )


def rounded(total: int) -> tuple[int, int]:
    """What is to be paid of ``total`` rial, and what is carried to the next bill.

    A debt is floored to ``identifiers.RIAL_STEP``. A credit stays as it is, since nobody has
    to pay it; a debt below one step is carried over whole.
    """
    return identifiers.payable(total) if total > 0 else (total, 0)


def bill_id_of(known: str | None, number: str, terms: BillingTerms) -> str:
    """The bill ID of a subscription: the one on record, or made of its number; or ``""``.

    Only a number of up to 8 digits can be a bill ID's file (DOMAIN section 4).
    """
    if known or not terms.company or not number.isdigit() or len(number) > _LONGEST_FILE:
        return known or ""
    return identifiers.make_bill_id(number, terms.company, terms.service)


def payment_id_of(bill_id: str, payable: int, day: date) -> str:
    """The payment ID of a bill, with the Jalali year's last digit and the month in it.

    So that two bills of one amount in different months differ, as banks want them to.
    """
    when = jalali(day)
    return identifiers.make_payment_id(bill_id, payable, when[3], when[_MONTH])


def period_key(day: date) -> str:
    """The period of a mid-period bill: one a day, told apart from the utility's own."""
    return f"میان‌دوره {jalali(day)}"


# --- the shelf ----------------------------------------------------------------------

_wanted = unfolded({"subscriber_id": BigInteger()})
_ACCOUNTS = (
    select(
        subscribers.c.id,
        subscribers.c.number,
        subscribers.c.usage,
        subscribers.c.units,
        subscribers.c.capacity,
        subscribers.c.region,
        subscribers.c.wastewater,
        subscribers.c.bill_id,
        readings.c.read_at,
        readings.c.old_end,
        readings.c.reading,
    )
    .join_from(_wanted, subscribers, subscribers.c.id == _wanted.c.subscriber_id)
    .outerjoin(readings, (readings.c.subscriber_id == subscribers.c.id) & IS_METER_CHANGE)
)
"""A row for each change of a meter, one without a change for most subscriptions."""


def load_accounts(connection: Connection, subscriber_ids: Collection[int]) -> dict[int, Account]:
    """What bills need to know of these subscriptions; one statement."""
    found: dict[int, Account] = {}
    if subscriber_ids:
        rows = fetch(connection, _ACCOUNTS, as_rows((key,) for key in subscriber_ids))
        for *known, at, old_end, new_start in rows:
            account = found.get(known[0], Account(*known))
            if at is not None:
                changes = *account.changes, MeterChange(at, old_end, new_start)
                account = account._replace(changes=tuple(sorted(changes, key=_when)))
            found[account.id] = account
    return found


def _when(change: MeterChange) -> int:
    return change.at


class Billing(Shelf):
    """What the bills of a batch need, and the bills that it issues."""

    def __init__(self) -> None:
        self._accounts: dict[int, Account] = {}
        self._new: dict[tuple[int, str], tuple[object, ...]] = {}

    def load(self, connection: Connection, subjects: Sequence[Subject]) -> None:
        """One statement."""
        self._accounts = load_accounts(connection, ids_of(subjects))

    def account(self, subscriber: Subscriber) -> Account:
        """What is known of a subscription that was identified."""
        return self._accounts[subscriber.id]

    def issue(self, asker: Asker, subscriber: Subscriber, made: Draft) -> tuple[LastBill, Event]:
        """Store a mid-period bill; what ``LastBills`` and ``Events`` are to be told of it.

        One that was issued the same day is replaced.
        """
        bill = _as_last_bill(subscriber, made, asker.at)
        row = (
            subscriber.id, bill.period, bill.from_date, bill.to_date, bill.from_reading,
            bill.to_reading, bill.amount, bill.payable, bill.bill_id, bill.payment_id,
            bill.due_date, bill.issued_at, bill.kind, bill.used, to_store(made.parts), made.carried,
        )  # fmt: skip
        self._new[subscriber.id, bill.period] = row
        return bill, _issued(asker, subscriber, bill)

    def store(self, connection: Connection) -> None:
        """One statement."""
        put_rows(connection, _ISSUED, list(self._new.values()))


def _as_last_bill(subscriber: Subscriber, made: Draft, at: int) -> LastBill:
    return LastBill(
        subscriber_id=subscriber.id,
        payable=made.payable,
        bill_id=made.bill_id or None,
        payment_id=made.payment_id or None,
        due_date=made.due,
        from_date=made.start.day,
        to_date=made.end.day,
        from_reading=made.start.reading,
        to_reading=made.end.reading,
        paid_since=0,
        period=period_key(day_of(at)),
        amount=made.amount,
        used=made.end.used,
        kind=MID_PERIOD,
        issued_at=at,
        carried=made.carried,
    )


def _issued(asker: Asker, subscriber: Subscriber, bill: LastBill) -> Event:
    about = facts_of_issue(subscriber.number, bill, bill.due_date)
    return Event(
        EventKind.BILL_ISSUED, asker.utility, asker.at, about, subscriber.id, asker.mobile or None
    )


_ISSUED = Upsert(
    bills,
    (
        "subscriber_id", "period", "from_date", "to_date", "from_reading", "to_reading",
        "amount", "payable", "bill_id", "payment_id", "due_date", "issued_at", "kind", "used",
        "lines", "carried",
    ),
    ("subscriber_id", "period"),
)  # fmt: skip
