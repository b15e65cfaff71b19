"""Binary sensors: of doors, cameras, areas and people shown."""

from __future__ import annotations

from homeassistant.components.binary_sensor import BinarySensorDeviceClass, BinarySensorEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .coordinator import FaceGateConfigEntry, FaceGateCoordinator
from .devices import camera_identifier
from .entity import (
    FaceGateAreaEntity,
    FaceGateDoorEntity,
    FaceGateSubjectEntity,
    add_as_they_appear,
)
from .protocol import CameraStateName, CameraView, SensorView

PARALLEL_UPDATES = 0


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: FaceGateConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of each door, camera, area and person shown."""
    add_as_they_appear(
        entry,
        async_add_entities,
        lambda state: state.doors,
        lambda coordinator, door_id: [
            FaceGateVisitorSensor(coordinator, door_id),
            FaceGateForcedSensor(coordinator, door_id),
            FaceGateHeldSensor(coordinator, door_id),
        ],
    )
    add_as_they_appear(
        entry,
        async_add_entities,
        lambda state: [door.id for door in state.doors.values() if door.sensors],
        lambda coordinator, door_id: [FaceGateSensorsSensor(coordinator, door_id)],
    )
    add_as_they_appear(
        entry,
        async_add_entities,
        lambda state: state.cameras,
        lambda coordinator, camera_id: [FaceGateCameraSensor(coordinator, camera_id)],
    )
    add_as_they_appear(
        entry,
        async_add_entities,
        lambda state: state.areas,
        lambda coordinator, area_id: [FaceGateOccupiedSensor(coordinator, area_id)],
    )
    add_as_they_appear(
        entry,
        async_add_entities,
        lambda state: state.subjects,
        lambda coordinator, subject_id: [FaceGatePresenceSensor(coordinator, subject_id)],
    )


class FaceGateVisitorSensor(FaceGateDoorEntity, BinarySensorEntity):
    """On while a visitor's call is open at the door."""

    def __init__(self, coordinator: FaceGateCoordinator, door_id: str) -> None:
        super().__init__(coordinator, door_id, "visitor_waiting")

    @property
    def is_on(self) -> bool:
        """Whether a call is open."""
        return self._call is not None


class FaceGateForcedSensor(FaceGateDoorEntity, BinarySensorEntity):
    """On while the door stands open that nobody was let through."""

    _attr_device_class = BinarySensorDeviceClass.TAMPER

    def __init__(self, coordinator: FaceGateCoordinator, door_id: str) -> None:
        super().__init__(coordinator, door_id, "forced_open")

    @property
    def is_on(self) -> bool:
        """Whether it was forced."""
        return self._door.forced_open


class FaceGateHeldSensor(FaceGateDoorEntity, BinarySensorEntity):
    """On while the door stands open for too long."""

    _attr_device_class = BinarySensorDeviceClass.PROBLEM

    def __init__(self, coordinator: FaceGateCoordinator, door_id: str) -> None:
        super().__init__(coordinator, door_id, "held_open")

    @property
    def is_on(self) -> bool:
        """Whether it is held open."""
        return self._door.held_open


class FaceGateSensorsSensor(FaceGateDoorEntity, BinarySensorEntity):
    """On while one of the sensors that the engine reads at the door does not serve."""

    _attr_device_class = BinarySensorDeviceClass.PROBLEM
    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(self, coordinator: FaceGateCoordinator, door_id: str) -> None:
        super().__init__(coordinator, door_id, "sensors")

    @property
    def is_on(self) -> bool:
        """Whether one has a problem."""
        return any(not sensor.ok for sensor in self._door.sensors)

    @property
    def extra_state_attributes(self) -> dict[str, list[str]]:
        """Which there are, and why some do not serve."""
        return {
            "kinds": [_described(sensor) for sensor in self._door.sensors],
            "reasons": [
                f"{_described(sensor)}: {sensor.reason}"
                for sensor in self._door.sensors
                if not sensor.ok
            ],
        }


def _described(sensor: SensorView) -> str:
    return sensor.kind if sensor.direction is None else f"{sensor.kind} ({sensor.direction})"


class FaceGateOccupiedSensor(FaceGateAreaEntity, BinarySensorEntity):
    """On while somebody is in an area."""

    _attr_device_class = BinarySensorDeviceClass.OCCUPANCY

    def __init__(self, coordinator: FaceGateCoordinator, area_id: str) -> None:
        super().__init__(coordinator, area_id, "occupied")

    @property
    def is_on(self) -> bool:
        """Whether anybody is in."""
        return self._area.occupancy > 0


class FaceGatePresenceSensor(FaceGateSubjectEntity, BinarySensorEntity):
    """On while a person is in one of the areas."""

    _attr_device_class = BinarySensorDeviceClass.PRESENCE

    def __init__(self, coordinator: FaceGateCoordinator, subject_id: str) -> None:
        super().__init__(coordinator, subject_id, "presence")

    @property
    def is_on(self) -> bool:
        """Whether the person is in."""
        return self._subject.area_id is not None

    @property
    def extra_state_attributes(self) -> dict[str, str | None]:
        """In which area."""
        return {"area": self.coordinator.data.area_name(self._subject.area_id)}


class FaceGateCameraSensor(CoordinatorEntity[FaceGateCoordinator], BinarySensorEntity):
    """On while a camera streams to the engine."""

    _attr_has_entity_name = True
    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(self, coordinator: FaceGateCoordinator, camera_id: str) -> None:
        super().__init__(coordinator)
        self._camera_id = camera_id
        self._attr_unique_id = f"{coordinator.site_id}-{camera_id}-camera"
        self._attr_device_info = DeviceInfo(
            identifiers={camera_identifier(coordinator.site_id, camera_id)}
        )

    @property
    def available(self) -> bool:
        """Whether the engine is there and knows the camera."""
        return super().available and self._camera_id in self.coordinator.data.cameras

    @property
    def is_on(self) -> bool:
        """Whether frames arrive."""
        return self._camera.state is CameraStateName.STREAMING

    @property
    def extra_state_attributes(self) -> dict[str, str | None]:
        """Why frames do not arrive."""
        return {"reason": self._camera.reason}

    @property
    def _camera(self) -> CameraView:
        return self.coordinator.data.cameras[self._camera_id]
