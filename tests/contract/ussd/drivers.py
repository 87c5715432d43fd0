"""What one suite asks of every way that USSD comes in: phones on a network, and a menu.

A ``Network`` is one dialect with its far end: a simulated operator over real SMPP, or a
gateway's requests over real HTTP. Its phones do what people do and see what they see. The
``Menu`` is our end: a ``BindListener`` that answers each input at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from twisted.internet import reactor
from twisted.internet.defer import Deferred

from gateway.messages import (
    Connection,
    Delivery,
    Screen,
    ScreenKind,
    SendResult,
    SendStatus,
    UssdEvent,
    UssdInput,
)

CODE = "*1522#"
LAST = "0"
"""What a phone types for a last screen."""
SECONDS = 60
"""How long anything may take before a test gives up."""


class Seen(NamedTuple):
    """What a phone shows."""

    text: str
    asks: bool


class Phone(Protocol):
    """One mobile's handset on one network."""

    async def dial(self, dialled: str) -> Seen:
        """Dial; return the first screen."""

    async def type(self, typed: str) -> Seen:
        """Answer the screen that is shown; return the next one."""

    async def abort(self) -> None:
        """Hang up while a screen asks; the network tells of it where it can."""

    async def time_out(self) -> None:
        """Leave a screen that asks alone until the network ends the session."""

    @property
    def has_session(self) -> bool:
        """Whether it is in a session."""


class Network(Protocol):
    """One dialect and its far end."""

    async def start(self) -> None:
        """Come up, with the menu at our end."""

    async def stop(self) -> None:
        """Go down."""

    @property
    def tells_the_end(self) -> bool:
        """Whether the network tells of a session that it or the subscriber has ended."""

    def phone(self, mobile: str) -> Phone:
        """A handset: ``989161234567``."""

    async def lose_answer(self) -> None:
        """Lose the answer to the input that has come last, and deliver that input again."""


class Menu:
    """Answers every input with what it heard; ends the session when ``0`` is typed."""

    def __init__(self) -> None:
        self.inputs: list[UssdInput] = []
        self.sequences: list[int] = []
        self.results: list[SendResult] = []
        self.connections: list[Connection] = []
        self.mute = False
        """Neither acknowledge nor show anything."""
        self.text_for: Callable[[UssdInput], str] = lambda heard: (
            f"{heard.event.value} {heard.text}"
        )
        self._waiters: list[tuple[Callable[[], bool], Deferred[None]]] = []
        self.screens = 0

    def bound(self, bind: str, connection: Connection) -> None:
        """Remember."""
        del bind
        self.connections.append(connection)
        self._look()

    def arrived(self, bind: str, connection: Connection, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge, then show."""
        del bind
        for sequence, content in deliveries:
            assert isinstance(content, UssdInput)
            self.inputs.append(content)
            self.sequences.append(sequence)
            if self.mute:
                continue
            connection.acknowledge([sequence])
            if content.event in (UssdEvent.BEGIN, UssdEvent.ANSWER):
                self.show(content, connection)
        self._look()

    def show(self, heard: UssdInput, connection: Connection) -> None:
        """Answer an input."""
        kind = ScreenKind.LAST if heard.text == LAST else ScreenKind.ASK
        self.screens += 1
        connection.show(
            [
                Screen(
                    self.screens, kind, heard.session, heard.mobile, CODE,
                    self.text_for(heard), heard.turn,
                )
            ]
        )  # fmt: skip

    def sent(self, bind: str, connection: Connection, results: Sequence[SendResult]) -> None:
        """No text ever goes out here."""
        raise AssertionError((bind, connection, results))

    def shown(self, bind: str, connection: Connection, results: Sequence[SendResult]) -> None:
        """Remember."""
        del bind, connection
        self.results += results
        self._look()

    def lost(self, bind: str, connection: Connection, reason: str) -> None:
        """Forget."""
        del bind, reason
        self.connections.remove(connection)
        self._look()

    @property
    def heard(self) -> list[tuple[UssdEvent, str]]:
        """What was heard, in its order."""
        return [(each.event, each.text) for each in self.inputs]

    @property
    def failed(self) -> list[SendResult]:
        """Screens that did not reach anybody."""
        return [each for each in self.results if each.status is not SendStatus.ACCEPTED]

    def until(self, condition: Callable[[], bool]) -> Deferred[None]:
        """Return a Deferred that fires once the condition holds after some call."""
        waiter: Deferred[None] = Deferred()
        self._waiters.append((condition, waiter))
        self._look()
        return waiter.addTimeout(SECONDS, reactor)

    def _look(self) -> None:
        for waiter in list(self._waiters):
            condition, deferred = waiter
            if condition():
                self._waiters.remove(waiter)
                deferred.callback(None)
