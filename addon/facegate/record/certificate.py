"""The certificate of an erasure: what was removed, when, and where the record tells of it.

It names nobody: who has the subject's id can tell from its digest that it is theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
import json
from typing import Any
import uuid

import voluptuous as vol

from facegate.errors import InvalidError
from facegate.record.chain import Head
from facegate.record.tombstones import digest
from facegate.record.vault import Vault

_PURPOSE = "certificate"
_FORMAT = 1
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Certificate:
    """An erasure, signed with the site's key.

    ``subject_digest`` is the SHA-256 of the subject's id, ``removed`` how many of each kind of
    thing went, sorted by kind. ``chain_seq`` and ``chain_hash`` are the event that records it.
    """

    id: str
    site_id: str
    at: datetime
    subject_digest: str
    removed: tuple[tuple[str, int], ...]
    chain_seq: int
    chain_hash: bytes
    signature: bytes


def issue(
    vault: Vault,
    *,
    site_id: str,
    at: datetime,
    subject_id: str,
    removed: Mapping[str, int],
    chain: Head,
) -> Certificate:
    """Return a signed certificate; ``chain`` is the event that records the erasure."""
    unsigned = Certificate(
        uuid.uuid4().hex,
        site_id,
        at.astimezone(UTC),
        digest(subject_id),
        tuple(sorted(removed.items())),
        chain.seq,
        chain.hash,
        b"",
    )
    return replace(unsigned, signature=vault.sign(_PURPOSE, _claim(unsigned)))


def is_genuine(certificate: Certificate, vault: Vault) -> bool:
    """Tell whether the site of this vault issued the certificate as it is."""
    return vault.verify(_PURPOSE, _claim(certificate), certificate.signature)


def to_json(certificate: Certificate) -> str:
    """Return the certificate as JSON, for the person and the files of the site."""
    return json.dumps(
        _plain(certificate) | {"signature": certificate.signature.hex()}, indent=2, sort_keys=True
    )


def from_json(text: str | bytes) -> Certificate:
    """Read a certificate; raises ``InvalidError`` where it is none. It may still be forged."""
    try:
        found = _SCHEMA(json.loads(text))
    except (ValueError, RecursionError, vol.Invalid) as err:
        raise InvalidError(f"not a certificate of erasure: {err}") from err
    return Certificate(
        found["id"],
        found["site_id"],
        found["at"],
        found["subject_digest"],
        tuple(sorted(found["removed"].items())),
        found["chain_seq"],
        bytes.fromhex(found["chain_hash"]),
        bytes.fromhex(found["signature"]),
    )


def _plain(certificate: Certificate) -> dict[str, str | int | dict[str, int]]:
    return {
        "format": _FORMAT,
        "id": certificate.id,
        "site_id": certificate.site_id,
        "at": certificate.at.isoformat(),
        "subject_digest": certificate.subject_digest,
        "removed": dict(certificate.removed),
        "chain_seq": certificate.chain_seq,
        "chain_hash": certificate.chain_hash.hex(),
    }


def _claim(certificate: Certificate) -> bytes:
    return json.dumps(_plain(certificate), sort_keys=True, separators=(",", ":")).encode()


def _hex(length: int) -> vol.Match:
    return vol.Match(rf"[0-9a-f]{{{2 * length}}}\Z")


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= _LARGEST:
        raise vol.Invalid("expected a whole number")
    return value


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as err:
        raise vol.Invalid("expected a moment such as 2026-01-31T08:00:00+00:00") from err
    if moment.tzinfo is None or moment.isoformat() != value:
        raise vol.Invalid("expected a moment such as 2026-01-31T08:00:00+00:00")
    return moment


_SCHEMA = vol.Schema(
    {
        "format": _FORMAT,
        "id": _hex(16),
        "site_id": str,
        "at": _moment,
        "subject_digest": _hex(32),
        "removed": {str: _count},
        "chain_seq": _count,
        "chain_hash": _hex(32),
        "signature": _hex(32),
    },
    required=True,
)
