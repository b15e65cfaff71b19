"""Who was erased stays erased, whatever cuts the power and whichever backup is restored."""

from __future__ import annotations

import os
from pathlib import Path
import stat
from threading import Thread

import pytest

from facegate.errors import VaultError
from facegate.record.tombstones import TOMBSTONES_FILE, Tombstones, digest
from facegate.record.vault import KEYS, Vault


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    Vault.open(tmp_path / KEYS, None)
    return tmp_path / KEYS


def test_nobody_was_erased_at_first(keys: Path) -> None:
    assert not Tombstones(keys).covers("ann")
    assert not (keys / TOMBSTONES_FILE).exists()


def test_who_was_erased_stays_erased(keys: Path) -> None:
    tombstones = Tombstones(keys)
    tombstones.add("ann")
    tombstones.add("ben")
    for known in (tombstones, Tombstones(keys)):
        assert [known.covers(who) for who in ("ann", "ben", "cleo")] == [True, True, False]


def test_a_tombstone_names_nobody_and_is_for_the_engine_only(keys: Path) -> None:
    mask = os.umask(0)
    try:
        Tombstones(keys).add("ann unmistakable")
    finally:
        os.umask(mask)
    path = keys / TOMBSTONES_FILE
    assert path.read_text() == digest("ann unmistakable") + "\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_erasing_twice_is_noted_once(keys: Path) -> None:
    tombstones = Tombstones(keys)
    tombstones.add("ann")
    tombstones.add("ann")
    assert (keys / TOMBSTONES_FILE).read_text() == digest("ann") + "\n"


def test_a_last_line_cut_off_at_any_place_costs_only_itself(keys: Path) -> None:
    path = keys / TOMBSTONES_FILE
    whole = f"{digest('ann')}\n{digest('ben')}\n".encode()
    for length in range(65, len(whole)):
        path.write_bytes(whole[:length])
        tombstones = Tombstones(keys)
        assert tombstones.covers("ann")
        assert not tombstones.covers("ben")
        tombstones.add("cleo")
        assert path.read_text() == f"{digest('ann')}\n{digest('cleo')}\n"


def test_zeros_that_a_power_cut_left_are_taken_away(keys: Path) -> None:
    path = keys / TOMBSTONES_FILE
    path.write_bytes(f"{digest('ann')}\n".encode() + bytes(65))
    Tombstones(keys).add("ben")
    assert path.read_text() == f"{digest('ann')}\n{digest('ben')}\n"


@pytest.mark.parametrize("line", ["", "0" * 63, "0" * 65, "G" * 64, "\0" * 64])
def test_a_damaged_line_is_told_and_nothing_is_lost(keys: Path, line: str) -> None:
    path = keys / TOMBSTONES_FILE
    tombstones = Tombstones(keys)
    text = f"{digest('ann')}\n{line}\n{digest('ben')}\n"
    path.write_text(text)
    with pytest.raises(VaultError, match="damaged"):
        Tombstones(keys)
    with pytest.raises(VaultError, match="damaged"):
        tombstones.add("cleo")
    assert path.read_text() == text
    assert not tombstones.covers("cleo")


def test_what_cannot_be_noted_is_told(keys: Path) -> None:
    tombstones = Tombstones(keys)
    (keys / TOMBSTONES_FILE).mkdir()
    with pytest.raises(VaultError, match="cannot be noted"):
        tombstones.add("ann")
    assert not tombstones.covers("ann")
    with pytest.raises(VaultError, match="cannot be noted"):
        Tombstones(keys)


def test_erasures_at_the_same_time_are_all_noted(keys: Path) -> None:
    people = [f"subject {number}" for number in range(12)]
    tombstones = Tombstones(keys)
    threads = [Thread(target=tombstones.add, args=(who,)) for who in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for known in (tombstones, Tombstones(keys)):
        assert all(known.covers(who) for who in people)
