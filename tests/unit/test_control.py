"""The control door: what passes through it, and what it survives."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.threads import deferToThread

from gateway.control import ControlError, DaemonNotRunning, call
from gateway.control_server import MAX_REQUEST, AlreadyRunning, ControlServer, Handler


def _broken(_arguments: Mapping[str, Any]) -> dict[str, Any]:
    raise RuntimeError("secret detail")


def _refused(_arguments: Mapping[str, Any]) -> dict[str, Any]:
    raise ControlError("not now")


HANDLERS: dict[str, Handler] = {
    "echo": lambda arguments: arguments,
    "later": lambda _: succeed({"done": True}),
    "broken": _broken,
    "refused": _refused,
    "unjson": lambda _: {"value": object()},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the socket is."""
    return tmp_path / "peyk.sock"


@pytest.fixture
def server(path: Path) -> Iterator[ControlServer]:
    """A running server with ``HANDLERS``."""
    service = ControlServer(reactor, path, HANDLERS)
    service.startService()
    yield service
    pytest_twisted.blockon(service.stopService())


def _in_thread(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred[Any]:
    return deferToThread(function, *args, **kwargs)


def _raw(path: Path, *lines: bytes) -> list[dict[str, Any]]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(path))
        stream = connection.makefile("rwb")
        answers = []
        for line in lines:
            stream.write(line + b"\n")
            stream.flush()
            answers.append(json.loads(stream.readline()))
        stream.close()
        return answers


@pytest_twisted.ensureDeferred
async def test_a_command_carries_its_arguments_and_brings_its_result(
    server: ControlServer, path: Path
) -> None:
    """What the caller says arrives as it was, Persian included, and comes back."""
    result = await _in_thread(call, path, "echo", text="سلام", count=3)

    assert result == {"text": "سلام", "count": 3}


@pytest_twisted.ensureDeferred
async def test_a_handler_may_answer_later(server: ControlServer, path: Path) -> None:
    """A Deferred's result is the answer."""
    assert await _in_thread(call, path, "later") == {"done": True}


@pytest_twisted.ensureDeferred
async def test_a_refusal_is_told_in_the_handlers_words(server: ControlServer, path: Path) -> None:
    """A ControlError reaches the caller as it was raised."""
    with pytest.raises(ControlError, match=r"^not now$"):
        await _in_thread(call, path, "refused")


@pytest.mark.parametrize("command", ["broken", "unjson"])
@pytest_twisted.ensureDeferred
async def test_a_failing_handler_tells_no_details(
    server: ControlServer, path: Path, command: str
) -> None:
    """An exception, or a result that is not JSON, is an error reply without its inside."""
    with pytest.raises(ControlError, match="its log says why") as caught:
        await _in_thread(call, path, command)

    assert "secret detail" not in str(caught.value)


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b'{"command": 5}', b'"health"', b"\xff\xfe", b"[" * 60_000]
)
@pytest_twisted.ensureDeferred
async def test_nonsense_is_refused_and_the_connection_goes_on(
    server: ControlServer, path: Path, line: bytes
) -> None:
    """A bad line gets an error reply, and the next line on the same connection is served."""
    bad, good = await _in_thread(_raw, path, line, b'{"command": "later"}')

    assert bad["ok"] is False
    assert "request" in bad["error"]
    assert good == {"ok": True, "result": {"done": True}}


@pytest_twisted.ensureDeferred
async def test_a_request_without_end_is_cut_off(server: ControlServer, path: Path) -> None:
    """Too long a line is refused instead of being kept in memory."""
    [answer] = await _in_thread(_raw, path, b"x" * (MAX_REQUEST + 2))

    assert "at most" in answer["error"]


@pytest_twisted.ensureDeferred
async def test_an_unknown_command_is_named(server: ControlServer, path: Path) -> None:
    """A command of another version of the daemon is refused by name."""
    with pytest.raises(ControlError, match="'dance'"):
        await _in_thread(call, path, "dance")


def test_only_the_owner_may_reach_the_socket(server: ControlServer, path: Path) -> None:
    """Other users of the machine can neither read nor write the socket."""
    assert path.stat().st_mode & 0o777 == 0o600


def test_nobody_there_is_said_so(path: Path) -> None:
    """Without a socket the caller learns that the daemon is not running."""
    with pytest.raises(DaemonNotRunning):
        call(path, "health")


def test_a_dead_daemons_socket_is_nobody_there(path: Path) -> None:
    """A socket file that a killed process left counts as not running."""
    _leave_stale_socket(path)

    with pytest.raises(DaemonNotRunning):
        call(path, "health")


@pytest_twisted.ensureDeferred
async def test_a_dead_daemons_socket_is_taken_over(path: Path) -> None:
    """A restart after kill -9 is not hindered by the file it left."""
    _leave_stale_socket(path)
    service = ControlServer(reactor, path, HANDLERS)
    service.startService()

    assert await _in_thread(call, path, "later") == {"done": True}

    await service.stopService()
    assert not path.exists()


def test_a_living_daemons_socket_is_left_alone(server: ControlServer, path: Path) -> None:
    """A second daemon does not steal the first one's door."""
    with pytest.raises(AlreadyRunning):
        ControlServer(reactor, path, HANDLERS).startService()

    assert path.is_socket()


def test_a_file_in_the_way_is_not_removed(path: Path) -> None:
    """A path that is set to something else by mistake is not deleted."""
    path.write_text("precious")

    with pytest.raises(AlreadyRunning, match="not a socket"):
        ControlServer(reactor, path, HANDLERS).startService()

    assert path.read_text() == "precious"


def test_a_server_that_hangs_is_given_up(path: Path) -> None:
    """A daemon that accepts and never answers does not hang the command."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with pytest.raises(ControlError, match="no answer"):
            call(path, "health", timeout=0.01)


def _leave_stale_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
