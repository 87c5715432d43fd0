"""A daemon and an operator, each a process of its own, put together for a while.

What is measured is what an operator of Peyk runs: ``peyk run`` with the settings below
and the profile of Kerman water from ``config/``.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench import wire
from bench.databases import KEY, ROOT
from bench.dial_load import Dials
from bench.link import Figures
from bench.load import Phase
from bench.texts import ALONE, MIXED

BIND_WINDOW: Final = 500
"""Answers that may be under way at once: never what limits a measurement."""
STOP_SECONDS: Final = 30

_SETTINGS: Final = """\
[daemon]
data = {home}
profiles = {profiles}
key = {key}

[database]
url = {url}

[[binds]]
name = "operator"
host = "127.0.0.1"
port = {port}
system_id = "bench"
window = {window}
rate = {rate}
receipts = {receipts}
ussd = "sixdee"

[[lines]]
number = "{line}"
profile = "kerman-water"
binds = ["operator"]

[[lines]]
number = "*1522#"
profile = "kerman-water"
binds = ["operator"]
sms_line = "{line}"

[web]
listen = "127.0.0.1:{web}"
url = "https://pay.example.ir"
demo = true

[[payments]]
name = "bank"
provider = "simulated"
dial = "*1522*{{bill_id}}*{{payment_id}}#"
"""

_first_mobiles = count(989_360_000_000, MIXED)


class BenchError(Exception):
    """A process of the measurement failed."""


class Bind(NamedTuple):
    """What is set for the daemon's bind."""

    window: int = BIND_WINDOW
    rate: int = 0


class Load:
    """The process of ``bench.load``, or of ``bench.dial_load``."""

    def __init__(self, module: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self._hear()["port"])

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        said: dict[str, Any] = json.loads(line) if line else {"error": "it ended"}
        if "error" in said:
            raise BenchError(f"the load: {said['error']}")
        return said

    def wait_for_bind(self) -> None:
        """Return when somebody has bound."""
        self._hear()

    def run(self, phase: Phase | Dials) -> Figures:
        """Run one measurement."""
        self.begin(phase)
        return Figures(**self._hear())

    def begin(self, phase: Phase | Dials) -> None:
        """Begin a phase that goes on until ``end``."""
        told = {name: value for name, value in asdict(phase).items() if value != float("inf")}
        self._say(json.dumps(told))

    def end(self) -> Figures:
        """End the phase that was begun."""
        self._say("")
        return Figures(**self._hear())

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.communicate()


class Running:
    """A daemon that is bound to a load."""

    def __init__(self, load: Load, pid: int, settings: Path) -> None:
        self.run = load.run
        self.begin = load.begin
        self.end = load.end
        self.settings = settings
        """The daemon's, for commands beside it."""
        self._pid = pid

    def memory(self) -> float:
        """Resident MB of the daemon, without the pages of files that it has mapped."""
        status = Path(f"/proc/{self._pid}/status").read_text(encoding="ascii")
        return int(re.findall(r"RssAnon:\s+(\d+) kB", status)[0]) / 1024


@contextmanager
def peyk(
    url: str,
    subscribers: int,
    *,
    receipts: bool = False,
    what: str = ALONE,
    bind: Bind = Bind(),  # noqa: B008 - immutable
) -> Iterator[Running]:
    """Run a daemon on the database at ``url``, bound to a load of ``what``, for a while."""
    with (
        load(subscribers, what) as operator,
        _daemon(url, operator, receipts=receipts, bind=bind) as running,
    ):
        yield running


@contextmanager
def peyk_dialled(url: str, mobiles: tuple[int, int, int]) -> Iterator[Running]:
    """Run a daemon bound to a network whose ``mobiles`` dial: the first, the step, how many."""
    with (
        _ending(Load("bench.dial_load", *mobiles)) as network,
        _daemon(url, network, receipts=False) as running,
    ):
        yield running


@contextmanager
def _daemon(
    url: str,
    operator: Load,
    *,
    receipts: bool,
    bind: Bind = Bind(),  # noqa: B008 - immutable
) -> Iterator[Running]:
    with tempfile.TemporaryDirectory(prefix="peyk-bench-") as name:
        home = Path(name)
        settings = home / "peyk.toml"
        text = _settings(url=url, home=home, port=operator.port, receipts=receipts, bind=bind)
        settings.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "cli", "--config", str(settings), "run"]
        with process(command, log=home / "output") as pid:
            operator.wait_for_bind()
            yield Running(operator, pid, settings)


def _settings(*, url: str, home: Path, port: int, receipts: bool, bind: Bind) -> str:
    return _SETTINGS.format(
        home=json.dumps(str(home)),
        profiles=json.dumps(str(ROOT / "config" / "profiles")),
        key=json.dumps(KEY),
        url=json.dumps(url),
        port=port,
        window=bind.window,
        rate=bind.rate,
        receipts=json.dumps(receipts),
        line=wire.LINE,
        web=_free_port(),
    )


def _free_port() -> int:
    """For the pages that payment links lead to: nobody opens them here."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def load(subscribers: int, what: str = ALONE) -> Iterator[Load]:
    """Run a load for a while."""
    # Other mobiles each time: what was sent just before a connection ended may come
    # again, and the daemon rightly leaves the second copy without an answer.
    with _ending(Load("bench.load", what, subscribers, next(_first_mobiles))) as operator:
        yield operator


@contextmanager
def _ending(operator: Load) -> Iterator[Load]:
    try:
        yield operator
    finally:
        operator.close()


@contextmanager
def process(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Run a command for a while; its pid. Raises ``BenchError`` if it ends by itself."""
    with log.open("w") as output:
        started = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield started.pid
        except BaseException:
            print(log.read_text(encoding="utf-8")[-2000:], file=sys.stderr)
            raise
        finally:
            started.send_signal(signal.SIGTERM)
            try:
                started.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                started.kill()
