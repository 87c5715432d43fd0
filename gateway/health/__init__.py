"""How the daemon is: what its parts say of themselves, judged and put in plain words.

Pure: the daemon fills a ``Snapshot``, ``assess`` judges it, ``to_json`` makes what the control
socket and ``/health`` give out. Instants are UTC milliseconds.
"""

from __future__ import annotations

from gateway.health.as_json import to_json
from gateway.health.judging import (
    ROUND_LIMIT_SECONDS,
    Health,
    Problem,
    Status,
    assess,
    not_running,
)
from gateway.health.snapshot import (
    BindHealth,
    DatabaseHealth,
    DiskHealth,
    DoorHealth,
    FailedHealth,
    OperatorHealth,
    PanelHealth,
    PeerHealth,
    PlannedHealth,
    QueueHealth,
    SchedulerHealth,
    ServiceHealth,
    ServiceState,
    Snapshot,
    UssdHealth,
    WebhookHealth,
)
from gateway.health.words import in_words

__all__ = [
    "ROUND_LIMIT_SECONDS",
    "BindHealth",
    "DatabaseHealth",
    "DiskHealth",
    "DoorHealth",
    "FailedHealth",
    "Health",
    "OperatorHealth",
    "PanelHealth",
    "PeerHealth",
    "PlannedHealth",
    "Problem",
    "QueueHealth",
    "SchedulerHealth",
    "ServiceHealth",
    "ServiceState",
    "Snapshot",
    "Status",
    "UssdHealth",
    "WebhookHealth",
    "assess",
    "in_words",
    "not_running",
    "to_json",
]
