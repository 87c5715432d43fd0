"""Africa's Talking: a form with all that was typed so far, answered with ``CON`` or ``END``.

https://developers.africastalking.com/docs/ussd/handle_sessions. ``text`` is empty when
somebody dials, and everything typed since then joined with ``*`` afterwards. The report at
the end of a session (``status``) may come to the same address.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from core.dialogues.joined import turn_of
from gateway.messages import UssdEvent, UssdInput
from gateway.ussd.http.dialect import Asked, Rejected, name, typed

MOST_FIELDS = 40
_CUT = frozenset({"incomplete", "failed"})
_WHOLE = frozenset({"success"})


class AfricasTalking:
    """Implements ``dialect.Dialect``."""

    takes = frozenset({"application/x-www-form-urlencoded"})
    gives = "text/plain; charset=utf-8"

    def read(self, body: bytes) -> Asked:
        """A callback's form."""
        fields = _fields(body)
        session = name(fields.get("sessionId", ""), "sessionId")
        mobile = name(fields.get("phoneNumber", ""), "phoneNumber")
        code = name(fields.get("serviceCode", ""), "serviceCode")
        status = fields.get("status", "").casefold()
        if status in _WHOLE:
            return Asked(None)
        if status in _CUT:
            return Asked(UssdInput(UssdEvent.ABORT, session, mobile, code, "", ""))
        if "text" not in fields:
            raise Rejected("text is missing")
        text = typed(fields["text"]).strip()
        if not text:
            return Asked(UssdInput(UssdEvent.BEGIN, session, mobile, code, code, turn_of("")))
        return Asked(
            UssdInput(UssdEvent.ANSWER, session, mobile, code, text, turn_of(text), joined=True)
        )

    def write(self, asked: Asked, text: str, *, ends: bool, mark: str) -> bytes:  # noqa: ARG002
        """``CON`` goes on, ``END`` ends."""
        return f"{'END' if ends else 'CON'} {text}".encode(errors="replace")


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise Rejected("the form is not valid, is not UTF-8 or has too many fields") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Rejected("a field is there twice")
    return fields
