"""The simulated operator's control door: JSON lines over a Unix-domain socket.

A request is one line, its answers are one line each, the last one of ``type`` ``end``
or ``error``; then the door closes the connection::

    {"cmd": "send", "from": "09131234567", "to": "100034122", "text": "010", "wait": 10}
        {"type": "sent", "parts": 1}
        {"type": "answer", "text": "…", "parts": 2}
        {"type": "end"}
    {"cmd": "dial", "from": "09161234567", "code": "*1522#", "wait": 10}
        {"type": "screen", "text": "…", "asks": true}
    {"cmd": "type", "text": "2"}
        {"type": "screen", "text": "…", "asks": false}
        {"type": "end", "why": "last"}
    {"cmd": "status"}                  {"type": "status", "bound": […], …}
    {"cmd": "faults", "throttle": 5}   {"type": "faults", "throttle": 5, …}
    {"cmd": "stop"}                    {"type": "stopped"}

``send`` ends ``QUIET`` seconds after the last answer, or after ``wait`` seconds. After
``dial`` the same connection takes ``type`` and ``abort`` until the session ends; a caller who
hangs up gives up the session. Errors
have a ``code`` (``no_esme_bound``, ``bad_request``) and words.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.endpoints import UNIXServerEndpoint
from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols.basic import LineOnlyReceiver

from gateway.smpp.handsets import Faults, Message, international
from gateway.smpp.pdus import Unencodable
from gateway.smpp.smsc_dialling import Dialling
from gateway.smpp.smsc_ussd import service_code
from gateway.smpp.text import TooLongError

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from gateway.smpp.smsc import SimulatedSmsc
    from gateway.smpp.typing_views import DelayedCall, Transport

QUIET: Final = 0.5
"""How long no further answer has to come before ``send`` ends, in seconds."""
_LONGEST_WAIT: Final = 3600.0
_OWNER_ONLY: Final = 0o600


class RequestError(Exception):
    """A request that cannot be done."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Door(LineOnlyReceiver):
    """One caller."""

    transport: Transport | None  # type: ignore[assignment]
    delimiter = b"\n"
    MAX_LENGTH = 256 * 1024

    def __init__(self, smsc: SimulatedSmsc, stop: Callable[[], Any]) -> None:
        self._smsc = smsc
        self._stop = stop
        self._watched: tuple[str, str] | None = None
        self._end: DelayedCall | None = None
        self._last_moment = 0.0
        self._dialling: Dialling | None = None

    def lineReceived(self, line: bytes) -> None:
        """Do what one request asks for."""
        try:
            self._obey(json.loads(line))
        except RequestError as error:
            self._fail(error.code, str(error))
        except (ValueError, RecursionError) as error:
            self._fail("bad_request", str(error))

    def _obey(self, request: Any) -> None:
        if not isinstance(request, dict):
            raise RequestError("bad_request", "a request is a JSON object")
        command = _COMMANDS.get(str(request.get("cmd")))
        if command is None:
            raise RequestError("bad_request", f"cmd is one of {', '.join(_COMMANDS)}")
        command(self, request)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Wait for nothing any more."""
        del reason
        self._unwatch()
        if self._dialling is not None:
            self._dialling.close()

    def _tell(self, kind: str, **values: Any) -> None:
        line = json.dumps({"type": kind, **values}, ensure_ascii=False)
        self.sendLine(line.encode("utf-8", "replace"))  # type: ignore[no-untyped-call]

    def _fail(self, code: str, message: str) -> None:
        self._unwatch()
        self._tell("error", code=code, message=message)
        self._hang_up()

    def _hang_up(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()

    # --- commands ------------------------------------------------------------------

    def _send(self, request: dict[str, Any]) -> None:
        mobile, line, text = (request.get(key) for key in ("from", "to", "text"))
        wait = _wait(request)
        if not (isinstance(mobile, str) and isinstance(line, str) and isinstance(text, str)):
            raise RequestError("bad_request", "send needs from, to and text")
        if not self._smsc.has_esme(line):
            raise RequestError("no_esme_bound", f"no ESME is bound to receive for {line}")
        self._unwatch()
        mobile = international(mobile)
        self._watched = (mobile, line)
        self._smsc.watch(mobile, line, self._answered)
        clock = self._smsc.clock
        self._last_moment = clock.seconds() + wait
        self._end = clock.callLater(self._last_moment - clock.seconds(), self._ended)
        try:
            made = self._smsc.send_text(mobile, line, text)
        except (Unencodable, TooLongError) as error:
            raise RequestError("bad_request", str(error)) from None
        self._tell("sent", parts=len(made))

    def _answered(self, message: Message) -> None:
        self._tell("answer", text=message.text, parts=message.parts)
        clock = self._smsc.clock
        left = self._last_moment - clock.seconds()
        if self._end is not None and self._end.active():
            self._end.cancel()
        self._end = clock.callLater(max(0.0, min(QUIET, left)), self._ended)

    def _ended(self) -> None:
        self._unwatch()
        self._tell("end")
        self._hang_up()

    def _unwatch(self) -> None:
        if self._end is not None and self._end.active():
            self._end.cancel()
        self._end = None
        if self._watched is not None:
            self._smsc.unwatch(*self._watched, self._answered)
            self._watched = None

    def _dial(self, request: dict[str, Any]) -> None:
        mobile, dialled = request.get("from"), request.get("code")
        if not (isinstance(mobile, str) and isinstance(dialled, str)):
            raise RequestError("bad_request", "dial needs from and code")
        if self._dialling is not None:
            raise RequestError("bad_request", "a session is under way on this connection")
        if not self._smsc.has_esme(service_code(dialled, self._smsc.settings.ussd)):
            raise RequestError("no_esme_bound", f"no ESME is bound to receive for {dialled}")
        self._unwatch()
        self._dialling = Dialling(self._smsc, _wait(request), self._tell, self._hang_up)
        try:
            self._dialling.dial(international(mobile), dialled)
        except Unencodable as error:
            raise RequestError("bad_request", str(error)) from None

    def _type(self, request: dict[str, Any]) -> None:
        typed = request.get("text")
        if self._dialling is None or not isinstance(typed, str):
            raise RequestError("bad_request", "type needs text, and a dial before it")
        try:
            self._dialling.type(typed)
        except Unencodable as error:
            raise RequestError("bad_request", str(error)) from None

    def _abort(self, _request: dict[str, Any]) -> None:
        if self._dialling is None:
            raise RequestError("bad_request", "abort needs a dial before it")
        self._dialling.abort()

    def _status(self, _request: dict[str, Any]) -> None:
        smsc = self._smsc
        bound = [
            {
                "connection": found.connection,
                "system_id": found.system_id,
                "mode": found.mode.value,
                "in_flight": found.in_flight,
            }
            for found in smsc.bound
        ]
        totals, faults = asdict(smsc.totals), asdict(smsc.faults)
        ussd = {"sessions": len(smsc.ussd), **asdict(smsc.ussd.totals)}
        self._tell(
            "status", bound=bound, waiting=smsc.waiting, totals=totals, faults=faults, ussd=ussd
        )
        self._hang_up()

    def _faults(self, request: dict[str, Any]) -> None:
        named = {field.name: field for field in fields(Faults)}
        for name, value in request.items():
            if name == "cmd":
                continue
            if name not in named:
                raise RequestError("bad_request", f"no such fault: {name}")
            if value is not None and not isinstance(value, int | float):
                raise RequestError("bad_request", f"{name} is a number")
            setattr(self._smsc.faults, name, value)
        self._tell("faults", **asdict(self._smsc.faults))
        self._hang_up()

    def _halt(self, _request: dict[str, Any]) -> None:
        self._tell("stopped")
        self._hang_up()
        self._stop()


def _wait(request: dict[str, Any]) -> float:
    wait = request.get("wait", 10)
    if isinstance(wait, bool) or not isinstance(wait, int | float) or not wait >= 0:
        raise RequestError("bad_request", "wait is a number of seconds")
    return min(float(wait), _LONGEST_WAIT)


_COMMANDS: Final = {
    "send": Door._send,  # noqa: SLF001 - its own class
    "dial": Door._dial,  # noqa: SLF001
    "type": Door._type,  # noqa: SLF001
    "abort": Door._abort,  # noqa: SLF001
    "status": Door._status,  # noqa: SLF001
    "faults": Door._faults,  # noqa: SLF001
    "stop": Door._halt,  # noqa: SLF001
}


def open_door(
    smsc: SimulatedSmsc, path: str, stop: Callable[[], Any], reactor: Any = None
) -> Deferred[Any]:
    """Open the door at ``path``, for its own user only; ``stop`` is what ``stop`` calls.

    The Deferred fires with the listening port. A socket file that a killed process left
    is taken away.
    """
    Path(path).unlink(missing_ok=True)
    factory = Factory()
    factory.noisy = False
    factory.buildProtocol = lambda _address: Door(smsc, stop)  # type: ignore[assignment, method-assign]
    endpoint = UNIXServerEndpoint(reactor or smsc.clock, path, mode=_OWNER_ONLY)
    listening: Deferred[Any] = endpoint.listen(factory)
    return listening
