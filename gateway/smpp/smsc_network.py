"""The side of a simulated operator that faces the mobiles: what becomes of a submit_sm."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gateway.smpp import constants as c
from gateway.smpp import parts, text
from gateway.smpp.handsets import (
    Faults,
    Joiner,
    Message,
    ReceiptStyle,
    SmscSettings,
    Submit,
    Totals,
    message_ids,
)
from gateway.smpp.ussd import is_ussd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.messages import PartOf
    from gateway.smpp.pdus import ShortMessage
    from gateway.smpp.smsc_ussd import UssdNetwork


ANY_LINE = ""
"""For who watches a mobile, whichever line texts it."""


class Taken(NamedTuple):
    """What is to be done about the submit_sm of one read."""

    answers: list[tuple[int, int, str]]
    """The responses: sequence, status, message_id."""
    receipts: list[tuple[Submit, str]]
    """The messages that want a receipt, each with its id as receipts write it."""


class MobileNetwork:
    """Takes submit_sm, joins parts, and tells of what was submitted and what reached."""

    def __init__(  # noqa: PLR0913 - the operator gives each its own
        self,
        settings: SmscSettings,
        faults: Faults,
        totals: Totals,
        *,
        submitted: Callable[[Submit], None],
        reached: Callable[[Message], None],
        ussd: UssdNetwork,
    ) -> None:
        self._settings = settings
        self._faults = faults
        self._totals = totals
        self._submitted = submitted
        self._reached = reached
        self._ussd = ussd
        self._joiner = Joiner()

    def take(self, connection: int, messages: Sequence[ShortMessage], now: float) -> Taken:
        """Take all submit_sm of one read from a connection."""
        taken = Taken([], [])
        wants_receipts = self._settings.receipts is not ReceiptStyle.NONE
        for message in messages:
            submit, receipt_id = self._take(connection, message, now)
            if submit.status is not None:
                taken.answers.append((submit.sequence, submit.status, submit.message_id))
            if receipt_id and wants_receipts and message.registered_delivery & 1:
                taken.receipts.append((submit, receipt_id))
        return taken

    def _take(self, connection: int, message: ShortMessage, now: float) -> tuple[Submit, str]:
        totals = self._totals
        totals.submits += 1
        status = self._status()
        part, part_text = self._read(message)
        on_screen = is_ussd(message)
        if on_screen and not status:
            # Without an answer (None) it is shown all the same.
            status = self._ussd.take(message, part_text) or status
        message_id = receipt_id = ""
        if not status:
            totals.accepted += 1
            message_id, receipt_id = message_ids(self._settings.id_style, totals.accepted)
        submit = Submit(
            totals.submits,
            connection,
            message.sequence,
            message.source,
            message.destination,
            part_text,
            part,
            status,
            message_id,
            now,
        )
        self._submitted(submit)
        if not status and not on_screen:
            self._reach(submit)
        return submit, "" if on_screen else receipt_id

    def _status(self) -> int | None:
        """Return the status of the next response, None for no response at all."""
        faults = self._faults
        if faults.throttle > 0:
            faults.throttle -= 1
            return c.RTHROTTLED
        if faults.refuse > 0:
            faults.refuse -= 1
            return faults.refuse_status
        if faults.drop > 0:
            faults.drop -= 1
            return None
        return c.ROK

    def _read(self, message: ShortMessage) -> tuple[PartOf | None, str]:
        payload, part = message.payload, None
        if message.esm_class & c.ESM_UDHI:
            part, payload = parts.read_header(payload)
        if part is None and message.tlvs:
            part = parts.read_sar(message.tlvs)
        return part, text.decode(payload, message.data_coding, self._settings.alphabet)

    def _reach(self, submit: Submit) -> None:
        if submit.part is None:
            whole: Message | None = Message(submit.mobile, submit.line, submit.text, 1)
        else:
            whole = self._joiner.add(submit.mobile, submit.line, submit.part, submit.text)
        if whole is not None:
            self._totals.messages += 1
            self._reached(whole)
