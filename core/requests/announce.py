"""The events of requests: whatever happens to one is told to the messages that follow from it."""

from __future__ import annotations

from core.calls import Scalar
from core.events import Event, EventKind
from core.requests.kinds import Services
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
