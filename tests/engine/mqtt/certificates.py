"""An authority of one's own, and a broker's certificate of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from facegate.hardware import TlsSettings


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _signed(
    name: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named("authority"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(signer, hashes.SHA256())
    )


def certificates(folder: Path) -> TlsSettings:
    """Write an authority's certificate, and a broker's certificate and key."""
    folder.mkdir(parents=True)
    authority, broker = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    written = TlsSettings(folder / "ca.pem", folder / "broker.pem", folder / "broker.key")
    pem = serialization.Encoding.PEM
    assert written.ca is not None
    assert written.certificate is not None
    assert written.key is not None
    written.ca.write_bytes(_signed("authority", authority, authority, ca=True).public_bytes(pem))
    written.certificate.write_bytes(
        _signed("broker", broker, authority, ca=False).public_bytes(pem)
    )
    written.key.write_bytes(
        broker.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return written
