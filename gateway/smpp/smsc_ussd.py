"""USSD at the simulated operator: handsets that dial, type, give up or are asked.

One mobile has one session at a time, as in a real network. What a handset does becomes a
deliver_sm in the operator's dialect, kept and delivered again like a text until an ESME has
answered for it; a submit_sm with an op becomes a screen. The network ends a session in which
nothing came for ``timeout`` seconds, from the handset or from the ESME, and says so where
its dialect has words for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from itertools import count, takewhile
from typing import TYPE_CHECKING, Final

from gateway.smpp import constants as c
from gateway.smpp import text
from gateway.smpp.codec import encode_body
from gateway.smpp.dialects import FirstString, SessionPlace
from gateway.smpp.pdus import ShortMessage, Unencodable, tlv_int
from gateway.smpp.ussd import Mark, read_mark, write_mark

if TYPE_CHECKING:
    from gateway.smpp.dialects import UssdDialect
    from gateway.smpp.typing_views import Clock, DelayedCall

_MOST_SEQUENCE: Final = 127
_REMEMBERED: Final = 200_000
"""Mobiles whose last session is known to be over."""
_SERVICE: Final = re.compile(r"[*#]*([0-9]+)")


class End(Enum):
    """Why a handset's session ended. The values are the words of the control door."""

    LAST = "last"
    """The last screen has been shown."""
    ABORTED = "aborted"
    """The subscriber gave up, or dialled anew."""
    TIMEOUT = "timeout"
    """The network waited long enough, for the ESME or for the handset."""


@dataclass(slots=True, eq=False)
class HandsetSession:
    """One USSD session as the handset and the network know it."""

    mobile: str
    """989131234567."""
    code: str
    """The service code that it is with: ``*1522#``, or ``1522`` in a dialect of bare codes."""
    number: int
    dialect: UssdDialect
    screens: list[str] = field(default_factory=list)
    """Everything that was shown, the last one last."""
    asks: bool = False
    """Whether the screen that is shown waits for an answer."""
    end: End | None = None
    sequence: int = 0
    due: float = 0.0
    """When the network loses patience."""
    on_change: Callable[[HandsetSession], None] | None = None
    """Called when something is shown, and when the session ends."""


@dataclass(slots=True)
class UssdTotals:
    """Counts since the start."""

    dials: int = 0
    typed: int = 0
    screens: int = 0
    opened: int = 0
    """Sessions that an ESME began."""
    late: int = 0
    """Screens for a session that was over, or never was: refused."""
    aborts: int = 0
    timeouts: int = 0


class UssdNetwork:
    """The handsets of one operator, by the mobile.

    ``deliver(mobile, code, body)`` brings a deliver_sm's body to whoever holds the code.
    """

    def __init__(
        self,
        dialect: UssdDialect,
        clock: Clock,
        deliver: Callable[[str, str, bytes], None],
        *,
        timeout: float = 120.0,
    ) -> None:
        self.totals = UssdTotals()
        self.on_opened: Callable[[HandsetSession], None] | None = None
        """Called for a session that an ESME begins, before it is shown."""
        self._dialect = dialect
        self._clock = clock
        self._deliver = deliver
        self._timeout = timeout
        self._live: dict[str, HandsetSession] = {}
        self._last: dict[str, int] = {}
        self._numbers = count(1)
        self._alarm: DelayedCall | None = None

    def __len__(self) -> int:
        """How many sessions are open."""
        return len(self._live)

    def live(self, mobile: str) -> HandsetSession | None:
        """The session that a mobile is in."""
        return self._live.get(mobile)

    def stop(self) -> None:
        """Wait for nothing any more."""
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._alarm = None

    # --- what handsets do ----------------------------------------------------------

    def dial(self, mobile: str, dialled: str, dialect: UssdDialect | None = None) -> HandsetSession:
        """Dial ``*1522#`` or a whole path; a session that the mobile is in ends.

        ``mobile`` as an SMSC writes it. The ESME is not told of the end of the old session:
        networks leave that to the new one.
        """
        old = self._live.get(mobile)
        if old is not None:
            self._ended(old, End.ABORTED)
        dialect = dialect or self._dialect
        session = HandsetSession(
            mobile, service_code(dialled, dialect), self._new(dialect), dialect
        )
        self.totals.dials += 1
        self._begin(session)
        by_address = dialect.first_string is FirstString.DESTINATION
        self._tell(
            session,
            dialect.begin_ops[0],
            "" if by_address else dialled,
            to=dialled if by_address else session.code,
        )
        return session

    def type(self, session: HandsetSession, typed: str) -> None:
        """Answer the screen that is shown."""
        if session.end is not None or not session.asks:
            raise ValueError("no screen waits for an answer")
        session.asks = False
        self.totals.typed += 1
        self._touch(session)
        self._tell(session, session.dialect.answer_ops[0], typed)

    def abort(self, session: HandsetSession) -> None:
        """Hang up; the ESME is told where the dialect can."""
        if session.end is None:
            self._tell_end(session, session.dialect.abort_ops)
            self.totals.aborts += 1
            self._ended(session, End.ABORTED)

    # --- what an ESME does -----------------------------------------------------------

    def take(self, message: ShortMessage, shown: str) -> int:
        """Show a submit_sm that has an op; return the command_status for it.

        ``shown`` is its text. ``RSUBMITFAIL`` for a session that is over.
        """
        mobile = message.destination
        session = self._live.get(mobile)
        dialect = session.dialect if session else self._dialect
        op = tlv_int(message.tlvs, c.USSD_SERVICE_OP)
        mark = read_mark(dialect, message.tlvs)
        if op is None or mark is None:
            return c.RINVPARLEN
        if session is not None and mark.number == session.number:
            if op not in (dialect.ask_op, dialect.end_op, dialect.notify_op):
                return c.RINVPARLEN
            ends = mark.ends or op != dialect.ask_op
            self._shown(session, shown, ends=ends)
            return c.ROK
        is_dead = bool(dialect.session.bits) and self._last.get(mobile) == mark.number
        opens = session is None and not is_dead
        if not opens or op not in (dialect.open_op, dialect.notify_op):
            self.totals.late += 1
            return c.RSUBMITFAIL
        self._open(HandsetSession(mobile, message.source, mark.number, dialect), op, shown)
        return c.ROK

    def _open(self, session: HandsetSession, op: int, shown: str) -> None:
        self.totals.opened += 1
        self._begin(session)
        if self.on_opened is not None:
            self.on_opened(session)
        notifies = op == session.dialect.notify_op
        self._shown(session, shown, ends=notifies)
        if notifies:
            self._tell(session, session.dialect.confirm_ops[0], "")

    def _shown(self, session: HandsetSession, shown: str, *, ends: bool) -> None:
        if shown:
            self.totals.screens += 1
            session.screens.append(shown)
        session.asks = not ends
        self._touch(session)
        if ends:
            self._ended(session, End.LAST)
        elif session.on_change is not None:
            session.on_change(session)

    # --- sessions --------------------------------------------------------------------

    def _new(self, dialect: UssdDialect) -> int:
        bits = dialect.session.bits
        return next(self._numbers) % ((1 << bits) - 1) + 1 if bits else 0

    def _begin(self, session: HandsetSession) -> None:
        self._live[session.mobile] = session
        self._touch(session)

    def _touch(self, session: HandsetSession) -> None:
        # Sessions stand in the order in which they are due: one timer is enough for all.
        session.due = self._clock.seconds() + self._timeout
        self._live[session.mobile] = self._live.pop(session.mobile)
        if self._alarm is None:
            self._alarm = self._clock.callLater(self._timeout, self.ring)

    def ring(self) -> None:
        """End the sessions whose time is over; the network's clock calls this by itself."""
        self.stop()
        now = self._clock.seconds()
        # One pass: a dict that is emptied from its front is slow to begin again each time.
        for session in list(takewhile(lambda each: each.due <= now, self._live.values())):
            if session.end is None:
                ops = session.dialect.timeout_ops or session.dialect.abort_ops
                self._tell_end(session, ops)
                self.totals.timeouts += 1
                self._ended(session, End.TIMEOUT)
        if self._live and self._alarm is None:
            first = next(iter(self._live.values()))
            self._alarm = self._clock.callLater(first.due - now, self.ring)

    def _ended(self, session: HandsetSession, end: End) -> None:
        del self._live[session.mobile]
        self._last[session.mobile] = session.number
        if len(self._last) > _REMEMBERED:
            del self._last[next(iter(self._last))]
        session.asks = False
        session.end = end
        if session.on_change is not None:
            session.on_change(session)

    # --- what the ESME is told -------------------------------------------------------

    def _tell_end(self, session: HandsetSession, ops: tuple[int, ...]) -> None:
        dialect = session.dialect
        if ops:
            self._tell(session, ops[0], "")
        elif dialect.ends_by_bit:
            self._tell(session, dialect.answer_ops[0], "", ends=True)

    def _tell(
        self, session: HandsetSession, op: int, typed: str, *, to: str = "", ends: bool = False
    ) -> None:
        dialect = session.dialect
        if dialect.session is SessionPlace.ITS_8:
            session.sequence = session.sequence % _MOST_SEQUENCE + 1
        coding, octets = text.encode(typed)
        if len(octets) > c.MAX_SHORT_MESSAGE:
            raise Unencodable(c.RINVMSGLEN, "a handset sends no more than 254 octets at once")
        mark = Mark(session.number, session.sequence, ends)
        body = encode_body(
            ShortMessage(
                c.DELIVER_SM,
                service_type=dialect.service_type,
                source_ton=1,
                source_npi=1,
                source=session.mobile,
                dest_npi=1,
                destination=to or session.code,
                data_coding=dialect.ucs2_coding if coding == text.UCS2 else dialect.gsm7_coding,
                short_message=octets,
                tlvs=((c.USSD_SERVICE_OP, bytes((op,))), *write_mark(dialect, mark)),
            )
        )
        self._deliver(session.mobile, session.code, body)


def service_code(dialled: str, dialect: UssdDialect) -> str:
    """Return the code that what was dialled is for: ``*1522#`` of ``*1522*2*1#``."""
    found = _SERVICE.match(dialled)
    if found is None:
        raise ValueError(f"{dialled!r} is no code; dial such as *1522#")
    return found[1] if dialect.bare_code else f"*{found[1]}#"
