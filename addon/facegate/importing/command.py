"""Bulk import from the command line, through a running engine's API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import json
from pathlib import Path
import shutil
import tempfile
from typing import BinaryIO
import zipfile

import aiohttp

from facegate.errors import FaceGateError, InvalidError, NotFoundError
from facegate.importing.archive import LISTING
from facegate.protocol import IMPORTS_PATH, ErrorMessage, ProtocolError, decode_engine

_PHOTOS = {".jpg", ".jpeg", ".png", ".webp"}
_LOOK_EVERY_S = 0.5
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=60, sock_read=600)


async def import_people(
    data: Path,
    url: str,
    csv: Path,
    photos: Path | None,
    tell: Callable[[str], None] = lambda _: None,
) -> str:
    """Import a list, with a folder or a zip of photos, and return the report.

    ``tell`` is called with how far it is. Raises ``FaceGateError``, also where the import fails;
    refused rows are in the report.
    """
    token = await asyncio.to_thread(_token, data)
    # Beside the records, not where other users' files are; it has no name.
    with await asyncio.to_thread(_pack, data, csv, photos) as file:
        try:
            headers = {"Authorization": f"Bearer {token}"}
            async with aiohttp.ClientSession(url, headers=headers, timeout=_TIMEOUT) as session:
                job = await _ask(session, "POST", IMPORTS_PATH, file)
                while job["state"] == "running":
                    tell(f"{job['done']} of {job['total']}, {job['refused']} refused")
                    await asyncio.sleep(_LOOK_EVERY_S)
                    job = await _ask(session, "GET", f"{IMPORTS_PATH}/{job['import_id']}")
                return _told(job)
        except (aiohttp.ClientError, TimeoutError) as err:
            why = str(err) or "it does not answer"
            raise FaceGateError(f"the engine at {url} cannot be reached: {why}") from err
        except (ProtocolError, ValueError, KeyError, TypeError) as err:
            raise FaceGateError(
                f"what answers at {url} is not this version's engine: {err}"
            ) from err


def _told(job: dict[str, object]) -> str:
    counts = ", ".join(f"{job[each]} {each}" for each in ("added", "changed", "unchanged"))
    report = job["report"]
    if not isinstance(report, list):
        raise TypeError("report: expected a list")
    refusals = [f"row {each['row']} ({each['external_id']}): {each['reason']}" for each in report]
    lines = [f"{job['total']} rows: {counts}, {job['refused']} refused", *refusals]
    if job["state"] != "done":
        raise FaceGateError("\n  ".join([f"the import failed: {job['fault']}", *lines]))
    return "\n  ".join(lines)


async def _ask(
    session: aiohttp.ClientSession, method: str, path: str, body: BinaryIO | None = None
) -> dict[str, object]:
    async with session.request(method, path, data=body) as response:
        answer = await response.read()
        if response.ok:
            return dict(json.loads(answer))
        error = decode_engine(answer.decode("utf-8", "replace"))
        if isinstance(error, ErrorMessage):
            raise FaceGateError(error.message)
        raise FaceGateError(f"the engine answered {response.status}")


def _token(data: Path) -> str:
    path = data / "token"
    try:
        return path.read_text("ascii", "replace").strip()
    except OSError as err:
        raise NotFoundError(f"{path}: {err.strerror}") from err


def _pack(data: Path, csv: Path, photos: Path | None) -> BinaryIO:
    """Return the archive that is sent; photos are packed as they are, for they are compressed."""
    packed: BinaryIO = tempfile.TemporaryFile(dir=data)  # noqa: SIM115  whoever calls closes it
    try:
        with zipfile.ZipFile(packed, "w") as archive:
            archive.write(csv, LISTING, zipfile.ZIP_DEFLATED)
            if photos is not None and photos.is_dir():
                _add_folder(archive, photos)
            elif photos is not None:
                _add_zip(archive, photos)
        packed.seek(0)
    except OSError as err:
        packed.close()
        raise NotFoundError(f"{err.filename or data}: {err.strerror}") from err
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as err:
        packed.close()
        raise InvalidError(f"{photos}: neither a folder nor a zip of photos ({err})") from err
    return packed


def _add_folder(archive: zipfile.ZipFile, folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _PHOTOS and path.is_file():
            archive.write(path, path.relative_to(folder).as_posix())


def _add_zip(archive: zipfile.ZipFile, photos: Path) -> None:
    with zipfile.ZipFile(photos) as given:
        for info in given.infolist():
            if Path(info.filename).suffix.lower() in _PHOTOS:
                with given.open(info) as source, archive.open(info.filename, "w") as target:
                    shutil.copyfileobj(source, target)
