"""What is sealed opens only where it belongs, with the key of the site and no other."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
import stat

import pytest

from facegate.errors import InvalidError, VaultError
from facegate.protocol import ErrorCode
from facegate.record.recovery import RECOVERY_FILE, protect, recover, recovery_key_id
from facegate.record.vault import KEY_FILE, KEYS, Vault

PASSPHRASE = "correct horse battery"
TEMPLATE = bytes(range(256)) * 2


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / KEYS


def rights(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


# --- sealing ----------------------------------------------------------------------------------


def test_sealed_data_opens_with_the_same_key_and_binding(keys: Path) -> None:
    sealed = Vault.open(keys, None).seal(TEMPLATE, "ann", "sface", "t1")
    assert Vault.open(keys, None).unseal(sealed, "ann", "sface", "t1") == TEMPLATE


def test_sealing_twice_gives_nothing_in_common() -> None:
    vault = Vault(bytes(32))
    one, two = vault.seal(TEMPLATE, "ann"), vault.seal(TEMPLATE, "ann")
    assert one[:12] != two[:12]
    assert one[12:] != two[12:]
    assert TEMPLATE[:16] not in one
    assert len(one) == 12 + len(TEMPLATE) + 16


@pytest.mark.parametrize(
    "other",
    [
        ("ben", "sface", "t1"),
        ("ann", "other", "t1"),
        ("ann", "sface", "t2"),
        ("ann", "sface"),
        ("ann", "sface", "t1", ""),
        ("annsface", "", "t1"),
        ("an", "nsface", "t1"),
        (),
    ],
)
def test_sealed_data_moved_to_another_row_does_not_open(other: tuple[str, ...]) -> None:
    vault = Vault(bytes(32))
    sealed = vault.seal(TEMPLATE, "ann", "sface", "t1")
    with pytest.raises(VaultError, match="moved to another record"):
        vault.unseal(sealed, *other)


def test_no_changed_bit_and_no_cut_goes_unseen() -> None:
    vault = Vault(bytes(32))
    sealed = vault.seal(b"template", "ann")
    changed = [flipped(sealed, bit) for bit in range(len(sealed) * 8)]
    changed += [sealed[:length] for length in range(len(sealed))]
    changed += [sealed + b"\0", sealed[1:]]
    for data in changed:
        with pytest.raises(VaultError):
            vault.unseal(data, "ann")


def test_another_site_opens_nothing() -> None:
    sealed = Vault(bytes(32)).seal(TEMPLATE, "ann")
    with pytest.raises(VaultError, match="sealed with another key"):
        Vault(b"\1" * 32).unseal(sealed, "ann")


def test_a_signature_holds_for_its_data_its_purpose_and_its_site_only() -> None:
    vault = Vault(bytes(32))
    signature = vault.sign("audit", b"head")
    assert vault.verify("audit", b"head", signature)
    assert not vault.verify("audit", b"heads", signature)
    assert not vault.verify("pass", b"head", signature)
    assert not Vault(b"\1" * 32).verify("audit", b"head", signature)
    assert not vault.verify("audit", b"head", signature[:-1])
    assert not vault.verify("audit", b"head", b"")
    changed = [flipped(signature, bit) for bit in range(len(signature) * 8)]
    assert not any(vault.verify("audit", b"head", other) for other in changed)


# --- the key's file ---------------------------------------------------------------------------


def test_a_new_site_gets_its_own_key_which_only_its_owner_can_read(tmp_path: Path) -> None:
    # Whatever the caller's mask, nobody else gets in.
    mask = os.umask(0)
    try:
        one = Vault.open(tmp_path / "one" / KEYS, None)
    finally:
        os.umask(mask)
    two = Vault.open(tmp_path / "two" / KEYS, None)
    assert one.key_id != two.key_id
    folder = tmp_path / "one" / KEYS
    assert (rights(folder), rights(folder / KEY_FILE)) == ("0o700", "0o600")
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]
    assert len(base64.b64decode((folder / KEY_FILE).read_bytes())) == 32


def test_the_name_of_a_key_tells_nothing_of_it(keys: Path) -> None:
    vault = Vault.open(keys, None)
    key = base64.b64decode((keys / KEY_FILE).read_bytes())
    assert len(vault.key_id) == 32
    assert vault.key_id not in key.hex()
    assert key.hex() not in repr(vault)


def test_a_key_that_is_there_is_kept(keys: Path) -> None:
    made = Vault.open(keys, None)
    assert Vault.open(keys, made.key_id).key_id == made.key_id
    assert Vault.open(keys, None).key_id == made.key_id


def test_no_key_is_made_for_records_that_have_one(keys: Path) -> None:
    known = Vault.open(keys, None).key_id
    (keys / KEY_FILE).unlink()
    with pytest.raises(VaultError, match=r"missing.*facegate key recover") as caught:
        Vault.open(keys, known)
    assert caught.value.code is ErrorCode.VAULT_UNAVAILABLE
    assert list(keys.iterdir()) == []


def test_another_key_than_that_of_the_records_is_refused(keys: Path) -> None:
    with pytest.raises(VaultError, match=r"another key.*facegate key recover"):
        Vault.open(keys, Vault.open(keys, None).key_id[::-1])


@pytest.mark.parametrize("text", [b"", b"c2hvcnQ=\n", b"not base64!\n", b"\xff" * 44, b"A" * 500])
def test_a_damaged_key_is_refused_and_left_as_it_is(keys: Path, text: bytes) -> None:
    Vault.open(keys, None)
    (keys / KEY_FILE).write_bytes(text)
    for expected in (None, "0" * 32):
        with pytest.raises(VaultError, match=r"no key.*facegate key recover"):
            Vault.open(keys, expected)
    assert (keys / KEY_FILE).read_bytes() == text


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610])
def test_a_key_that_others_can_open_is_refused(keys: Path, mode: int) -> None:
    Vault.open(keys, None)
    (keys / KEY_FILE).chmod(mode)
    with pytest.raises(VaultError, match=r"chmod 600 .*vault\.key"):
        Vault.open(keys, None)


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o777])
def test_a_folder_of_keys_that_others_can_open_is_refused(keys: Path, mode: int) -> None:
    Vault.open(keys, None)
    keys.chmod(mode)
    with pytest.raises(VaultError, match=r"chmod 700 .*keys"):
        Vault.open(keys, None)


def test_a_key_behind_a_link_or_in_no_file_is_refused(keys: Path, tmp_path: Path) -> None:
    Vault.open(keys, None)
    (keys / KEY_FILE).rename(tmp_path / "elsewhere")
    (keys / KEY_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(VaultError, match="cannot be read"):
        Vault.open(keys, None)
    (keys / KEY_FILE).unlink()
    (keys / KEY_FILE).mkdir(mode=0o700)
    with pytest.raises(VaultError, match="cannot be read"):
        Vault.open(keys, None)


def test_keys_that_cannot_be_kept_are_told(keys: Path) -> None:
    keys.write_text("in the way")
    with pytest.raises(VaultError, match="cannot be kept there"):
        Vault.open(keys, None)


# --- recovery ---------------------------------------------------------------------------------


def test_a_lost_key_comes_back_from_its_passphrase(tmp_path: Path, keys: Path) -> None:
    vault = Vault.open(keys, None)
    sealed = vault.seal(TEMPLATE, "ann")
    protect(tmp_path, PASSPHRASE)
    text = (tmp_path / RECOVERY_FILE).read_bytes()
    assert recovery_key_id(text) == vault.key_id
    assert rights(tmp_path / RECOVERY_FILE) == "0o600"
    key = base64.b64decode((keys / KEY_FILE).read_bytes())
    assert key.hex().encode() not in text
    assert PASSPHRASE.encode() not in text
    (keys / KEY_FILE).unlink()
    keys.rmdir()
    recover(tmp_path, PASSPHRASE)
    assert Vault.open(keys, vault.key_id).unseal(sealed, "ann") == TEMPLATE
    assert (rights(keys), rights(keys / KEY_FILE)) == ("0o700", "0o600")


def test_only_the_passphrase_gives_the_key_back(tmp_path: Path, keys: Path) -> None:
    Vault.open(keys, None)
    protect(tmp_path, PASSPHRASE)
    (keys / KEY_FILE).unlink()
    with pytest.raises(VaultError, match="passphrase is wrong"):
        recover(tmp_path, PASSPHRASE + " ")
    assert list(keys.iterdir()) == []


def test_a_new_passphrase_replaces_the_old_one(tmp_path: Path, keys: Path) -> None:
    known = Vault.open(keys, None).key_id
    protect(tmp_path, PASSPHRASE)
    protect(tmp_path, "another long phrase")
    (keys / KEY_FILE).unlink()
    with pytest.raises(VaultError):
        recover(tmp_path, PASSPHRASE)
    recover(tmp_path, "another long phrase")
    assert Vault.open(keys, known).key_id == known


def test_one_passphrase_however_its_letters_are_composed(tmp_path: Path, keys: Path) -> None:
    known = Vault.open(keys, None).key_id
    protect(tmp_path, "sch\u00f6ne gr\u00fc\u00dfe")
    (keys / KEY_FILE).unlink()
    recover(tmp_path, "scho\u0308ne gru\u0308\u00dfe")
    assert Vault.open(keys, known).key_id == known


@pytest.mark.parametrize("passphrase", ["", "eleven char", "\udcff" * 12])
def test_a_passphrase_that_is_too_short_or_no_text_is_refused(
    tmp_path: Path, keys: Path, passphrase: str
) -> None:
    Vault.open(keys, None)
    with pytest.raises(InvalidError):
        protect(tmp_path, passphrase)
    assert not (tmp_path / RECOVERY_FILE).exists()


def test_another_key_is_not_overwritten(tmp_path: Path, keys: Path) -> None:
    Vault.open(keys, None)
    protect(tmp_path, PASSPHRASE)
    (keys / KEY_FILE).unlink()
    other = Vault.open(keys, None)
    with pytest.raises(VaultError, match="another key is there"):
        recover(tmp_path, PASSPHRASE)
    assert Vault.open(keys, other.key_id).key_id == other.key_id


@pytest.mark.parametrize("text", [b"torn", b"\xff\xfe"])
def test_a_damaged_key_is_recovered(tmp_path: Path, keys: Path, text: bytes) -> None:
    known = Vault.open(keys, None).key_id
    protect(tmp_path, PASSPHRASE)
    (keys / KEY_FILE).write_bytes(text)
    keys.chmod(0o755)
    recover(tmp_path, PASSPHRASE)
    recover(tmp_path, PASSPHRASE)
    assert Vault.open(keys, known).key_id == known


def test_without_key_or_recovery_the_operator_is_told_what_is_lost(
    tmp_path: Path, keys: Path
) -> None:
    with pytest.raises(VaultError, match=r"recovery\.json: cannot be read.*start with new records"):
        recover(tmp_path, PASSPHRASE)
    with pytest.raises(VaultError, match="missing"):
        protect(tmp_path, PASSPHRASE)
    assert not keys.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", 2),
        ("kdf", "none"),
        ("key_id", "0" * 31),
        ("time_cost", 10_000),
        ("time_cost", 0),
        ("memory_kib", 1 << 30),
        ("memory_kib", 8),
        ("parallelism", 1.5),
        ("salt", "zz" * 16),
        ("nonce", ""),
        ("wrapped", "00" * 47),
        ("extra", 1),
    ],
)
def test_a_recovery_file_out_of_bounds_is_refused_before_it_costs_anything(
    tmp_path: Path, keys: Path, field: str, value: object
) -> None:
    Vault.open(keys, None)
    protect(tmp_path, PASSPHRASE)
    (keys / KEY_FILE).unlink()
    path = tmp_path / RECOVERY_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    with pytest.raises(VaultError, match="damaged, or of a newer FaceGate"):
        recover(tmp_path, PASSPHRASE)
    assert recovery_key_id(path.read_bytes()) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("key_id", "0" * 32), ("time_cost", 4), ("salt", "00" * 16), ("wrapped", "00" * 48)],
)
def test_a_changed_recovery_file_gives_no_key(
    tmp_path: Path, keys: Path, field: str, value: object
) -> None:
    Vault.open(keys, None)
    protect(tmp_path, PASSPHRASE)
    (keys / KEY_FILE).unlink()
    path = tmp_path / RECOVERY_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    with pytest.raises(VaultError, match="the file was changed"):
        recover(tmp_path, PASSPHRASE)
    assert list(keys.iterdir()) == []


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b"[" * 100_000, b"null"])
def test_what_is_no_recovery_file_is_told(tmp_path: Path, text: bytes) -> None:
    (tmp_path / RECOVERY_FILE).write_bytes(text)
    with pytest.raises(VaultError, match="damaged"):
        recover(tmp_path, PASSPHRASE)
