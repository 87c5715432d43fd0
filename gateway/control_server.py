"""The daemon's side of the control door: see ``gateway.control``."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import structlog
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from gateway.control import ControlError, connect

log = structlog.get_logger(__name__)

MAX_REQUEST = 64 * 1024
_OWNER_ONLY = 0o600

Arguments = dict[str, Any]
Handler = Callable[[Arguments], "Mapping[str, Any] | Deferred[Mapping[str, Any]]"]


class AlreadyRunning(ControlError):
    """Somebody else answers at the socket that a server was to open."""


class UnixReactor(Protocol):
    """What is needed of the reactor."""

    def listenUNIX(self, address: str, factory: Factory, *, mode: int) -> Any:
        """Open a socket; returns its port."""


class ControlServer(Service):
    """Answers commands at ``path`` with ``handlers``, from start to stop.

    A handler gets the request's arguments and returns the result, or a Deferred of it. A
    ``ControlError`` that it raises is told to the caller; any other exception is logged.
    Starting raises ``AlreadyRunning`` when another process answers at ``path``.
    """

    def __init__(self, reactor: UnixReactor, path: Path, handlers: Mapping[str, Handler]) -> None:
        self._reactor = reactor
        self._path = path
        self._factory = _Factory(handlers)
        self._port: Any = None

    def startService(self) -> None:
        """Open the socket, first taking away one that a killed process left."""
        _remove_stale(self._path)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # The mode is set after the file is made; until then the mask keeps others out.
        before = os.umask(0o177)
        try:
            self._port = self._reactor.listenUNIX(str(self._path), self._factory, mode=_OWNER_ONLY)
        finally:
            os.umask(before)
        super().startService()  # type: ignore[no-untyped-call]

    def stopService(self) -> Deferred[None]:
        """Close the socket and remove its file."""
        super().stopService()  # type: ignore[no-untyped-call]
        port, self._port = self._port, None
        return maybeDeferred(port.stopListening) if port else maybeDeferred(lambda: None)


class _Factory(Factory):
    noisy = False

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self.handlers = handlers

    def buildProtocol(self, _address: object) -> _Conversation:
        return _Conversation(self.handlers)


class _Conversation(LineOnlyReceiver):
    delimiter = b"\n"
    MAX_LENGTH = MAX_REQUEST
    transport: Any

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers

    def lineReceived(self, line: bytes) -> None:
        try:
            command, arguments = _read_request(line)
        except ControlError as error:
            self._refuse(str(error))
            return
        handler = self._handlers.get(command)
        if handler is None:
            self._refuse(f"the daemon knows no command {command!r}")
            return
        answer = maybeDeferred(handler, arguments)
        answer.addCallbacks(self._succeed, self._fail, errbackArgs=(command,))
        answer.addErrback(self._fail, command)

    def lineLengthExceeded(self, _line: bytes) -> None:
        self._refuse(f"a request may have at most {MAX_REQUEST} bytes")
        self.transport.loseConnection()

    def _succeed(self, result: Mapping[str, Any]) -> None:
        self._send({"ok": True, "result": result})

    def _fail(self, failure: Failure, command: str) -> None:
        if isinstance(failure.value, ControlError):
            self._refuse(str(failure.value))
            return
        log.error("control.failed", command=command, exc_info=failure.value)
        self._refuse(f"{command!r} failed inside the daemon; its log says why")

    def _refuse(self, reason: str) -> None:
        self._send({"ok": False, "error": reason})

    def _send(self, answer: Mapping[str, Any]) -> None:
        self.transport.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")


def _read_request(line: bytes) -> tuple[str, Arguments]:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        raise ControlError("the request is not JSON") from None
    if not isinstance(request, dict) or not isinstance(request.get("command"), str):
        raise ControlError('the request is not {"command": "…", …}')
    return request.pop("command"), request


def _remove_stale(path: Path) -> None:
    """Remove the socket file of a process that is gone."""
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise AlreadyRunning(f"{path} is in the way: it is not a socket")
    except FileNotFoundError:
        return
    try:
        connect(path, timeout=1).close()
    except ConnectionRefusedError:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise AlreadyRunning(f"{path} cannot be opened: {error}") from None
    else:
        raise AlreadyRunning(f"another process is running here: it answers at {path}")
