"""Connections of an HTTP client that do not lead to this machine, whatever their name says.

A name is asked for anew with each connection and may lead anywhere, so it is the connection that
is looked at: nothing is written to one whose other end is here.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.web.client import URI, BrowserLikePolicyForHTTPS
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer  # type: ignore[import-untyped]

from gateway.addresses import leads_here


class LeadsHere(Exception):
    """The name leads to the daemon's own machine."""


@implementer(IAgentEndpointFactory)
class Elsewhere:
    """For ``Agent.usingEndpointFactory``; https is as safe as with an agent of its own."""

    def __init__(self, reactor: Any, seconds: float) -> None:
        """``seconds``: for a connection to be made."""
        self._reactor = reactor
        self._seconds = seconds
        self._policy = BrowserLikePolicyForHTTPS()

    def endpointForURI(self, uri: URI) -> Any:  # noqa: N802 - Twisted's
        """Where a request goes."""
        endpoint: Any = HostnameEndpoint(self._reactor, uri.host, uri.port, self._seconds)
        if uri.scheme == b"https":
            creator = self._policy.creatorForNetloc(uri.host, uri.port)
            endpoint = wrapClientTLS(creator, endpoint)
        return _Looked(endpoint)


@implementer(IStreamClientEndpoint)
class _Looked:
    def __init__(self, endpoint: Any) -> None:
        self._endpoint = endpoint

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        connected: Deferred[Any] = self._endpoint.connect(factory)
        return connected.addCallback(_look)


def _look(protocol: Any) -> Any:
    transport = protocol.transport
    there = transport.getPeer().host
    # To an address of its own a machine speaks from that very address.
    if leads_here(there) or there == transport.getHost().host:
        transport.abortConnection()
        raise LeadsHere(f"it leads to the daemon's own machine ({there})")
    return protocol
