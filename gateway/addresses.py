"""Addresses of others that we post to: encrypted, but to this machine."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

MOST_LETTERS = 2_000


def checked_address(value: str) -> str:
    """An address to post to. Raises ``ValueError`` with words that follow its name."""
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is not an address such as https://example.ir/peyk") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("is not an address such as https://example.ir/peyk")
    if len(value) > MOST_LETTERS or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("has signs that an address cannot have, or too many of them")
    if parts.username or parts.password or parts.fragment:
        raise ValueError("has a user, a password or a fragment, which are not sent")
    if parts.scheme == "http" and not is_local(host):
        raise ValueError("is not encrypted: write https://, or http:// to this machine only")
    return value


def checked_elsewhere(value: str) -> str:
    """As ``checked_address``, but not on this machine.

    What listens here is for its operators to say, and not for whoever may use the desk or the API.
    """
    address = checked_address(value)
    if leads_here(urlsplit(address).hostname or ""):
        raise ValueError("is on the daemon's own machine: `peyk webhook add` adds those")
    return address


def is_local(host: str) -> bool:
    """Whether it is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def leads_here(host: str) -> bool:
    """Whether it is this machine or the wire that it is at, in any spelling that a resolver takes.

    Such as ``127.1``, ``2130706433``, ``0.0.0.0`` or ``[::ffff:127.0.0.1]``. What a name leads to
    is known only when somebody connects: ``gateway.elsewhere`` looks then.
    """
    name = host.rstrip(".")
    if name in _HERE or name.endswith(".localhost"):
        return True
    found: ipaddress.IPv4Address | ipaddress.IPv6Address | None
    try:
        found = ipaddress.ip_address(name)
    except ValueError:
        try:
            found = ipaddress.IPv4Address(socket.inet_aton(name))
        except OSError:
            return False
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    return found.is_loopback or found.is_unspecified or found.is_link_local


_HERE = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})
