"""Card, keypad and document readers that send JSON to a topic of the broker."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
import hashlib
import math
import re

from facegate.domain import AccessPoint, Clock, Delivery
from facegate.errors import FaceGateError, ImageError, InvalidError
from facegate.hardware import Reader
from facegate.protocol import AlarmKind
from facegate.site.alarms import Alarms
from facegate.site.bulletin import Bulletin
from facegate.site.instruments.health import Health, Sensor, Trouble
from facegate.site.instruments.payload import json_of, moment_of
from facegate.site.presenting import Presented, Presenting
from facegate.vision import Vision

MOST_MESSAGE_BYTES = 1024 * 1024
MOST_PHOTO_BYTES = 512 * 1024
OLDEST_S = 5.0
"""How old a message that tells its time may be; an older one was kept or replayed by somebody."""
AHEAD_S = 1.0
AGAIN_S = 3.0
"""Within this time the same message is the same reading, sent twice."""

_MOST_AT_ONCE = 4
_JPEG = b"\xff\xd8\xff"
_SPACE = re.compile(r"\s+")
_KINDS = (
    frozenset({"card_number"}),
    frozenset({"number", "pin"}),
    frozenset({"code"}),
    frozenset({"document"}),
)
# The longest of each, in characters.
_LONGEST = {"card_number": 200, "number": 200, "pin": 200, "code": 2000, "name": 200}
_EXPECTED = "expected card_number, or number and pin, or code, or document, each a text"


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A document's photograph, a JPEG; what else it says is not kept."""

    photo: bytes


def read(payload: bytes, now: float) -> Presented | ReadDocument:
    """Return what a reader sent, ``now`` being seconds since 1970 UTC.

    Raises ``InvalidError``, whose text holds nothing of what was read.
    """
    if len(payload) > MOST_MESSAGE_BYTES:
        raise InvalidError(
            f"the message has {len(payload)} bytes; at most {MOST_MESSAGE_BYTES} are read"
        )
    told = json_of(payload)
    if not isinstance(told, dict):
        raise InvalidError(_EXPECTED)
    at = moment_of(told)
    if at is not None and not -AHEAD_S <= now - at <= OLDEST_S:
        raise InvalidError(
            f"at: not a moment of the last {OLDEST_S:.0f} s; set the reader's clock, or somebody"
            " sends again what was read before"
        )
    if told.keys() - {"at"} not in _KINDS:
        raise InvalidError(_EXPECTED)
    if "document" in told:
        return _document(told["document"])
    return Presented(
        number=_text(told, "number"),
        pin=_text(told, "pin"),
        card_number=_text(told, "card_number"),
        code=_text(told, "code"),
    )


def _text(told: dict[str, object], key: str) -> str | None:
    if key not in told:
        return None
    value, longest = told[key], _LONGEST[key]
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise InvalidError(f"{key}: expected a text of 1 to {longest} characters")
    return value


def _document(told: object) -> ReadDocument:
    if not isinstance(told, dict) or not told.keys() <= {"number", "name", "photo"}:
        raise InvalidError("document: expected photo, and perhaps number and name")
    for key in ("number", "name"):
        _text(told, key)
    encoded = told.get("photo")
    if not isinstance(encoded, str):
        raise InvalidError("document.photo: expected a JPEG as a base64 text")
    try:
        photo = base64.b64decode(_SPACE.sub("", encoded), validate=True)
    except (binascii.Error, ValueError) as err:
        raise InvalidError("document.photo: not base64") from err
    if len(photo) > MOST_PHOTO_BYTES:
        raise InvalidError(
            f"document.photo: it has {len(photo)} bytes; at most {MOST_PHOTO_BYTES} are read"
        )
    if not photo.startswith(_JPEG):
        raise InvalidError("document.photo: not a JPEG")
    return ReadDocument(photo)


class ReaderFeed:
    """One reader at one access point; ``vision`` is None while no face can be read."""

    def __init__(
        self,
        point: AccessPoint,
        reader: Reader,
        sensor: Sensor,
        presenting: Presenting,
        vision: Vision | None,
        alarms: Alarms,
        bulletin: Bulletin,
        health: Health,
        clock: Clock,
    ) -> None:
        self._point = point
        self._topic = reader.topic
        self._sensor = sensor
        self._presenting = presenting
        self._vision = vision
        self._alarms = alarms
        self._bulletin = bulletin
        self._health = health
        self._clock = clock
        self._recent: dict[bytes, float] = {}
        self._busy = 0
        self._warned = False

    def heard(self, delivery: Delivery) -> None:
        """Take a message; what was retained, is too old or came a moment ago counts for nothing."""
        if delivery.retained:
            self._retained()
            return
        if not delivery.payload or self._came_just_now(delivery.payload):
            return
        try:
            found = read(delivery.payload, self._clock.now().timestamp())
        except InvalidError as err:
            self._unwell(Trouble.MALFORMED, str(err))
            return
        if self._busy >= _MOST_AT_ONCE:
            self._unwell(Trouble.REFUSED, "it sends faster than can be judged")
            return
        self._busy += 1
        self._bulletin.spawn(self._take(found))

    async def _take(self, found: Presented | ReadDocument) -> None:
        try:
            if isinstance(found, ReadDocument):
                await self._show(found.photo)
            else:
                await self._presenting.present(self._point, found)
        except ImageError as err:
            self._unwell(Trouble.REFUSED, f"document.photo: {err}")
        except FaceGateError:
            # Of the door or the records, not of the reader: who spawned this logs it.
            self._well()
            raise
        else:
            self._well()
        finally:
            self._busy -= 1

    async def _show(self, photo: bytes) -> None:
        if self._vision is None:
            raise ImageError("faces cannot be read: a model is missing, see the engine's log")
        face = await self._vision.read_photo(photo)
        await self._presenting.show_document(self._point, face.embedding, photo)

    def _came_just_now(self, payload: bytes) -> bool:
        now = self._clock.monotonic()
        self._recent = {key: at for key, at in self._recent.items() if now - at < AGAIN_S}
        digest = hashlib.sha256(payload).digest()
        again = now - self._recent.get(digest, -math.inf) < AGAIN_S
        if not again:
            self._recent[digest] = now
        return again

    def _retained(self) -> None:
        """Refuse what the broker kept: it was read nobody knows when."""
        self._unwell(
            Trouble.REFUSED,
            "a retained message was refused: have the reader send without retain, and clear it",
        )
        if not self._warned:
            self._warned = True
            detail = f"retained message refused on the reader's topic {self._topic}"
            self._alarms.raise_(AlarmKind.MQTT, self._point.door_id, detail=detail)

    def _well(self) -> None:
        self._sensor.well()
        self._health.look()

    def _unwell(self, trouble: Trouble, reason: str) -> None:
        self._sensor.trouble(trouble, reason)
        self._health.look()
