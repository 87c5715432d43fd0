"""One SMPP session as a pure state machine: bytes and ``now`` in, events and bytes out.

Its rules and their theory of operation are in ``states``.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from gateway.smpp import codec
from gateway.smpp import constants as c
from gateway.smpp.outgoing import Outgoing
from gateway.smpp.pdus import Malformed, Pdu, ShortMessage
from gateway.smpp.settings import Mode
from gateway.smpp.states import (
    BIND_COMMANDS,
    BINDS,
    MAY_RECEIVE,
    MESSAGE_RESPONSES,
    ONE_WAY,
    SUPPORTED,
    Answer,
    Batch,
    BindRefused,
    BindRequested,
    Bound,
    Counters,
    Ended,
    Role,
    SessionSettings,
    State,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LENGTH_SIZE: Final = 4
_PATIENCE: Final = 10
"""Intervals of enquire_link in which the other end may send and answer nothing of ours."""


class Session:
    """One end of one connection. ``states`` has its rules."""

    def __init__(self, settings: SessionSettings, now: float) -> None:
        self.settings: Final = settings
        self.state = State.OPEN
        self.mode = Mode.TRANSCEIVER
        self.counters = Counters()
        self.outgoing: Final = Outgoing(settings, now)
        self.last_received = now
        self._buffer = bytearray()
        self._needed = 0
        self._out: list[bytes] = []
        self._data_sm: set[int] = set()
        self._bind_request = (0, 0)
        self._opened = now
        self._missed = 0
        self._paused = False
        esme = settings.role is Role.ESME
        self._request = c.DELIVER_SM if esme else c.SUBMIT_SM
        self._response = c.SUBMIT_SM_RESP if esme else c.DELIVER_SM_RESP
        self._takes_messages = False

    @property
    def next_deadline(self) -> float | None:
        """When ``tick`` should be called at the latest; None when there is no need."""
        if self.state is State.CLOSED or self._paused:
            return None
        if self.state in (State.OPEN, State.BINDING):
            return self._opened + self.settings.bind_timeout
        due = [self.outgoing.next_deadline]
        if self._enquires():
            due.append(self.outgoing.last_answered + self.settings.enquire_link)
        if self.settings.inactivity:
            due.append(self._idle_since() + self.settings.inactivity)
        return min((when for when in due if when is not None), default=None)

    # --- reading -------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> Batch:
        """Take what was read from the network, however it was cut."""
        batch = Batch()
        if self.state is State.CLOSED:
            return batch
        self.last_received = now
        self._missed = 0
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._needed:
                return batch
            data = bytes(self._buffer)
            self._buffer = bytearray()
        at = self._read(data, batch, now)
        self._keep(data[at:])
        return self._finish(batch, now)

    def _keep(self, rest: bytes) -> None:
        if rest and self.state is not State.CLOSED:
            self._buffer += rest
            known = len(rest) >= _LENGTH_SIZE
            self._needed = int.from_bytes(rest[:_LENGTH_SIZE]) if known else _LENGTH_SIZE

    def _read(self, data: bytes, batch: Batch, now: float) -> int:
        """Read whole PDUs; return where the first that is not whole begins."""
        at, size, limit = 0, len(data), self.settings.max_pdu
        read_header, read_message = codec.read_header, codec.read_message
        while size - at >= c.HEADER_SIZE:
            length, command, status, sequence = read_header(data, at)
            end = at + length
            if length < c.HEADER_SIZE or length > limit or end > size:
                break
            try:
                if command == self._request and self._takes_messages:
                    batch.requests.append(read_message(data, at, end))
                elif command == self._response:
                    token = self.outgoing.answered(sequence, command, now)
                    message_id = codec.read_message_id(data, at, end)
                    self._answer_to(batch, token, status, message_id)
                else:
                    self._other(batch, command, data[at:end], now)
            except Malformed as error:
                self._malformed(command, sequence, error)
            if self.state is State.CLOSED:
                return size
            at = end
        self._check_length(data, at, batch)
        return at

    def _check_length(self, data: bytes, at: int, batch: Batch) -> None:
        if len(data) - at < _LENGTH_SIZE:
            return
        length = int.from_bytes(data[at : at + _LENGTH_SIZE])
        if not c.HEADER_SIZE <= length <= self.settings.max_pdu:
            sequence = int.from_bytes(data[at + 12 : at + 16])
            self._out.append(codec.pack(c.GENERIC_NACK, c.RINVCMDLEN, sequence))
            self.counters.malformed += 1
            self._end(batch, "a PDU with an impossible length came")

    def _answer_to(self, batch: Batch, token: int | None, status: int, message_id: str) -> None:
        if token is None:
            self.counters.stray_responses += 1
        else:
            batch.answers.append(Answer(token, status, message_id))

    def _malformed(self, command: int, sequence: int, error: Malformed) -> None:
        self.counters.malformed += 1
        if not command & c.RESPONSE or error.status == c.RINVCMDID:
            self._out.append(codec.pack(c.GENERIC_NACK, error.status, sequence))

    def _other(self, batch: Batch, command: int, data: bytes, now: float) -> None:
        if command not in codec.FIELDS or (command not in SUPPORTED and not command & c.RESPONSE):
            raise Malformed(c.RINVCMDID, f"unknown command 0x{command:08X}")
        pdu = codec.decode(data)
        if not self._may_receive(command):
            self._out_of_place(command, pdu.sequence)
        elif isinstance(pdu, ShortMessage):
            self._data_sm.add(pdu.sequence)
            batch.requests.append(pdu)
        elif command & c.RESPONSE:
            self._other_response(batch, pdu, now)
        elif command == c.ENQUIRE_LINK:
            self._out.append(codec.pack(c.ENQUIRE_LINK_RESP, c.ROK, pdu.sequence))
        elif command == c.UNBIND:
            self._out.append(codec.pack(c.UNBIND_RESP, c.ROK, pdu.sequence))
            self._end(batch, "the other end unbound")
        elif command in BINDS:
            self._bind_requested(batch, pdu)

    def _may_receive(self, command: int) -> bool:
        role = self.settings.role
        if command not in MAY_RECEIVE[role, self.state]:
            return False
        return command not in ONE_WAY.get((role, self.mode), ())

    def _out_of_place(self, command: int, sequence: int) -> None:
        if command & c.RESPONSE:
            self.counters.stray_responses += 1
            return
        status = c.RALYBND if command in BINDS else c.RINVBNDSTS
        if self.state is State.UNBINDING and command in codec.MESSAGES:
            status = c.RX_T_APPN  # it is legal, and the SMSC is to keep it for the next bind
        self._out.append(codec.pack(command | c.RESPONSE, status, sequence))

    def _other_response(self, batch: Batch, pdu: Pdu, now: float) -> None:
        own = self.outgoing.own_answered(pdu.sequence, pdu.command, now)
        if own == c.UNBIND:
            self._end(batch, "unbound")
        elif own in BINDS:
            self._bind_answered(batch, pdu)
        elif own is None and pdu.command in MESSAGE_RESPONSES | {c.GENERIC_NACK}:
            token = self.outgoing.answered(pdu.sequence, pdu.command, now)
            # A nack without an error would read as "accepted".
            status = pdu.status or (c.RINVCMDID if pdu.command == c.GENERIC_NACK else c.ROK)
            self._answer_to(batch, token, status, str(pdu.fields.get("message_id", "")))
        elif own is None:
            self.counters.stray_responses += 1

    def _bind_answered(self, batch: Batch, pdu: Pdu) -> None:
        if pdu.status or pdu.command == c.GENERIC_NACK:
            batch.events.append(BindRefused(pdu.status))
            self._end(batch, f"refused: {c.describe(pdu.status)}")
            return
        self._enter(State.BOUND)
        batch.events.append(Bound(str(pdu.fields.get("system_id", ""))))

    def _bind_requested(self, batch: Batch, pdu: Pdu) -> None:
        self._bind_request = (pdu.command, pdu.sequence)
        self.mode = BINDS[pdu.command]
        self._enter(State.BINDING)
        account = str(pdu.fields["system_id"]), str(pdu.fields["password"])
        batch.events.append(BindRequested(self.mode, *account))

    def _enter(self, state: State) -> None:
        self.state = state
        self._takes_messages = state is State.BOUND and self._may_receive(self._request)

    def _end(self, batch: Batch, reason: str) -> None:
        self._enter_closed()
        batch.events.append(Ended(reason))

    def _enter_closed(self) -> None:
        self.state = State.CLOSED
        self._takes_messages = False
        self._buffer = bytearray()

    def _finish(self, batch: Batch, now: float) -> Batch:
        self.counters.received += len(batch.requests)
        if batch.answers and self.state is State.BOUND:
            self._out.append(self.outgoing.from_backlog(now))
        if self._out:
            batch.reply = b"".join(self._out)
            self._out = []
        return batch

    # --- writing -------------------------------------------------------------------

    def bind(self, mode: Mode, fields: dict[str, int | str | bytes]) -> bytes:
        """Return the bind request; ``fields`` by their names in SMPP 3.4, 4.1.

        Raises ``Unencodable`` for a field that does not fit.
        """
        self.mode = mode
        self._enter(State.BINDING)
        command = BIND_COMMANDS[mode]
        body = codec.encode_body(Pdu(command, 0, 0, {"interface_version": 0x34, **fields}))
        return self.outgoing.send_own(command, body, inf)

    def accept(self, system_id: str) -> bytes:
        """Return the response that takes the bind an ESME asked for."""
        command, sequence = self._bind_request
        self._enter(State.BOUND)
        tlvs = ((c.SC_INTERFACE_VERSION, b"\x34"),)
        fields = {"system_id": system_id}
        return codec.encode(Pdu(command | c.RESPONSE, c.ROK, sequence, fields, tlvs))

    def reject(self, status: int) -> bytes:
        """Return the response that refuses the bind an ESME asked for; ends the session."""
        command, sequence = self._bind_request
        self._enter_closed()
        return codec.pack(command | c.RESPONSE, status, sequence)

    def send(self, command: int, items: Sequence[tuple[int, bytes]], now: float) -> bytes:
        """Take messages of ours as ``(token, body)``; return what of them to write now.

        Each comes back as an ``Answer``. The caller keeps to ``outgoing.room``.
        """
        return self.outgoing.send(command, items, now)

    def send_first(self, command: int, items: Sequence[tuple[int, bytes]], now: float) -> bytes:
        """Like ``send``, before whatever waits; the caller keeps to ``urgent_room``."""
        return self.outgoing.send_first(command, items, now)

    def acknowledge(self, sequences: Sequence[int]) -> bytes:
        """Return responses with ROK to messages that came."""
        return self.refuse(sequences, c.ROK)

    def refuse(self, sequences: Sequence[int], status: int) -> bytes:
        """Return responses with an error to messages that came."""
        self.outgoing.acknowledged += len(sequences)
        return self._responses(sequences, status)

    def answer_unseen(self, sequences: Iterable[int]) -> bytes:
        """Return responses with ROK to messages that were never shown to the listener.

        They are not counted: ``acknowledged`` is about what the listener has seen.
        """
        return self._responses(sequences, c.ROK)

    def _responses(self, sequences: Iterable[int], status: int) -> bytes:
        command = self._request | c.RESPONSE
        if self._data_sm:
            return b"".join([self._response_to(number, status, "") for number in sequences])
        return b"".join([codec.response(command, status, number) for number in sequences])

    def answer(self, answers: Sequence[tuple[int, int, str]]) -> bytes:
        """Return responses ``(sequence, status, message_id)`` to messages that came."""
        self.outgoing.acknowledged += len(answers)
        return b"".join([self._response_to(*answer) for answer in answers])

    def _response_to(self, sequence: int, status: int, message_id: str) -> bytes:
        command = self._request
        if sequence in self._data_sm:
            self._data_sm.discard(sequence)
            command = c.DATA_SM
        body = message_id.encode("latin-1", "replace") + b"\0"
        return codec.pack(command | c.RESPONSE, status, sequence, body)

    def unbind(self, now: float) -> bytes:
        """Return the unbind request; the session ends with its response or timeout."""
        self._enter(State.UNBINDING)
        self._paused = False
        self.outgoing.not_before = now
        return self.outgoing.send_own(c.UNBIND, b"", now + self.settings.unbind_timeout)

    # --- time ----------------------------------------------------------------------

    def pause(self) -> None:
        """Nothing is read for now, so nothing can be said to be late."""
        self._paused = True

    def resume(self, now: float) -> None:
        """Reading goes on; whatever is in flight gets a whole timeout again."""
        self._paused = False
        self.outgoing.not_before = now + self.settings.response_timeout
        self.outgoing.last_answered = now

    def tick(self, now: float) -> Batch:
        """Do what is due at ``now``."""
        batch = Batch()
        if self.state is State.CLOSED or self._paused:
            return batch
        inactivity = self.settings.inactivity
        if self.state in (State.OPEN, State.BINDING):
            if now >= self._opened + self.settings.bind_timeout:
                self._end(batch, "no answer to the bind in time")
        elif inactivity and now >= self._idle_since() + inactivity:
            self._end(batch, "nothing came for too long")
        else:
            self._expire(batch, now)
            if self._enquires() and now >= (
                self.outgoing.last_answered + self.settings.enquire_link
            ):
                deadline = now + self.settings.response_timeout
                self._out.append(self.outgoing.send_own(c.ENQUIRE_LINK, b"", deadline))
        return self._finish(batch, now)

    def _expire(self, batch: Batch, now: float) -> None:
        batch.answers = self.outgoing.expire(now)
        self.counters.timeouts += len(batch.answers)
        for command in self.outgoing.expire_own(now):
            if command == c.UNBIND:
                self._end(batch, "no answer to the unbind in time")
                continue
            self._missed += 1
            unanswered = now - self.outgoing.last_answered
            if self._missed >= self.settings.enquire_link_missed:
                self._end(batch, "no answer to enquire_link")
            elif unanswered >= _PATIENCE * self.settings.enquire_link:
                # It sends and perhaps never reads: what is written would pile up.
                self._end(batch, "nothing of ours was answered for too long")

    def _enquires(self) -> bool:
        if self.state is not State.BOUND or not self.settings.enquire_link:
            return False
        return not self.outgoing.waits_for(c.ENQUIRE_LINK)

    def _idle_since(self) -> float:
        return max(self.last_received, self.outgoing.not_before)

    def close(self) -> Batch:
        """The connection has ended: answer for all that is still open."""
        self._enter_closed()
        self._data_sm.clear()
        batch = Batch()
        batch.answers = self.outgoing.close()
        return batch
