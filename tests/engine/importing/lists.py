"""Lists and archives for imports, and asking an engine for one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
import io
from typing import Any
import zipfile

import aiohttp
import cv2
import numpy as np

from facegate.domain import Image
from tests.engine.face.real import astronaut, enlarged, hopper

IMPORTS = "/api/v1/imports"
DOORS = {"doors": [{"id": "front"}, {"id": "back"}], "site": {"time_zone": "Europe/Berlin"}}
CONSENT = {
    "consent_version": "1",
    "consent_purpose": "access",
    "consent_language": "en",
    "consent_signer": "Ann",
    "consent_date": "2026-01-31",
}


def jpeg(image: Image) -> bytes:
    return np.asarray(cv2.imencode(".jpg", image)[1]).tobytes()


def small_faces() -> tuple[bytes, bytes]:
    """Return photos of two people whose faces are just as high as is needed."""
    return jpeg(astronaut()[:320, 60:380]), jpeg(enlarged(hopper(), 0.5))


def csv_of(rows: Iterable[Mapping[str, str]], separator: str = ",") -> bytes:
    """Return a list whose columns are those of the first row."""
    given = list(rows)
    lines = [list(given[0]), *([row.get(name, "") for name in given[0]] for row in given)]
    return "".join(separator.join(line) + "\r\n" for line in lines).encode()


def archive_of(listing: bytes, photos: Mapping[str, bytes] | None = None) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("people.csv", listing, zipfile.ZIP_DEFLATED)
        for name, photo in (photos or {}).items():
            archive.writestr(name, photo)
    return packed.getvalue()


async def send(session: aiohttp.ClientSession, archive: bytes) -> tuple[int, dict[str, Any]]:
    async with session.post(IMPORTS, data=archive) as response:
        return response.status, dict(await response.json())


async def look(session: aiohttp.ClientSession, import_id: str) -> dict[str, Any]:
    async with session.get(f"{IMPORTS}/{import_id}") as response:
        assert response.status == 200, await response.text()
        return dict(await response.json())


async def ended(
    session: aiohttp.ClientSession, import_id: str, timeout_s: float = 90
) -> dict[str, Any]:
    async with asyncio.timeout(timeout_s):
        while (job := await look(session, import_id))["state"] == "running":  # noqa: ASYNC110  what is looked at has no event
            await asyncio.sleep(0.05)
    return job


async def imported(
    session: aiohttp.ClientSession, archive: bytes, timeout_s: float = 90
) -> dict[str, Any]:
    """Import an archive and return the report."""
    status, job = await send(session, archive)
    assert status == 202, job
    return await ended(session, str(job["import_id"]), timeout_s)


async def people(session: aiohttp.ClientSession) -> dict[str, dict[str, Any]]:
    """Return everybody by external id."""
    async with session.get("/api/v1/subjects") as response:
        return {each["external_id"]: each for each in (await response.json())["subjects"]}
