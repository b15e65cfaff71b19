"""Images: the visitor who waits, and a door's last picture; fetched when they are looked at."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
import logging

from homeassistant.components.image import ImageEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .coordinator import FaceGateConfigEntry, FaceGateCoordinator
from .entity import FaceGateDoorEntity, add_as_they_appear
from .errors import ClientError

_LOGGER = logging.getLogger(__name__)

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: FaceGateConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add both images of each door."""
    add_as_they_appear(
        entry,
        async_add_entities,
        lambda state: state.doors,
        lambda coordinator, door_id: [
            FaceGateVisitorImage(hass, coordinator, door_id),
            FaceGateDoorImage(hass, coordinator, door_id),
        ],
    )


class FaceGateImage(FaceGateDoorEntity, ImageEntity):
    """A picture that the engine keeps in memory and may drop at any time."""

    _attr_content_type = "image/jpeg"

    def __init__(
        self, hass: HomeAssistant, coordinator: FaceGateCoordinator, door_id: str, key: str
    ) -> None:
        FaceGateDoorEntity.__init__(self, coordinator, door_id, key)
        ImageEntity.__init__(self, hass)

    @property
    def entity_picture(self) -> str | None:
        """Where to look at the picture, while there is one."""
        return super().entity_picture if self.image_last_updated is not None else None

    async def async_image(self) -> bytes | None:
        """Fetch the picture; None once it is gone."""
        try:
            return await self._fetch()
        except ClientError as err:
            _LOGGER.debug("No picture for %s: %s", self.entity_id, err)
            return None

    @abstractmethod
    async def _fetch(self) -> bytes | None:
        """Ask the engine for the picture; raises ``ClientError``."""


class FaceGateVisitorImage(FaceGateImage):
    """The visitor whose call is open."""

    def __init__(self, hass: HomeAssistant, coordinator: FaceGateCoordinator, door_id: str) -> None:
        super().__init__(hass, coordinator, door_id, "visitor_picture")

    @property
    def image_last_updated(self) -> datetime | None:
        """When the visitor rang."""
        call = self._call
        return dt_util.utc_from_timestamp(call.opened_at) if call is not None else None

    async def _fetch(self) -> bytes | None:
        call = self._call
        return (
            await self.coordinator.client.rest.call_picture(call.id) if call is not None else None
        )


class FaceGateDoorImage(FaceGateImage):
    """The last picture that the door's camera took of somebody."""

    def __init__(self, hass: HomeAssistant, coordinator: FaceGateCoordinator, door_id: str) -> None:
        super().__init__(hass, coordinator, door_id, "last_picture")

    @property
    def image_last_updated(self) -> datetime | None:
        """When the picture was taken."""
        door = self.coordinator.data.doors.get(self._door_id)
        if door is None or door.picture_at is None:
            return None
        return dt_util.utc_from_timestamp(door.picture_at)

    async def _fetch(self) -> bytes | None:
        if self.image_last_updated is None:
            return None
        return await self.coordinator.client.rest.door_picture(self._door_id)
