"""FaceGate on the MQTT broker: what happens is published, and commands are taken if fresh.

A retained command moves nothing: it is taken from the broker and raises an alarm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import logging

from facegate.api.mqtt_commands import (
    Answer,
    CallOrder,
    DoorOrder,
    Once,
    Order,
    Taken,
    check_life,
    read,
    refusal,
    user_of,
)
from facegate.api.mqtt_outbox import Outbox
from facegate.api.mqtt_topics import ANSWER, CALL_RESULT, COMMAND, DOOR_RESULT, Topic
from facegate.background import Background
from facegate.broker import MqttBroker
from facegate.domain import Clock, Delivery
from facegate.errors import ConflictError, FaceGateError, InvalidError
from facegate.hardware import MqttSettings
from facegate.protocol import AlarmKind, ErrorCode, ProtocolError
from facegate.site import Site
from facegate.site.alarms import Alarms

_LOGGER = logging.getLogger(__name__)

SCAN_S = 0.5
"""How long after each connection only retained commands are looked for."""
ALARM_EVERY_S = 60.0
"""How often refused commands of one topic raise an alarm; those between are counted."""

_MOST_AT_ONCE = 32
_UNKNOWN = "unknown"


class MqttApi:
    """The topics of one site; to be constructed before the broker is started."""

    def __init__(
        self, settings: MqttSettings, broker: MqttBroker, site: Site, alarms: Alarms, clock: Clock
    ) -> None:
        self._root = settings.topic
        self._broker = broker
        self._site = site
        self._alarms = alarms
        self._clock = clock
        self._once = Once(clock)
        self._outbox = Outbox(settings.topic, broker, site.board.state)
        self._work = Background()
        self._alarmed: dict[str, tuple[float, int]] = {}
        self._scanned_at = asyncio.get_running_loop().time() + SCAN_S
        self._unsubscribe: Callable[[], None] | None = None
        broker.subscribe(COMMAND.every(self._root), self._commanded, as_published=True)
        broker.subscribe(ANSWER.every(self._root), self._answered, as_published=True)
        broker.watch(self._connection_changed)

    async def start(self) -> None:
        """Begin to publish what happens; the broker is to be started after it."""
        self._unsubscribe = self._site.bulletin.subscribe(self._outbox.put)
        self._outbox.start()

    async def close(self) -> None:
        """Stop publishing and wait for commands that are being done; close the broker after it."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        await self._work.finish()
        await self._outbox.close()

    def _connection_changed(self) -> None:
        self._scanned_at = asyncio.get_running_loop().time() + SCAN_S
        self._outbox.connection_changed()

    def _commanded(self, delivery: Delivery) -> None:
        self._take(delivery, COMMAND, DOOR_RESULT, DoorOrder)

    def _answered(self, delivery: Delivery) -> None:
        self._take(delivery, ANSWER, CALL_RESULT, CallOrder)

    def _take(
        self, delivery: Delivery, topic: Topic, result: Topic, kind: type[DoorOrder | CallOrder]
    ) -> None:
        """Take a command or refuse it; whichever, there is one answer."""
        if delivery.retained and not delivery.payload:
            return  # somebody took a retained message away
        of = delivery.topic.removeprefix(f"{self._root}/").split("/")[1]
        answer_to = result.under(self._root, of)
        try:
            if delivery.retained:
                self._work.spawn(self._broker.take_away(delivery.topic))
                raise InvalidError(
                    "retained: a command must not be retained; it was taken from the broker"
                )
            order = read(delivery.payload, kind)
            taken = self._once.before(delivery.topic, order)
            if taken is not None:
                if taken.answer is not None:
                    self._answer(answer_to, taken.answer)
                return  # what is being done is answered when it is done
            check_life(order, self._clock.now().timestamp())
            self._check_ready()
            taken = self._once.take(delivery.topic, order)
        except _NotYetError as err:
            self._answer(answer_to, refusal(delivery.payload, err))
        except (FaceGateError, ProtocolError) as err:
            self._refused(delivery, topic, of, str(err))
            self._answer(answer_to, refusal(delivery.payload, err))
        else:
            self._work.spawn(self._do(of, taken, answer_to))

    def _check_ready(self) -> None:
        if asyncio.get_running_loop().time() < self._scanned_at:
            raise _NotYetError("the engine looks for retained commands first; ask again in 1 s")
        if len(self._work) >= _MOST_AT_ONCE:
            raise FaceGateError("too many commands at once; ask again", ErrorCode.TOO_MANY)

    async def _do(self, of: str, taken: Taken, answer_to: str) -> None:
        order = taken.order
        command_id = order.command_id
        _LOGGER.info("Command %s of %s on %s", command_id, user_of(order), taken.topic)
        try:
            await self._ask(of, order)
        except FaceGateError as err:
            taken.answer = Answer(command_id, ok=False, code=err.code, message=str(err))
        except Exception:
            _LOGGER.exception("The command %s failed", command_id)
            text = "internal error; see the engine's log"
            taken.answer = Answer(command_id, ok=False, code=ErrorCode.INTERNAL, message=text)
        else:
            taken.answer = Answer(command_id, ok=True)
        self._answer(answer_to, taken.answer)

    async def _ask(self, of: str, order: Order) -> None:
        user = user_of(order)
        if isinstance(order, DoorOrder):
            await self._site.operate(of, order.action, user, order.direction)
        else:
            await self._site.visitors.answer(of, order.answer, user)

    def _answer(self, topic: str, answer: Answer) -> None:
        self._outbox.say(topic, answer.as_json())

    def _refused(self, delivery: Delivery, topic: Topic, of: str, why: str) -> None:
        """Raise an alarm, one a minute for a topic: what sends may send without end."""
        door_id = of if topic is COMMAND and of in self._site.passages.doors else None
        key = topic.under(self._root, door_id or _UNKNOWN)
        now = self._clock.monotonic()
        last, more = self._alarmed.get(key, (-ALARM_EVERY_S, 0))
        if now - last < ALARM_EVERY_S:
            self._alarmed[key] = (last, more + 1)
            _LOGGER.debug("A command on %s was refused: %s", delivery.topic, why)
            return
        self._alarmed[key] = (now, 0)
        _LOGGER.warning("A command on %s was refused: %s", delivery.topic, why)
        counted = f" ({more} more were refused before it)" if more else ""
        detail = f"{delivery.topic}: {why}{counted}"
        self._alarms.raise_(AlarmKind.MQTT, door_id, detail=detail)


class _NotYetError(ConflictError):
    """A command that came too early after a start or a connection: no alarm."""
