"""Actions that bring in many people at once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
import tempfile
import zipfile

from homeassistant.core import callback
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from custom_components.facegate.protocol import IMPORTS_PATH
from custom_components.facegate.rest import LONG_TIMEOUT_S, Upload, resource

from .base import Action, Call
from .files import allowed, on_disk

RUNNING = "running"
# The engine tells when an import is done; this is for what it told while nobody could hear.
ASK_AGAIN_S = 10.0
PHOTO_SUFFIXES = {".jpeg", ".jpg", ".png", ".webp"}
ZIP = "application/zip"


async def _import(call: Call) -> JsonObjectType:
    path = await allowed(call, call.data["path"])
    if path.suffix.lower() == ".zip":
        state = await _send(call, path)
    else:
        folder = await allowed(call, call.data["folder"]) if "folder" in call.data else None
        packed = await on_disk(call, _pack, path, folder)
        try:
            state = await _send(call, packed)
        finally:
            await on_disk(call, packed.unlink)
    return await _finished(call, state) if call.data["wait"] else state


async def _status(call: Call) -> JsonObjectType:
    return await _ask(call, call.data["import_id"])


async def _send(call: Call, path: Path) -> JsonObjectType:
    await on_disk(call, path.stat)
    return await call.ask("POST", IMPORTS_PATH, Upload(path, ZIP), timeout_s=LONG_TIMEOUT_S)


async def _ask(call: Call, import_id: str) -> JsonObjectType:
    return await call.ask("GET", resource(IMPORTS_PATH, import_id))


async def _finished(call: Call, state: JsonObjectType) -> JsonObjectType:
    import_id, told = str(state["import_id"]), asyncio.Event()

    @callback
    def look() -> None:
        progress = call.coordinator.data.imports.get(import_id)
        if progress is not None and progress.state != RUNNING:
            told.set()

    unlisten = call.coordinator.async_add_listener(look)
    try:
        while (state := await _ask(call, import_id))["state"] == RUNNING:
            with suppress(TimeoutError):
                async with asyncio.timeout(ASK_AGAIN_S):
                    await told.wait()
            told.clear()
        return state
    finally:
        unlisten()


def _pack(table: Path, folder: Path | None) -> Path:
    """Write a temporary archive of a table and of the photos in a folder; return its path."""
    with tempfile.NamedTemporaryFile(suffix=".zip", delete=False) as file:
        packed = Path(file.name)
        try:
            with zipfile.ZipFile(file, "w") as archive:
                archive.write(table, "people.csv")
                for photo in sorted(folder.rglob("*")) if folder is not None else ():
                    # What a link points to may lie outside of what is allowed.
                    if photo.suffix.lower() in PHOTO_SUFFIXES and not photo.is_symlink():
                        archive.write(photo, photo.relative_to(folder or table))
        except BaseException:
            packed.unlink()
            raise
    return packed


IMPORTS = (
    Action(
        "import_people",
        _import,
        {
            vol.Required("path"): cv.string,
            vol.Optional("folder"): cv.string,
            vol.Optional("wait", default=False): cv.boolean,
        },
    ),
    Action("import_status", _status, {vol.Required("import_id"): cv.string}),
)
