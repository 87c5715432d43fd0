"""A bind and a simulated operator, end to end over loopback TCP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_twisted

from gateway.messages import DeliveryState, OutboundSms, PartOf, Receipt, SendStatus
from gateway.smpp import text
from gateway.smpp.handsets import IdStyle, Message, SmscSettings
from gateway.smpp.receipts import MessageIdBase
from gateway.smpp.settings import BindState
from gateway.smpp.smsc import SimulatedSmsc

if TYPE_CHECKING:
    from tests.contract.smpp.conftest import Binder, Memory

MOBILE, LINE = "989131234567", "100034122"


def answer(number: int, words: str, part: PartOf | None = None) -> OutboundSms:
    """Return a message to the mobile that asks for a receipt."""
    return OutboundSms(number, LINE, MOBILE, words, part, receipt=True, validity=3600)


@pytest_twisted.ensureDeferred
async def test_a_text_comes_in_and_its_answer_and_receipt_come_back(
    binder: Binder, memory: Memory
) -> None:
    """A Persian text, its answer and the answer's receipt survive the wire both ways."""
    settings = SmscSettings(id_style=IdStyle.HEX, receipt_delay=0.01)
    smsc, bind = await binder(SimulatedSmsc(settings), message_id_base=MessageIdBase.HEX)
    (sent,) = smsc.send_text(MOBILE, LINE, "۰۱۰*10000001*4321")
    await memory.until(lambda: bool(memory.deliveries))
    assert memory.texts == ["۰۱۰*10000001*4321"]
    memory.connections[0].submit([answer(7, "بدهی شما ۱۲۳ ریال است")])
    await memory.until(lambda: len(memory.deliveries) == 2)
    assert sent.acknowledged
    assert list(smsc.messages) == [Message(MOBILE, LINE, "بدهی شما ۱۲۳ ریال است", 1)]
    (result,) = memory.results
    receipt = memory.deliveries[1].content
    assert isinstance(receipt, Receipt)
    assert (result.id, result.status) == (7, SendStatus.ACCEPTED)
    assert (receipt.smsc_id, receipt.state) == (result.smsc_id, DeliveryState.DELIVERED)
    assert bind.status().state is BindState.BOUND


@pytest_twisted.ensureDeferred
async def test_a_long_answer_is_joined_by_the_handset(binder: Binder, memory: Memory) -> None:
    """All parts of a long answer reach the handset as one message."""
    smsc, _ = await binder(SimulatedSmsc())
    words = "قبض آب شما " * 40
    pieces = text.split(words)
    memory.connections[0].submit(
        [
            answer(number, piece, PartOf(77, len(pieces), number))
            for number, piece in enumerate(pieces, 1)
        ]
    )
    await memory.until(lambda: len(memory.results) == len(pieces))
    assert list(smsc.messages) == [Message(MOBILE, LINE, words, len(pieces))]
