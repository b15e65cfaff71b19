"""After a day of use no secret lies open on a disk, and who is erased is gone from all of it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable
from datetime import timedelta
import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import aiohttp
from homeassistant.components.recorder.core import Recorder
from homeassistant.config_entries import ConfigEntries
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import restore_state
from homeassistant.helpers.json import json_bytes
from homeassistant.util import dt as dt_util
import numpy as np
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (  # type: ignore[import-untyped]
    async_wait_recording_done,
)

from custom_components.facegate.const import DOMAIN
from facegate.record.backup import backup
from facegate.record.certificate import from_json, is_genuine
from facegate.record.restore import restore
from facegate.record.tombstones import digest
from facegate.record.vault import KEYS, Vault
from tests.engine.clips import png, resident_photos
from tests.engine.face.real import astronaut, hopper
from tests.engine.passage import A_LOOK, A_WAIT
from tests.stories.conftest import OpenPlace
from tests.stories.place import Place, face, front

PASSWORD = "w1nter-Camera"
PIN, DURESS, WRONG = "81726354", "45362718", "99112277"
CARD, OTHER_CARD = "04:C7:5E:D1:88", "04:0B:EE:F0:12"
# Half a secret is one too many: of vectors and pictures any such part is looked for.
PART, MOST_PARTS = 16, 40
NAME, EXTERNAL, GUARDIAN, NOTIFY = "Quenby Erasable", "EXT-77120", "Guardia Known", "mobile_q"

pytestmark = pytest.mark.parametrize("persistent_database", [True])

type Files = dict[str, bytes]


def files_of(*folders: Path) -> Files:
    """Return the content of every file, of those in zips too; the models are nobody's secret."""
    found: Files = {}
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and "models" not in path.relative_to(folder).parts:
                found[str(path.relative_to(folder))] = path.read_bytes()
                if path.suffix == ".zip":
                    with ZipFile(path) as archive:
                        for name in archive.namelist():
                            found[f"{path.name}/{name}"] = archive.read(name)
    return found


def holding(files: Files, secret: bytes) -> list[str]:
    """Return the files that hold a secret as it is, in hexadecimal, in base64 or as UTF-16."""
    text = secret.decode("latin-1")
    forms = (secret, secret.hex().encode(), secret.hex().upper().encode(), text.encode("utf-16le"))
    inner = base64.b64encode(secret)[: len(secret) // 3 * 4]
    return [name for name, data in files.items() if any(f in data for f in (*forms, inner))]


def parts(secret: bytes) -> list[bytes]:
    """Return whole parts of a long secret, spread over it; a copy of it has them all."""
    places = range(0, len(secret) - PART + 1, PART)
    every = max(1, len(places) // MOST_PARTS)
    return [secret[start : start + PART] for start in places[::every]]


def holding_part(files: Files, secrets: Iterable[bytes]) -> list[str]:
    """Return the files that hold any part of long secrets."""
    wanted = {part for secret in secrets for part in parts(secret) if len(set(part)) > PART // 2}
    assert wanted
    return [name for name, data in files.items() if any(part in data for part in wanted)]


def store_of(hass: HomeAssistant, folder: Path) -> None:
    """Write what Home Assistant keeps in its storage; its test core keeps that in memory."""
    kept: dict[str, Any] = {
        "core.entity_registry": er.async_get(hass)._data_to_save(),
        "core.device_registry": dr.async_get(hass)._data_to_save(),
        "core.restore_state": [
            state.as_dict() for state in restore_state.async_get(hass).async_get_stored_states()
        ],
        "core.config_entries": _entries(hass.config_entries),
    }
    folder.mkdir(exist_ok=True)
    for name, data in kept.items():
        (folder / name).write_bytes(json_bytes(data))


def _entries(entries: ConfigEntries) -> list[dict[str, Any]]:
    return [dict(entry.as_dict()) for entry in entries.async_entries(DOMAIN)]


async def at_rest(place: Place, recorder: Path) -> Files:
    """Return all that is on disks, once all is written."""
    hass = place.home.hass
    await place.engine.site.bulletin.finish()
    await async_wait_recording_done(hass)
    store_of(hass, place.data.parent / "home" / ".storage")
    return await asyncio.to_thread(
        files_of, place.data, place.data.parent / "home", place.data.parent / "backups", recorder
    )


async def test_no_secret_lies_open_and_an_erased_person_is_gone(
    recorder_mock: Recorder, recorder_db_url: str, place_at: OpenPlace
) -> None:
    assert recorder_mock.db_url == recorder_db_url
    recorder = Path(recorder_db_url.removeprefix("sqlite:///")).parent
    options = front(area="hall", temperature_max_age_seconds=60)
    options["areas"] = [{"id": "hall", "name": "Hall"}]
    options["cameras"].append({"id": "yard", "url": f"rtsp://guard:{PASSWORD}@127.0.0.1:9/live"})
    async with place_at(options) as place:
        saved = place.data.parent / "backups"
        saved.mkdir()
        who, secrets, pictures = await day_of_use(place)
        templates = [
            np.asarray(template.embedding, "<f4").tobytes()
            for person in place.engine.site.rounds._roster.people
            for template in person.templates
        ]
        assert len(templates) >= 3
        await backup(place.data, saved / "before.zip", plain=True)
        files = await at_rest(place, recorder)

        # What is looked for would be found: names are in the records, and say so.
        assert {"facegate.db", "before.zip/facegate.db"} <= set(holding(files, NAME.encode()))
        assert {"pytest.db", "core.config_entries"} <= {Path(name).name for name in files}
        assert "facegate.db-wal" in files
        for secret in secrets:
            assert holding(files, secret.encode()) == []
        assert holding_part(files, templates) == []
        assert holding_part(files, pictures) == []
        # The engine's own file (mode 0600), and where Home Assistant keeps every credential.
        token = place.engine.token
        assert {Path(name).name for name in holding(files, token.encode())} == {
            "token",
            "core.config_entries",
        }
        assert (place.data / "token").stat().st_mode & 0o077 == 0

        await erased(place, who, recorder, saved)
    await gone_after_restore(place, who, saved / "before.zip")


async def day_of_use(place: Place) -> tuple[dict[str, Any], list[str], list[bytes]]:
    """Use everything for a day; return somebody, secrets, and pictures that were shown."""
    act = place.home.act
    who = await place.add(
        NAME,
        external_id=EXTERNAL,
        guardians=[{"name": GUARDIAN, "notify": NOTIFY}],
        kind="pupil",
        birth_date="2017-03-02",
    )
    await place.enroll(who["id"], guardian=GUARDIAN)
    await act("add_credential", subject_id=who["id"], kind="pin", pin=PIN, duress_pin=DURESS)
    await act("add_credential", subject_id=who["id"], kind="card", card_number=CARD)
    ben = await place.add("Ben", kind="staff")
    await act("record_consent", subject_id=ben["id"], text_version="1", purpose="access",
              language="en", signer="Ben")  # fmt: skip
    other = place.file("ben.png", png(astronaut()))
    await act("enroll_photo", subject_id=ben["id"], photo_path=str(other))
    made_pin = (await act("add_credential", subject_id=ben["id"], kind="pin"))["pin"]
    end = (dt_util.utcnow() + timedelta(days=2)).isoformat()
    visit = await act("create_pass", name="Dan", doors=["front"], valid_until=end, max_uses=9)
    pictures = [await ring(place)]

    for hour in range(4):
        await place.later(hours=6)
        await act("report_temperature", door="front", celsius=36.5 + hour / 10)
        document = place.file("document.png", resident_photos()[0])
        await act("present_document", door="front", photo_path=str(document))
        await place.show(face()[:A_LOOK])
        await place.present(number=who["number"], pin=PIN, direction="exit")
        await place.present(number=who["number"], pin=DURESS)
        await place.present(number=who["number"], pin=WRONG)
        await place.present(card_number=CARD)
        await place.present(card_number=OTHER_CARD)
        await place.present(number=ben["number"], pin=made_pin)
        await place.present(code=visit["code"])
        await place.present(number=visit["pass"]["number"], pin=visit["pin"])
    pictures.append(await ring(place, unknown=True))
    pictures += [resident_photos()[0], png(astronaut())]
    secrets = [
        PIN,
        DURESS,
        WRONG,
        CARD,
        OTHER_CARD,
        made_pin,
        visit["code"],
        visit["pin"],
        PASSWORD,
    ]
    return who, secrets, pictures


async def ring(place: Place, *, unknown: bool = False) -> bytes:
    """Let somebody ring whom nobody knows; return the picture that users see."""
    if unknown:
        place.nobody(5)
    stranger = [hopper()] * A_WAIT
    await place.show(stranger)
    rang = (await place.decision("visitor"))["call_id"]
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {place.engine.token}"}) as session,
        session.get(
            f"http://127.0.0.1:{place.engine.port}/api/v1/calls/{rang}/picture"
        ) as response,
    ):
        assert response.status == 200
        return await response.read()


async def erased(place: Place, who: dict[str, Any], recorder: Path, saved: Path) -> None:
    """Erase somebody by the integration's action; hold that no trace but the allowed stays."""
    certificate = await place.home.act("erase_person", subject_id=who["id"])
    vault = Vault.open(place.data / KEYS, None)
    read = from_json(json.dumps(certificate))
    assert is_genuine(read, vault)
    assert read.subject_digest == digest(who["id"])
    await backup(place.data, saved / "after.zip", plain=True)
    files = await at_rest(place, recorder)
    # The backup of before the erasure is what it is; tombstones keep it from bringing them back.
    kept = {"before.zip"}
    files = {name: data for name, data in files.items() if not kept & set(Path(name).parts)}
    for trace in (NAME, EXTERNAL, GUARDIAN, NOTIFY):
        assert holding(files, trace.encode()) == []
    assert digest(who["id"]).encode() in files["keys/tombstones"]
    # Events go on naming a random id, which by itself names nobody.
    named = {Path(name).name for name in holding(files, who["id"].encode())}
    assert named <= {"facegate.db", "facegate.db-wal"}


async def gone_after_restore(place: Place, who: dict[str, Any], source: Path) -> None:
    """Bring back the backup of before the erasure: it does not bring back the person."""
    await restore(source, place.data, replace=True)
    await place.engine.start()
    try:
        people = place.engine.site.rounds._roster.people
        assert [person.subject.name for person in people] == ["Ben"]
        files = await asyncio.to_thread(files_of, place.data)
        for trace in (NAME, EXTERNAL, GUARDIAN, NOTIFY):
            assert holding(files, trace.encode()) == []
        assert "erased_again" in [
            json.loads(row["body"])["what"] for row in await place.record("erasure")
        ]
    finally:
        await place.engine.stop()
    assert who["id"] not in {person.subject.id for person in people}
