"""A bind over TLS: verified, or not made."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.internet import reactor
from twisted.internet.endpoints import SSL4ServerEndpoint
from twisted.internet.ssl import PrivateCertificate

from gateway.smpp.bind import SmppBind
from gateway.smpp.settings import BindSettings
from gateway.smpp.smsc import SimulatedSmsc
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.smpp.conftest import Memory

# Twisted's own TLS still hands pyOpenSSL's certificates around.
pytestmark = pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    """A self-signed certificate for smsc.example, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "smsc.example")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("smsc.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "smsc.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.mark.parametrize(
    ("hostname", "trusted"),
    [("smsc.example", True), ("other.example", True), ("smsc.example", False)],
)
@pytest_twisted.ensureDeferred
async def test_the_certificate_is_verified(
    pem: Path, memory: Memory, hostname: str, *, trusted: bool
) -> None:
    """The right name from a trusted authority binds; any other certificate does not."""
    smsc = SimulatedSmsc()
    options = PrivateCertificate.loadPEM(pem.read_bytes()).options()
    port = await smsc.listen(SSL4ServerEndpoint(reactor, 0, options, interface="127.0.0.1"))
    settings = BindSettings(
        name="mci",
        host="127.0.0.1",
        port=port,
        tls=True,
        tls_hostname=hostname,
        tls_ca_file=str(pem) if trusted else "",
        system_id="peyk",
        password="secret",
        backoff_first=0.01,
        unbind_timeout=0.5,
    )
    bind = SmppBind(settings, memory, reactor)
    bind.startService()
    if hostname == "smsc.example" and trusted:
        await bind.when_bound()
        smsc.send_text("98913", "1000", "۰۱۰")
        await memory.until(lambda: memory.texts == ["۰۱۰"])
    else:
        await until(lambda: bind.status().last_error, "it tries")
        words = "not for this name" if trusted else "certificate verify failed"
        assert words in bind.status().last_error
        assert memory.connections == []
        assert smsc.totals.binds == 0
    await bind.stopService()
    await smsc.stop()
