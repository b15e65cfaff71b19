"""What clients see of the domain's values."""

from __future__ import annotations

from datetime import datetime

from facegate.decision.presence import Presence
from facegate.domain import CameraStatus, Decision, DoorStatus, Identification
from facegate.face.integrity import ModelFault
from facegate.identity.evidence import NOBODY
from facegate.latency import Latencies
from facegate.protocol import (
    AccessEvent,
    AreaView,
    CallView,
    CameraView,
    DoorMode,
    DoorView,
    IdentificationView,
    LatencyView,
    ModelFaultView,
    Prompt,
    SensorView,
    VerdictView,
)
from facegate.register import Area
from facegate.settings import CameraSettings, DoorSettings
from facegate.verdicts import Verdict
from facegate.visitor.call import VisitorCall


def door_view(
    door: DoorSettings,
    status: DoorStatus,
    *,
    mode: DoorMode,
    picture_at: datetime | None,
    forced_open: bool,
    held_open: bool,
    temperature: float | None,
    temperature_at: datetime | None,
    prompt: Prompt | None,
    sensors: tuple[SensorView, ...],
) -> DoorView:
    """Return a door as clients see it."""
    return DoorView(
        door.id,
        door.name,
        status.state,
        fault=status.fault,
        held=status.held,
        camera_ids=door.camera_ids,
        picture_at=_seconds(picture_at),
        mode=mode,
        forced_open=forced_open,
        held_open=held_open,
        temperature=temperature,
        temperature_at=_seconds(temperature_at),
        prompt=prompt,
        sensors=sensors,
        own_relay=door.hardware.relay is not None,
    )


def area_view(area: Area, presence: Presence) -> AreaView:
    """Return an area as clients see it."""
    return AreaView(area.id, area.name, presence.occupancy(area.id), area.capacity)


def camera_view(camera: CameraSettings, status: CameraStatus) -> CameraView:
    """Return a camera as clients see it."""
    return CameraView(camera.id, camera.name, status.state, status.reason)


def model_fault_view(fault: ModelFault) -> ModelFaultView:
    """Return what is wrong with a model as clients see it: without the file's path."""
    model = fault.model
    return ModelFaultView(model.name, model.role, fault.problem, stops_faces=fault.stops_faces)


def call_view(call: VisitorCall) -> CallView:
    """Return a call as clients see it: the picture is fetched by its id."""
    return CallView(
        call.id,
        call.access_point.door_id,
        call.opened_at.timestamp(),
        call.expires_at.timestamp(),
        call.unit,
    )


def latency_views(latencies: Latencies) -> tuple[LatencyView, ...]:
    """Return how long stages take as clients see it, in the order of a passage."""
    return tuple(
        LatencyView(stage, found.count, round(found.p50_s * 1000, 1), round(found.p95_s * 1000, 1))
        for stage, found in latencies.summary().items()
    )


def access_event(decision: Decision) -> AccessEvent:
    """Return a decision's receipt as clients see it."""
    subject = decision.subject
    return AccessEvent(
        decision_id=decision.id,
        door_id=decision.access_point.door_id,
        direction=decision.access_point.direction,
        granted=decision.granted,
        reason=decision.reason,
        at=decision.at.timestamp(),
        basis=decision.basis,
        subject_id=subject.id if subject else None,
        subject_name=subject.name if subject else None,
        subject_kind=subject.kind if subject else None,
        approver=decision.approver,
        first_seen_at=_seconds(decision.first_seen_at),
        frame_age_s=decision.frame_age_s,
        identification=identification_view(decision.identification),
        verdicts=tuple(verdict_view(verdict) for verdict in decision.verdicts),
    )


def verdict_view(found: Verdict) -> VerdictView:
    """Return what a control found as clients see it."""
    return VerdictView(
        found.control,
        found.outcome,
        found.requirement,
        found.reason,
        found.measured,
        found.limit,
    )


def identification_view(found: Identification | None) -> IdentificationView | None:
    """Return an identification as clients see it: figures without the candidate's name."""
    if found is None:
        return None
    return IdentificationView(
        probes=found.probes,
        threshold=found.threshold,
        min_margin=found.min_margin,
        score=found.score if found.score > NOBODY else None,
        runner_up=found.runner_up if found.runner_up > NOBODY else None,
    )


def _seconds(at: datetime | None) -> float | None:
    return at.timestamp() if at is not None else None
