"""The daemon's HTTP server over TLS of its own, and what it says of files that are none."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from twisted.internet import reactor as _reactor
from twisted.internet.threads import deferToThread
from twisted.web.pages import notFound

from gateway.configuration import ConfigError
from gateway.settings import load_settings
from gateway.settings.payments import CannotServe, WebSettings
from gateway.web_service import WebService

reactor: Any = _reactor
# Twisted's own TLS still hands pyOpenSSL's certificates around.
pytestmark = pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")


def _certificate(name: str, folder: Path) -> tuple[bytes, Path]:
    """A self-signed certificate in PEM, and the file of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36500))
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.key"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made.public_bytes(serialization.Encoding.PEM), path


def _ask(port: int, most: int, offers: Sequence[bytes] = ()) -> tuple[str, list[str], bytes]:
    """What a client with TLS up to a version sees: the version, who answers, the first line."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(most)
    if offers:
        context.set_alpn_protos(list(offers))
    plain = socket.create_connection(("127.0.0.1", port), timeout=60)
    plain.settimeout(None)
    client = SSL.Connection(context, plain)
    try:
        client.set_connect_state()
        client.do_handshake()
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        chain = client.get_peer_cert_chain(as_cryptography=True) or ()
        names = [each.subject.rfc4514_string() for each in chain]
        return client.get_protocol_version_name(), names, client.recv(15)
    finally:
        plain.close()


@pytest_twisted.ensureDeferred
async def test_the_server_ends_tls_by_itself(tmp_path: Path) -> None:
    """With its chain; versions before 1.2 are refused."""
    own, key = _certificate("desk.example", tmp_path)
    chain, _ = _certificate("authority.example", tmp_path)
    (tmp_path / "desk.pem").write_bytes(own + chain)
    web = WebSettings(tls_certificate=tmp_path / "desk.pem", tls_key=key)
    service = WebService(web.model_copy(update={"listen": "127.0.0.1:0"}), notFound(), reactor)
    service.startService()
    port = service._port.getHost().port
    version, names, answer = await deferToThread(_ask, port, SSL.TLS1_3_VERSION)
    assert (version, names) == ("TLSv1.3", ["CN=desk.example", "CN=authority.example"])
    assert answer == b"HTTP/1.1 404 No"
    # As browsers ask.
    *_, answer = await deferToThread(_ask, port, SSL.TLS1_3_VERSION, [b"h2", b"http/1.1"])
    assert answer == b"HTTP/1.1 404 No"
    with pytest.raises(SSL.Error):
        await deferToThread(_ask, port, SSL.TLS1_1_VERSION)
    await service.stopService()


def test_files_that_are_none_are_said_in_words(tmp_path: Path) -> None:
    """Before anything listens."""
    for name in ("a.pem", "a.key"):
        (tmp_path / name).write_text("nothing")
    web = WebSettings(tls_certificate=tmp_path / "a.pem", tls_key=tmp_path / "a.key")
    with pytest.raises(CannotServe, match="no certificate and key"):
        WebService(web, notFound(), reactor).startService()
    settings = tmp_path / "peyk.toml"
    for lines, words in (
        ('tls_certificate = "a.pem"', r"web.tls_key: is missing"),
        ('tls_certificate = "a.pem"\ntls_key = "b.key"', r"web.tls_key: there is no file .*b.key"),
    ):
        settings.write_text(f'[daemon]\nkey = "{"k" * 32}"\n[web]\n{lines}\n')
        with pytest.raises(ConfigError, match=words):
            load_settings(settings)
