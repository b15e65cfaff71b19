"""A certificate of erasure proves what it says, names nobody, and cannot be made by others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
import hashlib
import json

import pytest

from facegate.errors import InvalidError
from facegate.record.certificate import Certificate, from_json, is_genuine, issue, to_json
from facegate.record.chain import Head
from facegate.record.vault import Vault

NOON = datetime(2026, 11, 1, 12, 0, 0, 5, tzinfo=UTC)
VAULT = Vault(bytes(32))


@pytest.fixture
def certificate() -> Certificate:
    return issue(
        VAULT,
        site_id="site",
        at=NOON.astimezone(timezone(timedelta(hours=1))),
        subject_id="ann unmistakable",
        removed={"templates": 3, "permits": 2, "pictures": 0},
        chain=Head(7, b"\7" * 32),
    )


def test_a_certificate_says_what_was_removed_and_where_it_is_recorded(
    certificate: Certificate,
) -> None:
    assert is_genuine(certificate, VAULT)
    assert certificate.at == NOON
    assert certificate.removed == (("permits", 2), ("pictures", 0), ("templates", 3))
    assert (certificate.chain_seq, certificate.chain_hash) == (7, b"\7" * 32)
    assert certificate.subject_digest == hashlib.sha256(b"ann unmistakable").hexdigest()


def test_a_certificate_comes_back_from_its_text_and_names_nobody(certificate: Certificate) -> None:
    text = to_json(certificate)
    assert from_json(text) == certificate
    assert from_json(text.encode()) == certificate
    assert is_genuine(from_json(text), VAULT)
    assert "unmistakable" not in text


def test_only_the_site_that_erased_can_have_issued_it(certificate: Certificate) -> None:
    assert not is_genuine(certificate, Vault(b"\1" * 32))


def test_no_two_certificates_are_the_same(certificate: Certificate) -> None:
    other = issue(
        VAULT,
        site_id="site",
        at=NOON,
        subject_id="ann unmistakable",
        removed=dict(certificate.removed),
        chain=Head(7, b"\7" * 32),
    )
    assert other.id != certificate.id


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "0" * 32),
        ("site_id", "other"),
        ("at", "2026-11-01T12:00:00.000006+00:00"),
        ("at", "2026-11-01T13:00:00.000005+01:00"),
        ("subject_digest", "0" * 64),
        ("removed", {"templates": 3, "permits": 2}),
        ("removed", {"templates": 4, "permits": 2, "pictures": 0}),
        ("chain_seq", 8),
        ("chain_hash", "08" * 32),
        ("signature", "00" * 32),
    ],
)
def test_a_changed_certificate_is_not_genuine(
    certificate: Certificate, field: str, value: object
) -> None:
    changed = from_json(json.dumps(json.loads(to_json(certificate)) | {field: value}))
    assert not is_genuine(changed, VAULT)


def test_a_certificate_without_a_signature_is_not_genuine(certificate: Certificate) -> None:
    assert not is_genuine(replace(certificate, signature=b""), VAULT)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", 2),
        ("id", "x"),
        ("site_id", 1),
        ("at", "yesterday"),
        ("at", "2026-11-01T12:00:00"),
        ("at", "2026-11-01 12:00:00+00:00"),
        ("at", 5),
        ("subject_digest", "0" * 63),
        ("removed", {"templates": -1}),
        ("removed", {"templates": True}),
        ("removed", {"templates": 1.0}),
        ("removed", []),
        ("chain_seq", 2**63),
        ("chain_seq", "7"),
        ("chain_hash", "G" * 64),
        ("signature", ""),
        ("signature", "00" * 32 + "\n"),
        ("name", "Ann"),
    ],
)
def test_what_is_no_certificate_is_refused(
    certificate: Certificate, field: str, value: object
) -> None:
    text = json.dumps(json.loads(to_json(certificate)) | {field: value})
    with pytest.raises(InvalidError, match="not a certificate"):
        from_json(text)


def test_a_certificate_with_a_part_missing_is_refused(certificate: Certificate) -> None:
    whole = json.loads(to_json(certificate))
    for field in whole:
        part = {key: value for key, value in whole.items() if key != field}
        with pytest.raises(InvalidError, match=field):
            from_json(json.dumps(part))


@pytest.mark.parametrize("text", ["", "[]", "null", b"\xff", "[" * 100_000])
def test_what_is_not_even_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(InvalidError, match="not a certificate"):
        from_json(text)
