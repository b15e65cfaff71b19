"""Encryption to the MQTT broker."""

from __future__ import annotations

import ssl

from facegate.errors import BrokerError
from facegate.hardware import TlsSettings


def tls_context(tls: TlsSettings) -> ssl.SSLContext:
    """Return how to speak to the broker encrypted; raises ``BrokerError`` naming the file."""
    try:
        context = ssl.create_default_context(cafile=str(tls.ca) if tls.ca is not None else None)
    except OSError as err:
        raise BrokerError(f"mqtt.tls.ca: {tls.ca} cannot be used: {err}") from err
    if tls.ca is not None:
        # An authority of one's own is trusted by name; it often lacks what public ones must have.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if tls.certificate is not None:
        try:
            context.load_cert_chain(tls.certificate, tls.key)
        except OSError as err:
            raise BrokerError(
                f"mqtt.tls.certificate and key: {tls.certificate} cannot be used: {err}"
            ) from err
    return context
