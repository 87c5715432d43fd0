"""One SMPP session as a pure state machine: bytes and ``now`` in, events and bytes out.

Its rules and their theory of operation are in ``states``.
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.smpp import codec
from gateway.smpp import constants as c
from gateway.smpp.pdus import Malformed, Pdu, ShortMessage
from gateway.smpp.settings import Mode
from gateway.smpp.states import (
    BIND_COMMANDS,
    BINDS,
    MAY_RECEIVE,
    MESSAGE_RESPONSES,
    NEVER_WRITTEN,
    NO_RESPONSE,
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


class _Sent(NamedTuple):
    token: int
    command: int
    answered_before: int
    deadline: float


class _Own(NamedTuple):
    """A bind, enquire_link or unbind of ours that waits for its response."""

    command: int
    answered_before: int
    deadline: float


class Session:
    """One end of one connection. ``states`` has its rules."""

    def __init__(self, settings: SessionSettings, now: float) -> None:
        self.settings: Final = settings
        self.state = State.OPEN
        self.mode = Mode.TRANSCEIVER
        self.counters = Counters()
        self.acknowledged = 0
        self.confirmed = 0
        self.last_received = now
        self._buffer = bytearray()
        self._needed = 0
        self._out: list[bytes] = []
        self._sequence = 0
        self._sent: dict[int, _Sent] = {}
        self._backlog: deque[tuple[int, int, bytes]] = deque()
        self._own: dict[int, _Own] = {}
        self._data_sm: set[int] = set()
        self._bind_request = (0, 0)
        self._opened = now
        self._last_answered = now
        self._missed = 0
        self._paused = False
        self._not_before = now
        esme = settings.role is Role.ESME
        self._request = c.DELIVER_SM if esme else c.SUBMIT_SM
        self._response = c.SUBMIT_SM_RESP if esme else c.DELIVER_SM_RESP
        self._takes_messages = False

    # --- what can be asked ---------------------------------------------------------

    @property
    def in_flight(self) -> int:
        """How many messages of ours wait for their response."""
        return len(self._sent)

    @property
    def free_window(self) -> int:
        """How many messages of ours would be written at once."""
        return max(0, self.settings.window - len(self._sent) - len(self._backlog))

    @property
    def room(self) -> int:
        """How many messages of ours ``send`` would take."""
        limit = self.settings.window + self.settings.backlog
        return max(0, limit - len(self._sent) - len(self._backlog))

    @property
    def next_deadline(self) -> float | None:
        """When ``tick`` should be called at the latest; None when there is no need."""
        if self.state is State.CLOSED or self._paused:
            return None
        if self.state in (State.OPEN, State.BINDING):
            return self._opened + self.settings.bind_timeout
        due = [own.deadline for own in self._own.values()]
        if self._sent:
            due.append(next(iter(self._sent.values())).deadline)
        due = [max(deadline, self._not_before) for deadline in due]
        if self._enquires():
            due.append(self._last_answered + self.settings.enquire_link)
        if self.settings.inactivity:
            due.append(self._idle_since() + self.settings.inactivity)
        return min(due, default=None)

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
            self._needed = int.from_bytes(rest[:4]) if len(rest) >= 4 else 4  # noqa: PLR2004

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
                    message_id = codec.read_message_id(data, at, end)
                    self._answered(batch, command, Answer(sequence, status, message_id), now)
                else:
                    self._other(batch, command, data[at:end], now)
            except Malformed as error:
                self._malformed(command, sequence, error)
            if self.state is State.CLOSED:
                return size
            at = end
        if size - at >= 4 and not c.HEADER_SIZE <= int.from_bytes(data[at : at + 4]) <= limit:  # noqa: PLR2004
            sequence = int.from_bytes(data[at + 12 : at + 16])
            self._out.append(codec.pack(c.GENERIC_NACK, c.RINVCMDLEN, sequence))
            self.counters.malformed += 1
            self._end(batch, "a PDU with an impossible length came")
        return at

    def _answered(self, batch: Batch, command: int, answer: Answer, now: float) -> None:
        """Correlate a response, whose sequence stands in the token's place for now."""
        sequence, status, message_id = answer
        sent = self._sent.get(sequence)
        if sent is None or (sent.command | c.RESPONSE != command and command != c.GENERIC_NACK):
            self.counters.stray_responses += 1
            return
        del self._sent[sequence]
        self._confirm(sent.answered_before, now)
        batch.answers.append(Answer(sent.token, status, message_id))

    def _confirm(self, answered_before: int, now: float) -> None:
        self._last_answered = now
        # Responses may come in another order than their requests went out.
        self.confirmed = max(self.confirmed, answered_before)

    def _malformed(self, command: int, sequence: int, error: Malformed) -> None:
        self.counters.malformed += 1
        if not command & c.RESPONSE or error.status == c.RINVCMDID:
            self._out.append(codec.pack(c.GENERIC_NACK, error.status, sequence))

    def _other(self, batch: Batch, command: int, data: bytes, now: float) -> None:
        if command not in SUPPORTED:
            raise Malformed(c.RINVCMDID, f"unknown command 0x{command:08X}")
        pdu = codec.decode(data)
        if not self._may_receive(command):
            self._out_of_place(command, pdu.sequence)
        elif isinstance(pdu, ShortMessage):
            self._data_sm.add(pdu.sequence)
            batch.requests.append(pdu)
        elif command & c.RESPONSE:
            self._own_response(batch, pdu, now)
        elif command == c.ENQUIRE_LINK:
            self._out.append(codec.pack(c.ENQUIRE_LINK_RESP, c.ROK, pdu.sequence))
        elif command == c.UNBIND:
            self._out.append(codec.pack(c.UNBIND_RESP, c.ROK, pdu.sequence))
            self._end(batch, "the other end unbound")
        elif command in BINDS:
            self._bind_requested(batch, pdu)

    def _may_receive(self, command: int) -> bool:
        if command not in MAY_RECEIVE[self.settings.role, self.state]:
            return False
        return command not in ONE_WAY.get((self.settings.role, self.mode), ())

    def _out_of_place(self, command: int, sequence: int) -> None:
        if command & c.RESPONSE:
            self.counters.stray_responses += 1
            return
        status = c.RALYBND if command in BINDS else c.RINVBNDSTS
        if self.state is State.UNBINDING and command in codec.MESSAGES:
            status = c.RX_T_APPN  # it is legal, and the SMSC is to keep it for the next bind
        self._out.append(codec.pack(command | c.RESPONSE, status, sequence))

    def _own_response(self, batch: Batch, pdu: Pdu, now: float) -> None:
        command, sequence = pdu.command, pdu.sequence
        own = self._own.get(sequence)
        if own is None and (command in MESSAGE_RESPONSES or command == c.GENERIC_NACK):
            # A nack without an error would read as "accepted".
            status = pdu.status or (c.RINVCMDID if command == c.GENERIC_NACK else c.ROK)
            message_id = str(pdu.fields.get("message_id", ""))
            self._answered(batch, command, Answer(sequence, status, message_id), now)
            return
        if own is None or command not in (own.command | c.RESPONSE, c.GENERIC_NACK):
            self.counters.stray_responses += 1
            return
        del self._own[sequence]
        self._confirm(own.answered_before, now)
        if own.command == c.UNBIND:
            self._end(batch, "unbound")
        elif own.command in BINDS:
            self._bind_answered(batch, pdu)

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
        fields = pdu.fields
        batch.events.append(
            BindRequested(self.mode, str(fields["system_id"]), str(fields["password"]))
        )

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
        if self._backlog and self.state is State.BOUND:
            self._write_backlog(now)
        if self._out:
            batch.reply = b"".join(self._out)
            self._out = []
        return batch

    # --- writing -------------------------------------------------------------------

    def bind(self, mode: Mode, fields: dict[str, int | str | bytes]) -> bytes:
        """Return the bind request; ``fields`` by their names in SMPP 3.4, 4.1."""
        self.mode = mode
        self._enter(State.BINDING)
        command = BIND_COMMANDS[mode]
        fields = {"interface_version": 0x34, **fields}
        return self._own_request(command, codec.encode_body(Pdu(command, 0, 0, fields)), inf)

    def accept(self, system_id: str) -> bytes:
        """Return the response that takes the bind an ESME asked for."""
        command, sequence = self._bind_request
        self._enter(State.BOUND)
        tlvs = ((c.SC_INTERFACE_VERSION, b"\x34"),)
        return codec.encode(
            Pdu(command | c.RESPONSE, c.ROK, sequence, {"system_id": system_id}, tlvs)
        )

    def reject(self, status: int) -> bytes:
        """Return the response that refuses the bind an ESME asked for; ends the session."""
        command, sequence = self._bind_request
        self._enter_closed()
        return codec.pack(command | c.RESPONSE, status, sequence)

    def send(self, command: int, items: Sequence[tuple[int, bytes]], now: float) -> bytes:
        """Take messages of ours as ``(token, body)``; return what of them to write now.

        The caller keeps to ``room``.
        """
        if not self._backlog and len(items) <= self.settings.window - len(self._sent):
            return b"".join([self._message(token, command, body, now) for token, body in items])
        self._backlog.extend([(token, command, body) for token, body in items])
        self._write_backlog(now)
        written, self._out = b"".join(self._out), []
        return written

    def _write_backlog(self, now: float) -> None:
        while self._backlog and len(self._sent) < self.settings.window:
            token, command, body = self._backlog.popleft()
            self._out.append(self._message(token, command, body, now))

    def _message(self, token: int, command: int, body: bytes, now: float) -> bytes:
        sequence = self._next_sequence()
        deadline = now + self.settings.response_timeout
        self._sent[sequence] = _Sent(token, command, self.acknowledged, deadline)
        self.counters.submitted += 1
        return codec.pack(command, c.ROK, sequence, body)

    def _next_sequence(self) -> int:
        sequence = self._sequence
        while True:
            sequence = sequence + 1 if sequence < c.MAX_SEQUENCE else 1
            if sequence not in self._sent and sequence not in self._own:
                self._sequence = sequence
                return sequence

    def _own_request(self, command: int, body: bytes, deadline: float) -> bytes:
        sequence = self._next_sequence()
        self._own[sequence] = _Own(command, self.acknowledged, deadline)
        return codec.pack(command, c.ROK, sequence, body)

    def acknowledge(self, sequences: Iterable[int]) -> bytes:
        """Return responses with ROK to messages that came."""
        return self.answer([(sequence, c.ROK, "") for sequence in sequences])

    def refuse(self, sequences: Iterable[int], status: int) -> bytes:
        """Return responses with an error to messages that came."""
        return self.answer([(sequence, status, "") for sequence in sequences])

    def answer_unseen(self, sequences: Iterable[int]) -> bytes:
        """Return responses with ROK to messages that were never shown to the listener.

        They are not counted: ``acknowledged`` is about what the listener has seen.
        """
        return b"".join([self._response_to(sequence, c.ROK, "") for sequence in sequences])

    def answer(self, answers: Sequence[tuple[int, int, str]]) -> bytes:
        """Return responses ``(sequence, status, message_id)`` to messages that came."""
        self.acknowledged += len(answers)
        return b"".join([self._response_to(*answer) for answer in answers])

    def _response_to(self, sequence: int, status: int, message_id: str) -> bytes:
        command = self._request
        if self._data_sm and sequence in self._data_sm:
            self._data_sm.discard(sequence)
            command = c.DATA_SM
        if not message_id:
            return codec.response(command | c.RESPONSE, status, sequence)
        body = message_id.encode("latin-1", "replace") + b"\0"
        return codec.pack(command | c.RESPONSE, status, sequence, body)

    def unbind(self, now: float) -> bytes:
        """Return the unbind request; the session ends with its response or timeout."""
        self._enter(State.UNBINDING)
        return self._own_request(c.UNBIND, b"", now + self.settings.unbind_timeout)

    # --- time ----------------------------------------------------------------------

    def pause(self) -> None:
        """Nothing is read for now, so nothing can be said to be late."""
        self._paused = True

    def resume(self, now: float) -> None:
        """Reading goes on; whatever is in flight gets a whole timeout again."""
        self._paused = False
        self._not_before = now + self.settings.response_timeout

    def tick(self, now: float) -> Batch:
        """Do what is due at ``now``."""
        batch = Batch()
        if self.state is State.CLOSED or self._paused:
            return batch
        if self.state in (State.OPEN, State.BINDING):
            if now >= self._opened + self.settings.bind_timeout:
                self._end(batch, "no answer to the bind in time")
            return batch
        inactivity = self.settings.inactivity
        if inactivity and now >= self._idle_since() + inactivity:
            self._end(batch, "nothing came for too long")
            return batch
        self._expire(batch, now)
        self._expire_own(batch, now)
        if self._enquires() and now >= self._last_answered + self.settings.enquire_link:
            deadline = now + self.settings.response_timeout
            self._out.append(self._own_request(c.ENQUIRE_LINK, b"", deadline))
        return self._finish(batch, now)

    def _expire(self, batch: Batch, now: float) -> None:
        if now < self._not_before:
            return
        # One timeout for all: the first one sent is the first one due.
        while self._sent:
            sequence, sent = next(iter(self._sent.items()))
            if sent.deadline > now:
                return
            del self._sent[sequence]
            self.counters.timeouts += 1
            batch.answers.append(Answer(sent.token, NO_RESPONSE, ""))

    def _expire_own(self, batch: Batch, now: float) -> None:
        for sequence, own in list(self._own.items()):
            if now < max(own.deadline, self._not_before):
                continue
            del self._own[sequence]
            if own.command == c.UNBIND:
                self._end(batch, "no answer to the unbind in time")
            else:
                self._missed += 1
                if self._missed >= self.settings.enquire_link_missed:
                    self._end(batch, "no answer to enquire_link")

    def _enquires(self) -> bool:
        if self.state is not State.BOUND or not self.settings.enquire_link:
            return False
        return all(own.command != c.ENQUIRE_LINK for own in self._own.values())

    def _idle_since(self) -> float:
        return max(self.last_received, self._not_before)

    def close(self) -> Batch:
        """The connection has ended: answer for all that is still open."""
        self._enter_closed()
        batch = Batch()
        batch.answers += [Answer(sent.token, NO_RESPONSE, "") for sent in self._sent.values()]
        batch.answers += [Answer(token, NEVER_WRITTEN, "") for token, _, _ in self._backlog]
        self._sent.clear()
        self._backlog.clear()
        self._own.clear()
        self._data_sm.clear()
        return batch
