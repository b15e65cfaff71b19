"""Events: a decision at a door, and a visitor who rings."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from homeassistant.components import event as event_platform
from homeassistant.components.event import EventDeviceClass, EventEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .coordinator import FaceGateConfigEntry, FaceGateCoordinator
from .entity import FaceGateDoorEntity, add_as_they_appear
from .protocol import AccessEvent

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
    """Add both events of each door."""
    add_as_they_appear(
        entry,
        async_add_entities,
        lambda state: state.doors,
        lambda coordinator, door_id: [
            FaceGateAccessEvent(coordinator, door_id),
            FaceGateVisitorEvent(coordinator, door_id),
        ],
    )


def _moment(timestamp: float) -> str:
    return dt_util.utc_from_timestamp(timestamp).isoformat()


class FaceGateAccessEvent(FaceGateDoorEntity, EventEntity):
    """Each decision at a door, with its receipt."""

    _attr_event_types = [ACCESS_GRANTED, ACCESS_DENIED]  # noqa: RUF012  declared so by the base

    def __init__(self, coordinator: FaceGateCoordinator, door_id: str) -> None:
        super().__init__(coordinator, door_id, "access")
        self._told = coordinator.data.accesses.get(door_id)

    @callback
    def _handle_coordinator_update(self) -> None:
        access = self.coordinator.data.accesses.get(self._door_id)
        if access is not None and access is not self._told:
            self._told = access
            kind = ACCESS_GRANTED if access.granted else ACCESS_DENIED
            self._trigger_event(kind, _receipt(access))
        super()._handle_coordinator_update()


class FaceGateVisitorEvent(FaceGateDoorEntity, EventEntity):
    """A visitor who rings."""

    _attr_device_class = EventDeviceClass.DOORBELL
    _attr_event_types = [RING]  # noqa: RUF012  declared so by the base

    def __init__(self, coordinator: FaceGateCoordinator, door_id: str) -> None:
        super().__init__(coordinator, door_id, "visitor")
        self._told = coordinator.data.rings.get(door_id)

    @callback
    def _handle_coordinator_update(self) -> None:
        call = self.coordinator.data.rings.get(self._door_id)
        if call is not None and call is not self._told:
            self._told = call
            self._trigger_event(RING, {"call_id": call.id, "expires_at": _moment(call.expires_at)})
        super()._handle_coordinator_update()


def _receipt(access: AccessEvent) -> dict[str, Any]:
    return {
        "reason": access.reason,
        "subject": access.subject_name,
        "subject_id": access.subject_id,
        "direction": access.direction,
        "basis": access.basis,
        "approver": access.approver,
        "at": _moment(access.at),
        "verdicts": [asdict(verdict) for verdict in access.verdicts],
    }
