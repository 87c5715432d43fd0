"""What a command may fail with that says itself, in one line, what is wrong; exit code 1."""

from __future__ import annotations

from typing import Final

from core.access.roles import RoleError
from core.access.tokens import TokenError
from core.access.users import UserError
from core.backing_up import BackupError
from core.database import DatabaseUnavailable
from core.importing import ImportFileError
from core.nodes.number import NodeTaken
from core.outages import OutageError
from core.personal import PersonalError
from core.readings.control import DecisionError
from core.reporting.types import SourceError
from core.requests.counter import RequestError
from core.runs.store import RunError
from core.schema import SchemaError
from core.services import ServicePaused
from core.webhooks.store import WebhookError
from gateway.commands.context import CommandError
from gateway.control import ControlError
from gateway.operator import CannotStart
from gateway.settings.payments import CannotServe
from gateway.smpp.smsc_control import SmscError

FAILURES: Final = (
    BackupError,
    CommandError,
    ControlError,
    DatabaseUnavailable,
    DecisionError,
    ImportFileError,
    NodeTaken,
    OutageError,
    PersonalError,
    RequestError,
    RoleError,
    RunError,
    SchemaError,
    ServicePaused,
    SmscError,
    SourceError,
    TokenError,
    UserError,
    WebhookError,
    CannotStart,
    CannotServe,
)
