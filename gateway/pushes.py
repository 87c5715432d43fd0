"""USSD sessions that we begin ourselves: at a node of a line's menu, on a mobile's handset."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from twisted.internet.defer import Deferred

from core.batch import Batch, Desk, Done
from core.database import Database
from core.dialogues.exchange import BUSY
from core.dialogues.types import Event, Input
from core.identifiers import MobileError
from core.identifiers import mobile as normal_mobile
from core.ids import made_at
from core.running import run
from core.text import nearest_hint
from gateway.control import ControlError
from gateway.dials import opening
from gateway.inbound import Inbound, InThread

_NAMES: Final = 0x7FFF
"""Networks have room for at least eight bits of a session's name, some for fifteen."""


class Pushes:
    """Begins sessions on the binds of their lines."""

    def __init__(  # noqa: PLR0913, PLR0917 - the composition root gives each its own
        self,
        database: Database,
        desk: Desk,
        inbound: Inbound,
        in_thread: InThread,
        binds_of: Mapping[str, Sequence[str]],
        now_ms: Callable[[], int],
    ) -> None:
        """``binds_of``: for each line that is dialled, the binds that can begin a session."""
        self._database = database
        self._desk = desk
        self._inbound = inbound
        self._in_thread = in_thread
        self._binds_of = binds_of
        self._now = now_ms

    def push(self, arguments: Mapping[str, Any]) -> Deferred[Mapping[str, Any]]:
        """Begin a session with ``mobile`` on ``line`` at ``node``; says whether it asks.

        Raises ``ControlError``, also through the Deferred.
        """
        line, node = str(arguments.get("line", "")), str(arguments.get("node", ""))
        if line not in self._binds_of:
            hint = nearest_hint(line, self._binds_of)
            raise ControlError(f"no line {line!r} is dialled here; {hint}")
        nodes = self._desk.talkers[line].nodes
        if node not in nodes:
            raise ControlError(f"the menu of {line} has no {node!r}; {nearest_hint(node, nodes)}")
        try:
            mobile = normal_mobile(str(arguments.get("mobile", "")))
        except MobileError as error:
            raise ControlError(str(error)) from None
        door = self._inbound.screens.door_for(self._binds_of[line])
        if door is None:
            raise ControlError(f"no bind that could begin a session of {line} is up")
        now = self._now()
        number = self._desk.ids.one()
        name = str((made_at(number) ^ number) % _NAMES + 1)
        # Nobody delivers it again: it is like nothing else that comes or came.
        one = Input(number, now, door, 0, name, line, mobile, Event.OPEN, node, "", number)
        batch = Batch(inputs=[one], now=now)
        done: Deferred[Done] = self._in_thread(run, self._database, self._desk, batch)
        return done.addCallback(self._show)

    def _show(self, done: Done) -> Mapping[str, Any]:
        self._inbound.dialled(done)
        if done.dialled[BUSY]:
            raise ControlError("the mobile is in a session; try again in some minutes")
        if not done.screens:
            raise ControlError("the session could not be stored; the daemon's log says why")
        self._inbound.screens.show([opening(shown) for shown in done.screens])
        return {"asks": not any(shown.ends for shown in done.screens)}
