"""The simulated operator with smpplib's own client as an independent peer."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from smpplib.client import Client
from smpplib.exceptions import PDUError
from twisted.internet.threads import deferToThread

from gateway.smpp.handsets import SmscSettings
from gateway.smpp.smsc import SimulatedSmsc

LINE, MOBILE = "100034122", "989131234567"


def converse(port: int) -> tuple[list[str], list[str]]:
    """Bind, send a text, take a text and a receipt, unbind; return bodies and ids."""
    bodies: list[str] = []
    ids: list[str] = []

    def received(pdu: Any) -> int:
        bodies.append(pdu.short_message.decode("utf-16-be" if pdu.data_coding == 8 else "ascii"))
        return 0

    client = Client("127.0.0.1", port, timeout=60, allow_unknown_opt_params=True)
    client.set_message_received_handler(received)
    client.set_message_sent_handler(lambda pdu: ids.append(pdu.message_id.decode()))
    client.connect()
    client.bind_transceiver(system_id="peyk", password="secret")
    client.send_message(
        source_addr=LINE,
        destination_addr=MOBILE,
        short_message="سلام".encode("utf-16-be"),
        data_coding=8,
        registered_delivery=1,
    )
    while len(bodies) < 2 or not ids:
        client.read_once()
    client.unbind()
    client.disconnect()
    return bodies, ids


@pytest_twisted.ensureDeferred
async def test_an_esme_of_another_making_is_served() -> None:
    """Smpplib's client binds, sends, receives a text and a receipt, and unbinds."""
    smsc = SimulatedSmsc(
        SmscSettings(system_id="peyk", password="secret", receipt_delay=0, utc_offset=0)
    )
    port = await smsc.listen()
    (made,) = smsc.send_text(MOBILE, LINE, "۰۱۰")
    bodies, ids = await deferToThread(converse, port)
    assert bodies[0] == "۰۱۰"
    assert bodies[1].startswith(f"id:{ids[0]} sub:001 dlvrd:001 submit date:")
    assert [(message.text, message.mobile) for message in smsc.messages] == [("سلام", MOBILE)]
    assert made.acknowledged
    await smsc.stop()


@pytest_twisted.ensureDeferred
async def test_an_esme_of_another_making_hears_that_its_password_is_wrong() -> None:
    """The refusal is a bind response with the status that says so."""
    smsc = SimulatedSmsc(SmscSettings(system_id="peyk", password="secret"))
    port = await smsc.listen()

    def bind() -> None:
        client = Client("127.0.0.1", port, timeout=60, allow_unknown_opt_params=True)
        client.connect()
        try:
            client.bind_receiver(system_id="peyk", password="wrong")
        finally:
            client.disconnect()

    with pytest.raises(PDUError, match="Invalid Password"):
        await deferToThread(bind)
    assert smsc.totals.binds_refused == 1
    await smsc.stop()
