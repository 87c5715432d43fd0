"""What is told of requests: their events, and the voucher that a fee is paid by."""

from __future__ import annotations

from typing import NamedTuple

from core import tracking as numbers
from core.calls import Scalar
from core.events import Event, EventKind
from core.identifiers import make_bill_id, make_payment_id
from core.requests.kinds import Services, VoucherTerms
from core.requests.rows import Request
from core.requests.states import RequestState


def registered(request: Request, services: Services, number: str) -> Event:
    """A request was registered, by text or at a counter (annex 2, patterns 11 and 12)."""
    return _event(EventKind.REQUEST_REGISTERED, request, services, number, "")


def changed(request: Request, services: Services, number: str, note: str) -> Event:
    """Its state changed (pattern 13); a voucher is an event of its own (pattern 10)."""
    issued = request.state == RequestState.VOUCHER_ISSUED
    kind = EventKind.VOUCHER_ISSUED if issued else EventKind.REQUEST_CHANGED
    return _event(kind, request, services, number, note)


def _event(kind: EventKind, request: Request, services: Services, number: str, note: str) -> Event:
    about: dict[str, Scalar] = {
        "tracking": request.tracking,
        "kind": request.kind,
        "service": services.title(request.kind),
        "state": services.state_title(request.state),
        "state_key": request.state,
        "number": number,
        "source": request.source,
        "office": request.office or "",
        "note": note,
        "fee": request.fee or 0,
        "account": request.account or "",
        "bill_id": request.bill_id or "",
        "payment_id": request.payment_id or "",
    }
    return Event(
        kind, request.utility, request.changed_at, about, request.subscriber_id, request.mobile
    )


class Voucher(NamedTuple):
    """What a fee is paid by (annex 2, pattern 10)."""

    bill_id: str
    payment_id: str
    """``""`` where the amount does not fit one."""


def voucher(tracking: str, amount: int, terms: VoucherTerms) -> Voucher:
    """The voucher of ``amount`` rial; its file is the tracking number without the check digit.

    So each request has a bill ID of its own, and the payment ID's period tells it from a bill
    of the subscription whose file number is the same. Raises ``ValueError`` for the tracking
    numbers of ten digits: a file has eight.
    """
    bill_id = make_bill_id(numbers.body(tracking), terms.company, terms.service)
    return Voucher(bill_id, make_payment_id(bill_id, amount, period=terms.period))
