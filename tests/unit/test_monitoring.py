"""Metrics: what is counted, what stands in the exposition, and that the files made of it fit."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import succeed
from twisted.web.test.requesthelper import DummyRequest

from core.batch import Batch, Done
from core.dialogues.types import Event, Input
from core.ids import first_id_at
from core.inbox import Arrival
from core.outbox import Answer, Result, Sent, State, as_outgoing
from core.receipts import ReceiptFor
from gateway.configuration import ConfigError
from gateway.exposition import Exposition, Seen
from gateway.health import (
    BindHealth,
    DatabaseHealth,
    DiskHealth,
    DoorHealth,
    PanelHealth,
    PeerHealth,
    QueueHealth,
    SchedulerHealth,
    ServiceHealth,
    ServiceState,
    Snapshot,
    UssdHealth,
    WebhookHealth,
    assess,
)
from gateway.pending import Work
from gateway.settings import load_settings
from gateway.settings.monitoring import MonitoringSettings
from gateway.tally import OTHER, Tally
from gateway.web.monitoring import pages
from tests.conftest import NOW_MS

LINE, MOBILE = "100034122", "989131234567"
OPS = Path(__file__).parents[2] / "config" / "ops"


def _some(kind: type, **known: object) -> Any:
    """A dataclass with a number or a text in each field that is not known."""
    filled = {
        each.name: {"str": "x", "bool": True, "float": 2.5}.get(str(each.type), 3)
        for each in fields(kind)
    }
    return kind(**{**filled, **known})


def _snapshot() -> Snapshot:
    return Snapshot(
        version="1.2",
        now=NOW_MS,
        started_at=NOW_MS - 5000,
        lines=(LINE,),
        binds=(_some(BindHealth, name="mci", up=True, last_traffic=None, next_attempt=None),),
        queues=_some(QueueHealth, reading_paused=False, oldest_waiting_seconds=None),
        database=DatabaseHealth(name="sqlite:///x", reachable=True, schema_current=True),
        panels=(_some(PanelHealth, name="panel", up=True, next_attempt=None),),
        doors=(_some(DoorHealth, name="hub"),),
        ussd=_some(UssdHealth, most=10),
        scheduler=_some(
            SchedulerHealth, planned=(), overdue=(), failed=(), broken=0, last_round=NOW_MS
        ),
        peers=(_some(PeerHealth, host="b", binds_up=(), taken_over_at=None),),
        disk=DiskHealth(free=5_000_000_000, wal=4096),
        services=(ServiceHealth(name="campaigns", state=ServiceState.PAUSED),),
        webhooks=(
            _webhook("crm", enabled=True, since=NOW_MS - 90_000, taken=7, refused=2),
            _webhook("gone", enabled=False, gave_up=True, since=NOW_MS - 90_000),
            _webhook("off", enabled=False),
        ),
    )


def _webhook(name: str, **known: Any) -> WebhookHealth:
    said: dict[str, Any] = {"utility": "", "gave_up": False, "attempts": 0, "since": None}
    said |= {"error": "", "waiting_since": known.get("since")}
    return WebhookHealth(name=name, **{**said, **known})


def _seen(snapshot: Snapshot) -> Seen:
    return Seen(assess(snapshot, 60), {"refused": 4}, 1, 4096)


def _arrival(line: str, received_at: int = NOW_MS) -> Arrival:
    key = first_id_at(NOW_MS)
    text = "010*10000001*4321"
    return Arrival(
        key, received_at, "mci", 1, line, "kerman-water", MOBILE, text, 1, None, "mci"
    )  # fmt: skip


def _input(line: str, received_at: int) -> Input:
    key = first_id_at(NOW_MS)
    return Input(key, received_at, "mci", 1, "1", line, MOBILE, Event.BEGIN, "*1522#", "", key)


def _counted() -> Tally:
    """A text that was answered after 200 ms, one to a number of nobody, results, a receipt."""
    tally = Tally([LINE])
    answer = Answer([1, 2], 7, MOBILE, LINE, ["a", "b"], 5, NOW_MS, "mci", "balance")
    rows = as_outgoing(answer)
    claimed = rows[0]._replace(operation="", priority=1, template_id=4)
    batch = Batch(
        arrivals=[_arrival(LINE), _arrival(LINE), _arrival(MOBILE)],
        sent=[
            Sent(rows[0], Result.ACCEPTED, "mci", "1", 0),
            Sent(rows[1], Result.UNSENT, "", "", 0),
        ],
        inputs=[_input(LINE, NOW_MS - 400)],
        receipts=[ReceiptFor("mci", "1", State.DELIVERED, "", NOW_MS)],
        now=NOW_MS,
    )
    tally.batch(Work(batch), Done(operations=[("balance", "done")] * 2), 0.03)
    tally.submitted_to("mci", [*rows, claimed], NOW_MS + 200)
    return tally


def _lines(tally: Tally, snapshot: Snapshot) -> list[str]:
    return Exposition(tally).text(_seen(snapshot)).decode().splitlines()


def test_what_is_counted_is_exposed() -> None:
    """With the names and labels that rules are made of; a message of two parts is one answer."""
    found = _lines(_counted(), _snapshot())
    for line in (
        f'peyk_texts_received_total{{line="{LINE}"}} 2.0',
        f'peyk_texts_received_total{{line="{OTHER}"}} 1.0',
        'peyk_operations_total{operation="balance",outcome="done"} 2.0',
        f'peyk_parts_submitted_total{{bind="mci",kind="answer",line="{LINE}"}} 2.0',
        f'peyk_parts_submitted_total{{bind="mci",kind="template",line="{LINE}"}} 1.0',
        'peyk_submissions_total{operator="mci",result="accepted"} 1.0',
        'peyk_receipts_total{operator="mci",state="delivered"} 1.0',
        f'peyk_answer_seconds_bucket{{le="0.1",line="{LINE}",operation="balance"}} 0.0',
        f'peyk_answer_seconds_bucket{{le="0.25",line="{LINE}",operation="balance"}} 1.0',
        f'peyk_answer_seconds_count{{line="{LINE}",operation="balance"}} 1.0',
        f'peyk_ussd_inputs_total{{line="{LINE}"}} 1.0',
        f'peyk_ussd_answer_seconds_bucket{{le="0.25",line="{LINE}"}} 0.0',
        f'peyk_ussd_answer_seconds_bucket{{le="0.5",line="{LINE}"}} 1.0',
        "peyk_batch_size_sum 7.0",
        'peyk_bind_up{bind="mci"} 1.0',
        'peyk_service_paused{service="campaigns"} 1.0',
        'peyk_arrivals_not_taken_total{why="refused"} 4.0',
        "peyk_database_bytes 4096.0",
        "peyk_wal_bytes 4096.0",
    ):
        assert line in found
    assert not any(MOBILE in line or "10000001" in line for line in found)


def test_webhooks_are_told_of() -> None:
    """How their calls fare; of one that somebody has disabled there is nothing to tell."""
    lines = [line for line in _lines(_counted(), _snapshot()) if line.startswith("peyk_webhook")]
    assert lines == [
        'peyk_webhook_up{webhook="crm"} 0.0',
        'peyk_webhook_up{webhook="gone"} 0.0',
        'peyk_webhook_waiting_seconds{webhook="crm"} 90.0',
        'peyk_webhook_waiting_seconds{webhook="gone"} 90.0',
        'peyk_webhook_calls_total{result="taken",webhook="crm"} 7.0',
        'peyk_webhook_calls_total{result="refused",webhook="crm"} 2.0',
        'peyk_webhook_calls_total{result="taken",webhook="gone"} 0.0',
        'peyk_webhook_calls_total{result="refused",webhook="gone"} 0.0',
    ]


def test_without_the_database_the_queues_are_not_made_up() -> None:
    """Nobody knows what waits: a nought would end an alert."""
    snapshot = _snapshot()
    away = replace(snapshot.database, reachable=False, last_error="gone")
    found = _lines(Tally([]), replace(snapshot, database=away))
    assert "peyk_database_up 0.0" in found
    assert "peyk_status 2.0" in found
    assert not any(line.startswith("peyk_outbox") for line in found)


def test_rules_and_dashboard_name_metrics_that_there_are() -> None:
    """A metric that was renamed would leave an alert that never rises."""
    there = {re.split(r"[{ ]", line)[0] for line in _lines(_counted(), _snapshot())}
    dashboard = json.loads((OPS / "grafana-dashboard.json").read_text())
    said = "\n".join(t["expr"] for panel in dashboard["panels"] for t in panel.get("targets", ()))
    said += "\n".join(re.findall(r"expr: (.*)", (OPS / "peyk-alerts.yml").read_text()))
    named = set(re.findall(r"\b(?:peyk|process)_[a-z_]+\b", said))
    assert len(named) > 30
    assert named <= there


def _ask(settings: MonitoringSettings, name: str, **headers: str) -> Any:
    served = pages(settings, Exposition(_counted()), lambda: succeed(_seen(_snapshot())))
    request: Any = DummyRequest([name.encode()])
    request.path = f"/{name}".encode()
    for key, value in headers.items():
        request.requestHeaders.addRawHeader(key, value)
    request.channel = type("Channel", (), {"transport": None})()
    request.render(served[name])
    return request


def test_only_who_has_the_token_reads() -> None:
    """Nothing is told to the others, not even whether it is well."""
    settings = MonitoringSettings(token="a-token-of-the-tests")  # type: ignore[arg-type]
    for name in ("health", "metrics"):
        refused = _ask(settings, name)
        assert refused.responseCode == 403
        assert b"peyk" not in b"".join(refused.written)
        assert _ask(settings, name, authorization="Bearer a-token").responseCode == 403
        let_in = _ask(settings, name, authorization="Bearer a-token-of-the-tests")
        assert let_in.responseCode == 200
        assert len(b"".join(let_in.written)) > 500


def _configured(tmp_path: Path, table: str) -> MonitoringSettings | None:
    file = tmp_path / "peyk.toml"
    file.write_text(f'[daemon]\nkey = "{"k" * 32}"\n{table}\n')
    return load_settings(file).monitoring


def test_the_table_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is open to everybody is refused; the machine itself may read without a token."""
    for table, words in (
        ('[monitoring]\nlisten = "0.0.0.0:9464"', "neither token nor allow"),
        ('[web]\n[monitoring]\nlisten = "web"', "neither token nor allow"),
        ('[monitoring]\nlisten = "web"\nallow = ["10.0.0.0/8"]', r"there is no \[web\] table"),
        ('[monitoring]\nlisten = "9464"', "write HOST:PORT"),
        ('[web]\n[monitoring]\nlisten = "127.0.0.1:8080"', r"the address of \[web\] already"),
    ):
        with pytest.raises(ConfigError, match=words):
            _configured(tmp_path, table)
    monkeypatch.setenv("PEYK_TOKEN", "of sixteen letters".replace(" ", "-"))
    assert _configured(tmp_path, '[monitoring]\nlisten = "127.0.0.1:9464"')
    from_elsewhere = '[monitoring]\nlisten = "0.0.0.0:1"\ntoken = { env = "PEYK_TOKEN" }'
    found = _configured(tmp_path, from_elsewhere)
    assert found is not None
    assert found.token.get_secret_value() == "of-sixteen-letters"
