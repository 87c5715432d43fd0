"""``[alerts]``: what counts as trouble, and who is told of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from core.identifiers import MobileError
from core.identifiers import mobile as normal_mobile
from core.text import nearest_hint
from gateway.addresses import checked_address, is_local
from gateway.configuration import ConfigError, Frozen
from gateway.settings.types import LineNumber, Port, Seconds

SECRET_LENGTH = 16


def _mobile(value: str) -> str:
    try:
        return normal_mobile(value)
    except MobileError:
        raise ValueError(f"{value!r} is no mobile number") from None


def _mailbox(value: str) -> str:
    name, at, domain = value.partition("@")
    if not (name and at and domain) or any(sign in value for sign in " \r\n<>,;"):
        raise ValueError(f"{value!r} is no e-mail address such as ops@example.ir")
    return value


def _long_enough(value: SecretStr) -> SecretStr:
    size = len(value.get_secret_value())
    if size < SECRET_LENGTH:
        raise ValueError(f"has {size} characters; it needs at least {SECRET_LENGTH}")
    return value


Mobile = Annotated[str, AfterValidator(_mobile)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Megabytes = Annotated[int, Field(ge=0)]


class Encryption(StrEnum):
    """How a mail server is spoken to."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class EmailSettings(Frozen):
    """``[alerts.email]``: the server that takes mail, and whom it is for."""

    host: str = Field(min_length=1)
    port: Port = 587
    encryption: Encryption = Encryption.STARTTLS
    """The server's certificate is verified."""
    username: str = ""
    password: SecretStr = SecretStr("")
    sender: Mailbox
    to: tuple[Mailbox, ...] = Field(min_length=1)
    timeout: Seconds = 20

    @model_validator(mode="after")
    def _password_is_not_told_to_everybody(self) -> EmailSettings:
        if self.username and self.encryption is Encryption.NONE and not is_local(self.host):
            raise ValueError('the password would go in clear; set encryption = "starttls"')
        return self


class WebhookSettings(Frozen):
    """``[alerts.webhook]``: where alerts are posted as JSON."""

    url: Annotated[str, AfterValidator(checked_address)]
    secret: Annotated[SecretStr, AfterValidator(_long_enough)]
    """Signs what is posted (HMAC-SHA256), so that the receiver knows whose it is."""
    timeout: Seconds = 10


class AlertSettings(Frozen):
    """``[alerts]``: from when on something counts as trouble, and who hears of it.

    Times are seconds.
    """

    oldest_waiting: Seconds = 60
    """An answer that has been due for longer makes the daemon "degraded", and so does any other
    message when none is going out …"""
    queue_old: Seconds = 300
    """… an answer that has been for longer than this is an alert, and so is any other
    message when nothing has gone out for as long."""
    bind_down: Seconds = 60
    """For so long may a bind, or a panel, be down."""
    database_down: Seconds = 15
    failures: Annotated[float, Field(gt=0, le=1)] = 0.3
    """This share of what an operator was given may be refused, or not be delivered …"""
    failures_window: Seconds = 600
    """… within so long …"""
    failures_least: Annotated[int, Field(ge=1)] = 50
    """… where there were as many as this."""
    schedule_late: Seconds = 300
    """So much later than its schedule says may something begin."""
    set_aside_window: Seconds = 3600
    """A message that could not be worked on is told of for so long."""
    disk_free: Megabytes = 1024
    """Less free space, in MB, where the data are, is trouble; 0: never."""
    wal: Megabytes = 1024
    """A larger write-ahead log (SQLite), in MB, is trouble; 0: never."""
    calm: Seconds = 120
    """For so long must a trouble be gone before that is told."""
    language: Literal["fa", "en"] = "fa"
    """Of the texts to mobiles; mail has both."""
    mobiles: tuple[Mobile, ...] = ()
    line: LineNumber | None = None
    """The line that texts to ``mobiles`` go out from."""
    email: EmailSettings | None = None
    webhook: WebhookSettings | None = None


def check_alerts(file: Path, alerts: AlertSettings, lines: Mapping[str, Collection[Any]]) -> None:
    """See that the line is one that can send; ``lines``: what each texted line sends over.

    Raises ``ConfigError``.
    """
    if not alerts.mobiles:
        return
    if alerts.line is None:
        raise ConfigError(file, "alerts.line", "is missing", "mobiles are texted from a line")
    if alerts.line not in lines:
        hint = nearest_hint(alerts.line, list(lines))
        raise ConfigError(file, "alerts.line", f"{alerts.line} is no line that is texted", hint)
    if not lines[alerts.line]:
        raise ConfigError(file, "alerts.line", f"no bind of {alerts.line} can send")
