"""Addresses that others may have us post to: not this machine's, however they are written."""

from __future__ import annotations

import pytest

from gateway.addresses import checked_address, checked_elsewhere


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost.", "LOCALHOST", "app.localhost", "ip6-localhost", "127.0.0.1",
        "127.9.9.9", "127.1", "127.0.0.1.", "2130706433", "0x7f000001", "0177.0.0.1",
        "0.0.0", "0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "169.254.169.254",
        "[fe80::1]",
    ],
)  # fmt: skip
def test_this_machine_is_known_in_every_spelling(host: str) -> None:
    """What a resolver takes for it is refused, with and without a port."""
    for port in ("", ":8443"):
        with pytest.raises(ValueError, match="own machine"):
            checked_elsewhere(f"https://{host}{port}/x")


def test_others_are_let_through() -> None:
    """Names and addresses, also of the utility's own network."""
    for host in ("crm.example.ir", "10.20.0.7", "[2001:db8::1]", "127-0-0-1.example.ir", "1.ir"):
        address = f"https://{host}/peyk"
        assert checked_elsewhere(address) == checked_address(address) == address
