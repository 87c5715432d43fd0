"""``[[binds]]``: connections to operators' SMSCs."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, model_validator

from gateway.configuration import Frozen
from gateway.settings.types import Name, Octet, Password, Port, Seconds, SystemId
from gateway.settings.ussd import Ussd
from gateway.smpp.receipts import MessageIdBase
from gateway.smpp.settings import BindSettings, LongMessages, Mode
from gateway.smpp.text import Alphabet


class Bind(Frozen):
    """``[[binds]]``: one connection to an operator's SMSC.

    What the protocol is told of it is ``gateway.smpp.settings.BindSettings``, whose
    fields have the same names and are described there; the rest is for the daemon.
    """

    name: Name
    host: str = Field(min_length=1)
    port: Port = 2775
    tls: bool = False
    """Encrypt, and refuse an SMSC whose certificate does not verify."""
    tls_hostname: str = ""
    tls_ca_file: Path | None = None
    system_id: SystemId
    password: Password = SecretStr("")
    system_type: str = Field("", max_length=12)
    mode: Mode = Mode.TRANSCEIVER
    smsc: Name
    """The operator this bind belongs to (default: the bind's name): a receipt may come
    on any bind of the same operator."""

    window: int = Field(10, ge=1, le=10_000)
    rate: float = Field(0, ge=0)
    """Messages a second; 0 is no limit."""
    receipts: bool = True
    """Whether to ask for delivery receipts."""
    blocked_codes: frozenset[int] = frozenset()
    """Answers to submit_sm by which the operator says that the mobile is on its block list …"""
    blocked_errors: frozenset[str] = frozenset()
    """… and errors of its receipts that say so."""
    alphabet: Alphabet = Alphabet.GSM7
    always_ucs2: bool = False
    long_messages: LongMessages = LongMessages.UDH8
    message_id_base: MessageIdBase = MessageIdBase.AS_IS
    receipt_utc_offset: int = Field(210, ge=-720, le=840)
    service_type: str = Field("", max_length=5)
    address_range: str = Field("", max_length=40)
    address_ton: Octet = 0
    address_npi: Octet = 0
    source_ton: Octet = 0
    source_npi: Octet = 1
    dest_ton: Octet = 1
    dest_npi: Octet = 1
    ussd: Ussd | None = None
    """The USSD dialect, by name or as a table; without it nothing is dialled here."""

    connect_timeout: Seconds = 10
    bind_timeout: Seconds = 10
    response_timeout: Seconds = 30
    enquire_link: Seconds = 30
    enquire_link_missed: int = Field(2, ge=1)
    unbind_timeout: Seconds = 3
    backoff_first: Seconds = 1
    backoff_longest: Seconds = 60

    @model_validator(mode="before")
    @classmethod
    def _smsc_is_the_bind_unless_said(cls, values: Any) -> Any:
        return {"smsc": values.get("name"), **values} if isinstance(values, dict) else values

    @property
    def sends(self) -> bool:
        """Whether messages to mobiles can go out on it."""
        return self.mode is not Mode.RECEIVER

    def for_smpp(self) -> BindSettings:
        """What the protocol has to be told."""
        values = {field.name: getattr(self, field.name) for field in fields(BindSettings)}
        values["password"] = self.password.get_secret_value()
        values["tls_ca_file"] = str(self.tls_ca_file or "")
        values["ussd"] = self.ussd.for_smpp() if self.ussd else None
        return BindSettings(**values)
