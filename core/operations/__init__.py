"""What a subscriber may ask for: one registry, whichever door the call came through.

An operation is a plain function from an asker, a call and the loaded facts to an outcome;
it changes things only through ``Facts``. What it may be given, what it needs loaded, and
every outcome it can have with the facts a reply may use, are declared beside it, so that a
profile can be checked against it before the daemon starts.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.operations.balance import BALANCE
from core.operations.bill_by_sms import BILL_BY_SMS, STOP_BILL_BY_SMS
from core.operations.contacts import (
    LIST_MOBILES,
    MY_SUBSCRIPTIONS,
    REGISTER_MOBILE,
    REMOVE_MOBILE,
)
from core.operations.guide import HELP
from core.operations.history import BILL_HISTORY, CONSUMPTION_HISTORY, PAYMENT_HISTORY
from core.operations.instalments import INSTALMENTS
from core.operations.last_bill import LAST_BILL
from core.operations.last_payment import LAST_PAYMENT
from core.operations.mid_bill import MID_BILL, QUICK_BILL
from core.operations.operation import Operation
from core.operations.opting import OPT_IN, OPT_OUT
from core.operations.pay import PAY
from core.operations.reading import SUBMIT_READING
from core.operations.requests import REGISTER_REQUEST, REQUEST_COST, TRACK_REQUEST
from core.operations.sign_in import SIGN_IN
from core.operations.status import STATUS_ENQUIRY

REGISTRY: Mapping[str, Operation] = {
    operation.name: operation
    for operation in (
        BALANCE,
        SUBMIT_READING,
        QUICK_BILL,
        MID_BILL,
        BILL_BY_SMS,
        STOP_BILL_BY_SMS,
        OPT_OUT,
        OPT_IN,
        HELP,
        LAST_BILL,
        LAST_PAYMENT,
        CONSUMPTION_HISTORY,
        PAYMENT_HISTORY,
        BILL_HISTORY,
        INSTALMENTS,
        REGISTER_REQUEST,
        TRACK_REQUEST,
        REQUEST_COST,
        REGISTER_MOBILE,
        LIST_MOBILES,
        MY_SUBSCRIPTIONS,
        REMOVE_MOBILE,
        STATUS_ENQUIRY,
        PAY,
        SIGN_IN,
    )
}

__all__ = ["REGISTRY", "Operation"]
