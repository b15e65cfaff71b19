"""The nouns of a passage, in the order in which a passage meets them, and the Protocols.

Pictures are ``uint8`` arrays of shape (height, width, 3) in BGR order. Pixel coordinates are
``float`` with the origin in the upper left corner. Moments are aware UTC datetimes; ``monotonic``
values are seconds of ``Clock.monotonic`` and serve for ages and durations only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facegate.protocol import ActuatorAction, CameraStateName, Direction, DoorStateName
from facegate.verdicts import Basis, Outcome, Reason, Verdict

type Image = NDArray[np.uint8]
type Gray = NDArray[np.uint8]
type Vector = NDArray[np.float32]


class Clock(Protocol):
    """Time, so that tests can move it."""

    def now(self) -> datetime:
        """Return the moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...


# --- camera -----------------------------------------------------------------------------------


class Pixels(Protocol):
    """A decoded picture, converted only as far as somebody needs it; for any thread."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        ...

    def image(self) -> Image:
        """Return the whole picture; asked again, the same array."""
        ...

    def scaled(self, width: int, height: int) -> Image:
        """Return the picture at another size, averaged where it shrinks."""
        ...

    def region(self, left: int, top: int, right: int, bottom: int) -> Image:
        """Return a part of the picture; ``right`` and ``bottom`` are the first that are not in."""
        ...

    def luma(self, width: int, height: int) -> Gray:
        """Return brightness 0..255 of shape (height, width): every so many pixels one."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a camera and when it arrived.

    ``detail`` is False for a frame of a camera's small stream while the large one can be had:
    faces are found in it and not read from it. ``space`` is width and height of the pixel
    coordinates in which a camera's faces are told, also those found in a smaller picture; None
    means that they are the picture's own.
    """

    camera_id: str
    sequence: int
    arrived: float
    at: datetime
    pixels: Pixels
    detail: bool = True
    space: tuple[int, int] | None = None

    @property
    def image(self) -> Image:
        """The whole picture."""
        return self.pixels.image()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the space in which this frame's faces are told."""
        return self.space or self.pixels.size


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """A camera's stream; ``reason`` tells an operator why it does not stream."""

    state: CameraStateName
    reason: str | None = None


class Camera(Protocol):
    """A source of frames that always gives the newest and drops the rest."""

    @property
    def id(self) -> str:
        """The camera's id in the settings."""
        ...

    @property
    def status(self) -> CameraStatus:
        """What the stream is doing."""
        ...

    def frames(self) -> AsyncIterator[Frame]:
        """Yield the newest frame not yet yielded; ends after ``close``, or with a finite clip."""
        ...

    @property
    def dropped_frames(self) -> int:
        """Frames that a newer one replaced before they were taken."""
        ...

    @property
    def rejected_frames(self) -> int:
        """Frames that were damaged or too old."""
        ...

    def focus(self, *, wanted: bool) -> None:
        """Ask for the large stream, or be content with the small one; nothing with one stream."""
        ...

    async def close(self) -> None:
        """Stop reading and wait for the reader to end."""
        ...


# --- face -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face in a frame.

    ``landmarks`` has shape (5, 2): right eye, left eye, nose tip, right and left mouth corner,
    where right and left are the subject's own. ``score`` is in 0..1.
    """

    box: Box
    landmarks: Vector
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A live face of one frame: its embedding has 128 values and unit length.

    ``mask`` is how certainly (0..1) it wears a mask, None without a classifier. ``quality``
    (0..1) is how much it counts among the probes of its track. ``live`` is how certainly (0..1)
    the picture shows a person and not a print or a screen, None where this view cannot tell.
    """

    frame_sequence: int
    arrived: float
    detection: Detection
    embedding: Vector
    mask: float | None = None
    quality: float = 1.0
    live: float | None = None


class MaskClassifier(Protocol):
    """Tells whether a face wears a mask."""

    def worn(self, crop: Image) -> float:
        """Return how certainly (0..1) an aligned crop of 112 x 112 pixels shows a mask."""
        ...


@dataclass(frozen=True, slots=True)
class LivenessEvidence:
    """Whether a track is a person and not a picture of one.

    ``unavailable`` until there was enough to tell; ``measured`` is held against ``limit``.
    ``reason`` tells what decided; None where the outcome of motion alone did.
    """

    outcome: Outcome
    measured: float
    limit: float
    reason: Reason | None = None


# --- identity ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Subject:
    """A person who is known here.

    ``number`` is what it enters before its PIN; ``external_id`` is its key in another system.
    """

    id: str
    name: str
    kind: str
    number: str = ""
    external_id: str | None = None
    unit: str | None = None
    language: str | None = None
    birth_date: date | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A stored reference; templates of different models are never compared."""

    id: str
    subject_id: str
    model_id: str
    embedding: Vector


@dataclass(frozen=True, slots=True)
class Identification:
    """A track's probes against the gallery.

    ``score`` and ``runner_up`` are cosines in -1..1 of the best and the second subject, -1 where
    there is none;
    ``subject_id`` is set only where probes, score and margin reach ``min_probes``, ``threshold``
    and ``min_margin``; ``candidate_id`` is the best subject whatever the score. ``step_up`` tells
    that the face alone does not carry the name, ``look_alike`` the cosine of another subject that
    is too like the one named.
    """

    subject_id: str | None
    candidate_id: str | None
    score: float
    runner_up: float
    probes: int
    threshold: float
    min_margin: float
    min_probes: int
    step_up: bool = False
    look_alike: float | None = None

    @property
    def margin(self) -> float:
        """How far the best subject stands before the second."""
        return self.score - self.runner_up


# --- decision ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AccessPoint:
    """One direction through a door."""

    door_id: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class Decision:
    """Granted or denied, and every verdict: the receipt.

    ``companion_id`` is the second of two persons; ``notify`` are the notify actions of those who
    are told of the subject's passages. ``first_arrived`` (monotonic) and ``first_seen_at`` are
    when the first frame that showed the face arrived.
    """

    id: str
    at: datetime
    access_point: AccessPoint
    basis: Basis
    granted: bool
    reason: Reason
    verdicts: tuple[Verdict, ...]
    subject: Subject | None = None
    identification: Identification | None = None
    approver: str | None = None
    call_id: str | None = None
    pass_id: str | None = None
    companion_id: str | None = None
    notify: tuple[str, ...] = ()
    first_seen_at: datetime | None = None
    first_arrived: float | None = None
    frame_age_s: float | None = None


# --- door -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ActuatorCommand:
    """What the hardware is asked to do, and until when it may."""

    id: str
    door_id: str
    action: ActuatorAction
    pulse_s: float
    expires_at: datetime


class Actuator(Protocol):
    """The hardware that holds one door shut."""

    @property
    def unavailable_reason(self) -> str | None:
        """Why it cannot be used now, or None."""
        ...

    @property
    def unlocked(self) -> bool | None:
        """Whether the hardware says that it lets pass; None where it cannot tell."""
        ...

    @property
    def holds(self) -> bool:
        """Whether it can stay open until it is told to lock."""
        ...

    async def perform(self, command: ActuatorCommand) -> None:
        """Return when the hardware confirmed; raises ``ActuatorError``."""
        ...

    async def pulse_ended(self, command: ActuatorCommand) -> None:
        """Return when the hardware confirmed the end of a pulse; raises ``ActuatorError``."""
        ...


@dataclass(frozen=True, slots=True)
class DoorStatus:
    """A door's state; ``fault`` tells an operator what is wrong."""

    state: DoorStateName
    held: bool = False
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message from the broker; ``retained`` tells that it was kept there from before."""

    topic: str
    payload: bytes
    retained: bool


class Broker(Protocol):
    """The MQTT broker, while there is a connection to it."""

    @property
    def fault(self) -> str | None:
        """Why there is no connection now, or None."""

    def subscribe(
        self, topic: str, listener: Callable[[Delivery], None], *, as_published: bool = False
    ) -> None:
        """Have ``listener`` called on the event loop with what comes on a topic or filter.

        It lasts over reconnections. To be called before the broker is started. With
        ``as_published``, ``Delivery.retained`` is also set where the broker was asked to keep a
        message that comes at once, and what this connection publishes does not come back.
        """

    def watch(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called on the event loop when the connection came or went."""

    async def publish(
        self,
        topic: str,
        payload: str | bytes,
        *,
        retain: bool = False,
        expiry_s: float | None = None,
        qos: int = 0,
    ) -> None:
        """Send a message now; raises ``BrokerError`` where it cannot: nothing is queued.

        ``expiry_s`` is after how long the broker gives it to nobody any more.
        """

    async def take_away(self, topic: str) -> None:
        """Have the broker keep nothing on a topic; where it cannot be told, that is logged."""
