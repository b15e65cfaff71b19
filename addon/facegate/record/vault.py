"""The key of a site: it seals templates and signs what must not be forged.

The key lies in ``<data>/keys``, which is kept out of backups, so that a stolen backup opens
nothing. All that is used is derived from it with HKDF-SHA256 (RFC 5869), one key a purpose.
"""

from __future__ import annotations

import base64
from binascii import Error as Base64Error
from contextlib import suppress
import hashlib
import hmac
import os
from pathlib import Path
import secrets
import stat
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from facegate.errors import VaultError
from facegate.record import durable

KEYS = "keys"
"""The folder of secrets within the data folder."""
KEY_FILE = "vault.key"
KEY_BYTES = 32
KEY_ID_BYTES = 16
NONCE_BYTES = 12
_LONGEST_FILE = 100
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_RECOVER = (
    "put back the key file that belongs to these records, or write it again from the recovery"
    " passphrase with: facegate key recover"
)


class Vault:
    """Seals and signs with one 32-byte key, which never leaves it."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise VaultError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
        self._key = key
        self._sealer = AESGCM(self._derive("seal", KEY_BYTES))
        self.key_id = self._derive("key id", KEY_ID_BYTES).hex()
        """Names the key without revealing it: 32 hexadecimal digits."""

    @classmethod
    def open(cls, folder: Path, expected_key_id: str | None) -> Self:
        """Read the key of a folder, making one only where no key is known or there.

        ``expected_key_id`` is the key that the records were made with, None for new records.
        Raises ``VaultError`` where the key is missing, unreadable, readable by others, malformed
        or not the expected one.
        """
        path = folder / KEY_FILE
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if expected_key_id is None and not os.path.lexists(path):
                # Whoever was quicker has made the key of both.
                with suppress(FileExistsError):
                    durable.create(path, encode_key(secrets.token_bytes(KEY_BYTES)))
                durable.sync_folder(folder.parent)
            _refuse_others(folder, folder.stat(), "700")
        except OSError as err:
            raise VaultError(
                f"{folder}: the key cannot be kept there: {err.strerror}; make the data folder"
                " writable"
            ) from err
        vault = cls(read_key(path))
        if expected_key_id is not None and vault.key_id != expected_key_id:
            raise VaultError(f"{path}: this is another key than that of the records; {_RECOVER}")
        return vault

    def seal(self, plain: bytes, *bound_to: str) -> bytes:
        """Return a random 96-bit nonce and the AES-256-GCM of ``plain``.

        It opens only with the same ``bound_to``: for a template its subject, model and own id.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._sealer.encrypt(nonce, plain, _encode(bound_to))

    def unseal(self, sealed: bytes, *bound_to: str) -> bytes:
        """Return what was sealed; raises ``VaultError`` where anything is not as it was."""
        nonce, encrypted = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return self._sealer.decrypt(nonce, encrypted, _encode(bound_to))
        except (InvalidTag, ValueError) as err:
            raise VaultError(
                "sealed data was changed, moved to another record or sealed with another key;"
                " restore a backup, or enroll the person again"
            ) from err

    def sign(self, purpose: str, data: bytes) -> bytes:
        """Return the HMAC-SHA256 of ``data`` with the key of a purpose: 32 bytes."""
        return hmac.digest(self._derive(f"sign {purpose}", KEY_BYTES), data, hashlib.sha256)

    def verify(self, purpose: str, data: bytes, signature: bytes) -> bool:
        """Tell whether ``sign`` returned this signature, in a time that tells nothing of it."""
        return hmac.compare_digest(self.sign(purpose, data), signature)

    def _derive(self, use: str, length: int) -> bytes:
        info = b"facegate vault 1 " + use.encode()
        return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(self._key)


def encode_key(key: bytes) -> bytes:
    """Return the text of a key file: one line of base64."""
    return base64.b64encode(key) + b"\n"


def decode_key(text: bytes) -> bytes | None:
    """Return the key of a key file's text, or None where it is malformed."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except Base64Error:
        return None
    return key if len(key) == KEY_BYTES else None


def read_key(path: Path) -> bytes:
    """Return the key of a file; raises ``VaultError`` where others could read it or it is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as file:
            _refuse_others(path, os.fstat(descriptor), "600")
            text = file.read(_LONGEST_FILE)
    except FileNotFoundError as err:
        raise VaultError(f"{path}: the key of the records is missing; {_RECOVER}") from err
    except OSError as err:
        raise VaultError(f"{path}: the key cannot be read: {err.strerror}; {_RECOVER}") from err
    key = decode_key(text)
    if key is None:
        raise VaultError(f"{path}: this is no key; {_RECOVER}")
    return key


def _refuse_others(path: Path, found: os.stat_result, rights: str) -> None:
    if found.st_mode & _OTHERS:
        raise VaultError(
            f"{path}: other users of this machine can open it; run chmod {rights} {path}, and think"
            " of who may have copied the key"
        )


def _encode(parts: tuple[str, ...]) -> bytes:
    """Return a byte string that no other sequence of texts gives."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
