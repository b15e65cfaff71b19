"""Locks: the doors."""

from __future__ import annotations

from typing import Any

from homeassistant.components.lock import LockEntity, LockEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import FaceGateConfigEntry, FaceGateCoordinator
from .entity import FaceGateDoorEntity, add_as_they_appear, translated_errors
from .protocol import DoorAction, DoorStateName

PARALLEL_UPDATES = 0


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: FaceGateConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a lock for each door."""
    add_as_they_appear(
        entry,
        async_add_entities,
        lambda state: state.doors,
        lambda coordinator, door_id: [FaceGateLock(coordinator, door_id)],
    )


class FaceGateLock(FaceGateDoorEntity, LockEntity):
    """A door; what opening it means the engine decides."""

    _attr_name = None
    _attr_supported_features = LockEntityFeature.OPEN

    def __init__(self, coordinator: FaceGateCoordinator, door_id: str) -> None:
        super().__init__(coordinator, door_id, "lock")

    @property
    def available(self) -> bool:
        """Whether the engine is there and can drive the door."""
        return super().available and self._door.state is not DoorStateName.UNAVAILABLE

    @property
    def is_locked(self) -> bool:
        """Whether the door is shut and stays so."""
        return self._door.state is DoorStateName.LOCKED

    @property
    def is_unlocking(self) -> bool:
        """Whether the hardware was asked to open and has not confirmed yet."""
        return self._door.state is DoorStateName.UNLOCKING

    @property
    def is_locking(self) -> bool:
        """Whether the hardware was asked to shut and has not confirmed yet."""
        return self._door.state is DoorStateName.RELOCKING

    @property
    def is_jammed(self) -> bool:
        """Whether the hardware did not do what it was asked."""
        return self._door.state is DoorStateName.JAMMED

    @property
    def extra_state_attributes(self) -> dict[str, str] | None:
        """What is wrong with a jammed door."""
        return {"fault": self._door.fault} if self._door.fault is not None else None

    async def async_lock(self, **_kwargs: Any) -> None:
        """Lock the door now."""
        await self._command(DoorAction.LOCK)

    async def async_unlock(self, **_kwargs: Any) -> None:
        """Unlock the door until it is locked."""
        await self._command(DoorAction.UNLOCK)

    async def async_open(self, **_kwargs: Any) -> None:
        """Open the door once."""
        await self._command(DoorAction.OPEN)

    async def _command(self, action: DoorAction) -> None:
        user = await self._user_name()
        with translated_errors():
            await self.coordinator.client.command_door(self._door_id, action, user)
