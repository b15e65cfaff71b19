"""The board: what clients are shown of doors, cameras, areas and calls. All of it is memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from facegate.decision.gate import Gate
from facegate.domain import CameraStatus, Clock, DoorStatus
from facegate.errors import NotFoundError
from facegate.face.integrity import ModelFault
from facegate.latency import Latencies
from facegate.protocol import (
    AreaChanged,
    CameraChanged,
    CameraStateName,
    CameraView,
    DoorChanged,
    DoorStateName,
    DoorView,
    ModelFaultView,
    Prompt,
    SensorView,
    StateMessage,
)
from facegate.settings import CameraSettings, DoorSettings, Settings
from facegate.site.bulletin import Bulletin
from facegate.verdicts import Reason
from facegate.views import (
    area_view,
    call_view,
    camera_view,
    door_view,
    latency_views,
    model_fault_view,
)
from facegate.visitor.call import Calls


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG, and when it was taken."""

    data: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Temperature:
    """A reading in degrees Celsius, and when it was taken."""

    celsius: float
    at: datetime


@dataclass(slots=True)
class _Shown:
    status: DoorStatus
    picture: Picture | None = None
    temperature: Temperature | None = None
    forced_open: bool = False
    held_open: bool = False
    is_open: bool | None = None
    asked: set[str] = field(default_factory=set)
    sensors: tuple[SensorView, ...] = ()


class Board:
    """What is shown of one site, told at each change."""

    def __init__(
        self,
        settings: Settings,
        gate: Gate,
        calls: Calls,
        bulletin: Bulletin,
        latencies: Latencies,
        clock: Clock,
        need_photos: Callable[[], int],
    ) -> None:
        self._doors = {door.id: door for door in settings.doors}
        self._cameras = {camera.id: camera for camera in settings.cameras}
        self._gate = gate
        self._calls = calls
        self._bulletin = bulletin
        self._latencies = latencies
        self._clock = clock
        self._need_photos = need_photos
        status = DoorStatus(DoorStateName.UNAVAILABLE)
        self._shown = {door_id: _Shown(status) for door_id in self._doors}
        self._streams: dict[str, CameraStatus] = {}
        self._model_faults: tuple[ModelFaultView, ...] = ()

    def state(self) -> StateMessage:
        """Return everything that a client shows."""
        return StateMessage(
            doors=tuple(self._door_view(door) for door in self._doors.values()),
            cameras=self.cameras,
            calls=tuple(call_view(call) for call in self._calls.open),
            areas=tuple(area_view(area, self._gate.presence) for area in self._gate.presence.areas),
            model_faults=self._model_faults,
            need_photos=self._need_photos(),
            latencies=latency_views(self._latencies),
        )

    @property
    def cameras(self) -> tuple[CameraView, ...]:
        """Every camera and what its stream does."""
        return tuple(
            camera_view(self._cameras[key], status) for key, status in self._streams.items()
        )

    def door_picture(self, door_id: str) -> bytes:
        """Return the last picture of a door; raises ``NotFoundError``."""
        shown = self._shown.get(door_id)
        if shown is None or shown.picture is None:
            raise NotFoundError(f"no picture of the door {door_id!r} is held")
        return shown.picture.data

    def fresh_picture(self, door_id: str, within_s: float) -> bytes | None:
        """Return the last picture of a door if it was taken within so many seconds."""
        picture = self._shown[door_id].picture
        if picture is None:
            return None
        age_s = (self._clock.now() - picture.at).total_seconds()
        return picture.data if 0 <= age_s <= within_s else None

    def camera_changed(self, camera_id: str, status: CameraStatus) -> None:
        """Show a camera's new state."""
        self._streams[camera_id] = status
        self._bulletin.publish(CameraChanged(camera_view(self._cameras[camera_id], status)))

    def models_changed(self, faults: tuple[ModelFault, ...]) -> None:
        """Show which models do not serve, each once."""
        shown: dict[str, ModelFaultView] = {}
        for fault in faults:
            shown.setdefault(fault.model.name, model_fault_view(fault))
        self._model_faults = tuple(shown.values())
        self._bulletin.publish(self.state())

    def door_changed(self, door_id: str, status: DoorStatus) -> None:
        """Show what a door's lock does."""
        self._shown[door_id].status = status
        self.show_door(door_id)

    def show_picture(self, door_id: str, picture: bytes) -> None:
        """Show a new last picture of a door."""
        self._shown[door_id].picture = Picture(picture, self._clock.now())
        self.show_door(door_id)

    def prompt(self, door_id: str, track_id: str, reason: Reason | None) -> None:
        """Show what somebody at a door is asked to do, or no longer."""
        shown = self._shown[door_id]
        asked = reason is Reason.TURN_YOUR_HEAD
        if asked == (track_id in shown.asked):
            return
        shown.asked ^= {track_id}
        self.show_door(door_id)

    def show_temperature(self, door_id: str, celsius: float, at: datetime) -> None:
        """Show a new reading of a door's thermometer."""
        self._shown[door_id].temperature = Temperature(celsius, at)
        self.show_door(door_id)

    def look(self) -> None:
        """Show no temperature that is too old to count; to be called every second."""
        now = self._clock.now()
        for door_id, shown in self._shown.items():
            if (reading := shown.temperature) is None:
                continue
            longest_s = self._doors[door_id].rules.temperature_max_age_s
            if not 0 <= (now - reading.at).total_seconds() <= longest_s:
                shown.temperature = None
                self.show_door(door_id)

    def show_sensors(self, door_id: str, sensors: tuple[SensorView, ...]) -> None:
        """Show how a door's own sensors do."""
        shown = self._shown[door_id]
        if shown.sensors != sensors:
            shown.sensors = sensors
            self.show_door(door_id)

    def is_open(self, door_id: str) -> bool | None:
        """Return what a door's contact says, None where it cannot be told."""
        return self._shown[door_id].is_open

    def is_held_open(self, door_id: str) -> bool:
        """Return whether a door is shown to stand open for too long."""
        return self._shown[door_id].held_open

    def contact_changed(self, door_id: str, is_open: bool | None) -> None:  # noqa: FBT001
        """Hold what a door's contact says."""
        self._shown[door_id].is_open = is_open

    def flag(
        self, door_id: str, *, forced_open: bool | None = None, held_open: bool | None = None
    ) -> None:
        """Show that a door was forced or is held open, or no longer."""
        shown = self._shown[door_id]
        before = (shown.forced_open, shown.held_open)
        if forced_open is not None:
            shown.forced_open = forced_open
        if held_open is not None:
            shown.held_open = held_open
        if (shown.forced_open, shown.held_open) != before:
            self.show_door(door_id)

    def show_door(self, door_id: str) -> None:
        """Tell everybody how a door is."""
        self._bulletin.publish(DoorChanged(self._door_view(self._doors[door_id])))

    def show_area(self, area_id: str) -> None:
        """Tell everybody how an area is; one that is gone is not shown."""
        if (area := self._gate.presence.area(area_id)) is not None:
            self._bulletin.publish(AreaChanged(area_view(area, self._gate.presence)))

    def camera_status(self, camera_id: str) -> CameraStatus:
        """Return what a camera's stream does."""
        return self._streams.get(camera_id, CameraStatus(CameraStateName.CONNECTING))

    def camera(self, camera_id: str) -> CameraSettings:
        """Return a camera's settings."""
        return self._cameras[camera_id]

    def _door_view(self, door: DoorSettings) -> DoorView:
        shown = self._shown[door.id]
        return door_view(
            door,
            shown.status,
            mode=self._gate.mode(door.id),
            picture_at=shown.picture.at if shown.picture else None,
            forced_open=shown.forced_open,
            held_open=shown.held_open,
            temperature=shown.temperature.celsius if shown.temperature else None,
            temperature_at=shown.temperature.at if shown.temperature else None,
            prompt=Prompt.TURN_YOUR_HEAD if shown.asked else None,
            sensors=shown.sensors,
        )
