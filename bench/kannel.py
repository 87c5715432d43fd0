"""Kannel as a process for a while: the same load, answered with a fixed text.

Kannel is given what favours it: it looks nothing up, its answer is plain ASCII of the same
number of characters, nothing is logged but errors, and its window is as wide as Peyk's.
It runs both with the store that it has for not losing messages, ``spool``: a file for
each, written before the message is answered for, though not synced to the disk; and with
no store at all, when what is under way is lost with the process.
"""

from __future__ import annotations

import http.client
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench import codec
from bench.databases import HOME
from bench.rig import BIND_WINDOW, BenchError, Load, load, process

PROGRAMS: Final = ("bearerbox", "smsbox")
START_SECONDS: Final = 20.0

_TEXT: Final = "Subscription 10000001: debt 580,000 rial, due 1404/06/26"[: len(codec.REPLY)]
_SETTINGS: Final = """\
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = bench
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-allow-ip = "127.0.0.1"
box-deny-ip = "*.*.*.*"
{store}log-level = 3

group = smsc
smsc = smpp
smsc-id = operator
host = 127.0.0.1
port = {port}
transceiver-mode = true
smsc-username = bench
smsc-password = bench
system-type = ""
interface-version = 34
max-pending-submits = {window}

group = smsbox
bearerbox-host = 127.0.0.1
log-level = 3

group = sms-service
keyword = default
text = "{text}"
max-messages = 1
"""


def missing() -> list[str]:
    """Name the programs of Kannel that are not installed."""
    return [name for name in PROGRAMS if _found(name) is None]


def _found(name: str) -> str | None:
    # Debian puts them where only root's PATH looks.
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def version() -> str:
    """Read Kannel's version from where Debian keeps its documents, or say it is unknown."""
    changes = Path("/usr/share/doc/kannel/changelog.Debian.gz")
    if not changes.exists():
        return "of unknown version"
    import gzip  # noqa: PLC0415 - for this one line

    first = gzip.decompress(changes.read_bytes()).decode().splitlines()[0]
    return first.partition("(")[2].partition(")")[0]


@contextmanager
def kannel(subscribers: int, *, stored: bool) -> Iterator[Load]:
    """Run bearerbox and smsbox, bound to a load, for a while."""
    HOME.mkdir(parents=True, exist_ok=True)
    # On the same disk as Peyk's databases.
    with tempfile.TemporaryDirectory(dir=HOME, prefix="kannel-") as name:
        home = Path(name)
        (home / "store").mkdir()
        with load(subscribers) as operator:
            admin = _write_settings(home, operator.port, stored=stored)
            settings = str(home / "kannel.conf")
            with process([_found("bearerbox") or "", settings], log=home / "bearerbox.log"):
                operator.wait_for_bind()
                with process([_found("smsbox") or "", settings], log=home / "smsbox.log"):
                    _wait_for_smsbox(admin)
                    yield operator


def _write_settings(home: Path, port: int, *, stored: bool) -> int:
    """Write the settings; returns the port where bearerbox tells its status."""
    admin, boxes = _free_ports(2)
    text = _SETTINGS.format(
        admin=admin,
        boxes=boxes,
        store=f"store-type = spool\nstore-location = {home / 'store'}\n" if stored else "",
        port=port,
        window=BIND_WINDOW,
        text=_TEXT,
    )
    (home / "kannel.conf").write_text(text, encoding="ascii")
    return admin


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _wait_for_smsbox(admin: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", admin, timeout=5)
        connection.request("GET", "/status.txt?password=bench")
        if b"smsbox:" in connection.getresponse().read():
            return
        connection.close()
        time.sleep(0.1)
    raise BenchError("smsbox did not come up")
