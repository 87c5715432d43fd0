"""Pages that renew themselves: server-sent events, one stream for each browser.

However many look, the daemon is looked at once every two seconds, what is shown is made once
for all who are shown the same, and a stream is sent only what has changed on it. A stream ends
with the session that it is of, and when the same browser opens another one. Who reads slowly
is not waited for: what was missed is in the next event.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import structlog
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from core.database import DatabaseUnavailable
from gateway.pulse import Beat
from gateway.web.desk.board import View
from gateway.web.desk.refusals import Refusal
from gateway.web.site import live_on

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 2.0
CHECK_SECONDS: Final = 10.0
"""How often it is looked whether a session goes on, and a sign of life given."""
MOST_STREAMS: Final = 100
AGAIN_MS: Final = 3000
"""After so long a browser comes again whose connection was lost."""
ENDED: Final = "ended"
"""The session is over."""
REPLACED: Final = "replaced"
"""The same browser has opened another stream."""

Make = Callable[[Beat, View], Awaitable[Mapping[str, str]]]
"""What a view is shown of a beat: HTML by the name of its block."""


class Stream:
    """What one browser is sent; to Twisted it is an ``IPushProducer``."""

    def __init__(
        self,
        request: Any,
        session_id: int,
        view: View,
        make: Make,
        is_still_in: Callable[[], Awaitable[bool]],
    ) -> None:
        self.session_id = session_id
        self.view = view
        self.make = make
        self.is_still_in = is_still_in
        self.checked_at = 0.0
        self.over: Deferred[None] = Deferred()
        self._request = request
        self._shown: dict[str, str] = {}
        self._is_full = False
        self._is_over = False

    def begin(self) -> None:
        """Say what it is, and how soon to come again."""
        request = self._request
        request.setHeader(b"content-type", b"text/event-stream; charset=utf-8")
        # A proxy would keep events back until there are many.
        request.setHeader(b"x-accel-buffering", b"no")
        request.registerProducer(self, True)  # noqa: FBT003 - Twisted's: it is pushed
        self._write(f"retry: {AGAIN_MS}\n\n")

    def show(self, blocks: Mapping[str, str]) -> None:
        """Send what has changed."""
        if self._is_full:
            return
        changed = {name: html for name, html in blocks.items() if self._shown.get(name) != html}
        if changed:
            self._shown.update(changed)
            told = json.dumps(changed, ensure_ascii=False)
            self._write(f"event: blocks\ndata: {told}\n\n")

    def sign(self) -> None:
        """A sign of life; who takes none for a while is dropped by the server's own limit."""
        if not (self._is_full or self._is_over):
            live_on(self._request)
            self._write(": alive\n\n")

    def end(self, why: str = "") -> None:
        """Say why, and close it; without a reason the browser comes again."""
        if self._is_over:
            return
        if why and not self._is_full:
            self._write(f"event: {why}\ndata: \n\n")
        self._close()
        self._request.unregisterProducer()
        self.over.callback(None)

    def gone(self) -> None:
        """The browser has closed it."""
        self._close()

    def _close(self) -> None:
        self._is_over = True

    def _write(self, text: str) -> None:
        if not self._is_over:
            self._request.write(text.encode())

    # --- as Twisted's IPushProducer ---------------------------------------------------------

    def pauseProducing(self) -> None:
        """More is on its way than the browser has read."""
        self._is_full = True

    def resumeProducing(self) -> None:
        """It has been read."""
        self._is_full = False

    def stopProducing(self) -> None:
        """The connection is closed."""
        self._close()


class Live:
    """Every stream of one daemon; reactor's thread."""

    def __init__(
        self,
        feel: Callable[[], Deferred[Beat]],
        clock: Any,
        *,
        look_seconds: float = LOOK_SECONDS,
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        self._feel = feel
        self._clock = clock
        self._look_seconds = look_seconds
        self._check_seconds = check_seconds
        self._streams: dict[int, Stream] = {}
        self._loop: LoopingCall | None = None

    def __len__(self) -> int:
        return len(self._streams)

    async def follow(self, stream: Stream) -> None:
        """Serve a stream until it is over. Raises ``Refusal`` when there are too many."""
        before = self._streams.pop(stream.session_id, None)
        if before is not None:
            before.end(REPLACED)
        if len(self._streams) >= MOST_STREAMS:
            raise Refusal(503)
        self._streams[stream.session_id] = stream
        stream.checked_at = self._clock.seconds()
        stream.begin()
        try:
            await self._show([stream])
            self._begin()
            await stream.over
        except CancelledError:
            stream.gone()
        finally:
            if self._streams.get(stream.session_id) is stream:
                del self._streams[stream.session_id]

    def stop(self) -> None:
        """Close all of them."""
        for stream in list(self._streams.values()):
            stream.end()

    def _begin(self) -> None:
        if self._loop is None:
            self._loop = LoopingCall(self._round)
            self._loop.clock = self._clock
            self._loop.start(self._look_seconds, now=False).addErrback(_log_failure)

    def _round(self) -> Deferred[None] | None:
        if not self._streams and self._loop is not None:
            self._loop.stop()
            self._loop = None
            return None
        done = Deferred.fromCoroutine(self._go_round())
        return done.addErrback(_log_failure)

    async def _go_round(self) -> None:
        streams = list(self._streams.values())
        await self._show(streams)
        now = self._clock.seconds()
        for stream in streams:
            if now - stream.checked_at >= self._check_seconds:
                stream.checked_at = now
                await self._check(stream)

    async def _show(self, streams: list[Stream]) -> None:
        beat = await self._feel()
        made: dict[View, Mapping[str, str]] = {}
        for stream in streams:
            if stream.view not in made:
                made[stream.view] = await stream.make(beat, stream.view)
            stream.show(made[stream.view])

    async def _check(self, stream: Stream) -> None:
        with suppress(DatabaseUnavailable):
            if not await stream.is_still_in():
                stream.end(ENDED)
                return
        stream.sign()


def _log_failure(failure: Failure) -> None:
    log.critical("live.failed", failure=failure.getTraceback())
