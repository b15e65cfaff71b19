"""Sensors of doors, areas and people, and of how fast the engine is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorStateClass
from homeassistant.const import EntityCategory, UnitOfTemperature, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .coordinator import FaceGateConfigEntry, FaceGateCoordinator
from .entity import (
    FaceGateAreaEntity,
    FaceGateDoorEntity,
    FaceGateSiteEntity,
    FaceGateSubjectEntity,
    add_as_they_appear,
)
from .protocol import Prompt
from .receipt import PERSONAL, moment, receipt

PARALLEL_UPDATES = 0

NOTHING = "nothing"
GRANTED = "granted"
DENIED = "denied"

ARRIVAL_TO_UNLOCK = "arrival_to_unlock"
# The stages of the engine that have a sensor, in the order of a passage.
STAGES = (
    "receive",
    "decode",
    "detect",
    "probe",
    "liveness",
    "mask",
    "decide",
    "record",
    "actuate",
    "arrival_to_decision",
    ARRIVAL_TO_UNLOCK,
)


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: FaceGateConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of the engine, each door, each area and each person shown."""
    async_add_entities(FaceGateLatencySensor(entry.runtime_data, stage) for stage in STAGES)
    add_as_they_appear(
        entry,
        async_add_entities,
        lambda state: state.doors,
        lambda coordinator, door_id: [
            FaceGateDecisionSensor(coordinator, door_id),
            FaceGateTemperatureSensor(coordinator, door_id),
            FaceGatePromptSensor(coordinator, door_id),
        ],
    )
    add_as_they_appear(
        entry,
        async_add_entities,
        lambda state: state.areas,
        lambda coordinator, area_id: [FaceGateOccupancySensor(coordinator, area_id)],
    )
    add_as_they_appear(
        entry,
        async_add_entities,
        lambda state: state.subjects,
        lambda coordinator, subject_id: [FaceGateLastSeenSensor(coordinator, subject_id)],
    )


class FaceGateDecisionSensor(FaceGateDoorEntity, SensorEntity):
    """How the last decision at the door fell, and why; unknown until there is one."""

    _attr_device_class = SensorDeviceClass.ENUM
    _attr_options = [GRANTED, DENIED]  # noqa: RUF012  declared so by the base
    _unrecorded_attributes = PERSONAL

    def __init__(self, coordinator: FaceGateCoordinator, door_id: str) -> None:
        super().__init__(coordinator, door_id, "last_decision")

    @property
    def native_value(self) -> str | None:
        """Granted or denied."""
        access = self.coordinator.data.accesses.get(self._door_id)
        if access is None:
            return None
        return GRANTED if access.granted else DENIED

    @property
    def extra_state_attributes(self) -> dict[str, Any] | None:
        """The decision's receipt."""
        access = self.coordinator.data.accesses.get(self._door_id)
        return receipt(access) if access is not None else None


class FaceGateTemperatureSensor(FaceGateDoorEntity, SensorEntity):
    """The last body temperature taken at the door."""

    _attr_device_class = SensorDeviceClass.TEMPERATURE
    _attr_native_unit_of_measurement = UnitOfTemperature.CELSIUS
    _attr_suggested_display_precision = 1

    def __init__(self, coordinator: FaceGateCoordinator, door_id: str) -> None:
        super().__init__(coordinator, door_id, "temperature")

    @property
    def native_value(self) -> float | None:
        """The reading in degrees Celsius."""
        return self._door.temperature

    @property
    def extra_state_attributes(self) -> dict[str, str | None]:
        """When it was taken."""
        return {"at": moment(self._door.temperature_at)}


class FaceGatePromptSensor(FaceGateDoorEntity, SensorEntity):
    """What a display at the door asks of the person before it."""

    _attr_device_class = SensorDeviceClass.ENUM
    _attr_options = [NOTHING, *(prompt.value for prompt in Prompt)]  # noqa: RUF012  as above

    def __init__(self, coordinator: FaceGateCoordinator, door_id: str) -> None:
        super().__init__(coordinator, door_id, "prompt")

    @property
    def native_value(self) -> str:
        """The prompt, or that there is none."""
        return self._door.prompt or NOTHING


class FaceGateLatencySensor(FaceGateSiteEntity, SensorEntity):
    """How long a stage of passages takes: 95 of 100 are done in it; unknown until one was."""

    _attr_device_class = SensorDeviceClass.DURATION
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_native_unit_of_measurement = UnitOfTime.MILLISECONDS
    _attr_state_class = SensorStateClass.MEASUREMENT
    _attr_suggested_display_precision = 0

    def __init__(self, coordinator: FaceGateCoordinator, stage: str) -> None:
        super().__init__(coordinator, f"{stage}_p95")
        self._stage = stage
        self._attr_entity_registry_enabled_default = stage == ARRIVAL_TO_UNLOCK

    @property
    def native_value(self) -> float | None:
        """The 95th percentile of the newest passages, in milliseconds."""
        view = self.coordinator.data.latencies.get(self._stage)
        return view.p95_ms if view is not None else None

    @property
    def extra_state_attributes(self) -> dict[str, float] | None:
        """The median in milliseconds, and how many there were since the engine started."""
        view = self.coordinator.data.latencies.get(self._stage)
        return {"median": view.p50_ms, "count": view.count} if view is not None else None


class FaceGateOccupancySensor(FaceGateAreaEntity, SensorEntity):
    """How many people are in an area."""

    _attr_state_class = SensorStateClass.MEASUREMENT

    def __init__(self, coordinator: FaceGateCoordinator, area_id: str) -> None:
        super().__init__(coordinator, area_id, "occupancy")

    @property
    def native_value(self) -> int:
        """How many are in."""
        return self._area.occupancy

    @property
    def extra_state_attributes(self) -> dict[str, int | None]:
        """How many may be in."""
        return {"capacity": self._area.capacity}


class FaceGateLastSeenSensor(FaceGateSubjectEntity, SensorEntity):
    """When a person was last seen."""

    _attr_device_class = SensorDeviceClass.TIMESTAMP

    def __init__(self, coordinator: FaceGateCoordinator, subject_id: str) -> None:
        super().__init__(coordinator, subject_id, "last_seen")

    @property
    def native_value(self) -> datetime | None:
        """The moment; none for who never was."""
        seen_at = self._subject.last_seen_at
        return dt_util.utc_from_timestamp(seen_at) if seen_at is not None else None
