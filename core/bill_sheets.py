"""A bill as it is handed out again (seed 000, annex 1: قبض المثنی): what it says, line by line."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, select

from core.bills import LastBill, load_last_bills, units_used
from core.database import by_index_only
from core.identifiers import RIAL_STEP, barcode
from core.tables import bills, subscribers
from core.tariff import Line, lines_stored


class Sheet(NamedTuple):
    """A bill, and whose it is."""

    id: int
    subscriber_id: int
    utility: str
    number: str
    name: str
    address: str
    region: str
    usage: str
    units: int
    capacity: int | None
    meter_serial: str | None
    meter_digits: int
    period: str
    kind: str
    from_date: date | None
    to_date: date | None
    from_reading: int | None
    to_reading: int | None
    used_by_bill: int | None
    """Units of the meter, where the bill says it."""
    amount: int
    """Rial, this period alone."""
    payable: int
    """Rial, with what was owed before."""
    carried: int
    """Rial below a thousand, left for the next bill."""
    bill_id: str | None
    payment_id: str | None
    due_date: date | None
    issued_at: int
    lines: tuple[Line, ...]
    """What the amount is made of; empty where the utility's file does not say."""
    newest: LastBill | None
    """The subscription's newest bill, with what was paid since: this one, or one after it."""

    @property
    def used(self) -> int | None:
        """Units of the meter; None where neither the bill nor its readings tell."""
        readings = (self.from_reading, self.to_reading)
        return units_used(self.used_by_bill, *readings, self.meter_digits)

    @property
    def owed_before(self) -> int:
        """Rial that were owed before this bill."""
        return self.payable + self.carried - self.amount

    @property
    def is_newest(self) -> bool:
        """Whether no bill was issued after it."""
        newest = self.newest
        return newest is not None and (newest.issued_at, newest.period) == (
            self.issued_at,
            self.period,
        )

    @property
    def barcode(self) -> str:
        """The 26 digits under a bill's barcode; "" where it has not both IDs."""
        if not self.bill_id or not self.payment_id:
            return ""
        return barcode(self.bill_id, self.payment_id)


_SUBSCRIBER = (
    "utility", "number", "name", "address", "region", "usage", "units", "capacity",
    "meter_serial", "meter_digits",
)  # fmt: skip
_BILL = (
    "period", "kind", "from_date", "to_date", "from_reading", "to_reading", "used", "amount",
    "payable", "carried", "bill_id", "payment_id", "due_date", "issued_at",
)  # fmt: skip
_SHEET = select(
    bills.c.id,
    bills.c.subscriber_id,
    *(subscribers.c[name] for name in _SUBSCRIBER),
    *(bills.c[name].label(f"bill_{name}") for name in _BILL),
    bills.c.lines,
).join_from(bills, subscribers)


def find_sheet(connection: Connection, bill_id: int) -> Sheet | None:
    """A bill by the id of its row."""
    by_index_only(connection)
    row = connection.execute(_SHEET.where(bills.c.id == bill_id)).mappings().one_or_none()
    if row is None:
        return None
    newest = load_last_bills(connection, [row["subscriber_id"]]).get(row["subscriber_id"])
    values = {name: row[name] for name in ("id", "subscriber_id", *_SUBSCRIBER)}
    values |= {name: row[f"bill_{name}"] for name in _BILL}
    values["used_by_bill"] = values.pop("used")
    if values["carried"] is None:
        values["carried"] = _rounded_off(values["amount"], values["payable"])
    lines = lines_stored(row["lines"]) if row["lines"] else ()
    return Sheet(**values, lines=lines, newest=newest)


def _rounded_off(amount: int, payable: int) -> int:
    """What a bill leaves for the next one, where the file says only what is to be paid."""
    rest = amount - payable
    return rest if payable > 0 and 0 < rest < RIAL_STEP else 0
