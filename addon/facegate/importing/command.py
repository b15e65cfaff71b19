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

from facegate.errors import FaceGateError, InvalidError, NotFoundError
from facegate.importing.archive import LISTING
from facegate.protocol import IMPORTS_PATH
from facegate.remote import connected

_PHOTOS = {".jpg", ".jpeg", ".png", ".webp"}
_LOOK_EVERY_S = 0.5


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
    # Beside the records, not where other users' files are; it has no name.
    with await asyncio.to_thread(_pack, data, csv, photos) as file:
        async with connected(data, url) as engine:
            job = _job(await engine.ask("POST", IMPORTS_PATH, file))
            while job["state"] == "running":
                tell(f"{job['done']} of {job['total']}, {job['refused']} refused")
                await asyncio.sleep(_LOOK_EVERY_S)
                job = _job(await engine.ask("GET", f"{IMPORTS_PATH}/{job['import_id']}"))
            return _told(job)


def _job(answer: bytes) -> dict[str, object]:
    return dict(json.loads(answer))


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
