"""The code of a visitor pass: what its QR picture holds.

``FG1.<pass id and nonce>.<signature>``: 16 bytes of id and 16 random bytes, and what a key that
never leaves the site signed them with, each in base64url without padding. It tells nothing about
the visitor. Making a new code for a pass retires the older one, whose nonce is not kept.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from typing import Protocol

PREFIX = "FG1"
"""What every code begins with, before a dot."""

_PURPOSE = "visitor pass"
_ID_BYTES = 16
_NONCE_BYTES = 16
LONGEST = 512
"""Characters: nothing longer is decoded, whatever a stranger holds before the camera."""


class Signer(Protocol):
    """Signs with a key of the site; what is signed for one purpose is refused for another."""

    def sign(self, purpose: str, data: bytes) -> bytes:
        """Return the signature of ``data``."""
        ...

    def verify(self, purpose: str, data: bytes, signature: bytes) -> bool:
        """Return whether ``sign`` made this signature."""
        ...


def make_code(pass_id: str, signer: Signer) -> tuple[str, str]:
    """Return a new code for a pass and the SHA-256 (hex) of its nonce; ids are 32 hex digits."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    data = bytes.fromhex(pass_id) + nonce
    text = f"{PREFIX}.{_encode(data)}.{_encode(signer.sign(_PURPOSE, data))}"
    return text, _digest(nonce)


def read_code(text: str, signer: Signer) -> tuple[str, str] | None:
    """Return the pass id and the nonce's SHA-256 (hex); None where the site did not sign this."""
    parts = text.split(".") if len(text) <= LONGEST else []
    if len(parts) != len(("prefix", "data", "signature")) or parts[0] != PREFIX:
        return None
    data, signature = _decode(parts[1]), _decode(parts[2])
    if data is None or signature is None or len(data) != _ID_BYTES + _NONCE_BYTES:
        return None
    if not signer.verify(_PURPOSE, data, signature):
        return None
    return data[:_ID_BYTES].hex(), _digest(data[_ID_BYTES:])


def _digest(nonce: bytes) -> str:
    return hashlib.sha256(nonce).hexdigest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes | None:
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    # Python reads several spellings of the same bytes; a code has one.
    return data if _encode(data) == text else None
