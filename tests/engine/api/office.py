"""Asking a running engine about people, as the integration does."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
import sqlite3
from typing import Any

import aiohttp
import cv2
import numpy as np

from tests.engine.face.real import astronaut, enlarged, packaged

SUBJECTS = "/api/v1/subjects"
GROUPS = "/api/v1/groups"
PHOTO = packaged("skimage", "data/astronaut.png").read_bytes()
OTHER = packaged("matplotlib", "mpl-data/sample_data/grace_hopper.jpg").read_bytes()
# Another photo of the person of the first.
AGAIN = np.asarray(cv2.imencode(".jpg", enlarged(astronaut(), 1.5))[1]).tobytes()
CONSENT = {"text_version": "1", "purpose": "access", "language": "en", "signer": "Ann"}


async def ask(
    session: aiohttp.ClientSession, method: str, path: str, body: object = None
) -> tuple[int, Any]:
    sent: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
    async with session.request(method, path, **sent) as response:
        if response.status == 204:
            return 204, None
        return response.status, await response.json()


async def add(session: aiohttp.ClientSession, name: str = "Ann", **more: object) -> str:
    status, person = await ask(session, "POST", SUBJECTS, {"name": name, **more})
    assert status == 201, person
    subject_id: str = person["id"]
    return subject_id


async def person(session: aiohttp.ClientSession, subject_id: str) -> dict[str, Any]:
    status, found = await ask(session, "GET", f"{SUBJECTS}/{subject_id}")
    assert status == 200
    return dict(found)


async def refusal(
    session: aiohttp.ClientSession, method: str, path: str, body: object = None
) -> tuple[int, str, str]:
    """Return status, code and message of what is refused."""
    status, error = await ask(session, method, path, body)
    assert error["type"] == "error", error
    return status, error["code"], error["message"]


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    """Return what another program reads of the records."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()
