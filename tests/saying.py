"""What subscribers say to each operation, for tests that run all of them."""

from __future__ import annotations

from core.calls import Argument

SAID = {
    Argument.READING: "12345",
    Argument.YEAR: "1404",
    Argument.START: "2",
    Argument.TEXT: "آب قطع است",
    Argument.TOPIC: "notices",
    Argument.MOBILE: "989131111111",
    Argument.TRACKING: "1234567",
    Argument.BILL_ID: "1000000104616",
    Argument.PAYMENT_ID: "1070189",
    Argument.METER_SERIAL: "500001",
}
