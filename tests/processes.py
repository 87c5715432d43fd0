"""``peyk`` as processes, without the second that importing it takes each time.

A server imports the command once and is forked for each process. What runs is the command, from
its arguments on to its exit code, with signals, files and sockets of its own. ``Afresh`` is a
process as people start it, by an interpreter of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from multiprocessing.connection import wait
from pathlib import Path
from threading import Lock
from typing import Any

REPOSITORY = Path(__file__).parents[1]
_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(["tests.processes", "cli", "gateway.app", "gateway.operator"])
_turn = Lock()
"""What ends one process asks for all: threads of a test take turns."""


class Peyk:
    """One process of ``peyk`` with these arguments; what it says goes to the end of the files."""

    def __init__(self, *arguments: str, output: Path, errors: Path) -> None:
        self._process = _forking.Process(
            target=_be_peyk,
            args=(arguments, dict(os.environ), output, errors),
            daemon=True,  # so that none outlives the tests
        )
        with _turn:
            self._process.start()

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, a signal's number below zero; None as long as it runs."""
        with _turn:
            return self._process.exitcode

    def poll(self) -> int | None:
        """``returncode``, by the name that ``subprocess`` has for it."""
        return self.returncode

    def wait(self, seconds: float) -> int:
        """Wait for its end; returns the exit code."""
        wait([self._process.sentinel], seconds)
        code = self.returncode
        if code is None:
            raise subprocess.TimeoutExpired("peyk", seconds)
        return code

    def kill(self) -> None:
        """End it in the midst of whatever it does."""
        if self.poll() is None:  # or its number may be another's by now
            self._process.kill()

    def terminate(self) -> None:
        """Ask it to stop, as a service manager does."""
        if self.poll() is None:
            self._process.terminate()


def _be_peyk(
    arguments: tuple[str, ...], environment: dict[str, str], output: Path, errors: Path
) -> None:
    os.chdir(REPOSITORY)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, output), (2, errors)):
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    from twisted.internet import reactor  # noqa: PLC0415 - the server has it already

    import cli  # noqa: PLC0415

    # The server's own has handles that all its children would have in common.
    loop: Any = reactor
    loop.__init__()
    cli.main(arguments)


class Afresh(subprocess.Popen[bytes]):
    """The same by an interpreter that has imported nothing yet."""

    def __init__(self, *arguments: str, output: Path, errors: Path) -> None:
        with output.open("ab") as out, errors.open("ab") as err:
            super().__init__(
                [sys.executable, "-m", "cli", *arguments],
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )


def call_peyk(*arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run ``peyk`` and wait for its end; what it printed, and how it ended."""
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder) / "output", Path(folder) / "errors"
        process = Peyk(*arguments, output=output, errors=errors)
        try:
            code = process.wait(seconds)
        finally:
            process.kill()
        return subprocess.CompletedProcess(arguments, code, output.read_text(), errors.read_text())
