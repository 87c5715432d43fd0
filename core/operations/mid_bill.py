"""``quick_bill`` and ``mid_bill``: the bill of what the meter shows now.

Seed 000, annex 1: محاسبه سریع آب‌بها only calculates; تسویه موقت آب‌بها (صورتحساب
میان‌دوره) books the reading and the bill at once, with its bill ID and payment ID.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from core.billing import Account, Billing, Draft, End, Start, draft
from core.bills import MID_PERIOD, LastBill, LastBills
from core.calls import DONE, Argument, Call, Outcome, Refusal
from core.events import Events
from core.facts import Facts
from core.jalali import day_of
from core.operations.operation import (
    IDENTITY_OUTCOMES,
    NAMING,
    NOTHING,
    Operation,
    done,
    refused,
)
from core.operations.reading_check import BOOKED_OUTCOMES, SHOWN_OUTCOMES, Shown, book, check
from core.readings import LastReadings, MeterChange, used_through
from core.shelf import Asker, Subscriber


def _quick(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:
    checked = bill_for(asker, call, facts, subscriber)
    if isinstance(checked, Outcome):
        return checked
    made = checked.draft
    return done(
        call,
        number=subscriber.number,
        reading=made.end.reading,
        used=made.end.used,
        amount=made.amount,
        payable=max(made.payable, 0),
    )


def _mid(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:
    checked = bill_for(asker, call, facts, subscriber)
    if isinstance(checked, Outcome):
        return checked
    last = facts.of(LastBills).of(subscriber)
    if last and _is_of_today(last, asker) and last.to_reading == checked.shown.reading:
        return _told(call, subscriber, last)
    refusal = book(call, asker, facts, subscriber, checked.shown)
    if refusal is not None:
        return refusal
    bill, event = facts.of(Billing).issue(asker, subscriber, checked.draft)
    facts.of(LastBills).note(bill)
    facts.of(Events).add(event)
    return _told(call, subscriber, bill)


class Computed(NamedTuple):
    """A reading that can be true, and the bill that it makes."""

    shown: Shown
    draft: Draft


def bill_for(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Computed | Outcome:
    """The bill of a call's reading, computed and not stored; or the refusal to make one.

    ``facts`` need the shelves of ``QUICK_BILL``.
    """
    if asker.terms.tariff is None:
        return refused(call, Refusal.NO_TARIFF)
    shown = check(call, asker, facts, subscriber)
    if isinstance(shown, Outcome):
        return shown
    bill = facts.of(LastBills).of(subscriber)
    account = facts.of(Billing).account(subscriber)
    start = _start(asker, facts, subscriber, bill)
    if start is None:
        return refused(call, Refusal.NO_BILL, number=subscriber.number)
    changes = _changes(account, bill, start)
    digits = subscriber.meter_digits
    used = used_through(shown.reading, start.reading, changes, digits, asker.policy)
    if used is None:
        return refused(
            call, Refusal.READING_BELOW_LAST, reading=shown.reading, last_reading=start.reading
        )
    made = draft(asker.terms, account, start, End(shown.reading, day_of(asker.at), used))
    return Computed(shown, made) if made else refused(call, Refusal.NO_TARIFF)


def _start(
    asker: Asker, facts: Facts, subscriber: Subscriber, bill: LastBill | None
) -> Start | None:
    """Where the period begins: at the last bill; without one, at the last reading.

    A second bill of one day is made of the same period as the first and takes its place, so
    that a figure which is put right does not make a period of no days.
    """
    owed = bill.balance + bill.carried if bill else 0
    if bill and _is_of_today(bill, asker):
        assert bill.from_reading is not None  # noqa: S101 - made by this operation
        assert bill.from_date  # noqa: S101
        return Start(bill.from_reading, bill.from_date, owed - bill.amount)
    if bill and bill.to_reading is not None and bill.to_date:
        return Start(bill.to_reading, bill.to_date, owed)
    counted = facts.of(LastReadings).of(subscriber).counted
    if counted is None or day_of(counted.read_at) >= day_of(asker.at):
        return None
    return Start(counted.reading, day_of(counted.read_at), owed)


def _changes(account: Account, bill: LastBill | None, start: Start) -> list[MeterChange]:
    """The changes of the meter since the start of the period."""
    if bill and bill.kind == MID_PERIOD and bill.to_date == start.day:
        return [change for change in account.changes if change.at > bill.issued_at]
    return [change for change in account.changes if day_of(change.at) > start.day]


def _is_of_today(bill: LastBill, asker: Asker) -> bool:
    return bill.kind == MID_PERIOD and day_of(bill.issued_at) == day_of(asker.at)


def _told(call: Call, subscriber: Subscriber, bill: LastBill) -> Outcome:
    """What a bill says, to its first answer and to whoever asks for the same again."""
    owed = bill.debt
    return done(
        call,
        number=subscriber.number,
        reading=bill.to_reading or 0,
        used=bill.used or 0,
        amount=bill.amount,
        payable=owed,
        bill_id=bill.bill_id or "",
        payment_id=(bill.payment_id or "") if owed and owed == bill.payable else "",
        due=bill.deadline or "",
    )


_REFUSALS: Mapping[str, frozenset[str]] = {
    **IDENTITY_OUTCOMES,
    Refusal.NO_TARIFF: NOTHING,
    Refusal.NO_BILL: frozenset({"number"}),
}
_FIGURES = frozenset({"number", "reading", "used", "amount", "payable"})

QUICK_BILL = Operation(
    name="quick_bill",
    required=frozenset({Argument.READING}),
    optional=NAMING,
    outcomes={**_REFUSALS, **SHOWN_OUTCOMES, DONE: _FIGURES},
    needs=frozenset({LastBills, LastReadings, Billing}),
    run_for=_quick,
)

MID_BILL = Operation(
    name="mid_bill",
    required=frozenset({Argument.READING}),
    optional=NAMING,
    outcomes={
        **_REFUSALS,
        **BOOKED_OUTCOMES,
        DONE: _FIGURES | {"bill_id", "payment_id", "due"},
    },
    needs=frozenset({LastBills, LastReadings, Billing, Events}),
    run_for=_mid,
)
