"""What people have paused, as this daemon keeps to it.

The pauses are rows that a command writes. Every daemon of the database reads them when it
starts, every few seconds, and at once when it is woken; what it holds itself (binds, USSD
doors, panels) is switched off and on. The scheduler, campaigns and imports read the rows where
they work. While the database is away, what was paused stays paused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

import structlog
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed

from core.services import Paused, paused_now
from gateway.database_doors import Doors
from gateway.logs import failed
from gateway.outbound import Clock, Sender
from gateway.smpp.bind import SmppBind
from gateway.ussd.http.door import Door

log = structlog.get_logger(__name__)

SETTLE_SECONDS: Final = 5.0
"""How long a bind that is paused waits for what it has submitted before it unbinds."""
_LOOK_SECONDS: Final = 0.05


class Switch(Protocol):
    """Something of this daemon that can be switched off and on again."""

    def off(self) -> object:
        """Pause it; also when it is paused already."""

    def on(self) -> object:
        """Begin with it, or let it go on; also when it runs already."""


class Pauses:
    """Keeps what this daemon runs to what is paused; called on the reactor's thread."""

    def __init__(
        self, doors: Doors, switches: Mapping[str, Switch], paused: Mapping[str, Paused]
    ) -> None:
        """``switches`` by the names of their services; ``paused``: what is when it starts."""
        self._doors = doors
        self._switches = switches
        self.paused: Mapping[str, Paused] = paused
        """What is paused, by name."""
        self._is_looking = False
        self._is_stopped = False

    def start(self) -> None:
        """Begin with whatever is not paused."""
        for name, switch in self._switches.items():
            if name not in self.paused:
                switch.on()
        for paused in self.paused.values():
            log.warning("service.paused", service=paused.name, by=paused.by)

    def stop(self) -> None:
        """Switch nothing any more."""
        self._is_stopped = True

    def tick(self) -> Deferred[None]:
        """Look what is paused now; called every few seconds, and when a command says so."""
        if self._is_looking or self._is_stopped:
            return succeed(None)
        self._is_looking = True
        done = self._doors.read("services", paused_now)
        done.addCallback(self._found)
        done.addErrback(failed, log, "services.look_failed")
        return done.addBoth(self._looked)

    def _looked(self, _result: object) -> None:
        self._is_looking = False

    def _found(self, paused: Mapping[str, Paused]) -> None:
        if self._is_stopped:
            return
        before, self.paused = self.paused, paused
        for name in sorted(paused.keys() - before.keys()):
            log.warning("service.paused", service=name, by=paused[name].by)
            if name in self._switches:
                self._switches[name].off()
        for name in sorted(before.keys() - paused.keys()):
            log.info("service.resumed", service=name)
            if name in self._switches:
                self._switches[name].on()


class BindSwitch:
    """A bind that is paused hands its queue back, waits for its responses, and unbinds.

    The operator keeps what subscribers send meanwhile, and delivers it when the bind is back.
    """

    def __init__(self, bind: SmppBind, sender: Sender | None, clock: Clock) -> None:
        self._bind = bind
        self._sender = sender
        self._clock = clock
        self._alarm: Any = None

    def off(self) -> None:
        """Stop sending at once, and unbind once nothing is under way."""
        if self._sender is not None:
            self._sender.pause()
        self._until = self._clock.seconds() + SETTLE_SECONDS
        self._unbind_when_settled()

    def on(self) -> None:
        """Connect, and send again."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._sender is not None:
            self._sender.resume()
        self._bind.startService()

    def _unbind_when_settled(self) -> None:
        self._alarm = None
        is_waiting = self._sender is not None and self._sender.status().in_flight
        if is_waiting and self._clock.seconds() < self._until:
            self._alarm = self._clock.callLater(_LOOK_SECONDS, self._unbind_when_settled)
        else:
            self._bind.stopService()


class DoorSwitch:
    """A USSD door that is paused tells gateways that it is not there for now (503)."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def off(self) -> None:
        """Take no more requests; those that wait are told to try again."""
        self._door.close()

    def on(self) -> None:
        """Take requests."""
        if not self._door.is_open:
            self._door.open()


class PanelSwitch:
    """A panel that is paused is asked nothing, and told to post again what it posts (503)."""

    def __init__(self, panel: Service) -> None:
        self._panel = panel

    def off(self) -> None:
        """Give back what waits; what was asked of the panel still settles."""
        self._panel.stopService()

    def on(self) -> None:
        """Look whether the panel answers, and go on."""
        self._panel.startService()
