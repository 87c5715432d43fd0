"""Networks over real SMPP: a simulated operator, a bind, loopback TCP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred

from gateway.messages import BindListener
from gateway.smpp.bind import SmppBind
from gateway.smpp.dialects import PRESETS, FirstString, UssdDialect
from gateway.smpp.handsets import SmscSettings
from gateway.smpp.settings import BindSettings
from gateway.smpp.smsc import SimulatedSmsc
from gateway.smpp.smsc_ussd import End, HandsetSession
from tests.contract.ussd.drivers import SECONDS, Seen
from tests.waiting import until

PATIENCE = 600.0
DIALECTS: dict[str, UssdDialect] = {
    **PRESETS,
    "by_address": replace(PRESETS["sixdee"], first_string=FirstString.DESTINATION),
}


class SmppPhone:
    """A handset of the simulated operator."""

    def __init__(self, smsc: SimulatedSmsc, mobile: str) -> None:
        self._smsc = smsc
        self._mobile = mobile
        self._session: HandsetSession | None = None

    @property
    def has_session(self) -> bool:
        """Whether it is in a session."""
        return self._session is not None and self._session.end is None

    async def dial(self, dialled: str) -> Seen:
        """Dial; return the first screen."""
        self._session = self._smsc.ussd.dial(self._mobile, dialled)
        return await self._screen()

    async def type(self, typed: str) -> Seen:
        """Answer the screen that is shown; return the next one."""
        self._smsc.ussd.type(self._live(), typed)
        return await self._screen()

    async def abort(self) -> None:
        """Hang up."""
        self._smsc.ussd.abort(self._live())

    async def time_out(self) -> None:
        """Leave the screen alone: the network's patience is over at once."""
        session = self._live()
        session.due = 0.0
        self._smsc.ussd.ring()
        assert session.end is End.TIMEOUT

    def _live(self) -> HandsetSession:
        assert self._session is not None
        return self._session

    async def _screen(self) -> Seen:
        session = self._live()
        changed: Deferred[HandsetSession] = Deferred()
        session.on_change = lambda _: None if changed.called else changed.callback(session)
        await changed.addTimeout(SECONDS, reactor)
        return Seen(session.screens[-1], session.asks)


class SmppNetwork:
    """A simulated operator that speaks one dialect, and a bind that does."""

    def __init__(self, ours: BindListener, dialect: UssdDialect, **bind: Any) -> None:
        self._ours = ours
        self._dialect = dialect
        self._bind = bind
        self.smsc = SimulatedSmsc(
            SmscSettings(ussd=dialect, ussd_timeout=PATIENCE, redeliver_after=0.02)
        )
        self.service: SmppBind

    async def start(self) -> None:
        """Listen, and bind."""
        values: dict[str, Any] = {
            "name": "mci",
            "host": "127.0.0.1",
            "port": await self.smsc.listen(),
            "system_id": "peyk",
            "password": "secret",
            "backoff_first": 0.02,
            "unbind_timeout": 0.5,
            "ussd": self._dialect,
        }
        self.service = SmppBind(BindSettings(**{**values, **self._bind}), self._ours, reactor)
        self.service.startService()
        await self.service.when_bound()

    async def stop(self) -> None:
        """Unbind, and close."""
        await self.service.stopService()
        await self.smsc.stop()

    @property
    def tells_the_end(self) -> bool:
        """Whether the dialect has words for it."""
        return bool(self._dialect.abort_ops) or self._dialect.ends_by_bit

    def phone(self, mobile: str) -> SmppPhone:
        """A handset."""
        return SmppPhone(self.smsc, mobile)

    async def lose_answer(self) -> None:
        """Cut the connection: the operator delivers again on the next one."""
        self.smsc.disconnect()
        await until(lambda: self.service.connection is None, "the bind is lost")
        await self.service.when_bound()
