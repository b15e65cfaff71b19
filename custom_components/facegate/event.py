"""Events: decisions and passages at a door, a visitor who rings, and alarms."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from homeassistant.components import event as event_platform
from homeassistant.components.event import EventDeviceClass, EventEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import FaceGateConfigEntry, FaceGateCoordinator
from .entity import FaceGateDoorEntity, FaceGateEntity, FaceGateSiteEntity, add_as_they_appear
from .protocol import AccessEvent, AlarmEvent, AlarmKind, CallView, Direction, PassageEvent
from .receipt import PERSONAL, moment, receipt
from .state import SITE

PARALLEL_UPDATES = 0

ACCESS_GRANTED = "access_granted"
ACCESS_DENIED = "access_denied"
# Home Assistant 2026.5 names the event that every doorbell has; before, it was a convention.
_DOORBELL_EVENTS = getattr(event_platform, "DoorbellEventType", None)
RING: str = _DOORBELL_EVENTS.RING.value if _DOORBELL_EVENTS is not None else "ring"


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: FaceGateConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the events of each door, and the alarms that concern no door."""
    async_add_entities([FaceGateSiteAlarmEvent(entry.runtime_data)])
    add_as_they_appear(
        entry,
        async_add_entities,
        lambda state: state.doors,
        lambda coordinator, door_id: [
            FaceGateAccessEvent(coordinator, door_id, "access"),
            FaceGatePassageEvent(coordinator, door_id, "passage"),
            FaceGateAlarmEvent(coordinator, door_id, "alarm"),
            FaceGateVisitorEvent(coordinator, door_id, "visitor"),
        ],
    )


class FaceGateEvent[Message](FaceGateEntity, EventEntity):
    """Triggers once for each message that is new, and for none from before it was there."""

    _unrecorded_attributes = PERSONAL

    def _remember(self) -> None:
        self._told = self._newest()

    @abstractmethod
    def _newest(self) -> Message | None:
        """Return the last message that arrived."""

    @abstractmethod
    def _event(self, message: Message) -> tuple[str, dict[str, Any]]:
        """Return its event's type and attributes."""

    @callback
    def _handle_coordinator_update(self) -> None:
        newest = self._newest()
        if newest is not None and newest is not self._told:
            self._told = newest
            self._trigger_event(*self._event(newest))
        self._forget_erased()
        super()._handle_coordinator_update()

    def _forget_erased(self) -> None:
        """Keep nothing of who was erased: Home Assistant stores what an event told last."""
        told = self.extra_restore_state_data.last_event_attributes
        if told and told.get("subject_id") in self.coordinator.data.erased:
            told.update(dict.fromkeys(PERSONAL & told.keys()))


class FaceGateDoorEvent[Message](FaceGateDoorEntity, FaceGateEvent[Message]):
    """An event at a door."""

    def __init__(self, coordinator: FaceGateCoordinator, door_id: str, key: str) -> None:
        super().__init__(coordinator, door_id, key)
        self._remember()

    def _newest(self) -> Message | None:
        return self._messages().get(self._door_id)

    @abstractmethod
    def _messages(self) -> Mapping[str, Message]:
        """Return the last message of each door."""


class FaceGateAccessEvent(FaceGateDoorEvent[AccessEvent]):
    """Each decision at a door, with its receipt."""

    _attr_event_types = [ACCESS_GRANTED, ACCESS_DENIED]  # noqa: RUF012  declared so by the base

    def _messages(self) -> Mapping[str, AccessEvent]:
        return self.coordinator.data.accesses

    def _event(self, message: AccessEvent) -> tuple[str, dict[str, Any]]:
        return ACCESS_GRANTED if message.granted else ACCESS_DENIED, receipt(message)


class FaceGatePassageEvent(FaceGateDoorEvent[PassageEvent]):
    """Each passage through a door, and who is told of it."""

    _attr_event_types = [direction.value for direction in Direction]  # noqa: RUF012

    def _messages(self) -> Mapping[str, PassageEvent]:
        return self.coordinator.data.passages

    def _event(self, message: PassageEvent) -> tuple[str, dict[str, Any]]:
        return message.direction.value, {
            "subject": message.subject_name,
            "subject_id": message.subject_id,
            "kind": message.subject_kind,
            "notify": list(message.notify),
            "area": self.coordinator.data.area_name(message.area_id),
            "area_id": message.area_id,
            "at": moment(message.at),
            "decision_id": message.decision_id,
        }


class FaceGateVisitorEvent(FaceGateDoorEvent[CallView]):
    """A visitor who rings."""

    _attr_device_class = EventDeviceClass.DOORBELL
    _attr_event_types = [RING]  # noqa: RUF012

    def _messages(self) -> Mapping[str, CallView]:
        return self.coordinator.data.rings

    def _event(self, message: CallView) -> tuple[str, dict[str, Any]]:
        return RING, {
            "call_id": message.id,
            "expires_at": moment(message.expires_at),
            "unit": message.unit,
        }


class FaceGateAlarmEvent(FaceGateDoorEvent[AlarmEvent]):
    """What somebody should look at, at a door; duress shows nowhere else."""

    _attr_event_types = [kind.value for kind in AlarmKind]  # noqa: RUF012

    def _messages(self) -> Mapping[str, AlarmEvent]:
        return self.coordinator.data.alarms

    def _event(self, message: AlarmEvent) -> tuple[str, dict[str, Any]]:
        return _alarm(message)


class FaceGateSiteAlarmEvent(FaceGateSiteEntity, FaceGateEvent[AlarmEvent]):
    """What somebody should look at, at no door."""

    _attr_event_types = [kind.value for kind in AlarmKind]  # noqa: RUF012

    def __init__(self, coordinator: FaceGateCoordinator) -> None:
        super().__init__(coordinator, "alarm")
        self._remember()

    def _newest(self) -> AlarmEvent | None:
        return self.coordinator.data.alarms.get(SITE)

    def _event(self, message: AlarmEvent) -> tuple[str, dict[str, Any]]:
        return _alarm(message)


def _alarm(message: AlarmEvent) -> tuple[str, dict[str, Any]]:
    return message.kind.value, {
        "subject": message.subject_name,
        "subject_id": message.subject_id,
        "detail": message.detail,
        "at": moment(message.at),
    }
