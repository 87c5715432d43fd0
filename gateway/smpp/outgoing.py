"""Requests of ours: their sequence numbers, window, backlog, timeouts and confirmations.

Half of a session; ``states`` has the rules.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.smpp import codec
from gateway.smpp import constants as c
from gateway.smpp.states import NEVER_WRITTEN, NO_RESPONSE, Answer, SessionSettings

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Sent(NamedTuple):
    token: int
    command: int
    answered_before: int
    deadline: float


class Own(NamedTuple):
    """A bind, enquire_link or unbind of ours that waits for its response."""

    command: int
    answered_before: int
    deadline: float


class Outgoing:
    """Everything of ours that is on the wire or waits to be."""

    def __init__(self, settings: SessionSettings, now: float) -> None:
        self._window: Final = settings.window
        self._limit: Final = settings.window + settings.backlog
        self._timeout: Final = settings.response_timeout
        self.acknowledged = 0
        """Messages of the other end that were answered."""
        self.confirmed = 0
        """How many of those answers the other end has surely read."""
        self.written = 0
        """Messages of ours ever written."""
        self.last_answered = now
        self.not_before = now
        """Nothing is late before this; moved on when reading resumes after a pause."""
        self._sequence = 0
        self._sent: dict[int, _Sent] = {}
        self._backlog: deque[tuple[int, int, bytes]] = deque()
        self._urgent: deque[tuple[int, int, bytes]] = deque()
        self._own: dict[int, Own] = {}

    @property
    def in_flight(self) -> int:
        """Messages that wait for their response."""
        return len(self._sent)

    @property
    def free_window(self) -> int:
        """Messages that would be written at once."""
        return max(0, self._window - len(self._sent) - len(self._backlog) - len(self._urgent))

    @property
    def room(self) -> int:
        """Messages that ``send`` would take."""
        return max(0, self._limit - len(self._sent) - len(self._backlog))

    @property
    def urgent_room(self) -> int:
        """Messages that ``send_first`` would take, however many others wait."""
        return max(0, self._limit - self._window - len(self._urgent))

    @property
    def next_deadline(self) -> float | None:
        """When the first request is late; None when there is none."""
        due = [own.deadline for own in self._own.values()]
        if self._sent:
            due.append(next(iter(self._sent.values())).deadline)
        return max(min(due), self.not_before) if due else None

    # --- writing -------------------------------------------------------------------

    def send(self, command: int, items: Sequence[tuple[int, bytes]], now: float) -> bytes:
        """Take messages as ``(token, body)``; return what of them to write now."""
        free = self._window - len(self._sent)
        if not self._backlog and not self._urgent and len(items) <= free:
            return b"".join([self._message(token, command, body, now) for token, body in items])
        self._backlog.extend([(token, command, body) for token, body in items])
        return self.from_backlog(now)

    def send_first(self, command: int, items: Sequence[tuple[int, bytes]], now: float) -> bytes:
        """Take messages that go out before everything that waits: somebody looks on."""
        self._urgent.extend([(token, command, body) for token, body in items])
        return self.from_backlog(now)

    def from_backlog(self, now: float) -> bytes:
        """Return what of the backlog the window lets out now."""
        written = []
        for waiting in (self._urgent, self._backlog):
            while waiting and len(self._sent) < self._window:
                token, command, body = waiting.popleft()
                written.append(self._message(token, command, body, now))
        return b"".join(written)

    def _message(self, token: int, command: int, body: bytes, now: float) -> bytes:
        sequence = self._next_sequence()
        self._sent[sequence] = _Sent(token, command, self.acknowledged, now + self._timeout)
        self.written += 1
        return codec.pack(command, c.ROK, sequence, body)

    def _next_sequence(self) -> int:
        sequence = self._sequence
        while True:
            sequence = sequence + 1 if sequence < c.MAX_SEQUENCE else 1
            if sequence not in self._sent and sequence not in self._own:
                self._sequence = sequence
                return sequence

    def send_own(self, command: int, body: bytes, deadline: float) -> bytes:
        """Return a bind, enquire_link or unbind, due at ``deadline``."""
        sequence = self._next_sequence()
        self._own[sequence] = Own(command, self.acknowledged, deadline)
        return codec.pack(command, c.ROK, sequence, body)

    def waits_for(self, command: int) -> bool:
        """Whether such a request of our own is unanswered."""
        return any(own.command == command for own in self._own.values())

    # --- responses -----------------------------------------------------------------

    def answered(self, sequence: int, command: int, now: float) -> int | None:
        """Take the response to a message; return the message's token.

        None if nothing of that sequence and kind waits. generic_nack answers everything.
        """
        sent = self._sent.get(sequence)
        if sent is None or (sent.command | c.RESPONSE != command and command != c.GENERIC_NACK):
            return None
        del self._sent[sequence]
        self._confirm(sent.answered_before, now)
        return sent.token

    def own_answered(self, sequence: int, command: int, now: float) -> int | None:
        """Take the response to a request of our own; return which command that was."""
        own = self._own.get(sequence)
        if own is None or command not in (own.command | c.RESPONSE, c.GENERIC_NACK):
            return None
        del self._own[sequence]
        self._confirm(own.answered_before, now)
        return own.command

    def _confirm(self, answered_before: int, now: float) -> None:
        self.last_answered = now
        # Responses may come in another order than their requests went out.
        self.confirmed = max(self.confirmed, answered_before)

    def expire(self, now: float) -> list[Answer]:
        """Give up on messages whose response is late."""
        late: list[Answer] = []
        if now < self.not_before:
            return late
        # One timeout for all: the first one sent is the first one due.
        while self._sent:
            sequence, sent = next(iter(self._sent.items()))
            if sent.deadline > now:
                break
            del self._sent[sequence]
            late.append(Answer(sent.token, NO_RESPONSE, ""))
        return late

    def expire_own(self, now: float) -> list[int]:
        """Give up on requests of our own; return their commands."""
        if now < self.not_before:
            return []
        late = [number for number, own in self._own.items() if own.deadline <= now]
        return [self._own.pop(number).command for number in late]

    def close(self) -> list[Answer]:
        """Give up on everything: the connection has ended."""
        left = [Answer(sent.token, NO_RESPONSE, "") for sent in self._sent.values()]
        for waiting in (self._urgent, self._backlog):
            left += [Answer(token, NEVER_WRITTEN, "") for token, _, _ in waiting]
            waiting.clear()
        self._sent.clear()
        self._own.clear()
        return left
