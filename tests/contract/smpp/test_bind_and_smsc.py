"""A bind and a simulated operator, end to end over loopback TCP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet import reactor

from gateway.messages import (
    DeliveryState,
    InboundSms,
    OutboundSms,
    PartOf,
    Receipt,
    SendResult,
    SendStatus,
    Temporary,
)
from gateway.smpp import text
from gateway.smpp.bind import SmppBind
from gateway.smpp.handsets import IdStyle, Message, ReceiptStyle, SmscSettings
from gateway.smpp.receipts import MessageIdBase
from gateway.smpp.settings import BindSettings, BindState, LongMessages, Mode
from gateway.smpp.smsc import SimulatedSmsc
from tests.waiting import until

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


@pytest.mark.parametrize("how", LongMessages)
@pytest_twisted.ensureDeferred
async def test_a_long_text_arrives_in_each_form(
    binder: Binder, memory: Memory, how: LongMessages
) -> None:
    """UDH of both kinds, SAR and message_payload bring the same octets."""
    smsc, _ = await binder(SimulatedSmsc(SmscSettings(long_messages=how)))
    words = "شکایت از قرائت کنتور 💧 " * 10
    made = smsc.send_text(MOBILE, LINE, words)
    await memory.until(lambda: len(memory.deliveries) == len(made))
    contents = [found.content for found in memory.deliveries]
    payload = b"".join(found.payload for found in contents if isinstance(found, InboundSms))
    assert payload.decode("utf-16-be") == words
    numbers = [
        found.part.number for found in contents if isinstance(found, InboundSms) and found.part
    ]
    assert numbers == ([] if how is LongMessages.PAYLOAD else list(range(1, len(made) + 1)))


@pytest.mark.parametrize(
    "style", [style for style in ReceiptStyle if style is not ReceiptStyle.NONE]
)
@pytest.mark.parametrize(
    ("ids", "base"),
    [
        (IdStyle.DECIMAL, MessageIdBase.AS_IS),
        (IdStyle.HEX, MessageIdBase.HEX),
        (IdStyle.ZEROS, MessageIdBase.DECIMAL),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_receipt_finds_its_message_in_each_form(
    binder: Binder, memory: Memory, style: ReceiptStyle, ids: IdStyle, base: MessageIdBase
) -> None:
    """However the operator writes receipts and ids, the two ids are equal."""
    settings = SmscSettings(
        receipts=style, id_style=ids, receipt_delay=0, receipt_state=DeliveryState.UNDELIVERABLE
    )
    await binder(SimulatedSmsc(settings), message_id_base=base)
    memory.connections[0].submit([answer(7, "salam")])
    await memory.until(lambda: len(memory.deliveries) == 1)
    (receipt,) = [found.content for found in memory.deliveries]
    assert isinstance(receipt, Receipt)
    assert (receipt.smsc_id, receipt.state) == (
        memory.results[0].smsc_id,
        DeliveryState.UNDELIVERABLE,
    )


@pytest_twisted.ensureDeferred
async def test_what_was_not_answered_is_delivered_again(binder: Binder, memory: Memory) -> None:
    """A cut connection loses nothing: the same texts come on the next one, in order."""
    smsc, bind = await binder(SimulatedSmsc(SmscSettings(redeliver_after=1000)))
    memory.acknowledges = False
    made = [smsc.send_text(MOBILE, LINE, f"010 {number}")[0] for number in range(3)]
    await memory.until(lambda: len(memory.deliveries) == 3)
    smsc.disconnect()
    await memory.until(lambda: len(memory.losses) == 1)
    memory.acknowledges = True
    await memory.until(lambda: len(memory.deliveries) == 6)
    assert memory.texts[3:] == memory.texts[:3]
    await until(lambda: all(text.acknowledged for text in made), "all are acknowledged")
    assert smsc.totals.redelivered == 3
    assert [text.connections for text in made] == [[1, 2]] * 3
    assert bind.status().reconnects == 1


@pytest.mark.parametrize("why", Temporary)
@pytest_twisted.ensureDeferred
async def test_what_was_refused_for_now_is_kept_and_comes_again(
    binder: Binder, memory: Memory, why: Temporary
) -> None:
    """A temporary error keeps a text with the operator, on the same connection too."""
    smsc, _ = await binder(SimulatedSmsc(SmscSettings(redeliver_after=0.01)))
    memory.acknowledges = False
    (made,) = smsc.send_text(MOBILE, LINE, "010")
    await memory.until(lambda: len(memory.deliveries) == 1)
    memory.connections[0].refuse([memory.deliveries[0].sequence], why)
    memory.acknowledges = True
    await memory.until(lambda: len(memory.deliveries) == 2)
    await until(lambda: made.acknowledged, "it is acknowledged")
    assert (made.attempts, smsc.totals.refused_for_now) == (2, 1)


@pytest_twisted.ensureDeferred
async def test_the_window_of_the_operator_is_kept(binder: Binder, memory: Memory) -> None:
    """No more texts are on the wire than the window; the rest follow the answers."""
    smsc, _ = await binder(SimulatedSmsc(SmscSettings(window=2)))
    memory.acknowledges = False
    for number in range(5):
        smsc.send_text(MOBILE, LINE, str(number))
    await memory.until(lambda: len(memory.deliveries) == 2)
    assert (smsc.bound[0].in_flight, smsc.waiting) == (2, 5)
    memory.acknowledges = True
    memory.connections[0].acknowledge([found.sequence for found in memory.deliveries])
    await memory.until(lambda: len(memory.deliveries) == 5)
    assert memory.texts == ["0", "1", "2", "3", "4"]


@pytest_twisted.ensureDeferred
async def test_faults_are_what_they_say(binder: Binder, memory: Memory) -> None:
    """Throttling, a refusal, no response and a cut come back as their results."""
    smsc, _ = await binder(SimulatedSmsc(), response_timeout=1)
    smsc.faults.throttle = 1
    smsc.faults.refuse = 1
    smsc.faults.refuse_status = 0x0B
    smsc.faults.drop = 1
    memory.connections[0].submit([answer(number, "salam") for number in range(4)])
    await memory.until(lambda: len(memory.results) == 4)
    assert {result.id: result.status for result in memory.results} == {
        0: SendStatus.THROTTLED,
        1: SendStatus.PERMANENT,
        2: SendStatus.UNCERTAIN,
        3: SendStatus.ACCEPTED,
    }
    assert [submit.status for submit in smsc.submits] == [0x58, 0x0B, None, 0]
    smsc.faults.close_after = 1
    memory.connections[0].submit([answer(9, "salam")])
    await memory.until(lambda: len(memory.losses) == 1)
    assert [result.id for result in memory.results].count(9) == 1


@pytest_twisted.ensureDeferred
async def test_responses_can_be_late(binder: Binder, memory: Memory) -> None:
    """A delayed response is still the message's response."""
    smsc, bind = await binder(SimulatedSmsc())
    smsc.faults.delay = 0.05
    memory.connections[0].submit([answer(1, "salam")])
    assert bind.status().in_flight == 1
    await memory.until(lambda: len(memory.results) == 1)
    assert memory.results[0].status is SendStatus.ACCEPTED


@pytest_twisted.ensureDeferred
async def test_the_bind_comes_back_when_the_operator_does(binder: Binder, memory: Memory) -> None:
    """While nobody listens the bind says so and tries; then it is bound by itself."""
    smsc, bind = await binder(SimulatedSmsc())
    port = bind.settings.port
    await smsc.stop()
    await until(lambda: "cannot connect" in bind.status().last_error, "it tries")
    await smsc.listen(port=port)
    await memory.until(lambda: len(memory.connections) == 2)
    assert bind.status().state is BindState.BOUND


@pytest.mark.parametrize(
    ("account", "words"),
    [
        ({"system_id": "other"}, "invalid system id (0x0F)"),
        ({"password": "wrong"}, "invalid password (0x0E)"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_wrong_account_is_refused_in_words(
    memory: Memory, account: dict[str, str], words: str
) -> None:
    """An operator reads what is wrong with the account, and the bind goes on trying."""
    smsc = SimulatedSmsc(SmscSettings(system_id="peyk", password="secret"))
    port = await smsc.listen()
    values = {"system_id": "peyk", "password": "secret", **account}
    settings = BindSettings(name="mci", host="127.0.0.1", port=port, backoff_first=0.01, **values)  # type: ignore[arg-type]
    bind = SmppBind(settings, memory, reactor)
    bind.startService()
    await until(lambda: smsc.totals.binds_refused >= 2, "it tries again")
    assert bind.status().last_error == f"refused: {words}"
    assert memory.connections == []
    await bind.stopService()
    await smsc.stop()


@pytest_twisted.ensureDeferred
async def test_a_bind_of_each_direction(binder: Binder, memory: Memory) -> None:
    """A receiver gets texts and a transmitter sends them, on two connections."""
    smsc, _ = await binder(SimulatedSmsc(), mode=Mode.TRANSMITTER)
    assert not smsc.has_esme(LINE)
    made = smsc.send_text(MOBILE, LINE, "010")
    await binder(smsc, mode=Mode.RECEIVER)
    await memory.until(lambda: memory.texts == ["010"])
    memory.connections[0].submit([answer(1, "salam")])
    await memory.until(lambda: bool(memory.results))
    assert memory.results[0].status is SendStatus.ACCEPTED
    assert made[0].connections == [2]
    memory.connections[1].submit([answer(2, "salam")])
    assert memory.results[1] == SendResult(2, SendStatus.UNSENT, "", 0)


@pytest_twisted.ensureDeferred
async def test_lines_go_to_their_account(binder: Binder, memory: Memory) -> None:
    """A text to a line that an account does not hold waits."""
    lines = {"peyk": frozenset({LINE})}
    smsc, _ = await binder(SimulatedSmsc(SmscSettings(lines=lines)))
    smsc.send_text(MOBILE, "other", "first")
    smsc.send_text(MOBILE, LINE, "second")
    await memory.until(lambda: bool(memory.deliveries))
    assert memory.texts == ["second"]
    assert (smsc.has_esme(LINE), smsc.has_esme("other")) == (True, False)


@pytest_twisted.ensureDeferred
async def test_nothing_is_remembered_where_that_is_asked_for(
    binder: Binder, memory: Memory
) -> None:
    """A bench of millions keeps counts and no messages."""
    smsc, _ = await binder(SimulatedSmsc(SmscSettings(record=0)))
    smsc.send_text(MOBILE, LINE, "010")
    memory.connections[0].submit([answer(1, "salam")])
    await memory.until(lambda: bool(memory.results) and bool(memory.deliveries))
    assert (len(smsc.texts), len(smsc.submits), len(smsc.messages)) == (0, 0, 0)
    assert (smsc.totals.texts, smsc.totals.submits, smsc.totals.messages) == (1, 1, 1)
