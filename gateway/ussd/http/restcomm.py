"""RestComm's USSD gateway: a MAP dialogue as XML, one message in each direction.

Its administration guide, "HTTP Transfer Mechanism". The last message answers the first, so it
has to carry the invoke id of the first; the gateway hands back what it is given as
``userObject``, which is where that is kept, beside the mark of the screen that is answered.
"""

from __future__ import annotations

import re
from html import escape
from typing import Final

from gateway.messages import UssdEvent, UssdInput
from gateway.smpp.text import encode_gsm
from gateway.ussd.http.dialect import Asked, Rejected, name, typed
from gateway.ussd.http.elements import Element, parse

GSM7, UCS2 = 15, 72
"""Data coding schemes as MAP has them."""
USUAL_INVOKE = "1"
"""The first invoke id of a dialogue whose gateway does not hand back what it was given."""
_ABORTS: Final = ("mapUserAbortChoice", "mapAbortProviderReason", "mapRefuseReason")
_TIMEOUTS: Final = ("dialogTimedOut", "invokeTimedOut")
_TROUBLES: Final = ("errComponents", "rejectComponents")
_OBJECT = re.compile(r"([0-9]{1,10})\.([0-9]{1,20})")
_CONTROLS = {control: None for control in range(32) if control not in (9, 10, 13)}
_CONTROLS |= dict.fromkeys((0xFFFE, 0xFFFF, *range(0xD800, 0xE000)))
"""What XML cannot hold in any form."""


class RestComm:
    """Implements ``dialect.Dialect``."""

    takes = frozenset({"text/xml", "application/xml"})
    gives = "text/xml; charset=utf-8"

    def read(self, body: bytes) -> Asked:
        """A ``dialog``."""
        dialog = parse(body)
        if dialog.name != "dialog":
            raise Rejected("the root is not a dialog")
        local, remote = dialog.get("localId"), dialog.get("remoteId")
        session = name(f"{local}.{remote}" if remote else local, "localId")
        handed_back = _OBJECT.fullmatch(dialog.get("userObject"))
        first, mark = handed_back.groups() if handed_back else ("", "")
        ending = _ending(dialog)
        if ending is not None:
            return Asked(UssdInput(ending, session, "", "", "", ""), first)
        if (message := dialog.child("processUnstructuredSSRequest_Request")) is not None:
            return _begun(dialog, message, session)
        if (message := dialog.child("unstructuredSSRequest_Response")) is not None:
            turn = f"{_invoke(message)}.{mark}" if mark else ""
            given = UssdInput(UssdEvent.ANSWER, session, "", "", _string(message), turn)
            return Asked(given, first)
        if dialog.child("unstructuredSSNotify_Response") is not None:
            return Asked(UssdInput(UssdEvent.CONFIRM, session, "", "", "", ""), first)
        if any((found := dialog.child(each)) and found.children for each in _TROUBLES):
            return Asked(UssdInput(UssdEvent.ABORT, session, "", "", "", ""), first)
        raise Rejected("the dialog has no message of a USSD session, and is not at its end")

    def write(self, asked: Asked, text: str, *, ends: bool, mark: str) -> bytes:
        """A request that asks, a response that ends, or an end without a message."""
        coding = UCS2 if encode_gsm(text) is None else GSM7
        content = f'dataCodingScheme="{coding}" string="{_quoted(text)}"'
        first = asked.memory or USUAL_INVOKE
        if not ends:
            opening = f'<dialog mapMessagesSize="1" userObject="{first}.{mark}">'
            message = f"<unstructuredSSRequest_Request {content}/>"
        elif text:
            opening = '<dialog mapMessagesSize="1" prearrangedEnd="false">'
            message = f'<processUnstructuredSSRequest_Response invokeId="{first}" {content}/>'
        else:
            opening, message = '<dialog mapMessagesSize="0" prearrangedEnd="false">', ""
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{opening}{message}</dialog>\n'.encode()


def _ending(dialog: Element) -> UssdEvent | None:
    if any(dialog.get(each).casefold() not in ("", "false") for each in _TIMEOUTS):
        return UssdEvent.TIMEOUT
    if any(dialog.get(each) for each in _ABORTS) or dialog.get("type").casefold() == "abort":
        return UssdEvent.ABORT
    return None


def _begun(dialog: Element, message: Element, session: str) -> Asked:
    number = message.child("msisdn") or dialog.child("originationReference")
    mobile = name(number.get("number") if number else "", "msisdn")
    invoke = _invoke(message)
    dialled = name(_string(message), "string")
    turn = f"begin {invoke}"
    return Asked(UssdInput(UssdEvent.BEGIN, session, mobile, "", dialled, turn), invoke)


def _invoke(message: Element) -> str:
    invoke = message.get("invokeId")
    if invoke and not re.fullmatch("[0-9]{1,10}", invoke):
        raise Rejected("invokeId is not a number")
    return invoke


def _string(message: Element) -> str:
    inner = message.child("ussdString")
    return typed(message.get("string") or (inner.text if inner else "")).strip()


def _quoted(text: str) -> str:
    """``text`` inside an attribute, where a line break has to be written as a number."""
    return escape(text.translate(_CONTROLS)).replace("\r", "").replace("\n", "&#10;")
