"""Health and metrics of a daemon that works, as Prometheus reads them."""

from __future__ import annotations

import json
import re
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from tests.acceptance.conftest import LINE, Daemons, Operator
from tests.ports import free_port
from tests.processes import Afresh
from tests.waiting import DEADLINE, until

MOBILES = ("989131234567", "989161234567")


def _get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=DEADLINE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest_twisted.ensureDeferred
async def test_the_service_manager_is_told(
    operator: Operator, daemons: Daemons, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ready when it answers, alive while it works, stopping when it was asked to."""
    said: list[bytes] = []

    def listen() -> None:
        while b"STOPPING=1" not in b"".join(said):
            said.append(door.recv(4096))

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(tmp_path / "notify"))
        door.settimeout(DEADLINE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "300000")
        daemon = daemons(operator.port)
        daemon.start(Afresh)
        heard = deferToThread(listen)
        await until(lambda: said.count(b"WATCHDOG=1") > 2, "it says that it lives")
        assert said[0].startswith(b"READY=1")
        daemon.terminate()
        await heard


@pytest_twisted.ensureDeferred
async def test_what_a_working_daemon_tells(operator: Operator, daemons: Daemons) -> None:
    """Its traffic is counted, nobody's number is in it, and what is down is said by the status."""
    port = free_port()
    more = f'[monitoring]\nlisten = "127.0.0.1:{port}"'
    daemon = daemons(operator.port, more=more)
    daemon.start()
    await until(lambda: operator.bound, "the daemon is bound")
    for mobile in MOBILES:
        await operator.ask(mobile, "010*10000001*4321")
        await operator.ask(mobile, "010*10000002*9999")
        operator.send_text(mobile, mobile, "to a line that is none")
    await until(lambda: len(operator.messages) == 4, "all are answered")
    status, told = await deferToThread(_get, port, "/health")
    assert status == 200
    assert json.loads(told)["status"] == (await daemon.health())["status"] == "healthy"

    async def metrics() -> dict[str, float]:
        _status, text = await deferToThread(_get, port, "/metrics")
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        found = {key: float(value) for key, _, value in (line.rpartition(" ") for line in lines)}
        names = "\n".join(found)
        assert not re.search(r"9[0-9]{9}|1000000[0-9]|4321|9999", names), "somebody's number"
        return found

    seen: dict[str, float] = {}
    received = 'peyk_texts_received_total{line="%s"}'
    deadline = time.monotonic() + DEADLINE
    while seen.get(received % "other", 0) < 2:
        assert time.monotonic() < deadline, seen
        seen = await metrics()
    assert seen[received % LINE] == 4
    answered = [
        value for key, value in seen.items() if key.startswith("peyk_answer_seconds_count{")
    ]
    assert sum(answered) == 4
    assert seen['peyk_submissions_total{operator="operator",result="accepted"}'] >= 3
    assert seen['peyk_bind_up{bind="operator"}'] == 1
    assert seen["peyk_database_bytes"] > 100_000
    assert seen["process_resident_memory_bytes"] > 1_000_000

    await operator.stop()
    await daemon.until_health(lambda found: found["status"] == "down", "the bind is lost")
    status, told = await deferToThread(_get, port, "/health")
    assert status == 503
    assert "operator" in json.loads(told)["problems"][0]
    assert (await metrics())["peyk_status"] == 2
    assert (await deferToThread(_get, port, "/desk"))[0] == 404
