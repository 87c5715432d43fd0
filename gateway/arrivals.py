"""What came from a network, as the core stores it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from core.batch import Desk
from core.identifiers import MobileError, mobile
from core.inbox import Arrival, Part
from core.outbox import State
from core.receipts import ReceiptFor
from gateway.dials import Dials
from gateway.ledger import Ledger
from gateway.messages import DeliveryState, InboundSms, Receipt
from gateway.outbound import Router
from gateway.pending import Waiting, Work

_STATES: Mapping[DeliveryState, State | None] = {
    DeliveryState.ENROUTE: None,
    DeliveryState.ACCEPTED: None,
    DeliveryState.UNKNOWN: None,
    DeliveryState.DELIVERED: State.DELIVERED,
    DeliveryState.EXPIRED: State.EXPIRED,
    DeliveryState.DELETED: State.UNDELIVERABLE,
    DeliveryState.UNDELIVERABLE: State.UNDELIVERABLE,
    DeliveryState.REJECTED: State.REJECTED,
}
_FAILED = (State.UNDELIVERABLE, State.REJECTED, State.EXPIRED)
NO_CODES: Mapping[str, Collection[str]] = {}


class Arrivals:
    """Makes arrivals of what came, and knows which line answers by which profile."""

    def __init__(
        self,
        desk: Desk,
        router: Router,
        profiles: Mapping[str, str],
        smsc_of: Mapping[str, str],
        blocked_errors: Mapping[str, Collection[str]] = NO_CODES,
    ) -> None:
        self._desk = desk
        self._dials = Dials(desk)
        self._router = router
        self._profiles = profiles
        self._smsc_of = smsc_of
        self._blocked = {
            bind: frozenset(_code(error) for error in errors)
            for bind, errors in blocked_errors.items()
        }

    def put(self, work: Work, one: Waiting, now: int) -> None:
        """Put a delivery into the batch that is made up."""
        ledger, (sequence, content), received_at = one
        if isinstance(content, Receipt):
            work.batch.receipts.append(self.of_receipt(ledger.bind, content, now))
            work.receipts.append((ledger, sequence))
        elif isinstance(content, InboundSms):
            arrival = self.of_sms(ledger, content, received_at)
            work.batch.arrivals.append(arrival)
            work.came.append((ledger, sequence, arrival))
        else:
            given = self._dials.of_ussd(ledger, content, received_at)
            work.batch.inputs.append(given)
            work.came.append((ledger, sequence, given))
            work.inputs.append((ledger, given))

    def of_sms(self, ledger: Ledger, sms: InboundSms, received_at: int) -> Arrival:
        """A text, or a part of one: who sent it, where it belongs, and how it can be answered."""
        source, destination, data_coding, payload, text, place = sms
        bind = ledger.bind
        line = self._line(destination)
        profile = self._profiles.get(line, "")
        part = None
        marks = [source.encode(), destination.encode(), payload]
        if place is not None:
            part = Part(place.reference, place.total, place.number, data_coding, payload)
            marks.append(bytes(f"{part.reference}/{part.total}/{part.number}", "ascii"))
        try:
            sender = mobile(source)
        except MobileError:
            # A name, or another short code: kept for people to see, and not answered.
            sender, profile = source, ""
        via = self._router.answer_by(line, bind) if profile else None
        return Arrival(
            self._desk.ids.one(),
            received_at,
            bind,
            ledger.link,
            line,
            profile,
            sender,
            text,
            self._desk.keys.fingerprint(*marks),
            part,
            via.settings.bind if via else None,
        )

    def _line(self, destination: str) -> str:
        """The line that a destination means, however the SMSC writes it; else as it came."""
        if destination in self._profiles:
            return destination
        digits = destination.removeprefix("+").removeprefix("00")
        for written in (digits, digits.removeprefix("98")):
            if written in self._profiles:
                return written
        return destination

    def of_receipt(self, bind: str, receipt: Receipt, now: int) -> ReceiptFor:
        """A receipt, in the words of the outbox."""
        smsc_id, state, error, done_at = receipt
        says = _STATES[state]
        if says in _FAILED and _code(error) in self._blocked.get(bind, ()):
            says = State.SUPPRESSED
        return ReceiptFor(self._smsc_of[bind], smsc_id, says, error, done_at or now)


def _code(error: str) -> str:
    """An operator's error code however many zeros it is written with."""
    return error.lstrip("0") or error[:1]
