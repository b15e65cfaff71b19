"""What is known of one engine, as entities show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from .protocol import (
    AccessEvent,
    AlarmEvent,
    AreaChanged,
    AreaView,
    CallClosed,
    CallOpened,
    CallView,
    CameraChanged,
    CameraView,
    DoorChanged,
    DoorView,
    ImportProgress,
    LatencyView,
    ModelFaultView,
    PassageEvent,
    PerformanceChanged,
    StateMessage,
)

SITE = ""
"""Stands in for a door's id where an alarm concerns no door."""

type Change = (
    StateMessage
    | DoorChanged
    | CameraChanged
    | AreaChanged
    | PerformanceChanged
    | CallOpened
    | CallClosed
    | AccessEvent
    | PassageEvent
    | AlarmEvent
    | ImportProgress
)


@dataclass(frozen=True, slots=True)
class SubjectState:
    """A person who is known: in which area, None for outside, and when last seen (epoch)."""

    id: str
    name: str
    area_id: str | None
    last_seen_at: float | None


@dataclass(frozen=True, slots=True)
class FaceGateState:
    """Everything that entities show.

    ``accesses``, ``passages``, ``alarms`` and ``rings`` hold, per door, the last that arrived
    while this integration listened; a reconnection neither adds to them nor repeats them.
    ``subjects`` is empty unless people shall be shown; ``need_photos`` counts who is known by
    references of another model only.
    """

    engine_version: str
    doors: Mapping[str, DoorView] = field(default_factory=dict)
    cameras: Mapping[str, CameraView] = field(default_factory=dict)
    areas: Mapping[str, AreaView] = field(default_factory=dict)
    calls: Mapping[str, CallView] = field(default_factory=dict)
    subjects: Mapping[str, SubjectState] = field(default_factory=dict)
    accesses: Mapping[str, AccessEvent] = field(default_factory=dict)
    passages: Mapping[str, PassageEvent] = field(default_factory=dict)
    alarms: Mapping[str, AlarmEvent] = field(default_factory=dict)
    rings: Mapping[str, CallView] = field(default_factory=dict)
    imports: Mapping[str, ImportProgress] = field(default_factory=dict)
    latencies: Mapping[str, LatencyView] = field(default_factory=dict)
    erased: frozenset[str] = frozenset()
    need_photos: int = 0
    model_faults: tuple[ModelFaultView, ...] = ()

    def call_at(self, door_id: str) -> CallView | None:
        """Return the newest open call at a door."""
        calls = [call for call in self.calls.values() if call.door_id == door_id]
        return max(calls, key=lambda call: call.opened_at, default=None)

    def area_name(self, area_id: str | None) -> str | None:
        """Return an area's name, its id where the name is not known, None for outside."""
        if area_id is None:
            return None
        area = self.areas.get(area_id)
        return area.name if area is not None else area_id

    def with_snapshot(self, message: StateMessage) -> FaceGateState:
        """Return this with the engine's whole state in place of what was known."""
        return replace(
            self,
            doors={door.id: door for door in message.doors},
            cameras={camera.id: camera for camera in message.cameras},
            areas={area.id: area for area in message.areas},
            calls={call.id: call for call in message.calls},
            need_photos=message.need_photos,
            model_faults=message.model_faults,
            latencies={view.stage: view for view in message.latencies},
        )

    def with_subjects(self, subjects: Iterable[SubjectState]) -> FaceGateState:
        """Return this with who is known now; what a passage told meanwhile is kept."""
        merged = {}
        for subject in subjects:
            known = self.subjects.get(subject.id, subject)
            newer = (known.last_seen_at or 0) > (subject.last_seen_at or 0)
            merged[subject.id] = replace(known, name=subject.name) if newer else subject
        return replace(self, subjects=merged)

    def without(self, subject_id: str) -> FaceGateState:
        """Return this with nothing of somebody who was erased but the random id."""
        return replace(
            self,
            accesses=_of_others(self.accesses, subject_id),
            passages=_of_others(self.passages, subject_id),
            alarms=_of_others(self.alarms, subject_id),
            erased=self.erased | {subject_id},
        )

    def with_push(self, message: Change) -> FaceGateState:
        """Return this after one message."""
        match message:
            case StateMessage():
                return self.with_snapshot(message)
            case DoorChanged() | CameraChanged() | AreaChanged() | PerformanceChanged():
                return self._with_change(message)
            case CallOpened() | CallClosed():
                return self._with_call(message)
            case _:
                return self._with_event(message)

    def _with_change(
        self, message: DoorChanged | CameraChanged | AreaChanged | PerformanceChanged
    ) -> FaceGateState:
        match message:
            case DoorChanged(door):
                return replace(self, doors={**self.doors, door.id: door})
            case CameraChanged(camera):
                return replace(self, cameras={**self.cameras, camera.id: camera})
            case AreaChanged(area):
                return replace(self, areas={**self.areas, area.id: area})
            case PerformanceChanged(latencies):
                return replace(self, latencies={view.stage: view for view in latencies})

    def _with_call(self, message: CallOpened | CallClosed) -> FaceGateState:
        match message:
            case CallOpened(call):
                known = self.calls.get(call.id)
                # A call rings again for another unit: those people have not heard of it.
                told = known is not None and known.unit == call.unit
                rings = self.rings if told else {**self.rings, call.door_id: call}
                return replace(self, calls={**self.calls, call.id: call}, rings=rings)
            case CallClosed(call_id):
                calls = {key: call for key, call in self.calls.items() if key != call_id}
                return replace(self, calls=calls)

    def _with_event(
        self, message: AccessEvent | PassageEvent | AlarmEvent | ImportProgress
    ) -> FaceGateState:
        match message:
            case AccessEvent():
                return replace(self, accesses={**self.accesses, message.door_id: message})
            case PassageEvent():
                return self._with_passage(message)
            case AlarmEvent():
                return replace(self, alarms={**self.alarms, message.door_id or SITE: message})
            case ImportProgress():
                return replace(self, imports={message.import_id: message})

    def _with_passage(self, message: PassageEvent) -> FaceGateState:
        subjects = self.subjects
        subject = subjects.get(message.subject_id or "")
        if subject is not None:
            moved = replace(subject, area_id=message.area_id, last_seen_at=message.at)
            subjects = {**subjects, subject.id: moved}
        passages = {**self.passages, message.door_id: message}
        return replace(self, passages=passages, subjects=subjects)


def _of_others[Told: (AccessEvent, PassageEvent, AlarmEvent)](
    told: Mapping[str, Told], subject_id: str
) -> dict[str, Told]:
    return {key: event for key, event in told.items() if event.subject_id != subject_id}
