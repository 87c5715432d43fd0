"""Puts away what is no longer kept while the daemon works: piece by piece, batches go between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from typing import Any, Final

import structlog
from twisted.internet.defer import Deferred, inlineCallbacks, succeed
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from core.database import DatabaseUnavailable
from core.retention import Piece, put_away, wanted
from core.retention.tasks import Keep

log = structlog.get_logger(__name__)

LEAST_PAUSE: Final = 0.05
"""Seconds between two pieces; as long as a piece took where that is longer."""
_Steps = Generator[Deferred[Any], Any, None]


class Retention:
    """Goes through everything that is old, one round at a time."""

    def __init__(
        self,
        keep: Keep,
        transact: Callable[..., Deferred[Any]],
        clock: Any,
        may_begin: Callable[[], bool] = lambda: True,
    ) -> None:
        """``may_begin`` says whether it is for this daemon, and the database is there."""
        self._keep = keep
        self._transact = transact
        self._clock = clock
        self._may_begin = may_begin
        self._round: Deferred[None] | None = None
        self._is_stopping = False

    def tick(self) -> Deferred[None]:
        """Begin a round, unless one is under way; done with the round."""
        names = tuple(wanted(self._keep))
        if self._round is not None or self._is_stopping or not names or not self._may_begin():
            return succeed(None)
        done = self._round = self._go(names)
        done.addErrback(_log_failure)
        done.addBoth(self._ended)
        return done

    def stop(self) -> Deferred[None]:
        """Begin no further piece; done when the one under way is committed."""
        self._is_stopping = True
        ended: Deferred[None] = Deferred()
        if self._round is None:
            return succeed(None)
        self._round.addBoth(lambda _result: ended.callback(None))
        return ended

    def _ended(self, _result: object) -> None:
        self._round = None

    @inlineCallbacks
    def _go(self, names: tuple[str, ...]) -> _Steps:
        changed: Counter[str] = Counter()
        for name in names:
            while not self._is_stopping:
                now = int(self._clock.seconds() * 1000)
                piece: Piece = yield self._transact("retention", put_away, name, self._keep, now)
                changed[name] += piece.changed
                if piece.is_last:
                    break
                took = self._clock.seconds() - now / 1000
                yield deferLater(self._clock, max(took, LEAST_PAUSE))
        done = {name: count for name, count in changed.items() if count}
        if done:
            log.info("retention.put_away", **done)


def _log_failure(failure: Failure) -> None:
    if failure.check(DatabaseUnavailable):
        log.warning("retention.put_off", error=failure.getErrorMessage())
    else:
        log.critical("retention.failed", failure=failure.getTraceback())
