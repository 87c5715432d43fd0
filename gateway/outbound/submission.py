"""A row of the outbox as the protocol is told of it."""

from __future__ import annotations

from core.outbox import Outgoing
from gateway.messages import OutboundSms, PartOf


def as_sms(row: Outgoing, receipt: bool, now_ms: int) -> OutboundSms:  # noqa: FBT001
    """One part of a message; its validity ends when it is not wanted any more."""
    part = PartOf(_reference(row.message_id), row.parts, row.part) if row.parts > 1 else None
    validity = max(60, (row.expires_at - now_ms) // 1000) if row.expires_at else None
    return OutboundSms(row.id, row.line, row.mobile, row.text, part, receipt, validity)


def _reference(message_id: int) -> int:
    """16 bits that differ for messages of different milliseconds and of one batch alike."""
    return (message_id ^ (message_id >> 22)) & 0xFFFF
