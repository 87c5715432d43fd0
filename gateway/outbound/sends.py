"""What everything that sends has in common, whether it sends by a bind or by a panel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.outbox import Outgoing
from gateway.messages import Connection, SendResult
from gateway.outbound.turn import Turn

Submitted = Callable[[str, Sequence[Outgoing], int], None]
"""Hears of rows that are submitted: by which bind, and when (UTC milliseconds)."""


def unnoticed(_bind: str, _rows: Sequence[Outgoing], _now_ms: int) -> None:
    """Nobody counts."""


@dataclass(frozen=True, slots=True)
class SenderStatus:
    """What health says of one bind's sending."""

    queued: int
    in_flight: int
    held_seconds: float
    """For how long throttling still holds everything back."""
    slowed_to: float
    """Messages a second that throttling has left; 0 when it takes nothing away."""
    share: float = 1.0
    """How much of the rate is this daemon's."""


class HasBind(Protocol):
    """The part of a sender's settings that everybody reads."""

    @property
    def bind(self) -> str:
        """The name that lines call it by."""


class Sends(Protocol):
    """What takes messages that are due: a bind's ``Sender``, or a panel's."""

    @property
    def settings(self) -> HasBind:
        """Its name, and more."""

    @property
    def turn(self) -> Turn:
        """When it may send."""

    @property
    def is_up(self) -> bool:
        """Whether it can send now."""

    @property
    def room(self) -> int:
        """How many more messages may be claimed for it."""

    @property
    def has_room_for_answers(self) -> bool:
        """Whether an answer may be handed over."""

    @property
    def is_half_empty(self) -> bool:
        """Whether it is time to claim more."""

    @property
    def held(self) -> list[int]:
        """Ids of all rows in hand, settled ones excepted."""

    @property
    def queued(self) -> list[int]:
        """Ids of the rows that have not been sent yet."""

    def disown(self, ids: Collection[int]) -> None:
        """Give back these rows if they have not been sent: another daemon has them."""

    def status(self) -> SenderStatus:
        """How much is waiting and how much is under way."""

    def bound(self, connection: Connection) -> None:
        """What it belongs to is connected."""

    def lost(self) -> None:
        """It is not any more: give back what was never sent."""

    def hand_over(self, rows: Sequence[Outgoing]) -> None:
        """Take rows to send; they come back through ``settle``, each once."""

    def pump(self) -> None:
        """Send what may go now."""

    def sent(self, results: Sequence[SendResult]) -> None:
        """What became of messages that were submitted on the connection."""

    def withdraw(self, ids: Collection[int]) -> None:
        """Give back those of these rows that have not been sent: nobody wants them."""

    def close(self, policies: Collection[int]) -> None:
        """Give back what has not been sent of these policies: their hours are over."""

    def committed(self, count: int) -> None:
        """So many results are committed."""

    def stop(self) -> None:
        """Forget alarms; what is still here stays ``sending`` in the database."""
