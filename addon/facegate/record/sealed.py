"""A file that only the site's key opens, or the recovery passphrase from which that key comes.

It begins with ``MAGIC`` and a header: its length in four bytes, and JSON with the recovery, as in
``recovery.json``, and a key made for this file alone, sealed with the site's. What follows is
AES-256-GCM with that key in chunks of ``CHUNK`` bytes. A chunk's nonce is its number and whether it
is the last one, so that chunks in another order, one too few or one too many do not open (STREAM,
Hoang, Reyhanitabar, Rogaway and Vizár, 2015); each is bound to the header.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
import json
from pathlib import Path
import secrets
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
import voluptuous as vol

from facegate.errors import InvalidError, RecordError, VaultError
from facegate.record.recovery import recovery_key_id, unwrap
from facegate.record.vault import KEY_BYTES, KEY_ID_BYTES, NONCE_BYTES, Vault

MAGIC = b"FaceGate sealed backup\n"
CHUNK = 64 * 1024
_TAG_BYTES = 16
_FORMAT = 1
_LENGTH_BYTES = 4
_LARGEST_HEADER = 16 * 1024
_PURPOSE = "backup"
_WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + _TAG_BYTES
_SCHEMA = vol.Schema(
    {
        "format": _FORMAT,
        "key_id": vol.Match(rf"[0-9a-f]{{{2 * KEY_ID_BYTES}}}\Z"),
        "recovery": str,
        "wrapped": vol.Match(rf"[0-9a-f]{{{2 * _WRAPPED_BYTES}}}\Z"),
    },
    required=True,
)


class SealedWriter:
    """A file to write to, of which nothing lies open on the disk; ``close`` seals its end."""

    def __init__(self, file: BinaryIO, vault: Vault, recovery: bytes) -> None:
        """Begin a file; raises ``VaultError`` where the recovery does not give back this key."""
        if recovery_key_id(recovery) != vault.key_id:
            raise VaultError(
                "recovery.json does not give back the key of these records; write it again with:"
                " facegate key protect"
            )
        key = secrets.token_bytes(KEY_BYTES)
        header = {
            "format": _FORMAT,
            "key_id": vault.key_id,
            "recovery": recovery.decode(),
            "wrapped": vault.seal(key, _PURPOSE, vault.key_id).hex(),
        }
        self._bound_to = json.dumps(header).encode()
        self._sealer = AESGCM(key)
        self._file = file
        self._waiting = bytearray()
        self._number = 0
        file.write(MAGIC + len(self._bound_to).to_bytes(_LENGTH_BYTES, "big") + self._bound_to)

    def write(self, data: bytes) -> int:
        """Take what is to be sealed; return how many bytes that were."""
        self._waiting += data
        # A whole chunk waits until more comes: it may be the last.
        while len(self._waiting) > CHUNK:
            self._put(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]
        return len(data)

    def flush(self) -> None:
        """Do nothing, as zips ask for it: a chunk is sealed once it is whole."""

    def close(self) -> None:
        """Seal the last chunk; the file that is written to stays open."""
        self._put(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _put(self, plain: bytes, *, last: bool) -> None:
        nonce = _nonce(self._number, last=last)
        self._file.write(self._sealer.encrypt(nonce, plain, self._bound_to))
        self._number += 1


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A sealed file's header; ``begins`` is where its first chunk is."""

    path: Path
    key_id: str
    recovery: bytes = field(repr=False)
    wrapped: bytes = field(repr=False)
    bound_to: bytes = field(repr=False)
    begins: int

    def key(self, passphrase: str) -> bytes:
        """Return the site's key; raises ``VaultError`` for a wrong passphrase.

        Raises ``InvalidError`` for one that cannot be a passphrase. Takes a moment.
        """
        key = unwrap(self.recovery, passphrase, self.path.name)
        if Vault(key).key_id != self.key_id:
            raise InvalidError(f"{self.path.name}: its header was changed; use another backup")
        return key

    def chunks(self, vault: Vault) -> Iterator[bytes]:
        """Yield what was sealed; only after the last chunk is it known to be whole.

        Raises ``InvalidError`` where anything is not as it was written, and ``OSError``.
        """
        try:
            sealer = AESGCM(vault.unseal(self.wrapped, _PURPOSE, self.key_id))
        except VaultError as err:
            raise self._changed() from err
        with self.path.open("rb") as file:
            file.seek(self.begins)
            number, chunk = 0, file.read(CHUNK + _TAG_BYTES)
            while True:
                following = file.read(CHUNK + _TAG_BYTES)
                nonce = _nonce(number, last=not following)
                try:
                    yield sealer.decrypt(nonce, chunk, self.bound_to)
                except (InvalidTag, ValueError) as err:
                    raise self._changed() from err
                if not following:
                    return
                number, chunk = number + 1, following

    def _changed(self) -> InvalidError:
        return InvalidError(
            f"{self.path.name}: the backup was changed, cut or damaged; use another one"
        )


def sealed_file(path: Path) -> SealedFile | None:
    """Read a sealed file's header; None where it is no sealed file.

    Raises ``InvalidError`` for a header that cannot be read and ``RecordError`` for a file.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                return None
            length = int.from_bytes(file.read(_LENGTH_BYTES), "big")
            text = file.read(min(length, _LARGEST_HEADER))
            begins = file.tell()
    except OSError as err:
        raise RecordError(f"{path}: cannot be restored: {err.strerror}") from err
    if len(text) != length:
        raise InvalidError(f"{path.name}: the header is cut; use another backup")
    try:
        plain = json.loads(text)
        if isinstance(plain, dict) and isinstance(plain.get("format"), int):
            _refuse_newer(plain["format"])
        found = _SCHEMA(plain)
        recovery = found["recovery"].encode()
    except (ValueError, RecursionError, vol.Invalid) as err:
        raise InvalidError(f"{path.name}: the header cannot be read: {err}") from err
    wrapped = bytes.fromhex(found["wrapped"])
    return SealedFile(path, found["key_id"], recovery, wrapped, text, begins)


def _refuse_newer(found: int) -> None:
    if found > _FORMAT:
        raise InvalidError("the backup was made by a newer FaceGate; update this one first")


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(NONCE_BYTES - 1, "big") + bytes([last])
