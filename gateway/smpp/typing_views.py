"""What of Twisted's interfaces is used here, as types: zope interfaces say little to mypy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred


class DelayedCall(Protocol):
    """An ``IDelayedCall``."""

    def active(self) -> bool:
        """Whether it is still to come."""
        ...

    def cancel(self) -> None:
        """Do not call."""

    def getTime(self) -> float:  # noqa: N802
        """When it is due."""
        ...


class Clock(Protocol):
    """An ``IReactorTime``: the reactor, or ``twisted.internet.task.Clock`` in tests."""

    def seconds(self) -> float:
        """The time now."""
        ...

    def callLater(self, delay: float, callable: Callable[..., Any], *args: Any) -> DelayedCall:  # noqa: A002, N802
        """Call later."""
        ...


class Transport(Protocol):
    """An ``ITCPTransport`` over TCP or TLS."""

    def write(self, data: bytes) -> None:
        """Write."""

    def loseConnection(self) -> None:
        """Close once all is written."""

    def abortConnection(self) -> None:  # noqa: N802
        """Close at once."""

    def pauseProducing(self) -> None:
        """Stop reading."""

    def resumeProducing(self) -> None:
        """Read again."""


class ClientEndpoint(Protocol):
    """An ``IStreamClientEndpoint``."""

    def connect(self, protocolFactory: Any) -> Deferred[Any]:  # noqa: N803
        """Connect."""
        ...
