"""Switches: lockdown of the whole site."""

from __future__ import annotations

from typing import Any

from homeassistant.components.switch import SwitchEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import FaceGateConfigEntry, FaceGateCoordinator
from .entity import FaceGateSiteEntity
from .protocol import MODE_PATH, DoorMode

PARALLEL_UPDATES = 0


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: FaceGateConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the switch of the site."""
    async_add_entities([FaceGateLockdownSwitch(entry.runtime_data)])


class FaceGateLockdownSwitch(FaceGateSiteEntity, SwitchEntity):
    """On while every door denies entry; exit stays free."""

    def __init__(self, coordinator: FaceGateCoordinator) -> None:
        super().__init__(coordinator, "lockdown")

    @property
    def is_on(self) -> bool:
        """Whether no door lets anybody in."""
        modes = {door.mode for door in self.coordinator.data.doors.values()}
        return modes == {DoorMode.LOCKDOWN}

    async def async_turn_on(self, **_kwargs: Any) -> None:
        """Deny entry at every door."""
        await self._ask("PUT", MODE_PATH, {"mode": DoorMode.LOCKDOWN.value})

    async def async_turn_off(self, **_kwargs: Any) -> None:
        """Go back to the rules at every door."""
        await self._ask("PUT", MODE_PATH, {"mode": DoorMode.NORMAL.value})
