"""How an SMSC speaks USSD: which op says what, and where the session stands.

SMPP 3.4 names the TLVs (5.3.2.43, 5.3.2.44) and leaves open what a session is; what SMSCs
made of it differs. A ``UssdDialect`` is all of that as data. ``PRESETS`` are the dialects
known in the field; a bind's settings begin with one and change what its SMSC does otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# ussd_service_op (SMPP 3.4, 5.3.2.44); 32 to 255 are vendors' own.
PSSD_INDICATION: Final = 0x00
PSSR_INDICATION: Final = 0x01
USSR_REQUEST: Final = 0x02
USSN_REQUEST: Final = 0x03
PSSD_RESPONSE: Final = 0x10
PSSR_RESPONSE: Final = 0x11
USSR_CONFIRM: Final = 0x12
USSN_CONFIRM: Final = 0x13


class SessionPlace(Enum):
    """Where a PDU names its session. The values are the words used in settings."""

    ITS_8 = "its_session_info_8"
    """0x1383 as in SMPP 3.4: an octet of session, 7 bits of sequence, the end bit."""
    ITS_15 = "its_session_info_15"
    """0x1383 with 15 bits of session and the end bit."""
    REFERENCE = "user_message_reference"
    """0x0204: 16 bits of session, no end bit."""
    MOBILE = "mobile"
    """Nowhere: the mobile is the session."""

    @property
    def bits(self) -> int:
        """How many bits a session's number has; 0 when there is no number."""
        return _BITS[self]

    @property
    def has_end_bit(self) -> bool:
        """Whether there is a bit that says that the session is over."""
        return self in (SessionPlace.ITS_8, SessionPlace.ITS_15)


_BITS: Final = {
    SessionPlace.ITS_8: 8,
    SessionPlace.ITS_15: 15,
    SessionPlace.REFERENCE: 16,
    SessionPlace.MOBILE: 0,
}


class FirstString(Enum):
    """Where what was dialled stands. The values are the words used in settings."""

    SHORT_MESSAGE = "short_message"
    """In the text; in ``destination_addr`` where the text is empty."""
    DESTINATION = "destination_addr"
    """In ``destination_addr``, whatever the text is."""


class Sequence(Enum):
    """What the seven sequence bits of a screen are. The values are the words in settings."""

    SAME = "same"
    """Those of the input that it answers."""
    NEXT = "next"
    """One more, 1 after 127."""
    ZERO = "zero"


@dataclass(frozen=True, slots=True, kw_only=True)
class UssdDialect:
    """One way to carry USSD over SMPP."""

    session: SessionPlace = SessionPlace.ITS_8
    begin_ops: tuple[int, ...] = (PSSR_INDICATION, PSSD_INDICATION)
    """A deliver_sm with one of these begins a session."""
    answer_ops: tuple[int, ...] = (USSR_CONFIRM,)
    """… is what was typed into a screen."""
    confirm_ops: tuple[int, ...] = (USSN_CONFIRM,)
    """… says that a notification of ours was shown."""
    abort_ops: tuple[int, ...] = ()
    """… says that the subscriber or the network ended the session."""
    timeout_ops: tuple[int, ...] = ()
    """… says that the network ended it because nothing came for too long."""
    ask_op: int = USSR_REQUEST
    """A submit_sm with this shows a screen and waits for an answer."""
    end_op: int = USSR_REQUEST
    """… shows the last screen."""
    open_op: int = USSR_REQUEST
    """… begins a session of ours and waits for an answer."""
    notify_op: int = USSN_REQUEST
    """… begins one of ours that only tells."""
    end_bit: bool = True
    """Whether the last bit of ``its_session_info`` says that the session is over."""
    counts_inputs: bool = True
    """Whether the sequence bits differ from input to input, so that an equal one is the same
    input delivered again. A sequence of 0 never says so."""
    sequence: Sequence = Sequence.SAME
    first_string: FirstString = FirstString.SHORT_MESSAGE
    service_type: str = ""
    """Of screens; empty for the bind's own."""
    bare_code: bool = False
    """Screens come from ``1522`` and not from ``*1522#``."""
    gsm7_coding: int = 0x00
    """The ``data_coding`` of screens in the default alphabet; 0x0F on some."""
    ucs2_coding: int = 0x08
    """The ``data_coding`` of all other screens; 0x48 on some."""
    always_ucs2: bool = False

    @property
    def ends_by_bit(self) -> bool:
        """Whether the end of a session is told by a bit."""
        return self.end_bit and self.session.has_end_bit

    def fault(self) -> tuple[str, str] | None:
        """Return the setting that contradicts another one, and why; None if none does."""
        seen: dict[int, str] = {}
        for name in ("begin_ops", "answer_ops", "confirm_ops", "abort_ops", "timeout_ops"):
            for op in getattr(self, name):
                if op in seen:
                    return name, f"0x{op:02X} is in {seen[op]} already"
                seen[op] = name
        for name in ("begin_ops", "answer_ops"):
            if not getattr(self, name):
                return name, "is empty: no session could be held"
        if not self.ends_by_bit and self.end_op == self.ask_op:
            return "end_op", "is the same as ask_op, and no end bit tells them apart"
        return None


PRESETS: Final[Mapping[str, UssdDialect]] = {
    "default": UssdDialect(),
    "sixdee": UssdDialect(
        session=SessionPlace.ITS_15,
        begin_ops=(PSSR_INDICATION,),
        abort_ops=(0x81,),
        end_op=PSSR_RESPONSE,
    ),
    "mica": UssdDialect(
        session=SessionPlace.REFERENCE,
        begin_ops=(PSSR_INDICATION,),
        end_op=PSSR_RESPONSE,
    ),
}
"""``default`` as Tata has it: every screen is a USSR request, and the end bit closes."""
