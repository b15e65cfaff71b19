"""A face is kept with a consent only, and nothing of it after a withdrawal or an erasure."""

from __future__ import annotations

from datetime import UTC, datetime
import hashlib
from pathlib import Path
import shutil
import sqlite3

import aiohttp
import pytest

from facegate.identity.gallery import Gallery
from facegate.record.certificate import from_json, is_genuine
from facegate.record.vault import KEYS, Vault
from tests.engine.api.office import (
    AGAIN,
    CONSENT,
    OTHER,
    PHOTO,
    SUBJECTS,
    add,
    ask,
    person,
    refusal,
    rows,
)
from tests.support import Engine, FakeClock, engine

pytestmark = pytest.mark.usefixtures("free_loop")

OPTIONS = {"doors": [{"id": "front"}]}
DAY = 86400.0


def years_ago(years: int) -> str:
    now = datetime.now(UTC)
    return f"{now.year - years}-01-01"


def traces(folder: Path, *words: bytes) -> list[str]:
    """Return the files of a folder that hold one of these words."""
    return [
        file.name
        for file in folder.iterdir()
        if file.is_file() and any(word in file.read_bytes() for word in words)
    ]


async def test_without_a_consent_no_face_is_kept(
    office: Engine, desk: aiohttp.ClientSession
) -> None:
    path = f"{SUBJECTS}/{await add(desk)}"
    found = await refusal(desk, "POST", f"{path}/photos", PHOTO)
    assert found[:2] == (409, "consent_required")
    assert rows(office.database, "SELECT * FROM templates") == []
    assert (await ask(desk, "POST", f"{path}/consents", CONSENT))[0] == 201
    assert (await ask(desk, "POST", f"{path}/photos", PHOTO))[0] == 201


async def test_a_consent_is_shown_as_it_was_given(desk: aiohttp.ClientSession) -> None:
    path = f"{SUBJECTS}/{await add(desk)}"
    given = {**CONSENT, "guardian": "Ben", "given_at": 1.5e9}
    status, shown = await ask(desk, "POST", f"{path}/consents", given)
    assert (status, shown["consent"]) == (201, given)


async def test_who_is_too_young_needs_a_guardian(desk: aiohttp.ClientSession) -> None:
    young: list[dict[str, str]] = [
        {"birth_date": years_ago(13)},
        {"kind": "pupil"},
        {"kind": "pupil", "birth_date": years_ago(10)},
    ]
    for fields in young:
        path = f"{SUBJECTS}/{await add(desk, **fields)}/consents"
        status, code, told = await refusal(desk, "POST", path, CONSENT)
        assert (status, code, told.partition(":")[0]) == (400, "invalid", "guardian")
        signed = {**CONSENT, "guardian": "Ben"}
        assert (await ask(desk, "POST", path, signed))[0] == 201
    old_enough: list[dict[str, str]] = [
        {},
        {"birth_date": years_ago(15)},
        {"kind": "pupil", "birth_date": years_ago(15)},
    ]
    for fields in old_enough:
        path = f"{SUBJECTS}/{await add(desk, **fields)}/consents"
        assert (await ask(desk, "POST", path, CONSENT))[0] == 201


async def test_nobody_becomes_too_young_for_the_consent_that_was_given(
    desk: aiohttp.ClientSession,
) -> None:
    path = f"{SUBJECTS}/{await add(desk)}"
    await ask(desk, "POST", f"{path}/consents", CONSENT)
    young = {"birth_date": years_ago(9)}
    status, code, told = await refusal(desk, "PATCH", path, young)
    assert (status, code, told.partition(":")[0]) == (409, "conflict", "birth_date")
    await ask(desk, "DELETE", f"{path}/consents")
    assert (await ask(desk, "PATCH", path, young))[0] == 200


async def test_a_wrong_consent_is_refused_with_its_field(desk: aiohttp.ClientSession) -> None:
    path = f"{SUBJECTS}/{await add(desk)}"
    wrong: list[tuple[str, object]] = [
        ("text_version", ""),
        ("purpose", "x" * 501),
        ("language", "english please"),
        ("signer", " "),
        ("guardian", ""),
        ("given_at", 1e11),
        ("given_at", 1e300),
    ]
    for field, value in wrong:
        found = await refusal(desk, "POST", f"{path}/consents", {**CONSENT, field: value})
        assert (found[1], found[2].partition(":")[0]) == ("invalid", field)
    assert (await person(desk, path.rpartition("/")[2]))["consent"] is None


async def test_withdrawal_forgets_the_face_at_once_and_leaves_other_credentials(
    galleries: list[Gallery], office: Engine, desk: aiohttp.ClientSession
) -> None:
    subject_id = await office.enroll("Ann", [PHOTO, AGAIN], ["front"])
    path = f"{SUBJECTS}/{subject_id}"
    await ask(desk, "POST", f"{path}/credentials", {"kind": "pin", "pin": "4711"})
    ((sealed,), _) = rows(office.database, "SELECT sealed FROM templates")
    assert galleries[-1].subjects == {subject_id}
    status, shown = await ask(desk, "DELETE", f"{path}/consents")
    assert (status, shown["references"], shown["consent"]) == (200, 0, None)
    assert [each["kind"] for each in shown["credentials"]] == ["pin"]
    assert [permit["door_id"] for permit in shown["permits"]] == ["front"]
    assert galleries[-1].subjects == frozenset()
    assert traces(office.data, sealed) == []
    assert (await refusal(desk, "POST", f"{path}/photos", PHOTO))[1] == "consent_required"
    # To withdraw what is withdrawn changes nothing and is no mistake.
    before = len(await office.events())
    assert (await ask(desk, "DELETE", f"{path}/consents"))[0] == 200
    assert len(await office.events()) == before


async def test_a_consent_from_before_the_withdrawal_does_not_come_back(
    desk: aiohttp.ClientSession,
) -> None:
    path = f"{SUBJECTS}/{await add(desk)}/consents"
    given = {**CONSENT, "given_at": 1.5e9}
    await ask(desk, "POST", path, given)
    await ask(desk, "DELETE", path)
    status, code, told = await refusal(desk, "POST", path, given)
    assert (status, code, told.partition(":")[0]) == (400, "invalid", "given_at")
    assert (await ask(desk, "POST", path, CONSENT))[0] == 201


async def test_templates_lie_sealed_and_bound_to_their_owner(
    galleries: list[Gallery], office: Engine, desk: aiohttp.ClientSession
) -> None:
    ann = await office.enroll("Ann", [PHOTO], ["front"])
    ben = await add(desk, "Ben")
    await ask(desk, "POST", f"{SUBJECTS}/{ben}/consents", CONSENT)
    values = galleries[-1].references(ann)[0].astype("<f4").tobytes()
    assert traces(office.data, values[:16], values[256:272]) == []
    ((size,),) = rows(office.database, "SELECT length(sealed) FROM templates")
    assert size == 12 + len(values) + 16


async def test_a_template_that_was_given_to_somebody_else_is_not_used(
    tmp_path: Path, galleries: list[Gallery], caplog: pytest.LogCaptureFixture
) -> None:
    async with engine(OPTIONS, tmp_path) as site, site.session() as desk:
        await site.enroll("Ann", [PHOTO], ["front"])
        ben = await add(desk, "Ben")
        database = site.database
    with sqlite3.connect(database) as forger:
        forger.execute("UPDATE templates SET subject_id = ?", (ben,))
    forger.close()
    async with engine(OPTIONS, tmp_path):
        assert galleries[-1].subjects == frozenset()
    assert f"A reference of {ben} cannot be used" in caplog.text


async def test_who_is_erased_leaves_a_certificate_and_nothing_else(
    galleries: list[Gallery], office: Engine, desk: aiohttp.ClientSession
) -> None:
    ben = await office.enroll("Ben", [OTHER], ["front"])
    ann = await office.enroll("Ann Unmistakable", [PHOTO], ["front"])
    path = f"{SUBJECTS}/{ann}"
    change = {"guardians": [{"name": "Cleo Remarkable"}], "external_id": "key-4711"}
    await ask(desk, "PATCH", path, change)
    await ask(desk, "POST", f"{path}/credentials", {"kind": "card", "card_number": "04A1"})
    ((digest, sealed),) = rows(
        office.database,
        "SELECT c.secret, t.sealed FROM credentials c JOIN templates t USING (subject_id)",
    )
    async with desk.delete(path) as response:
        assert response.status == 200
        certificate = from_json(await response.text())
    vault = Vault.open(office.data / KEYS, None)
    assert is_genuine(certificate, vault)
    assert certificate.subject_digest == hashlib.sha256(ann.encode()).hexdigest()
    removed = dict(certificate.removed)
    assert (removed["subjects"], removed["templates"], removed["credentials"]) == (1, 1, 1)
    (event,) = [event for event in await office.events() if event["kind"] == "erasure"]
    assert (event["seq"], event["subject_id"]) == (certificate.chain_seq, ann)
    words = (b"Unmistakable", b"Remarkable", b"key-4711", digest.encode(), sealed)
    assert traces(office.data, *words) == []
    tables = [name for (name,) in rows(office.database, "SELECT name FROM sqlite_master")]
    assert "events" in tables
    for table in ("permits", "templates", "credentials", "guardians", "consents"):
        owners = rows(office.database, f"SELECT subject_id FROM {table}")
        assert set(owners) <= {(ben,)}
    assert galleries[-1].subjects == {ben}
    assert (await refusal(desk, "DELETE", path))[:2] == (404, "not_found")


async def test_a_restored_backup_does_not_bring_back_who_was_erased(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup.db"
    async with engine(OPTIONS, data) as site:
        ann = await site.enroll("Ann Unmistakable", [PHOTO], ["front"])
        ben = await site.enroll("Ben", [OTHER], ["front"])
    shutil.copy(data / "facegate.db", backup)
    async with engine(OPTIONS, data) as site, site.session() as desk:
        await ask(desk, "DELETE", f"{SUBJECTS}/{ann}")
    shutil.copy(backup, data / "facegate.db")
    async with engine(OPTIONS, data) as site, site.session() as desk:
        _, listed = await ask(desk, "GET", SUBJECTS)
        assert [each["id"] for each in listed["subjects"]] == [ben]
        assert traces(data, b"Unmistakable") == []
        (event,) = [event for event in await site.events() if event["kind"] == "erasure"]
        assert event["body"]["what"] == "erased_again"


async def test_without_its_key_the_site_keeps_no_face_and_erases_nobody(tmp_path: Path) -> None:
    async with engine(OPTIONS, tmp_path) as site:
        ann = await site.enroll("Ann", [PHOTO], ["front"])
    (tmp_path / KEYS / "vault.key").rename(tmp_path / "elsewhere")
    async with engine(OPTIONS, tmp_path) as site, site.session() as desk:
        path = f"{SUBJECTS}/{ann}"
        assert (await person(desk, ann))["references"] == 0
        unavailable = (503, "vault_unavailable")
        assert (await refusal(desk, "POST", f"{path}/photos", OTHER))[:2] == unavailable
        assert (await refusal(desk, "DELETE", path))[:2] == unavailable
        given = await ask(desk, "POST", f"{path}/credentials", {"kind": "pin", "pin": "4711"})
        assert given[0] == 201
    (tmp_path / "elsewhere").rename(tmp_path / KEYS / "vault.key")
    async with engine(OPTIONS, tmp_path) as site, site.session() as desk:
        assert (await person(desk, ann))["references"] == 1


async def test_an_export_tells_everything_but_the_vectors(
    office: Engine, desk: aiohttp.ClientSession
) -> None:
    ann = await office.enroll("Ann", [PHOTO], ["front"])
    path = f"{SUBJECTS}/{ann}"
    await ask(desk, "DELETE", f"{path}/consents")
    await ask(desk, "POST", f"{path}/consents", CONSENT)
    await ask(desk, "POST", f"{path}/photos", PHOTO)
    await ask(desk, "POST", f"{path}/credentials", {"kind": "pin", "pin": "4711"})
    status, told = await ask(desk, "GET", f"{path}/export")
    assert status == 200
    assert told["subject"]["name"] == "Ann"
    assert [each["withdrawn_at"] is None for each in told["consents"]] == [False, True]
    assert [set(each) for each in told["references"]] == [{"model", "created_at"}]
    assert told["credentials"] == [{"kind": "pin", "valid_until": None}]
    recorded = [event["seq"] for event in await office.events() if event["subject_id"] == ann]
    assert [event["seq"] for event in told["events"]] == recorded


async def test_a_face_is_forgotten_some_days_after_the_last_permit_ended(tmp_path: Path) -> None:
    clock = FakeClock()
    now = clock.now().timestamp()
    async with engine(OPTIONS, tmp_path, clock) as site, site.session() as desk:
        ids = [
            await site.enroll(name, [PHOTO], ["front"], distinct=True)
            for name in ("Ann", "Ben", "Cleo")
        ]
        ends = {"door_id": "front", "valid_until": now + DAY}
        await ask(desk, "PUT", f"{SUBJECTS}/{ids[0]}/permits", {"permits": [ends]})
        both = {"permits": [ends, {"door_id": "front"}]}
        await ask(desk, "PUT", f"{SUBJECTS}/{ids[1]}/permits", both)
        await ask(desk, "PUT", f"{SUBJECTS}/{ids[2]}/permits", {"permits": []})
        erasure = site.site.rounds._erasure

        async def references() -> list[int]:
            return [(await person(desk, each))["references"] for each in ids]

        clock.passed += 6 * DAY
        assert await erasure.expire_templates(7) == 0
        assert await references() == [1, 1, 1]
        clock.passed += 1.5 * DAY
        assert await erasure.expire_templates(7) == 1
        assert await references() == [1, 1, 0]
        clock.passed += DAY
        assert await erasure.expire_templates(7) == 1
        assert await references() == [0, 1, 0]
