"""One subscription: whose it is, what is owed, what was billed, paid and read."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import Field

from core.access.permissions import Permission
from core.accounts import Account, find_account
from core.jalali import instant_of
from core.particulars import masked_name
from gateway.web.api import masking
from gateway.web.api.call import Call
from gateway.web.api.models import At, Model
from gateway.web.api.problems import not_found
from gateway.web.api.routes import Routes

routes = Routes("subscribers", "One subscription")


class Wanted(Model):
    """Which one, and how much of it."""

    utility: Annotated[str, Field(max_length=100)] | None = None
    most: Annotated[int, Field(ge=0, le=100, description="Rows of each list.")] = 12


class Bill(Model):
    """One bill; money in rial."""

    period: str
    kind: str
    from_date: date | None
    to_date: date | None
    from_reading: int | None
    to_reading: int | None
    used: int | None
    amount: int
    payable: int
    bill_id: str | None
    payment_id: str | None
    due_date: date | None
    issued_at: At


class Payment(Model):
    """One payment."""

    amount: int
    paid_at: At
    channel: str
    reference: str
    bill_id: str | None
    payment_id: str | None


class Reading(Model):
    """One reading of the meter."""

    reading: int
    read_at: At
    source: str
    state: str
    meter_state: str


class Instalment(Model):
    """One instalment that is not paid."""

    plan: str
    number: int
    amount: int
    due_date: date
    bill_id: str | None
    payment_id: str | None


class Subscription(Model):
    """All that is known of it, each list the newest first."""

    utility: str
    number: str
    name: str = Field(description="Masked without `personal.see`.")
    address: str | None = Field(description="null without `personal.see`.")
    mobiles: list[str] = Field(description="Masked without `personal.see`.")
    usage: str
    units: int
    capacity: int | None
    meter_serial: str | None
    meter_digits: int
    region: str
    bill_id: str | None
    wastewater: bool
    state: str
    balance: int | None = Field(
        description="Rial owed, below zero for a credit; null: no bill, or no `bill.see`."
    )
    deadline: date | None = Field(description="Until when to pay it; null: at once, or nothing.")
    bills: list[Bill] | None = Field(description="null without `bill.see`.")
    payments: list[Payment] | None = Field(description="null without `payment.see`.")
    readings: list[Reading]
    instalments: list[Instalment] = Field(description="Unpaid ones, the next due first.")


@routes.route(
    "GET",
    "/subscribers/<number>",
    Permission.SUBSCRIBER_SEE,
    summary="One subscription with its balance, bills and payments",
    query=Wanted,
    answers=Subscription,
    action="subscriber.see",
    example={"most": 3},
)
def show(call: Call[Wanted, None], connection: Any, number: str) -> Subscription:
    """The balance is the newest bill without what was paid and corrected since."""
    utility = call.utility(call.query.utility, "utility")
    account = find_account(connection, utility, number, call.query.most)
    if account is None:
        raise not_found()
    is_whole = call.sees_personal(utility)
    if is_whole:
        call.note(f"subscriber:{account.holder.id}", utility)
    told = _told(account, is_whole=is_whole)
    hidden: dict[str, None] = {}
    if not call.may(Permission.BILL_SEE, utility):
        hidden |= dict.fromkeys(("balance", "deadline", "bills"))
    if not call.may(Permission.PAYMENT_SEE, utility):
        hidden["payments"] = None
    return told.model_copy(update=hidden)


def _told(account: Account, *, is_whole: bool) -> Subscription:
    holder, last = account.holder, account.last_bill
    return Subscription(
        utility=holder.utility,
        number=holder.number,
        name=holder.name if is_whole else masked_name(holder.name),
        address=holder.address if is_whole else None,
        mobiles=[masking.mobile(each, whole=is_whole) for each in account.mobiles],
        usage=holder.usage,
        units=holder.units,
        capacity=holder.capacity,
        meter_serial=holder.meter_serial,
        meter_digits=holder.meter_digits,
        region=holder.region,
        bill_id=holder.bill_id,
        wastewater=holder.wastewater,
        state=holder.state,
        balance=last.balance if last else None,
        deadline=last.deadline if last else None,
        bills=[
            Bill(**{**each._asdict(), "issued_at": instant_of(each.issued_at)})
            for each in account.bills
        ],
        payments=[
            Payment(**{**each._asdict(), "paid_at": instant_of(each.paid_at)})
            for each in account.payments
        ],
        readings=[
            Reading(**{**each._asdict(), "read_at": instant_of(each.read_at)})
            for each in account.readings
        ],
        instalments=[
            Instalment(**{name: getattr(each, name) for name in Instalment.model_fields})
            for each in account.instalments
        ],
    )
