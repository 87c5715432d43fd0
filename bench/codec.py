"""smpplib alone: what the four PDUs of an answered text cost when nothing is done with them.

The yardstick of the other figures. On one core, with the bytes that the load is made of:
decode deliver_sm, encode deliver_sm_resp, encode submit_sm with a real answer's text,
decode submit_sm_resp. No network, no database, no rules. ``python -m bench.codec`` prints
it.
"""

from __future__ import annotations

import time

from smpplib import smpp

from bench import wire

SECONDS = 1.0
REPLY = "اشتراک ۱۰۰۰۰۰۰۱: بدهی ۵۸۰٬۰۰۰ ریال، مهلت ۱۴۰۴/۰۶/۲۶"
"""As the profile of Kerman water words a debt."""
_AT_ONCE = 200


class _Sequences:
    """What smpplib asks of a client: where sequence numbers come from."""

    def __init__(self) -> None:
        self.sequence = 1

    def next_sequence(self) -> int:
        self.sequence += 1
        return self.sequence


def rate(seconds: float = SECONDS) -> float:
    """Exchanges a second, measured for so long."""
    client = _Sequences()
    deliver = bytes(wire.deliver_sm(989360000000, wire.balance_text(10000001, "4321")))
    response = wire.submit_sm_resp(1, b"1790000000000000")
    began = time.perf_counter()
    done = 0
    while (took := time.perf_counter() - began) < seconds:
        for _ in range(_AT_ONCE):
            _exchange(client, deliver, response)
        done += _AT_ONCE
    return done / took


def _exchange(client: _Sequences, deliver: bytes, response: bytes) -> None:
    text = smpp.parse_pdu(deliver, client=client)
    acknowledgement = smpp.make_pdu("deliver_sm_resp", client=client)
    acknowledgement.sequence = text.sequence
    acknowledgement.generate()
    answer = smpp.make_pdu(
        "submit_sm",
        client=client,
        source_addr_npi=1,
        source_addr=text.destination_addr.decode(),
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr=text.source_addr.decode(),
        data_coding=wire.UCS2,
        short_message=REPLY.encode("utf-16-be"),
    )
    answer.generate()
    smpp.parse_pdu(response, client=client)


if __name__ == "__main__":
    print(f"{rate():,.0f} exchanges/s")
