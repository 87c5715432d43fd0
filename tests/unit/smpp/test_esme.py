"""The bound connection: what ``messages.Connection`` promises."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gateway.messages import (
    Delivery,
    InboundSms,
    OutboundSms,
    Receipt,
    Screen,
    ScreenKind,
    SendResult,
    SendStatus,
    Temporary,
)
from gateway.smpp import constants as c
from gateway.smpp.dialects import PRESETS
from gateway.smpp.pdus import Pdu, ShortMessage

from .conftest import Listener, Wire, pdus

if TYPE_CHECKING:
    from twisted.internet.task import Clock

    from gateway.smpp.bind import SmppBind

MOBILE, LINE = "989131234567", "1000"


def text(sequence: int, words: bytes = b"010") -> ShortMessage:
    """Return a text from a mobile."""
    return ShortMessage(
        c.DELIVER_SM, 0, sequence, source=MOBILE, destination=LINE, short_message=words
    )


def answer(number: int, mobile: str = MOBILE) -> OutboundSms:
    """Return a message to a mobile."""
    return OutboundSms(number, LINE, mobile, "salam", None, receipt=False, validity=None)


def accepted(sequence: int, message_id: str = "1") -> Pdu:
    """Return a submit_sm_resp."""
    return Pdu(c.SUBMIT_SM_RESP, 0, sequence, {"message_id": message_id})


def test_all_of_one_read_arrives_together(bound: SmppBind, wire: Wire, listener: Listener) -> None:
    """Texts and receipts come in one call, in order, and nothing is answered yet."""
    listener.take()
    receipt = ShortMessage(c.DELIVER_SM, 0, 2, esm_class=4, short_message=b"id:7 stat:DELIVRD")
    wire.send(text(1), receipt, text(3))
    ((name, deliveries),) = listener.take()
    assert name == "arrived"
    assert [delivery.sequence for delivery in deliveries] == [1, 2, 3]
    assert isinstance(deliveries[1].content, Receipt)
    assert deliveries[0] == Delivery(1, InboundSms(MOBILE, LINE, 0, b"010", "010", None))
    assert wire.transport.take() == b""


def test_results_come_before_arrivals(bound: SmppBind, wire: Wire, listener: Listener) -> None:
    """A receipt in the same read as its submit_sm_resp is for a message that is known."""
    wire.protocol.submit([answer(70)])
    listener.take()
    wire.send(text(1), accepted(2, "77"))
    (first, results), (second, _) = listener.take()
    assert (first, second) == ("sent", "arrived")
    assert results == [SendResult(70, SendStatus.ACCEPTED, "77", 0)]


def test_answers_go_out_in_one_write(bound: SmppBind, wire: Wire) -> None:
    """However many deliveries are acknowledged, refused or answered: one write a call."""
    wire.send(text(1), text(2), text(3))
    wire.protocol.acknowledge([1, 2])
    assert wire.transport.writes == 1
    assert [(pdu.command, pdu.status, pdu.sequence) for pdu in pdus(wire.transport.take())] == [
        (c.DELIVER_SM_RESP, 0, 1),
        (c.DELIVER_SM_RESP, 0, 2),
    ]
    wire.protocol.refuse([3], Temporary.QUEUE_FULL)
    (refused,) = pdus(wire.transport.take())
    assert refused.status == 0x14
    wire.protocol.submit([answer(70), answer(71)])
    assert wire.transport.writes == 1
    assert wire.protocol.acknowledged == 3


def test_confirmed_follows_the_responses(bound: SmppBind, wire: Wire) -> None:
    """The response to a message written after an acknowledgement confirms it."""
    wire.send(text(1))
    wire.protocol.acknowledge([1])
    wire.protocol.submit([answer(70)])
    assert wire.protocol.confirmed == 0
    wire.send(accepted(2))
    assert wire.protocol.confirmed == 1


def test_every_message_comes_back_once(bound: SmppBind, wire: Wire, listener: Listener) -> None:
    """Answered, written without an answer, not written, not writable: one result each."""
    listener.take()
    wire.protocol.submit([answer(1), answer(2), answer(3), answer(4, "9" * 21)])
    wire.send(accepted(2))
    wire.cut()
    wire.protocol.submit([answer(5)])
    calls = listener.take()
    results = {
        result.id: (result.status, result.code)
        for name, found in calls
        if name == "sent"
        for result in found
    }
    assert results == {
        4: (SendStatus.PERMANENT, c.RINVDSTADR),
        1: (SendStatus.ACCEPTED, 0),
        2: (SendStatus.UNCERTAIN, 0),
        3: (SendStatus.UNCERTAIN, 0),  # written when the first response made room
        5: (SendStatus.UNSENT, 0),
    }
    assert [name for name, _ in calls] == ["sent", "sent", "sent", "lost", "sent"]


def test_what_never_left_is_unsent(bound: SmppBind, wire: Wire, listener: Listener) -> None:
    """Messages beyond the window are safe to send again when the connection is lost."""
    wire.protocol.submit([answer(1), answer(2), answer(3)])
    listener.take()
    wire.cut()
    ((_, results), _) = listener.take()
    assert [(result.id, result.status) for result in results] == [
        (1, SendStatus.UNCERTAIN),
        (2, SendStatus.UNCERTAIN),
        (3, SendStatus.UNSENT),
    ]


def test_more_than_it_takes_comes_back_at_once(
    bound: SmppBind, wire: Wire, listener: Listener
) -> None:
    """The backlog is bounded; what is over it is unsent before ``submit`` returns."""
    listener.take()
    wire.protocol.submit([answer(number) for number in range(1005)])
    ((name, results),) = listener.take()
    assert name == "sent"
    assert {(result.id, result.status) for result in results} == {
        (1002, SendStatus.UNSENT),
        (1003, SendStatus.UNSENT),
        (1004, SendStatus.UNSENT),
    }


def test_a_response_that_does_not_come_is_told(
    bound: SmppBind, wire: Wire, listener: Listener, clock: Clock
) -> None:
    """After the timeout the message is uncertain and the window is free again."""
    wire.protocol.submit([answer(70)])
    listener.take()
    clock.advance(9.9)
    assert listener.take() == []
    clock.advance(0.1)
    assert listener.take() == [("sent", [SendResult(70, SendStatus.UNCERTAIN, "", 0)])]


def test_an_unreadable_receipt_is_acknowledged_and_counted(
    bound: SmppBind, wire: Wire, listener: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would come again for ever otherwise; the listener never sees it."""
    listener.take()
    wire.send(ShortMessage(c.DELIVER_SM, 0, 9, esm_class=4, short_message=b"geheim"))
    assert listener.take() == []
    (acknowledged,) = pdus(wire.transport.take())
    assert (acknowledged.command, acknowledged.status) == (c.DELIVER_SM_RESP, 0)
    assert wire.protocol.acknowledged == 0
    assert bound.status().unreadable_receipts == 1
    logged = "".join(capsys.readouterr())  # wherever an earlier test has it logged
    assert "smpp.receipt_unreadable" in logged
    assert "geheim" not in logged


def test_a_closed_connection_writes_nothing(bound: SmppBind, wire: Wire) -> None:
    """Answers to a connection that has ended are dropped without harm."""
    connection = wire.protocol
    wire.cut()
    wire.transport.take()
    assert not connection.is_open
    connection.acknowledge([1])
    connection.refuse([1], Temporary.APPLICATION_ERROR)
    connection.pause_reading()
    connection.resume_reading()
    assert wire.transport.take() == b""
    assert connection.acknowledged == 0


def test_reading_can_be_paused(
    bound: SmppBind, wire: Wire, clock: Clock, listener: Listener
) -> None:
    """While paused the transport is not read and nothing is late; then it goes on."""
    wire.protocol.submit([answer(70)])
    listener.take()
    wire.protocol.pause_reading()
    assert wire.transport.producerState == "paused"
    clock.advance(100)
    assert listener.take() == []
    wire.protocol.resume_reading()
    assert wire.transport.producerState == "producing"
    clock.advance(9.9)
    assert listener.take() == []
    clock.advance(0.1)
    assert [name for name, _ in listener.take()] == ["sent"]


def test_enquire_link_goes_out_by_itself(bound: SmppBind, wire: Wire, clock: Clock) -> None:
    """A quiet link is tested, and one that is dead is closed with a reason."""
    clock.advance(30)
    (asked,) = pdus(wire.transport.take())
    assert asked.command == c.ENQUIRE_LINK
    clock.advance(10)
    clock.advance(10)
    assert wire.transport.disconnecting
    wire.cut()
    assert bound.status().last_error == "no answer to enquire_link"


# --- screens of USSD sessions ---------------------------------------------------------


def screen(number: int, session: str = "1") -> Screen:
    """Return a screen that asks."""
    return Screen(number, ScreenKind.ASK, session, MOBILE, "*1522#", "1")


def dial(sequence: int, *tlvs: tuple[int, bytes]) -> ShortMessage:
    """Return somebody's dialling."""
    op = (c.USSD_SERVICE_OP, b"\x01")
    return text(sequence, b"*1522#")._replace(tlvs=(op, *tlvs))


@pytest.fixture
def ussd_bound(bind: SmppBind, wire: Wire) -> SmppBind:
    """The bind of two submit_sm at once, speaking USSD, bound."""
    bind.settings = replace(bind.settings, ussd=PRESETS["mica"])
    bind.startService()
    wire.open()
    wire.answer_bind()
    return bind


def test_screens_go_before_texts_that_wait(
    ussd_bound: SmppBind, wire: Wire, listener: Listener
) -> None:
    """With the window full, the next response lets a screen out and not the older text."""
    connection = wire.protocol
    connection.submit([answer(1), answer(2), answer(3)])
    connection.show([screen(1)])
    connection.show([screen(2)])
    assert len(pdus(wire.transport.take())) == 2
    listener.take()
    for sequence in (2, 3):
        wire.send(accepted(sequence))
    one, two = pdus(wire.transport.take())
    assert isinstance(one, ShortMessage)
    assert isinstance(two, ShortMessage)
    assert one.source == two.source == "*1522#"
    wire.send(accepted(4))
    (late,) = pdus(wire.transport.take())
    assert isinstance(late, ShortMessage)
    assert late.source == LINE
    # A screen and a text of one id are two things.
    wire.send(Pdu(c.SUBMIT_SM_RESP, c.RTHROTTLED, 5))
    wire.cut()
    results = [(name, found[0].id, found[0].status) for name, found in listener.take()[:-1]]
    assert results == [
        ("sent", 1, SendStatus.ACCEPTED),
        ("sent", 2, SendStatus.ACCEPTED),
        ("shown", 1, SendStatus.ACCEPTED),
        ("shown", 2, SendStatus.THROTTLED),
        ("sent", 3, SendStatus.UNCERTAIN),
    ]


def test_screens_that_cannot_go_come_back_at_once(
    ussd_bound: SmppBind, wire: Wire, listener: Listener
) -> None:
    """Unwritable, too many, or nothing to write to: each comes back, once."""
    listener.take()
    wire.protocol.show([screen(1, "70000"), *(screen(number) for number in range(2, 1004))])
    ((name, results),) = listener.take()
    assert name == "shown"
    assert [(result.id, result.status) for result in results] == [
        (1, SendStatus.PERMANENT),
        (1002, SendStatus.UNSENT),
        (1003, SendStatus.UNSENT),
    ]
    wire.cut()
    (_, left), _ = listener.take()
    assert sorted(result.id for result in left) == list(range(2, 1002))
    wire.protocol.show([screen(5)])
    assert listener.take() == [("shown", [SendResult(5, SendStatus.UNSENT, "", 0)])]


def test_a_bind_without_ussd_shows_nothing(bound: SmppBind, wire: Wire, listener: Listener) -> None:
    """There is no way to write a screen: it is refused for good, and nothing is written."""
    wire.transport.take()
    listener.take()
    wire.protocol.show([screen(5)])
    assert listener.take() == [("shown", [SendResult(5, SendStatus.PERMANENT, "", 0)])]
    assert wire.transport.take() == b""


def test_ussd_that_cannot_be_read_is_acknowledged_and_counted(
    ussd_bound: SmppBind, wire: Wire, listener: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    """A session without its number cannot be answered; what came with it is still heard."""
    listener.take()
    wire.send(dial(1), dial(2, (c.USER_MESSAGE_REFERENCE, b"\x00\x09")))
    ((name, deliveries),) = listener.take()
    assert name == "arrived"
    assert [(found.sequence, found.content.session) for found in deliveries] == [(2, "9")]
    (acknowledged,) = pdus(wire.transport.take())
    assert (acknowledged.status, acknowledged.sequence) == (0, 1)
    assert ussd_bound.status().unreadable_ussd == 1
    logged = "".join(capsys.readouterr())  # wherever an earlier test has it logged
    assert "smpp.ussd_unreadable" in logged
    assert MOBILE not in logged
