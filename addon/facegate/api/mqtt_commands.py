"""Commands over MQTT: read strictly, fresh or refused, and each done once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict, dataclass
import json
import re

from facegate.domain import Clock
from facegate.errors import ConflictError, FaceGateError, InvalidError
from facegate.protocol import (
    CallAnswer,
    Direction,
    DoorAction,
    ErrorCode,
    ProtocolError,
    decode_body,
)

LONGEST_LIFE_S = 10.0
"""How far ahead a command may expire, and how long after the engine's start none is taken."""
MAX_COMMAND_BYTES = 4096

_REMEMBERED = 1024
# Longer than a command lives, so that setting the clock back brings none to life again.
_REMEMBER_S = 60.0
_ID = re.compile(r"[A-Za-z0-9._:-]{8,64}")
_LONGEST_USER = 80


@dataclass(frozen=True, slots=True)
class DoorOrder:
    """What is asked of a door; ``expires_at`` is in seconds since 1970, UTC."""

    command_id: str
    action: DoorAction
    expires_at: float
    user: str | None = None
    direction: Direction = Direction.ENTRY


@dataclass(frozen=True, slots=True)
class CallOrder:
    """How a call is answered; ``expires_at`` is in seconds since 1970, UTC."""

    command_id: str
    answer: CallAnswer
    expires_at: float
    user: str | None = None


type Order = DoorOrder | CallOrder


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a command; ``command_id`` is None where it could not be read."""

    command_id: str | None
    ok: bool
    code: str | None = None
    message: str | None = None

    def as_json(self) -> str:
        """Return the text that is published."""
        return json.dumps(asdict(self))


def read[O: Order](payload: bytes, kind: type[O]) -> O:
    """Read a command; raises ``ProtocolError`` and ``InvalidError``, which name the field."""
    if len(payload) > MAX_COMMAND_BYTES:
        raise InvalidError(
            f"{len(payload)} bytes: a command has at most {MAX_COMMAND_BYTES}", ErrorCode.TOO_LARGE
        )
    order = decode_body(payload, kind)
    if not _ID.fullmatch(order.command_id):
        raise InvalidError("command_id: expected 8 to 64 letters, digits and . _ : -")
    user = order.user
    if user is not None and not (1 <= len(user) <= _LONGEST_USER and user.isprintable()):
        raise InvalidError(f"user: expected 1 to {_LONGEST_USER} printable characters")
    return order


def id_of(payload: bytes) -> str | None:
    """Return the id of a command that is refused, to answer it by, where that can be read."""
    if len(payload) > MAX_COMMAND_BYTES:
        return None
    try:
        raw = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    found = raw.get("command_id") if isinstance(raw, dict) else None
    return found if isinstance(found, str) and _ID.fullmatch(found) else None


def user_of(order: Order) -> str:
    """Return whom the record names: where the command came from, and who it says it is of."""
    return f"mqtt:{order.user}" if order.user else "mqtt"


def check_life(order: Order, now: float) -> None:
    """Refuse a command that is late or lives too long; raises ``InvalidError``."""
    left = order.expires_at - now
    if left <= 0:
        raise InvalidError(
            f"expires_at: it expired {-left:.1f} s ago by the engine's clock; if it was sent just"
            " now, set the sender's clock",
            ErrorCode.EXPIRED,
        )
    if left > LONGEST_LIFE_S:
        raise InvalidError(
            f"expires_at: {left:.1f} s ahead by the engine's clock, at most {LONGEST_LIFE_S:g};"
            " shorten it, or set the sender's clock"
        )


@dataclass(slots=True)
class Taken:
    """A command that was taken, when (monotonic), and what came of it once that is known."""

    topic: str
    order: Order
    at: float
    answer: Answer | None = None


class Once:
    """The commands that were taken: the last 1024, and all that might be alive."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started = clock.monotonic()
        self._taken: OrderedDict[str, Taken] = OrderedDict()

    def before(self, topic: str, order: Order) -> Taken | None:
        """Return the same command if it was taken; raises ``ConflictError`` for another's id."""
        taken = self._taken.get(order.command_id)
        if taken is not None and (taken.topic, taken.order) != (topic, order):
            raise ConflictError("command_id: used for another command; each needs its own")
        return taken

    def take(self, topic: str, order: Order) -> Taken:
        """Take a command that was not before; raises ``FaceGateError`` where it must not be.

        Shortly after the start none is: the run before may have done it already.
        """
        now = self._clock.monotonic()
        if (left := self._started + LONGEST_LIFE_S - now) > 0:
            raise ConflictError(
                f"the engine has just started and does not know what was done before; ask again"
                f" in {left:.0f} s"
            )
        while len(self._taken) >= _REMEMBERED:
            oldest = next(iter(self._taken.values()))
            if now - oldest.at < _REMEMBER_S:
                raise FaceGateError(
                    f"more than {_REMEMBERED} commands within {_REMEMBER_S:g} s", ErrorCode.TOO_MANY
                )
            self._taken.popitem(last=False)
        taken = self._taken[order.command_id] = Taken(topic, order, now)
        return taken


def refusal(payload: bytes, err: FaceGateError | ProtocolError) -> Answer:
    """Return the answer to a command that was refused."""
    return Answer(id_of(payload), ok=False, code=err.code, message=str(err))
