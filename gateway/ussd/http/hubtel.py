"""Hubtel's programmable services: JSON, its keys in any case, answered with a ``Type``.

https://developers.hubtel.com/docs/api-reference-prog-services. ``Sequence`` counts the
inputs of a session; channels that leave it out return the ``ClientState`` of the last answer.
"""

from __future__ import annotations

import json
from typing import Any, Final

from gateway.messages import UssdEvent, UssdInput
from gateway.ussd.http.dialect import LONGEST_NAME, Asked, Rejected, name, typed

_EVENTS: Final = {
    "initiation": UssdEvent.BEGIN,
    "hijacksession": UssdEvent.BEGIN,
    "response": UssdEvent.ANSWER,
    "release": UssdEvent.ABORT,
    "timeout": UssdEvent.TIMEOUT,
}


class Hubtel:
    """Implements ``dialect.Dialect``."""

    takes = frozenset({"application/json", "text/json"})
    gives = "application/json; charset=utf-8"

    def read(self, body: bytes) -> Asked:
        """A service interaction request."""
        fields = _object(body)
        event = _EVENTS.get(_text(fields, "type").strip().casefold())
        if event is None:
            raise Rejected("Type is none of Initiation, Response, Release, Timeout, HijackSession")
        session = name(_text(fields, "sessionid"), "SessionId")
        mobile = name(_text(fields, "mobile"), "Mobile")
        code = name(_text(fields, "servicecode"), "ServiceCode")
        said = typed(_text(fields, "message")).strip()
        if event is UssdEvent.BEGIN:
            # Channels other than USSD begin without a message.
            said = said or code
        return Asked(UssdInput(event, session, mobile, code, said, _turn(event, fields)), session)

    def write(self, asked: Asked, text: str, *, ends: bool, mark: str) -> bytes:
        """``Response`` goes on, ``Release`` ends."""
        answer = {
            "SessionId": asked.memory,
            "Type": "Release" if ends else "Response",
            "Message": text,
            "Label": text.partition("\n")[0],
            "DataType": "display" if ends else "input",
            "FieldType": "text",
            "ClientState": "" if ends else mark,
        }
        return json.dumps(answer).encode()


def _turn(event: UssdEvent, fields: dict[str, Any]) -> str:
    sequence = _text(fields, "sequence").strip()
    state = _text(fields, "clientstate").strip()
    if sequence:
        turn = f"{event.value} {sequence}"
    elif event is UssdEvent.BEGIN:
        turn = event.value
    else:
        turn = f"after {state}" if state else ""
    return typed(turn[:LONGEST_NAME])


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Rejected("the body is not JSON") from None
    if not isinstance(found, dict):
        raise Rejected("the body is not a JSON object")
    return {key.casefold(): value for key, value in found.items()}


def _text(fields: dict[str, Any], key: str) -> str:
    value = fields.get(key)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Rejected(f"{key} is not a text")
    try:
        return str(value)
    except ValueError:  # an integer of thousands of digits
        raise Rejected(f"{key} is not a text") from None
