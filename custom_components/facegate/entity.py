"""What all entities share."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager

from homeassistant.auth.models import User
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import FaceGateConfigEntry, FaceGateCoordinator
from .devices import area_identifier, door_identifier, subject_identifier
from .errors import ClientError, CommandError
from .protocol import AreaView, CallView, DoorView, ErrorCode
from .state import FaceGateState, SubjectState

# What the user asked cannot be done now, but nothing is broken.
_REFUSALS = {
    ErrorCode.CALL_CLOSED,
    ErrorCode.CONFLICT,
    ErrorCode.CONSENT_REQUIRED,
    ErrorCode.DUPLICATE_SUBJECT,
    ErrorCode.FACE_TOO_SMALL,
    ErrorCode.FORBIDDEN,
    ErrorCode.INVALID,
    ErrorCode.LOW_QUALITY,
    ErrorCode.NO_FACE,
    ErrorCode.NOT_FOUND,
    ErrorCode.OUTLIER_PHOTO,
    ErrorCode.SEVERAL_FACES,
    ErrorCode.TOO_LARGE,
    ErrorCode.TOO_MANY,
    ErrorCode.UNSUPPORTED_MEDIA,
}
_FAILURES = {
    ErrorCode.ACTUATOR_UNAVAILABLE,
    ErrorCode.BROKER_UNAVAILABLE,
    ErrorCode.EXPIRED,
    ErrorCode.MODEL_UNAVAILABLE,
    ErrorCode.NOT_CONFIRMED,
    ErrorCode.RECORDS_UNAVAILABLE,
    ErrorCode.VAULT_UNAVAILABLE,
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


async def user_of(hass: HomeAssistant, context: Context | None) -> User | None:
    """Return who caused something, None for an automation."""
    if context is None or context.user_id is None:
        return None
    return await hass.auth.async_get_user(context.user_id)


@callback
def add_as_they_appear(
    entry: FaceGateConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    ids: Callable[[FaceGateState], Iterable[str]],
    build: Callable[[FaceGateCoordinator, str], Iterable[Entity]],
) -> None:
    """Add the entities of each door, camera, area or person, now and when one is new."""
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


class FaceGateEntity(CoordinatorEntity[FaceGateCoordinator]):
    """An entity of one device; ``key`` is its translation key and the end of its unique id."""

    _attr_has_entity_name = True

    def __init__(
        self,
        coordinator: FaceGateCoordinator,
        key: str,
        owner_id: str | None,
        identifier: tuple[str, str],
    ) -> None:
        super().__init__(coordinator)
        self._attr_translation_key = key
        self._attr_unique_id = "-".join(filter(None, (coordinator.site_id, owner_id, key)))
        self._attr_device_info = DeviceInfo(identifiers={identifier})

    async def _ask(self, method: str, path: str, body: Mapping[str, object]) -> None:
        """Ask the engine, in the name of who called the service; raises what can be shown."""
        user = await self._user_name()
        with translated_errors():
            await self.coordinator.client.rest.request(method, path, body, user=user)

    async def _user_name(self) -> str | None:
        """Return who called the service, None for an automation."""
        user = await user_of(self.hass, self._context)
        return user.name if user is not None else None


class FaceGateSiteEntity(FaceGateEntity):
    """An entity of the engine itself."""

    def __init__(self, coordinator: FaceGateCoordinator, key: str) -> None:
        super().__init__(coordinator, key, None, (DOMAIN, coordinator.site_id))


class FaceGateDoorEntity(FaceGateEntity):
    """An entity of one door."""

    def __init__(self, coordinator: FaceGateCoordinator, door_id: str, key: str) -> None:
        super().__init__(coordinator, key, door_id, door_identifier(coordinator.site_id, door_id))
        self._door_id = door_id

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


class FaceGateAreaEntity(FaceGateEntity):
    """An entity of one area."""

    def __init__(self, coordinator: FaceGateCoordinator, area_id: str, key: str) -> None:
        super().__init__(coordinator, key, area_id, area_identifier(coordinator.site_id, area_id))
        self._area_id = area_id

    @property
    def available(self) -> bool:
        """Whether the engine is there and knows the area."""
        return super().available and self._area_id in self.coordinator.data.areas

    @property
    def _area(self) -> AreaView:
        return self.coordinator.data.areas[self._area_id]


class FaceGateSubjectEntity(FaceGateEntity):
    """An entity of one person: only who wants to see it enables it."""

    _attr_entity_registry_enabled_default = False

    def __init__(self, coordinator: FaceGateCoordinator, subject_id: str, key: str) -> None:
        super().__init__(
            coordinator, key, subject_id, subject_identifier(coordinator.site_id, subject_id)
        )
        self._subject_id = subject_id

    @property
    def available(self) -> bool:
        """Whether the engine is there and knows the person."""
        return super().available and self._subject_id in self.coordinator.data.subjects

    @property
    def _subject(self) -> SubjectState:
        return self.coordinator.data.subjects[self._subject_id]
