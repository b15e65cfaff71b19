"""Every topic of FaceGate's own: the table in docs/mqtt.md has the same, and a test compares."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from facegate.broker import STATUS


class Way(StrEnum):
    """Who publishes: the engine, or others to the engine."""

    OUT = "out"
    IN = "in"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic below ``MqttSettings.topic``; ``{id}`` stands for a door, camera, area or call.

    ``payload`` says what it holds, ``since`` from which version of the engine on.
    """

    path: str
    way: Way
    retained: bool
    payload: str
    since: str = "0.1"

    def under(self, root: str, of: str = "") -> str:
        """Return the whole topic, for one id."""
        return f"{root}/{self.path.replace('{id}', of)}"

    def every(self, root: str) -> str:
        """Return the filter that matches it for every id."""
        return self.under(root, "+")


ENGINE = Topic(
    STATUS, Way.OUT, retained=True, payload="`online` or `offline`, the latter by last will"
)
DOOR = Topic("door/{id}/state", Way.OUT, retained=True, payload="message `door`")
PROMPT = Topic("door/{id}/prompt", Way.OUT, retained=True, payload="`turn_your_head` or `none`")
CAMERA = Topic("camera/{id}/state", Way.OUT, retained=True, payload="message `camera`")
AREA = Topic("area/{id}/state", Way.OUT, retained=True, payload="message `area`")
ACCESS = Topic("event/access", Way.OUT, retained=False, payload="message `access`")
PASSAGE = Topic("event/passage", Way.OUT, retained=False, payload="message `passage`")
ALARM = Topic("event/alarm", Way.OUT, retained=False, payload="message `alarm`")
CALL_OPENED = Topic("event/call_opened", Way.OUT, retained=False, payload="message `call_opened`")
CALL_CLOSED = Topic("event/call_closed", Way.OUT, retained=False, payload="message `call_closed`")
COMMAND = Topic("door/{id}/command", Way.IN, retained=False, payload="a door command")
ANSWER = Topic("call/{id}/answer", Way.IN, retained=False, payload="an answer to a call")
DOOR_RESULT = Topic("door/{id}/result", Way.OUT, retained=False, payload="a result")
CALL_RESULT = Topic("call/{id}/result", Way.OUT, retained=False, payload="a result")

TOPICS = (
    ENGINE,
    DOOR,
    PROMPT,
    CAMERA,
    AREA,
    ACCESS,
    PASSAGE,
    ALARM,
    CALL_OPENED,
    CALL_CLOSED,
    COMMAND,
    ANSWER,
    DOOR_RESULT,
    CALL_RESULT,
)
"""All of them."""
