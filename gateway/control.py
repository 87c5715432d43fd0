"""The daemon's local control door: JSON lines over a Unix-domain socket.

A request is one line ``{"command": "health", …arguments}``, its answer one line
``{"ok": true, "result": {…}}`` or ``{"ok": false, "error": "…"}``. The socket is open to
the daemon's own user only (mode 0600): whoever can reach it may stop the daemon.

``call`` is the command's side; ``gateway.control_server`` is the daemon's.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

MAX_ANSWER = 16 * 1024 * 1024


class ControlError(Exception):
    """A command that could not be done, in words for the operator."""


class DaemonNotRunning(ControlError):
    """Nobody answers at the socket."""


def call(path: Path, command: str, *, timeout: float = 5, **arguments: Any) -> dict[str, Any]:
    """Ask the server at ``path`` and wait at most ``timeout`` seconds for each of its bytes.

    Raises ``DaemonNotRunning`` when nobody is there, and ``ControlError`` with the
    server's own words when it refuses.
    """
    request = json.dumps({"command": command, **arguments}, ensure_ascii=False)
    try:
        with connect(path, timeout) as connection:
            connection.sendall(request.encode() + b"\n")
            line = _read_line(connection)
    except (FileNotFoundError, ConnectionRefusedError, ConnectionResetError):
        raise DaemonNotRunning(f"nothing is running at {path}") from None
    except TimeoutError:
        raise ControlError(f"no answer from {path} within {timeout:g} s") from None
    except OSError as error:
        raise ControlError(f"{path} cannot be reached: {error.strerror or error}") from None
    answer = json.loads(line)
    if not answer["ok"]:
        raise ControlError(answer["error"])
    result: dict[str, Any] = answer["result"]
    return result


def connect(path: Path, timeout: float) -> socket.socket:
    """Open a connection to whoever answers at ``path``. Raises ``OSError``."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        connection.connect(str(path))
    except BaseException:
        connection.close()
        raise
    return connection


def _read_line(connection: socket.socket) -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        received = connection.recv(65536)
        if not received:
            raise ConnectionResetError
        line += received
        if len(line) > MAX_ANSWER:
            raise ControlError(f"the answer has more than {MAX_ANSWER} bytes")
    return bytes(line)
