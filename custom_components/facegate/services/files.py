"""What actions read and write: files in folders that Home Assistant allows, and photos."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components.image import ImageEntity
from homeassistant.const import Platform
from homeassistant.core import split_entity_id
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.entity_component import EntityComponent
import voluptuous as vol

from custom_components.facegate.protocol import MAX_PICTURE_BYTES
from custom_components.facegate.rest import Upload

from .base import Call, refusal

PHOTO_PATH = "photo_path"
PHOTO_ENTITY = "photo_entity"
PHOTO = {
    vol.Exclusive(PHOTO_PATH, "photo"): cv.string,
    vol.Exclusive(PHOTO_ENTITY, "photo"): cv.entity_id,
}
PICTURE_TIMEOUT_S = 10
# The engine looks at the content, not at the name.
ANY_TYPE = "application/octet-stream"


async def allowed(call: Call, named: str) -> Path:
    """Return the path of a file or folder; raises where Home Assistant does not allow it."""
    if not await call.hass.async_add_executor_job(call.hass.config.is_allowed_path, named):
        raise refusal("path_not_allowed", path=named)
    return Path(named)


async def on_disk[T](call: Call, do: Callable[..., T], *arguments: Any) -> T:
    """Do something with files in another thread; raises what Home Assistant shows."""
    try:
        return await call.hass.async_add_executor_job(do, *arguments)
    except OSError as err:
        raise refusal("file_failed", message=str(err)) from err


async def photo(call: Call) -> Upload:
    """Return the photo that was chosen."""
    if PHOTO_PATH in call.data:
        path = await allowed(call, call.data[PHOTO_PATH])
        return Upload(await on_disk(call, _read_photo, path), ANY_TYPE)
    if PHOTO_ENTITY in call.data:
        entity_id: str = call.data[PHOTO_ENTITY]
        call.require_entity(entity_id, POLICY_READ)
        return await _picture(call, entity_id)
    raise refusal("no_photo")


def _read_photo(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(MAX_PICTURE_BYTES + 1)
    if len(content) > MAX_PICTURE_BYTES:
        raise refusal("too_large", message=f"{path}: more than {MAX_PICTURE_BYTES} bytes")
    return content


async def _picture(call: Call, entity_id: str) -> Upload:
    if split_entity_id(entity_id)[0] == Platform.CAMERA:
        if entity_id not in call.hass.states.async_entity_ids(Platform.CAMERA):
            raise refusal("no_picture", name=entity_id)
        # Only where there is a camera: the component brings a decoder with it.
        from homeassistant.components.camera import async_get_image  # noqa: PLC0415

        picture = await async_get_image(call.hass, entity_id, PICTURE_TIMEOUT_S)
        return Upload(picture.content, picture.content_type)
    component: EntityComponent[ImageEntity] | None = call.hass.data.get(Platform.IMAGE)
    entity = component.get_entity(entity_id) if component is not None else None
    if entity is None:
        raise refusal("no_picture", name=entity_id)
    try:
        async with asyncio.timeout(PICTURE_TIMEOUT_S):
            content = await entity.async_image()
    except TimeoutError:
        content = None
    if content is None:
        raise refusal("no_picture", name=entity_id)
    return Upload(content, entity.content_type)
