"""One value of every message and body, with every field set to something that is not its default.

``golden/NAME.json`` is how each looks on the wire.
"""

from __future__ import annotations

from facegate.api.bodies import GuardianBody, PermitBody, PermitsBody, SubjectBody
from facegate.protocol import (
    AccessEvent,
    Actuate,
    Actuated,
    ActuatorAction,
    ActuatorPhase,
    ActuatorStatus,
    AlarmEvent,
    AlarmKind,
    AnswerCall,
    AreaChanged,
    AreaView,
    CallAnswer,
    CallClosed,
    CallOpened,
    CallView,
    CameraChanged,
    CameraStateName,
    CameraView,
    ClientMessage,
    ContactStatus,
    Direction,
    DoorAction,
    DoorChanged,
    DoorCommand,
    DoorMode,
    DoorStateName,
    DoorView,
    EngineMessage,
    ErrorCode,
    ErrorMessage,
    Hello,
    IdentificationView,
    ImportProgress,
    LatencyView,
    ModelFaultView,
    ModelProblem,
    PassageEvent,
    PeopleChanged,
    PerformanceChanged,
    Prompt,
    Result,
    SensorView,
    StateMessage,
    VerdictView,
    Welcome,
)

MOMENT = 1793534400.25

_DOOR = DoorView(
    "front",
    "Front door",
    DoorStateName.JAMMED,
    fault="the bolt does not move",
    held=True,
    camera_ids=("porch", "hall"),
    picture_at=MOMENT,
    mode=DoorMode.LOCKDOWN,
    forced_open=True,
    held_open=True,
    temperature=36.6,
    temperature_at=MOMENT,
    prompt=Prompt.TURN_YOUR_HEAD,
    sensors=(SensorView("thermometer", Direction.ENTRY, ok=False, reason="it does not answer"),),
    own_relay=True,
)
_CAMERA = CameraView("porch", "Porch", CameraStateName.BACKING_OFF, "no answer")
_CALL = CallView("c1", "front", MOMENT, MOMENT + 60, "4b")
_AREA = AreaView("house", "House", 12, 40)
_MODEL_FAULT = ModelFaultView("minifasnet-v2", "liveness", ModelProblem.MISSING, stops_faces=False)
_LATENCY = LatencyView("arrival_to_unlock", 12, 310.5, 455.25)
_PERMIT = PermitBody("front", Direction.ENTRY, "school", MOMENT, MOMENT + 3600)

CLIENT: dict[str, ClientMessage] = {
    "hello": Hello(1, "Home Assistant"),
    "door_command": DoorCommand(7, "front", DoorAction.OPEN, "Ann", Direction.EXIT),
    "answer_call": AnswerCall(8, "c1", CallAnswer.LET_IN, "Ann"),
    "actuator_status": ActuatorStatus(
        "front", available=False, reason="lock.front is unavailable", unlocked=True
    ),
    "contact_status": ContactStatus("front", open=True),
    "actuated": Actuated("a1", ActuatorPhase.OFF, ok=False, error="lock.front did not move"),
}

ENGINE: dict[str, EngineMessage] = {
    "welcome": Welcome(1, "0.1.0", "site1", MOMENT),
    "state": StateMessage(
        (_DOOR,), (_CAMERA,), (_CALL,), (_AREA,), (_MODEL_FAULT,), (_LATENCY,), need_photos=2
    ),
    "door": DoorChanged(_DOOR),
    "camera": CameraChanged(_CAMERA),
    "area": AreaChanged(_AREA),
    "performance": PerformanceChanged((_LATENCY,)),
    "people": PeopleChanged("s1", need_photos=2),
    "call_opened": CallOpened(_CALL),
    "call_closed": CallClosed("c1", "front", "turned_away"),
    "access": AccessEvent(
        decision_id="d1",
        door_id="front",
        direction=Direction.EXIT,
        granted=True,
        reason="granted",
        at=MOMENT,
        basis="face",
        subject_id="s1",
        subject_name="Ann",
        subject_kind="resident",
        approver="Ben",
        first_seen_at=MOMENT - 1,
        frame_age_s=0.125,
        identification=IdentificationView(5, 0.45, 0.08, 0.75, 0.25),
        verdicts=(VerdictView("identity", "pass", "required", "ok", 0.75, 0.45),),
    ),
    "passage": PassageEvent(
        door_id="front",
        direction=Direction.ENTRY,
        at=MOMENT,
        decision_id="d1",
        area_id="house",
        subject_id="s1",
        subject_name="Ann",
        subject_kind="pupil",
        notify=("mobile_app_ben",),
    ),
    "alarm": AlarmEvent(AlarmKind.FEVER, MOMENT, "front", "s1", "Ann", "38.2"),
    "import": ImportProgress("i1", "running", 40, 100, 2),
    "actuate": Actuate("a1", "front", ActuatorAction.PULSE, 3.0, MOMENT + 2),
    "result": Result(7, ok=False, code=ErrorCode.NOT_FOUND, message="no such door"),
    "error": ErrorMessage(ErrorCode.INVALID, "id: required"),
}

BODIES: dict[str, SubjectBody | PermitsBody] = {
    "body_subject": SubjectBody(
        "Ann",
        "pupil",
        external_id="4711",
        unit="4b",
        language="de",
        birth_date="2016-02-29",
        groups=("g1",),
        guardians=(GuardianBody("Ben", "mobile_app_ben"),),
        permits=(_PERMIT,),
    ),
    "body_permits": PermitsBody((_PERMIT, PermitBody("back"))),
}
