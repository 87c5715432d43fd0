"""One USSD session through the control door: somebody dials from a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.smpp.smsc_control import NO_SCREEN
from gateway.smpp.smsc_network import ANY_LINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.smpp.handsets import Message
    from gateway.smpp.smsc import SimulatedSmsc
    from gateway.smpp.smsc_ussd import HandsetSession
    from gateway.smpp.typing_views import DelayedCall

LINGER: Final = 0.5
"""How long texts to the mobile are told of after the session, in seconds."""


class Dialling:
    """Tells of screens as they come, and of the end; ``wait`` is seconds for each screen."""

    def __init__(
        self,
        smsc: SimulatedSmsc,
        wait: float,
        tell: Callable[..., Any],
        hang_up: Callable[[], Any],
    ) -> None:
        self._smsc = smsc
        self._wait = wait
        self._tell = tell
        self._hang_up = hang_up
        self._session: HandsetSession | None = None
        self._mobile = ""
        self._told = 0
        self._impatience: DelayedCall | None = None

    def dial(self, mobile: str, dialled: str) -> None:
        """Begin. Raises ``ValueError`` for what is no code, ``Unencodable`` for no mobile."""
        self._session = self._smsc.ussd.dial(mobile, dialled)
        self._session.on_change = self._changed
        self._mobile = mobile
        self._smsc.watch(mobile, ANY_LINE, self._texted)
        self._wait_for_screen()

    def type(self, typed: str) -> None:
        """Answer the screen. Raises ``ValueError`` when none waits for an answer."""
        if self._session is None:
            return  # it is over, and that is being told
        self._smsc.ussd.type(self._session, typed)
        self._wait_for_screen()

    def abort(self) -> None:
        """Give up the session; its end is told."""
        if self._session is not None:
            self._smsc.ussd.abort(self._session)

    def close(self) -> None:
        """Give up, if the session is still under way, and tell nothing more."""
        self._stop_waiting()
        if self._session is not None:
            self._session.on_change = None
            self._smsc.ussd.abort(self._session)
        self._smsc.unwatch(self._mobile, ANY_LINE, self._texted)

    def _changed(self, session: HandsetSession) -> None:
        self._stop_waiting()
        for shown in session.screens[self._told :]:
            self._tell("screen", text=shown, asks=session.asks)
        self._told = len(session.screens)
        if session.end is not None:
            # A text that the session has sent to the mobile comes right behind it.
            self._session = None
            self._call_later(LINGER, self._over, session.end.value)

    def _texted(self, message: Message) -> None:
        self._tell("text", text=message.text, line=message.line)

    def _wait_for_screen(self) -> None:
        self._stop_waiting()
        self._call_later(self._wait, self._give_up)

    def _call_later(self, delay: float, function: Callable[..., None], *arguments: Any) -> None:
        self._impatience = self._smsc.clock.callLater(delay, function, *arguments)

    def _stop_waiting(self) -> None:
        if self._impatience is not None and self._impatience.active():
            self._impatience.cancel()
        self._impatience = None

    def _give_up(self) -> None:
        self.close()
        self._over(NO_SCREEN)

    def _over(self, why: str) -> None:
        self._tell("end", why=why)
        self._hang_up()
