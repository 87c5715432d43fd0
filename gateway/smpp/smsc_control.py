"""The command's side of the simulated operator's control door: blocking, no reactor."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_GRACE: Final = 5.0
"""Seconds that the door may take beyond what it was told to wait."""


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
    raise SmscError("no_answer", "the operator hung up without an answer")


def _call(socket_path: str, request: dict[str, Any], patience: float) -> Iterator[dict[str, Any]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.settimeout(patience)
        try:
            door.connect(socket_path)
        except OSError as error:
            what = f"no simulated operator answers at {socket_path}: {error.strerror}"
            raise SmscError("not_running", what) from None
        try:
            door.sendall(json.dumps(request).encode() + b"\n")
            with door.makefile("rb") as lines:
                for line in lines:
                    told: dict[str, Any] = json.loads(line)
                    if told["type"] == "error":
                        raise SmscError(told["code"], told["message"])
                    if told["type"] == "end":
                        return
                    yield told
        except OSError:
            raise SmscError("no_answer", "the operator did not answer in time") from None
