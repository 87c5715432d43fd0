"""What the checks find about a reading, as of when it came (seed 000, annex 1: کنترل قرائت).

The same rules as for taking one (``core.operations.reading_check``), looked at afterwards: what
came before it, how much was used since, and how that agrees with the last bill. For the people
who decide on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from sqlalchemy import Connection, select

from core.bills import LastBill
from core.database import by_index_only
from core.policy import Policy
from core.readings import (
    DAY_MS,
    MeterState,
    ReadingState,
    is_plausible,
    used_since,
)
from core.readings.lists import Known
from core.tables import bills, readings

_COUNTED = (ReadingState.ACCEPTED.value, ReadingState.DOUBTFUL.value)


class Finding(StrEnum):
    """One thing that a check says."""

    FINE = "fine"
    """It follows what came before, and its use agrees with the last bill."""
    FIRST = "first"
    """Nothing is known that it could be compared with."""
    TOO_LONG = "too_long"
    """It has more digits than the meter."""
    BELOW = "below"
    """It is below what the meter showed before."""
    ROLLED_OVER = "rolled_over"
    """It is below, and taken for a meter that has passed its highest figure."""
    MUCH = "much"
    """Much more was used than the last bill lets expect."""
    NO_AVERAGE = "no_average"
    """No bill says how much is used a day."""
    METER_CHANGED = "meter_changed"
    """The meter was changed since, or by this very reading."""
    LATER_BELOW = "later_below"
    """A later reading shows less."""


class Before(NamedTuple):
    """What the meter showed before."""

    reading: int
    at: int
    """UTC milliseconds."""
    by_bill: bool
    """Known from the last bill, not from a reading."""
    changed: bool = False
    """It is the first figure of a new meter."""


class Examined(NamedTuple):
    """What was found."""

    findings: tuple[Finding, ...]
    before: Before | None
    used: int | None
    """Units since; None where that cannot be."""
    days: int
    """How many days it took, at least one; 0 with nothing before."""
    usual: Fraction | None
    """Units a day by the last bill; None where no bill tells."""

    @property
    def a_day(self) -> Fraction | None:
        """Units a day."""
        return None if self.used is None or not self.days else Fraction(self.used, self.days)

    @property
    def times(self) -> Fraction | None:
        """How many times the usual that is."""
        a_day = self.a_day
        return a_day / self.usual if a_day is not None and self.usual else None


def examine(connection: Connection, known: Known, policy: Policy) -> Examined:
    """What the checks say of a reading."""
    by_index_only(connection)
    reading = known.reading
    bill = _bill_before(connection, known)
    before = _before(connection, known, bill)
    used = _used(known, before, policy)
    days = max(1, (reading.read_at - before.at) // DAY_MS) if before else 0
    findings = list(_findings(known, before, used, bill, policy))
    usual = _usual(bill)
    if before and used is not None and usual is None:
        findings.append(Finding.NO_AVERAGE)
    if (before and before.changed) or reading.meter_state == MeterState.CHANGED:
        findings.append(Finding.METER_CHANGED)
    if _shows_less_later(connection, known, policy):
        findings.append(Finding.LATER_BELOW)
    return Examined(tuple(findings) or (Finding.FINE,), before, used, days, usual)


def _findings(
    known: Known, before: Before | None, used: int | None, bill: LastBill | None, policy: Policy
) -> Iterator[Finding]:
    reading = known.reading
    if len(str(reading.reading)) > known.meter_digits:
        yield Finding.TOO_LONG
    if before is None:
        yield Finding.FIRST
    elif used is None:
        yield Finding.BELOW
    else:
        if reading.reading < before.reading and reading.meter_state != MeterState.CHANGED:
            yield Finding.ROLLED_OVER
        if not is_plausible(used, reading.read_at - before.at, bill, policy):
            yield Finding.MUCH


def _used(known: Known, before: Before | None, policy: Policy) -> int | None:
    if before is None:
        return None
    reading, digits = known.reading.reading, known.meter_digits
    if known.reading.meter_state == MeterState.CHANGED:
        # It is the new meter's first figure: what was used is the old one's.
        reading = before.reading if known.old_end is None else known.old_end
    return used_since(reading, before.reading, digits, policy)


def _before(connection: Connection, known: Known, bill: LastBill | None) -> Before | None:
    """The last figure that counted before: a reading's, or the last bill's if that is newer."""
    row = connection.execute(
        select(readings.c.reading, readings.c.read_at, readings.c.meter_state)
        .where(readings.c.subscriber_id == known.subscriber_id)
        .where(readings.c.read_at < known.reading.read_at, readings.c.state.in_(_COUNTED))
        .order_by(readings.c.read_at.desc(), readings.c.id.desc())
        .limit(1)
    ).one_or_none()
    read = None
    if row is not None:
        changed = row.meter_state == MeterState.CHANGED
        read = Before(row.reading, row.read_at, by_bill=False, changed=changed)
    billed = _billed(bill)
    return max((each for each in (read, billed) if each), key=lambda each: each.at, default=None)


def _billed(bill: LastBill | None) -> Before | None:
    known = bill.last_figure if bill else None
    return None if known is None else Before(*known, by_bill=True)


def _bill_before(connection: Connection, known: Known) -> LastBill | None:
    """The newest bill of the subscription when the reading came."""
    names = ("from_date", "to_date", "from_reading", "to_reading")
    row = connection.execute(
        select(*(bills.c[name] for name in names))
        .where(bills.c.subscriber_id == known.subscriber_id)
        .where(bills.c.issued_at < known.reading.read_at)
        .order_by(bills.c.issued_at.desc(), bills.c.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return LastBill(
        subscriber_id=known.subscriber_id,
        payable=0,
        bill_id=None,
        payment_id=None,
        due_date=None,
        from_date=row.from_date,
        to_date=row.to_date,
        from_reading=row.from_reading,
        to_reading=row.to_reading,
        paid_since=0,
    )


def _usual(bill: LastBill | None) -> Fraction | None:
    known = bill.use_by_readings if bill else None
    return None if known is None else Fraction(*known)


def _shows_less_later(connection: Connection, known: Known, policy: Policy) -> bool:
    row = connection.execute(
        select(readings.c.reading, readings.c.meter_state)
        .where(readings.c.subscriber_id == known.subscriber_id)
        .where(readings.c.read_at > known.reading.read_at, readings.c.state.in_(_COUNTED))
        .order_by(readings.c.read_at, readings.c.id)
        .limit(1)
    ).one_or_none()
    if row is None or row.meter_state == MeterState.CHANGED:
        return False
    return used_since(row.reading, known.reading.reading, known.meter_digits, policy) is None
