"""The daemon's HTTP server as a part of it: listens, with TLS of its own where that is set."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import structlog
from OpenSSL.crypto import Error as TlsError
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import SSL4ServerEndpoint, TCP4ServerEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.ssl import Certificate, CertificateOptions, PrivateCertificate, TLSVersion
from twisted.python.failure import Failure

from gateway.settings.payments import CannotServe, WebSettings
from gateway.web.site import make_site

log = structlog.get_logger(__name__)

_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL
)


class WebService(Service):
    """Serves one tree of pages from start to stop."""

    def __init__(
        self,
        web: WebSettings,
        root: Any,
        reactor: Any,
        most_body: Callable[[bytes], int] | None = None,
        too_large: Callable[[bytes], tuple[bytes, bytes]] | None = None,
    ) -> None:
        """``root``: the tree; ``most_body`` and ``too_large`` as ``make_site`` takes them."""
        self._web = web
        self._root = root
        self._reactor = reactor
        self._sizes = (most_body, too_large)
        self._port: Any = None

    def startService(self) -> None:
        """Listen. Raises ``CannotServe``."""
        web = self._web
        site = make_site(self._root, self._reactor, *self._sizes)
        listening = self._endpoint().listen(site)
        failures: list[Failure] = []
        listening.addCallbacks(self._opened, failures.append)
        for failure in failures:
            error = failure.value
            if isinstance(error, CannotListenError):
                raise CannotServe(f"cannot listen on {web.listen}: {error.socketError}")
            failure.raiseException()
        super().startService()  # type: ignore[no-untyped-call]
        log.info("web.started", listen=web.listen, url=web.url, tls=web.tls_certificate is not None)

    def stopService(self) -> Deferred[Any]:
        """Stop listening."""
        super().stopService()  # type: ignore[no-untyped-call]
        port, self._port = self._port, None
        return maybeDeferred(port.stopListening) if port else maybeDeferred(lambda: None)

    def _opened(self, port: Any) -> None:
        self._port = port

    def _endpoint(self) -> Any:
        web = self._web
        if web.tls_certificate is None or web.tls_key is None:
            return TCP4ServerEndpoint(self._reactor, web.port, interface=web.host)
        options = tls_options(web.tls_certificate, web.tls_key)
        return SSL4ServerEndpoint(self._reactor, web.port, options, interface=web.host)


def tls_options(certificate: Path, key: Path) -> CertificateOptions:
    """What TLS is spoken with: the first certificate of a file is ours, the rest its chain.

    Raises ``CannotServe``.
    """
    try:
        pem = certificate.read_bytes()
        own = PrivateCertificate.loadPEM(key.read_bytes() + b"\n" + pem)
        chain = [Certificate.loadPEM(each).original for each in _CERTIFICATE.findall(pem)[1:]]
    except OSError as error:
        raise CannotServe(f"{error.filename} cannot be read: {error.strerror}") from None
    except (TlsError, ValueError):
        raise CannotServe(f"{certificate} and {key} are no certificate and key in PEM") from None
    return CertificateOptions(
        privateKey=own.privateKey.original,
        certificate=own.original,
        extraCertChain=chain,
        raiseMinimumTo=TLSVersion.TLSv1_2,
        # What browsers offer has to be answered: Twisted would ask the factory of connections.
        acceptableProtocols=[b"http/1.1"],
    )
