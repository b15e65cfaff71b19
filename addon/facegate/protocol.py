"""The wire between the engine and its clients: messages, error codes, versions.

Standard library only: the Home Assistant integration carries this file byte for byte.
Every message is a JSON object whose ``type`` names one of the frozen classes below. Times are
seconds since the Unix epoch in UTC. Messages grow by fields with defaults; a receiver ignores
fields it does not know, and a change of meaning raises ``PROTOCOL_VERSION``. A client compares
versions before its first command.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
import functools
import json
import math
import types
import typing
from typing import ClassVar

PROTOCOL_VERSION = 1
OLDEST_PROTOCOL_VERSION = 1

SOCKET_PATH = "/api/v1/socket"
HEALTH_PATH = "/health"
STATE_PATH = "/api/v1/state"
SUBJECTS_PATH = "/api/v1/subjects"
GROUPS_PATH = "/api/v1/groups"
PASSES_PATH = "/api/v1/passes"
AREAS_PATH = "/api/v1/areas"
DOORS_PATH = "/api/v1/doors"
MODE_PATH = "/api/v1/mode"
IMPORTS_PATH = "/api/v1/imports"
EVENTS_PATH = "/api/v1/events"
RECORDS_PATH = "/api/v1/records"
RECOGNITION_PATH = "/api/v1/recognition"
CALL_PICTURE_PATH = "/api/v1/calls/{call_id}/picture"
DOOR_PICTURE_PATH = "/api/v1/doors/{door_id}/picture"

USER_HEADER = "X-FaceGate-User"
"""Who asks, for the record: a name, percent-encoded UTF-8."""

MAX_MESSAGE_BYTES = 1024 * 1024
MAX_PICTURE_BYTES = 8 * 1024 * 1024


class ErrorCode(StrEnum):
    """Stable names of what can go wrong between client and engine."""

    UNAUTHORIZED = "unauthorized"
    PROTOCOL_TOO_OLD = "protocol_too_old"
    PROTOCOL_TOO_NEW = "protocol_too_new"
    MALFORMED = "malformed"
    UNKNOWN_MESSAGE = "unknown_message"
    INVALID = "invalid"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    CALL_CLOSED = "call_closed"
    EXPIRED = "expired"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA = "unsupported_media"
    TOO_MANY = "too_many"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    FACE_TOO_SMALL = "face_too_small"
    LOW_QUALITY = "low_quality"
    OUTLIER_PHOTO = "outlier_photo"
    DUPLICATE_SUBJECT = "duplicate_subject"
    ACTUATOR_UNAVAILABLE = "actuator_unavailable"
    BROKER_UNAVAILABLE = "broker_unavailable"
    FORBIDDEN = "forbidden"
    NOT_CONFIRMED = "not_confirmed"
    RECORDS_UNAVAILABLE = "records_unavailable"
    CAMERA_UNAVAILABLE = "camera_unavailable"
    MODEL_UNAVAILABLE = "model_unavailable"
    VAULT_UNAVAILABLE = "vault_unavailable"
    CONSENT_REQUIRED = "consent_required"
    SETTINGS_INVALID = "settings_invalid"
    INTERNAL = "internal"


class ProtocolError(Exception):
    """A message that cannot be read; ``code`` says why, the text where."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class Direction(StrEnum):
    """Which way through a door."""

    ENTRY = "entry"
    EXIT = "exit"


class DoorStateName(StrEnum):
    """States of a door's lock as the engine knows them."""

    LOCKED = "locked"
    UNLOCKING = "unlocking"
    UNLOCKED = "unlocked"
    RELOCKING = "relocking"
    JAMMED = "jammed"
    UNAVAILABLE = "unavailable"


class CameraStateName(StrEnum):
    """States of a camera's stream."""

    CONNECTING = "connecting"
    STREAMING = "streaming"
    BACKING_OFF = "backing_off"
    REFUSED = "refused"


class DoorMode(StrEnum):
    """How a door treats who comes: by the rules, open to all, no entry, or open for escape."""

    NORMAL = "normal"
    FREE = "free"
    LOCKDOWN = "lockdown"
    EMERGENCY = "emergency"


class AlarmKind(StrEnum):
    """What somebody should look at."""

    DOOR_FORCED = "door_forced"
    DOOR_HELD = "door_held"
    DOOR_UNLOCKED = "door_unlocked"
    DURESS = "duress"
    PASSBACK = "passback"
    ATTEMPTS = "attempts"
    FEVER = "fever"
    MASK = "mask"
    APPROVAL_EXPIRING = "approval_expiring"
    CLOCK_JUMP = "clock_jump"
    ACTUATOR = "actuator"
    MQTT = "mqtt"
    SENSOR = "sensor"


class DoorAction(StrEnum):
    """What a user may ask of a door: one opening, unlocked until locked, or locked."""

    OPEN = "open"
    UNLOCK = "unlock"
    LOCK = "lock"


class Prompt(StrEnum):
    """What a display at a door asks of the person before it."""

    TURN_YOUR_HEAD = "turn_your_head"


class ActuatorAction(StrEnum):
    """What the engine asks of an actuator: on for a time, on until released, or off."""

    PULSE = "pulse"
    HOLD = "hold"
    RELEASE = "release"


class ActuatorPhase(StrEnum):
    """Which half of a command an actuator confirms: it acted, or the pulse has ended."""

    ON = "on"
    OFF = "off"


class ModelProblem(StrEnum):
    """What is wrong with a model: no file, not the published file, or it cannot be read or run."""

    MISSING = "missing"
    ALTERED = "altered"
    UNUSABLE = "unusable"


class CallAnswer(StrEnum):
    """How a visitor call may be answered."""

    LET_IN = "let_in"
    TURN_AWAY = "turn_away"


# --- values carried by messages ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SensorView:
    """A thermometer, contact, button or reader of a door; ``reason`` says why it does not serve.

    ``kind`` is ``thermometer``, ``contact``, ``exit_button``, ``doorbell`` or ``reader``.
    """

    kind: str
    direction: Direction | None
    ok: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class DoorView:
    """One door.

    ``held`` tells that it is unlocked until locked; ``forced_open`` and ``held_open`` are alarms
    of its contact. ``picture_at`` is the time of the last picture held in memory, if any;
    ``temperature`` is the newest reading taken at the door, in degrees Celsius, for as long as it
    may count; ``prompt`` is what the person who stands there is asked to do; ``sensors`` are those
    that the engine reads itself; ``own_relay`` tells that the door's relay is driven
    by the engine and not by Home Assistant.
    """

    id: str
    name: str
    state: DoorStateName
    fault: str | None = None
    held: bool = False
    camera_ids: tuple[str, ...] = ()
    picture_at: float | None = None
    mode: DoorMode = DoorMode.NORMAL
    forced_open: bool = False
    held_open: bool = False
    temperature: float | None = None
    temperature_at: float | None = None
    prompt: Prompt | None = None
    sensors: tuple[SensorView, ...] = ()
    own_relay: bool = False


@dataclass(frozen=True, slots=True)
class CameraView:
    """One camera; ``reason`` says why it is not streaming."""

    id: str
    name: str
    state: CameraStateName
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CallView:
    """One open visitor call."""

    id: str
    door_id: str
    opened_at: float
    expires_at: float
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class AreaView:
    """One area: how many are in it, and how many may be."""

    id: str
    name: str
    occupancy: int
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class ModelFaultView:
    """A model that does not serve; ``role`` is what it is for.

    ``role`` is ``detector``, ``embedder``, ``liveness`` or ``mask``. ``stops_faces`` tells that no
    door opens to a face; else only what asks for this model denies.
    """

    model: str
    role: str
    problem: ModelProblem
    stops_faces: bool = True


@dataclass(frozen=True, slots=True)
class LatencyView:
    """How long a stage of passages takes, in milliseconds, and of how many since the start.

    The percentiles are of the newest samples. Stages may be added.
    """

    stage: str
    count: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class VerdictView:
    """What one control found: ``pass``, ``fail`` or ``unavailable``, with what was measured."""

    control: str
    outcome: str
    requirement: str
    reason: str
    measured: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class IdentificationView:
    """A face against the gallery: cosines of the best subject and of the next, and the limits.

    ``score`` and ``runner_up`` are null where nobody, or nobody else, is enrolled.
    """

    probes: int
    threshold: float
    min_margin: float
    score: float | None = None
    runner_up: float | None = None


# --- client to engine -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hello:
    """First message of a client."""

    type: ClassVar[str] = "hello"
    protocol: int
    client: str


@dataclass(frozen=True, slots=True)
class DoorCommand:
    """A user asks something of a door; answered by ``Result`` with the same ``id``."""

    type: ClassVar[str] = "door_command"
    id: int
    door_id: str
    action: DoorAction
    user: str | None = None
    direction: Direction = Direction.ENTRY


@dataclass(frozen=True, slots=True)
class AnswerCall:
    """A user answers a visitor call; answered by ``Result`` with the same ``id``."""

    type: ClassVar[str] = "answer_call"
    id: int
    call_id: str
    answer: CallAnswer
    user: str | None = None


@dataclass(frozen=True, slots=True)
class ActuatorStatus:
    """The client drives this door (or no longer can, and why).

    ``unlocked`` is what the hardware shows, null where it cannot tell; sent at each change.
    """

    type: ClassVar[str] = "actuator_status"
    door_id: str
    available: bool
    reason: str | None = None
    unlocked: bool | None = None


@dataclass(frozen=True, slots=True)
class ContactStatus:
    """What a door's contact shows: ``open`` is null where it cannot be told."""

    type: ClassVar[str] = "contact_status"
    door_id: str
    open: bool | None


@dataclass(frozen=True, slots=True)
class Actuated:
    """The client's answer to ``Actuate``: one for ``on``, for a pulse another for ``off``."""

    type: ClassVar[str] = "actuated"
    command_id: str
    phase: ActuatorPhase
    ok: bool
    error: str | None = None


# --- engine to client -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Welcome:
    """Answer to ``Hello``; ``time`` lets the client tell how old a command is."""

    type: ClassVar[str] = "welcome"
    protocol: int
    engine_version: str
    site_id: str
    time: float


@dataclass(frozen=True, slots=True)
class StateMessage:
    """Everything a client shows. Never repeats past events.

    Sent after ``Welcome``, and when a model's fault comes or goes.
    """

    type: ClassVar[str] = "state"
    doors: tuple[DoorView, ...]
    cameras: tuple[CameraView, ...]
    calls: tuple[CallView, ...]
    areas: tuple[AreaView, ...] = ()
    model_faults: tuple[ModelFaultView, ...] = ()
    latencies: tuple[LatencyView, ...] = ()
    need_photos: int = 0


@dataclass(frozen=True, slots=True)
class DoorChanged:
    """A door's new state."""

    type: ClassVar[str] = "door"
    door: DoorView


@dataclass(frozen=True, slots=True)
class CameraChanged:
    """A camera's new state."""

    type: ClassVar[str] = "camera"
    camera: CameraView


@dataclass(frozen=True, slots=True)
class AreaChanged:
    """An area's new occupancy."""

    type: ClassVar[str] = "area"
    area: AreaView


@dataclass(frozen=True, slots=True)
class PerformanceChanged:
    """How long the stages take now; sent at most every half a minute."""

    type: ClassVar[str] = "performance"
    latencies: tuple[LatencyView, ...]


@dataclass(frozen=True, slots=True)
class PeopleChanged:
    """Somebody was added, changed or removed; ``GET /api/v1/subjects`` tells who is known.

    ``erased`` is who was erased, of whom a client keeps nothing either; ``need_photos`` how many
    people now have references of another model only, null where that is not told.
    """

    type: ClassVar[str] = "people"
    erased: str | None = None
    need_photos: int | None = None


@dataclass(frozen=True, slots=True)
class CallOpened:
    """A visitor rings."""

    type: ClassVar[str] = "call_opened"
    call: CallView


@dataclass(frozen=True, slots=True)
class CallClosed:
    """A call ended: ``let_in``, ``turned_away`` or ``expired``."""

    type: ClassVar[str] = "call_closed"
    call_id: str
    door_id: str
    outcome: str


@dataclass(frozen=True, slots=True)
class AccessEvent:
    """One decision at a door, with its whole receipt.

    ``basis`` is ``face``, ``pin``, ``card``, ``pass``, ``visitor``, ``operator`` or ``mode``;
    ``first_seen_at`` is the arrival time of the first frame that showed the face.
    """

    type: ClassVar[str] = "access"
    decision_id: str
    door_id: str
    direction: Direction
    granted: bool
    reason: str
    at: float
    basis: str
    subject_id: str | None = None
    subject_name: str | None = None
    subject_kind: str | None = None
    approver: str | None = None
    first_seen_at: float | None = None
    frame_age_s: float | None = None
    identification: IdentificationView | None = None
    verdicts: tuple[VerdictView, ...] = ()


@dataclass(frozen=True, slots=True)
class PassageEvent:
    """Somebody went through a door: it opened after a grant.

    ``area_id`` is where the subject now is, null for outside; ``notify`` are the notify actions
    of those who are told of the subject's passages.
    """

    type: ClassVar[str] = "passage"
    door_id: str
    direction: Direction
    at: float
    decision_id: str
    area_id: str | None = None
    subject_id: str | None = None
    subject_name: str | None = None
    subject_kind: str | None = None
    notify: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """Something that somebody should look at; ``detail`` says what was measured."""

    type: ClassVar[str] = "alarm"
    kind: AlarmKind
    at: float
    door_id: str | None = None
    subject_id: str | None = None
    subject_name: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far a bulk import is: ``state`` is ``running``, ``done`` or ``failed``."""

    type: ClassVar[str] = "import"
    import_id: str
    state: str
    done: int
    total: int
    refused: int


@dataclass(frozen=True, slots=True)
class Actuate:
    """Do this before ``expires_at`` (engine's clock) or answer that it has expired."""

    type: ClassVar[str] = "actuate"
    command_id: str
    door_id: str
    action: ActuatorAction
    pulse_s: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class Result:
    """Outcome of the command with the same ``id``."""

    type: ClassVar[str] = "result"
    id: int
    ok: bool
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """Something was wrong with what the client sent; also every REST error's body."""

    type: ClassVar[str] = "error"
    code: str
    message: str


type ClientMessage = Hello | DoorCommand | AnswerCall | ActuatorStatus | Actuated | ContactStatus
type EngineMessage = (
    Welcome
    | StateMessage
    | DoorChanged
    | CameraChanged
    | AreaChanged
    | PerformanceChanged
    | PeopleChanged
    | CallOpened
    | CallClosed
    | AccessEvent
    | PassageEvent
    | AlarmEvent
    | ImportProgress
    | Actuate
    | Result
    | ErrorMessage
)

_CLIENT_TYPES: dict[str, type[ClientMessage]] = {
    kind.type: kind for kind in typing.get_args(ClientMessage.__value__)
}
_ENGINE_TYPES: dict[str, type[EngineMessage]] = {
    kind.type: kind for kind in typing.get_args(EngineMessage.__value__)
}


# --- reading and writing ----------------------------------------------------------------------


def encode(message: ClientMessage | EngineMessage) -> str:
    """Return the JSON text of a message."""
    return json.dumps({"type": message.type, **dataclasses.asdict(message)}, allow_nan=False)


def decode_client(text: str) -> ClientMessage:
    """Read a client's message; raises ``ProtocolError``."""
    return _decode_tagged(text, _CLIENT_TYPES)


def decode_engine(text: str) -> EngineMessage:
    """Read an engine's message; raises ``ProtocolError``."""
    return _decode_tagged(text, _ENGINE_TYPES)


def decode_body[T](text: str | bytes, kind: type[T]) -> T:
    """Read a JSON body of one class, refusing unknown fields; raises ``ProtocolError``."""
    return _read_object(_load(text), kind, "", strict=True)


def _decode_tagged[T](text: str, kinds: dict[str, type[T]]) -> T:
    raw = _load(text)
    name = raw.pop("type", None)
    kind = kinds.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ProtocolError(
            ErrorCode.UNKNOWN_MESSAGE,
            f"unknown message type {name!r}; known: {', '.join(sorted(kinds))}",
        )
    return _read_object(raw, kind, "", strict=False)


def _load(text: str | bytes) -> dict[str, object]:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise ProtocolError(ErrorCode.MALFORMED, f"not JSON: {err}") from err
    if not isinstance(raw, dict):
        raise ProtocolError(ErrorCode.MALFORMED, "expected a JSON object")
    return raw


@functools.cache
def _hints(kind: type) -> dict[str, object]:
    return typing.get_type_hints(kind)


def _read_object[T](raw: object, kind: type[T], path: str, *, strict: bool) -> T:
    if not isinstance(raw, dict):
        raise ProtocolError(ErrorCode.INVALID, f"{path.rstrip('.') or 'body'}: expected an object")
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if strict and (unknown := sorted(map(str, raw.keys() - fields.keys()))):
        raise ProtocolError(
            ErrorCode.INVALID,
            f"{path}{unknown[0]}: unknown field; known: {', '.join(sorted(fields))}",
        )
    hints = _hints(kind)  # type: ignore[arg-type]
    values: dict[str, object] = {}
    for name, field in fields.items():
        if name in raw:
            values[name] = _read_value(raw[name], hints[name], path + name, strict=strict)
        elif field.default is dataclasses.MISSING:
            raise ProtocolError(ErrorCode.INVALID, f"{path}{name}: required")
    return kind(**values)


def _read_value(raw: object, hint: object, path: str, *, strict: bool) -> object:
    """Check one value against its annotation: scalars, enums, ``X | None``, tuples, classes."""
    if isinstance(hint, types.UnionType):
        if raw is None:
            return None
        hint = next(arg for arg in typing.get_args(hint) if arg is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        if not isinstance(raw, list):
            raise ProtocolError(ErrorCode.INVALID, f"{path}: expected a list")
        item = typing.get_args(hint)[0]
        return tuple(
            _read_value(value, item, f"{path}[{index}]", strict=strict)
            for index, value in enumerate(raw)
        )
    if dataclasses.is_dataclass(hint):
        return _read_object(raw, typing.cast("type", hint), f"{path}.", strict=strict)
    return _read_scalar(raw, typing.cast("type", hint), path)


def _read_scalar(raw: object, kind: type, path: str) -> object:
    if issubclass(kind, StrEnum):
        if not isinstance(raw, str) or raw not in list(kind):
            accepted = ", ".join(kind)
            raise ProtocolError(ErrorCode.INVALID, f"{path}: {raw!r} is not one of {accepted}")
        return kind(raw)
    if kind is float and isinstance(raw, (int, float)) and not isinstance(raw, bool):
        return _read_number(raw, path)
    if type(raw) is not kind:
        raise ProtocolError(
            ErrorCode.INVALID, f"{path}: expected {kind.__name__}, got {type(raw).__name__}"
        )
    if isinstance(raw, str) and not _is_text(raw):
        raise ProtocolError(ErrorCode.INVALID, f"{path}: half a character: not valid Unicode")
    return raw


def _read_number(raw: float, path: str) -> float:
    try:
        number = float(raw)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ProtocolError(ErrorCode.INVALID, f"{path}: not a finite number")
    return number


def _is_text(text: str) -> bool:
    """Return whether text can be stored: JSON may escape half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
