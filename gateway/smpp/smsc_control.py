"""The command's side of the simulated operator's control door: blocking, no reactor."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_GRACE: Final = 5.0
"""Seconds that the door may take beyond what it was told to wait."""
NO_SCREEN: Final = "no_screen"
"""Why a session ended when no screen came in time."""
_NO_ANSWER: Final = "the operator did not answer in time"
_HUNG_UP: Final = "the operator hung up: it has been stopped"


class Answer(NamedTuple):
    """A message that came to the mobile."""

    text: str
    parts: int


class SmscError(Exception):
    """The operator could not do it.

    ``code`` is ``not_running``, ``no_answer`` (from the operator itself),
    ``no_esme_bound`` or ``bad_request``; the message is for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def send_text(
    socket_path: str, mobile: str, line: str, text: str, wait: float = 10.0
) -> Iterator[Answer]:
    """Send a text as a mobile and yield what comes back, as it comes.

    Ends soon after the last answer, or after ``wait`` seconds. Raises ``SmscError``.
    """
    request = {"cmd": "send", "from": mobile, "to": line, "text": text, "wait": wait}
    for told in _call(socket_path, request, wait + _GRACE):
        if told["type"] == "answer":
            yield Answer(told["text"], told["parts"])


class Screen(NamedTuple):
    """What the handset shows."""

    text: str
    asks: bool
    """Whether it waits for an answer."""


class Text(NamedTuple):
    """A message that came to the mobile while it was dialling."""

    text: str
    line: str


class End(NamedTuple):
    """The session is over."""

    why: str
    """``last``, ``aborted``, ``timeout``, or ``NO_SCREEN``."""


def dial(
    socket_path: str, mobile: str, code: str, wait: float = 10.0
) -> Generator[Screen | Text | End, str | None, None]:
    """Dial as a mobile and yield what the handset shows; the last is an ``End``.

    After a screen that asks, send what is typed; None, or closing the generator, gives up
    the session. ``wait`` is seconds for each screen. Raises ``SmscError``.
    """
    request = {"cmd": "dial", "from": mobile, "code": code, "wait": wait}
    with _Door(socket_path, wait + _GRACE) as door:
        door.ask(request)
        for told in door.answers():
            match told["type"]:
                case "screen":
                    typed = yield Screen(told["text"], told["asks"])
                    # Where the network has ended the session meanwhile, its end is read next.
                    if typed is not None:
                        door.try_to_ask({"cmd": "type", "text": typed})
                    elif told["asks"]:
                        door.try_to_ask({"cmd": "abort"})
                case "text":
                    yield Text(told["text"], told["line"])
                case "end":
                    yield End(told["why"])
                    return
    raise SmscError("no_answer", _HUNG_UP)


def status(socket_path: str) -> dict[str, Any]:
    """Return the operator's binds, totals and faults. Raises ``SmscError``."""
    return _one(socket_path, {"cmd": "status"})


def set_faults(socket_path: str, **faults: float | None) -> dict[str, Any]:
    """Set fault switches (``handsets.Faults``); return all of them. Raises ``SmscError``."""
    return _one(socket_path, {"cmd": "faults", **faults})


def stop(socket_path: str) -> None:
    """Ask the operator to stop. Raises ``SmscError``."""
    _one(socket_path, {"cmd": "stop"})


def _one(socket_path: str, request: dict[str, Any]) -> dict[str, Any]:
    for told in _call(socket_path, request, _GRACE):
        del told["type"]
        return told
    raise SmscError("no_answer", _HUNG_UP)


def _call(socket_path: str, request: dict[str, Any], patience: float) -> Iterator[dict[str, Any]]:
    with _Door(socket_path, patience) as door:
        door.ask(request)
        for told in door.answers():
            if told["type"] == "end":
                return
            yield told


class _Door:
    """One connection; all that goes wrong with it is a ``SmscError``."""

    def __init__(self, path: str, patience: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(patience)
        try:
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            what = f"no simulated operator answers at {path}: {error.strerror}"
            raise SmscError("not_running", what) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, request: dict[str, Any]) -> None:
        try:
            self._send(request)
        except OSError:
            raise SmscError("no_answer", _NO_ANSWER) from None

    def try_to_ask(self, request: dict[str, Any]) -> None:
        with suppress(OSError):
            self._send(request)

    def _send(self, request: dict[str, Any]) -> None:
        self._socket.sendall(json.dumps(request).encode() + b"\n")

    def answers(self) -> Iterator[dict[str, Any]]:
        with self._socket.makefile("rb") as lines:
            while True:
                try:
                    line = lines.readline()
                except OSError:
                    raise SmscError("no_answer", _NO_ANSWER) from None
                if not line:
                    return
                told: dict[str, Any] = json.loads(line)
                if told["type"] == "error":
                    raise SmscError(told["code"], told["message"])
                yield told
