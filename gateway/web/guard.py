"""Who may post to a path of ours: who knows its secret, comes from its addresses, or both."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from hmac import compare_digest
from typing import Any

from gateway.web.site import address_of

_BEARER = b"bearer "


class Guard:
    """The rule of one path."""

    def __init__(self, path: str, secret: str, allow: Sequence[str], *, behind_proxy: bool) -> None:
        """``allow``: addresses and networks; empty: all of them."""
        self._path = path.encode()
        self._secret = secret.encode()
        self._networks = [ipaddress.ip_network(each) for each in allow]
        self._behind_proxy = behind_proxy

    def lets_in(self, request: Any) -> bool:
        """Whether a request (``twisted.web.http.Request``) has all that the door asks for."""
        # Both are looked at, whatever the first gives: the time says nothing of either.
        knows, comes_from = self._knows_secret(request), self._comes_from(request)
        return knows and comes_from

    def _knows_secret(self, request: Any) -> bool:
        behind = request.path.removeprefix(self._path).removeprefix(b"/")
        if not self._secret:
            return not behind
        header = request.getHeader(b"authorization") or b""
        said = header[len(_BEARER) :].strip() if header.lower().startswith(_BEARER) else b""
        by_path = compare_digest(behind, self._secret)
        by_header = compare_digest(said, self._secret)
        return by_path or (by_header and not behind)

    def _comes_from(self, request: Any) -> bool:
        if not self._networks:
            return True
        try:
            address = ipaddress.ip_address(address_of(request, behind_proxy=self._behind_proxy))
        except ValueError:
            return False
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return any((mapped or address) in network for network in self._networks)
