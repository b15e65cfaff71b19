"""The recovery of a site's key: the key wrapped under a passphrase, in a file for backups."""

from __future__ import annotations

from dataclasses import dataclass
import json
import os
from pathlib import Path
import secrets
import unicodedata

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
import voluptuous as vol

from facegate.errors import InvalidError, VaultError
from facegate.record import durable
from facegate.record.vault import (
    KEY_BYTES,
    KEY_FILE,
    KEY_ID_BYTES,
    KEYS,
    NONCE_BYTES,
    Vault,
    decode_key,
    encode_key,
    read_key,
)

RECOVERY_FILE = "recovery.json"
RECOVERY_FORMAT = 1
SHORTEST_PASSPHRASE = 12
# RFC 9106's second recommendation, for machines with little memory.
_TIME_COST, _MEMORY_KIB, _PARALLELISM, _SALT_BYTES = 3, 64 * 1024, 4, 16


def _hex(length: int) -> vol.Match:
    return vol.Match(rf"[0-9a-f]{{{2 * length}}}\Z")


def _whole(low: int, high: int) -> vol.All:
    return vol.All(vol.Any(int), vol.Range(low, high))


# A changed file must not cost the machine its memory.
_RECOVERY = vol.Schema(
    {
        "format": RECOVERY_FORMAT,
        "key_id": _hex(KEY_ID_BYTES),
        "kdf": "argon2id",
        "time_cost": _whole(1, 10),
        "memory_kib": _whole(8 * 1024, 1024 * 1024),
        "parallelism": _whole(1, 16),
        "salt": _hex(_SALT_BYTES),
        "nonce": _hex(NONCE_BYTES),
        "wrapped": _hex(KEY_BYTES + 16),
    },
    required=True,
)


def protect(data: Path, passphrase: str) -> None:
    """Write ``<data>/recovery.json``, from which the passphrase gives the key back.

    It goes into backups: the passphrase is all that keeps its finder from the key. Raises
    ``InvalidError`` for a passphrase under 12 characters and ``VaultError``. Takes a moment.
    """
    key = read_key(data / KEYS / KEY_FILE)
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    header: dict[str, str | int] = {
        "format": RECOVERY_FORMAT,
        "key_id": Vault(key).key_id,
        "kdf": "argon2id",
        "time_cost": _TIME_COST,
        "memory_kib": _MEMORY_KIB,
        "parallelism": _PARALLELISM,
        "salt": salt.hex(),
        "nonce": nonce.hex(),
    }
    wrapper = _wrapper(passphrase, salt, _TIME_COST, _MEMORY_KIB, _PARALLELISM)
    wrapped = wrapper.encrypt(nonce, key, _canonical(header))
    text = json.dumps(header | {"wrapped": wrapped.hex()}, indent=2) + "\n"
    try:
        durable.replace(data / RECOVERY_FILE, text.encode())
    except OSError as err:
        raise VaultError(f"{data / RECOVERY_FILE}: cannot be written: {err.strerror}") from err


def recover(data: Path, passphrase: str) -> None:
    """Write the key file again from ``<data>/recovery.json``.

    Raises ``InvalidError`` for a passphrase that cannot be one, and ``VaultError`` where it is the
    wrong one, where there is nothing to recover from, and where another key is in the way.
    """
    path = data / RECOVERY_FILE
    try:
        text = path.read_bytes()
    except OSError as err:
        raise VaultError(
            f"{path}: cannot be read: {err.strerror}; put it back from a backup. Without it or the"
            " key file nobody can open what was sealed: start with new records"
        ) from err
    put_key(data, unwrap(text, passphrase, str(path)))


def put_key(data: Path, key: bytes) -> None:
    """Write a key that was recovered; raises ``VaultError`` where another one is in the way."""
    path = data / KEYS / KEY_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.parent.chmod(0o700)
        present = decode_key(path.read_bytes()) if os.path.lexists(path) else None
        if present is not None and present != key:
            raise VaultError(
                f"{path}: another key is there; if nothing was sealed with it, as after a new"
                " installation, move it elsewhere and recover again"
            )
        durable.replace(path, encode_key(key))
    except OSError as err:
        raise VaultError(f"{path}: cannot be written: {err.strerror}") from err


def recovery_key_id(text: bytes) -> str | None:
    """Return which key a recovery file gives back, or None where it is none."""
    found = _parse(text)
    return found.key_id if found else None


def unwrap(text: bytes, passphrase: str, name: str) -> bytes:
    """Return the key that a recovery file's text gives back; ``name`` is what errors call it.

    Raises as ``recover``. Takes a moment.
    """
    found = _parse(text)
    if found is None:
        raise VaultError(f"{name}: damaged, or of a newer FaceGate; put it back from a backup")
    wrapper = _wrapper(passphrase, found.salt, found.time_cost, found.memory_kib, found.parallelism)
    try:
        return wrapper.decrypt(found.nonce, found.wrapped, found.header)
    except InvalidTag as err:
        raise VaultError(f"{name}: the passphrase is wrong, or the file was changed") from err


@dataclass(frozen=True, slots=True)
class _Recovery:
    """A recovery file, its numbers within bounds; ``header`` is what the wrapping is bound to."""

    key_id: str
    time_cost: int
    memory_kib: int
    parallelism: int
    salt: bytes
    nonce: bytes
    wrapped: bytes
    header: bytes


def _parse(text: bytes) -> _Recovery | None:
    try:
        found = _RECOVERY(json.loads(text))
    except (ValueError, RecursionError, vol.Invalid):
        return None
    header = {key: value for key, value in found.items() if key != "wrapped"}
    return _Recovery(
        found["key_id"],
        found["time_cost"],
        found["memory_kib"],
        found["parallelism"],
        bytes.fromhex(found["salt"]),
        bytes.fromhex(found["nonce"]),
        bytes.fromhex(found["wrapped"]),
        _canonical(header),
    )


def _wrapper(
    passphrase: str, salt: bytes, time_cost: int, memory_kib: int, parallelism: int
) -> AESGCM:
    # Keyboards differ in how they compose a letter; the passphrase is the same.
    composed = unicodedata.normalize("NFKC", passphrase)
    if len(composed) < SHORTEST_PASSPHRASE:
        raise InvalidError(f"a recovery passphrase has at least {SHORTEST_PASSPHRASE} characters")
    try:
        secret = composed.encode()
    except UnicodeEncodeError as err:
        raise InvalidError("the passphrase is not text") from err
    return AESGCM(
        hash_secret_raw(
            secret,
            salt,
            time_cost=time_cost,
            memory_cost=memory_kib,
            parallelism=parallelism,
            hash_len=KEY_BYTES,
            type=Type.ID,
        )
    )


def _canonical(header: dict[str, str | int]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
