"""Selects: how a door treats who comes."""

from __future__ import annotations

from homeassistant.components.select import SelectEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import FaceGateConfigEntry, FaceGateCoordinator
from .entity import FaceGateDoorEntity, add_as_they_appear
from .protocol import DOORS_PATH, DoorMode
from .rest import resource

PARALLEL_UPDATES = 0


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: FaceGateConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the mode of each door."""
    add_as_they_appear(
        entry,
        async_add_entities,
        lambda state: state.doors,
        lambda coordinator, door_id: [FaceGateModeSelect(coordinator, door_id)],
    )


class FaceGateModeSelect(FaceGateDoorEntity, SelectEntity):
    """A door's mode."""

    _attr_options = [mode.value for mode in DoorMode]  # noqa: RUF012  declared so by the base

    def __init__(self, coordinator: FaceGateCoordinator, door_id: str) -> None:
        super().__init__(coordinator, door_id, "mode")

    @property
    def current_option(self) -> str:
        """The mode in force."""
        return self._door.mode.value

    async def async_select_option(self, option: str) -> None:
        """Set the mode."""
        await self._ask("PUT", resource(DOORS_PATH, self._door_id, "mode"), {"mode": option})
