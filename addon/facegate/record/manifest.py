"""What a backup says of itself, in the file ``manifest.json`` within it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
import json
from typing import Any

import voluptuous as vol

from facegate.errors import InvalidError
from facegate.record.vault import KEY_ID_BYTES, Vault

FORMAT = 1
_PURPOSE = "backup"
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a backup: its name, its size in bytes and its SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A backup: when it was made, by which FaceGate, of records with which key."""

    version: str
    at: datetime
    key_id: str | None
    members: tuple[Member, ...]


def write_manifest(manifest: Manifest, vault: Vault | None) -> str:
    """Return the manifest as JSON, signed where the key is at hand."""
    plain = _plain(manifest)
    signature = vault.sign(_PURPOSE, _claim(manifest)).hex() if vault else None
    return json.dumps(plain | {"signature": signature}, indent=2)


def read_manifest(text: bytes, vault: Vault | None) -> Manifest:
    """Read a manifest; raises ``InvalidError`` where it is none or the vault did not sign it."""
    try:
        plain = json.loads(text)
        if isinstance(plain, dict) and isinstance(plain.get("format"), int):
            _refuse_newer(plain["format"])
        found = _SCHEMA(plain)
    except (ValueError, RecursionError, vol.Invalid) as err:
        raise InvalidError(f"not a backup of FaceGate: its manifest cannot be read: {err}") from err
    manifest = Manifest(
        found["version"],
        found["at"],
        found["key_id"],
        tuple(
            Member(member["name"], member["size"], member["sha256"]) for member in found["members"]
        ),
    )
    signature = bytes.fromhex(found["signature"] or "")
    if vault is not None and not vault.verify(_PURPOSE, _claim(manifest), signature):
        raise InvalidError(
            "the backup is not signed with the key of this data folder: it was changed, is of"
            " another site, or was made while the key was missing. To restore it nevertheless,"
            " move keys/vault.key elsewhere first"
        )
    return manifest


def _refuse_newer(found: int) -> None:
    if found > FORMAT:
        raise InvalidError("the backup was made by a newer FaceGate; update this one first")


def _plain(manifest: Manifest) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": manifest.version,
        "at": manifest.at.isoformat(),
        "key_id": manifest.key_id,
        "members": [
            {"name": member.name, "size": member.size, "sha256": member.sha256}
            for member in manifest.members
        ],
    }


def _claim(manifest: Manifest) -> bytes:
    return json.dumps(_plain(manifest), sort_keys=True, separators=(",", ":")).encode()


def _hex(length: int) -> vol.Match:
    return vol.Match(rf"[0-9a-f]{{{2 * length}}}\Z")


def _size(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= _LARGEST:
        raise vol.Invalid("expected a number of bytes")
    return value


def _moment(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError) as err:
        raise vol.Invalid("expected a moment") from err


_SCHEMA = vol.Schema(
    {
        "format": FORMAT,
        "version": str,
        "at": _moment,
        "key_id": vol.Any(None, _hex(KEY_ID_BYTES)),
        "members": [
            vol.Schema({"name": str, "size": _size, "sha256": _hex(32)}, required=True),
        ],
        "signature": vol.Any(None, _hex(32)),
    },
    required=True,
)
