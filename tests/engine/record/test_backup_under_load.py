"""A backup made while people pass is whole elsewhere, recognizes them, and forgets the erased."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
import shutil

import pytest

from facegate.protocol import AccessEvent
from facegate.record.audit import verify_database
from facegate.record.backup import backup
from facegate.record.recovery import protect
from facegate.record.restore import restore
from facegate.record.tombstones import TOMBSTONES_FILE
from facegate.record.vault import KEY_FILE, KEYS, Vault
from tests.engine.api.office import OTHER, PHOTO, SUBJECTS, ask, rows
from tests.engine.passage import A_LOOK, Passage, options, passage, residents_scene
from tests.engine.record.backups import DATABASE, PASSPHRASE, members
from tests.support import until

PASSAGES_A_SECOND = 20
_ACCESSES = "SELECT ref FROM events WHERE kind = 'access' ORDER BY seq"


def accesses(folder: Path) -> list[str]:
    return [ref for (ref,) in rows(folder / DATABASE, _ACCESSES)]


@asynccontextmanager
async def crowd(place: Passage) -> AsyncIterator[None]:
    """Have people go out by the exit button all the while, twenty a second."""
    going: set[asyncio.Task[object]] = set()

    async def walk() -> None:
        while True:
            going.add(asyncio.create_task(place.site.site.presenting.press_exit("front")))
            await asyncio.sleep(1 / PASSAGES_A_SECOND)

    walking = asyncio.create_task(walk())
    try:
        await until(lambda: len(accesses(place.site.data)) > PASSAGES_A_SECOND)
        yield
    finally:
        walking.cancel()
        results = await asyncio.gather(*going, return_exceptions=True)
    assert [result for result in results if isinstance(result, BaseException)] == []


async def test_a_backup_made_while_twenty_a_second_pass_is_whole_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, other = tmp_path / "data", tmp_path / "other"
    sealed, plain = tmp_path / "sealed", tmp_path / "plain.zip"
    async with passage(monkeypatch, data, options()) as place:
        await asyncio.to_thread(protect, data, PASSPHRASE)
        await place.enroll(["front"])
        gone = await place.site.enroll("Quenby Before", [PHOTO], ["front"])
        late = await place.site.enroll("Quenby After", [OTHER], ["front"])
        async with place.site.session() as desk:
            assert (await ask(desk, "DELETE", f"{SUBJECTS}/{gone}"))[0] == 200
            async with crowd(place):
                before = accesses(data)
                await backup(data, sealed)
                await backup(data, plain, plain=True)
                made = len(accesses(data))
                await until(lambda: len(accesses(data)) > made)
            assert (await ask(desk, "DELETE", f"{SUBJECTS}/{late}"))[0] == 200
        after = accesses(data)
    key = (data / KEYS / KEY_FILE).read_bytes().strip()
    vault = Vault.open(data / KEYS, None)
    for content in (sealed.read_bytes(), *members(plain).values()):
        assert [
            form for form in (key, vault._key, vault._key.hex().encode()) if form in content
        ] == []

    # On another machine there is no key; who was erased since is told by the tombstones.
    (other / KEYS).mkdir(parents=True, mode=0o700)
    shutil.copy(data / KEYS / TOMBSTONES_FILE, other / KEYS)
    restored = await restore(sealed, other, passphrase=PASSPHRASE)
    assert (restored.signature_checked, restored.key_written) == (True, True)
    kept = accesses(other)
    assert kept[: len(before)] == before
    assert kept == after[: len(kept)]
    assert len(before) <= len(kept) < len(after)
    found = await verify_database(other / DATABASE, Vault.open(other / KEYS, restored.key_id))
    assert (found.ok, found.signatures_checked) == (True, True)
    names = "SELECT name FROM subjects ORDER BY name"
    assert rows(other / DATABASE, names) == [("Ann",), ("Quenby After",)]

    async with passage(monkeypatch, other, options()) as place:
        assert rows(other / DATABASE, names) == [("Ann",)]
        await place.show(residents_scene()[:A_LOOK])
        event = await place.client.wait_for(AccessEvent)
        assert (event.granted, event.subject_name) == (True, "Ann")
    found = await verify_database(other / DATABASE, Vault.open(other / KEYS, restored.key_id))
    assert found.ok


async def test_a_plain_backup_made_while_twenty_a_second_pass_needs_the_recovery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, other, plain = tmp_path / "data", tmp_path / "other", tmp_path / "plain.zip"
    async with passage(monkeypatch, data, options()) as place, crowd(place):
        before = accesses(data)
        await backup(data, plain, plain=True)
    restored = await restore(plain, other)
    assert not restored.signature_checked
    assert not (other / KEYS).exists()
    assert accesses(other)[: len(before)] == before
    assert (await verify_database(other / DATABASE, None)).ok
