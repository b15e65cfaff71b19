"""What all entities share."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager

from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import FaceGateConfigEntry, FaceGateCoordinator, FaceGateState
from .devices import door_identifier
from .errors import ClientError, CommandError
from .protocol import CallView, DoorView, ErrorCode

# What the user asked cannot be done now, but nothing is broken.
_REFUSALS = {
    ErrorCode.CALL_CLOSED,
    ErrorCode.CONFLICT,
    ErrorCode.INVALID,
    ErrorCode.NOT_FOUND,
}
_FAILURES = {
    ErrorCode.ACTUATOR_UNAVAILABLE,
    ErrorCode.EXPIRED,
    ErrorCode.NOT_CONFIRMED,
    ErrorCode.RECORDS_UNAVAILABLE,
}


@contextmanager
def translated_errors() -> Generator[None]:
    """Turn whatever the engine could not do into an error that Home Assistant shows."""
    try:
        yield
    except ClientError as err:
        code = err.code if isinstance(err, CommandError) else ""
        kind = ServiceValidationError if code in _REFUSALS else HomeAssistantError
        raise kind(
            translation_domain=DOMAIN,
            translation_key=code if code in _REFUSALS | _FAILURES else err.translation_key,
            translation_placeholders={"message": str(err)},
        ) from err


@callback
def add_as_they_appear(
    entry: FaceGateConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    ids: Callable[[FaceGateState], Iterable[str]],
    build: Callable[[FaceGateCoordinator, str], Iterable[Entity]],
) -> None:
    """Add the entities of each door or camera, now and when the engine tells of a new one."""
    coordinator = entry.runtime_data
    known: set[str] = set()

    @callback
    def add() -> None:
        present = set(ids(coordinator.data))
        new = sorted(present - known)
        known.clear()
        known.update(present)
        if new:
            async_add_entities(entity for key in new for entity in build(coordinator, key))

    add()
    entry.async_on_unload(coordinator.async_add_listener(add))


class FaceGateDoorEntity(CoordinatorEntity[FaceGateCoordinator]):
    """An entity of one door; ``key`` is its translation key and the end of its unique id."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: FaceGateCoordinator, door_id: str, key: str) -> None:
        super().__init__(coordinator)
        self._door_id = door_id
        self._attr_translation_key = key
        self._attr_unique_id = f"{coordinator.site_id}-{door_id}-{key}"
        self._attr_device_info = DeviceInfo(
            identifiers={door_identifier(coordinator.site_id, door_id)}
        )

    @property
    def available(self) -> bool:
        """Whether the engine is there and knows the door."""
        return super().available and self._door_id in self.coordinator.data.doors

    @property
    def _door(self) -> DoorView:
        return self.coordinator.data.doors[self._door_id]

    @property
    def _call(self) -> CallView | None:
        return self.coordinator.data.call_at(self._door_id)

    async def _user_name(self) -> str | None:
        """Return who called the service, None for an automation."""
        if self._context is None or self._context.user_id is None:
            return None
        user = await self.hass.auth.async_get_user(self._context.user_id)
        return user.name if user is not None else None
