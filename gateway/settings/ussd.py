"""``[[binds]] ussd`` and ``[smsc] ussd``: how an operator's SMSC speaks USSD.

A word names a preset, a table begins with one and changes it::

    ussd = "sixdee"
    ussd = { dialect = "sixdee", end_op = 0x17, service_type = "USSD" }

The keys are the fields of ``gateway.smpp.dialects.UssdDialect`` and described there.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from gateway.configuration import ConfigError, Frozen
from gateway.settings.types import Octet
from gateway.smpp.dialects import PRESETS, FirstString, Sequence, SessionPlace, UssdDialect


class BindUssd(Frozen):
    """A dialect and what is different about it; None leaves a field as the dialect has it."""

    dialect: Literal["default", "sixdee", "mica"] = "default"
    session: SessionPlace | None = None
    begin_ops: tuple[Octet, ...] | None = None
    answer_ops: tuple[Octet, ...] | None = None
    confirm_ops: tuple[Octet, ...] | None = None
    abort_ops: tuple[Octet, ...] | None = None
    timeout_ops: tuple[Octet, ...] | None = None
    ask_op: Octet | None = None
    end_op: Octet | None = None
    open_op: Octet | None = None
    notify_op: Octet | None = None
    end_bit: bool | None = None
    counts_inputs: bool | None = None
    sequence: Sequence | None = None
    first_string: FirstString | None = None
    service_type: Annotated[str, Field(max_length=5)] | None = None
    bare_code: bool | None = None
    gsm7_coding: Octet | None = None
    ucs2_coding: Octet | None = None
    always_ucs2: bool | None = None

    def for_smpp(self) -> UssdDialect:
        """What the protocol has to be told."""
        said = self.model_dump(exclude={"dialect"}, exclude_none=True)
        return replace(PRESETS[self.dialect], **said)


def _a_word_names_a_preset(value: object) -> object:
    if isinstance(value, str):
        return {"dialect": value}
    if isinstance(value, dict | BindUssd):
        return value
    raise ValueError(f"is neither a dialect ({', '.join(PRESETS)}) nor a table of one")


Ussd = Annotated[BindUssd, BeforeValidator(_a_word_names_a_preset)]


def check_ussd(file: Path, key: str, ussd: BindUssd | None) -> None:
    """Raise ``ConfigError`` for a dialect in which no session could be held or ended."""
    if ussd is None:
        return
    fault = ussd.for_smpp().fault()
    if fault is not None:
        name, why = fault
        raise ConfigError(file, f"{key}.{name}", why, "see docs/ussd.md, Over SMPP")
