"""What is published: states, of which the newest counts, and events, which are not repeated."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
import logging

from facegate.api import mqtt_topics as topics
from facegate.domain import Broker
from facegate.errors import BrokerError
from facegate.protocol import (
    AccessEvent,
    AlarmEvent,
    AreaChanged,
    CallClosed,
    CallOpened,
    CameraChanged,
    DoorChanged,
    EngineMessage,
    PassageEvent,
    StateMessage,
    encode,
)

_LOGGER = logging.getLogger(__name__)

NO_PROMPT = "none"
_MOST_WAITING = 256
_EVENTS: dict[type[EngineMessage], topics.Topic] = {
    AccessEvent: topics.ACCESS,
    PassageEvent: topics.PASSAGE,
    AlarmEvent: topics.ALARM,
    CallOpened: topics.CALL_OPENED,
    CallClosed: topics.CALL_CLOSED,
}


class Outbox:
    """Publishes one after the other; without a connection nothing waits to be published."""

    def __init__(self, root: str, broker: Broker, state: Callable[[], StateMessage]) -> None:
        self._root = root
        self._broker = broker
        self._state = state
        self._states: dict[str, str] = {}
        self._said: dict[str, str] = {}
        self._events: deque[tuple[str, str]] = deque()
        self._waiting = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._lost = 0

    def start(self) -> None:
        """Begin to publish."""
        self._writer = asyncio.create_task(self._write())

    async def close(self) -> None:
        """Stop; what waits is not published."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)

    def connection_changed(self) -> None:
        """Publish every state anew over a new connection; drop what waited for an old one."""
        self._events.clear()
        self._states.clear()
        self._said.clear()
        if self._broker.fault is None:
            if self._lost:
                _LOGGER.warning("%d messages were not published over MQTT", self._lost)
                self._lost = 0
            self.put(self._state())

    def put(self, message: EngineMessage) -> None:
        """Publish a message of the site, if it is one that is."""
        match message:
            case DoorChanged(door):
                self._show(topics.DOOR.under(self._root, door.id), encode(message))
                self._show(topics.PROMPT.under(self._root, door.id), door.prompt or NO_PROMPT)
            case CameraChanged(camera):
                self._show(topics.CAMERA.under(self._root, camera.id), encode(message))
            case AreaChanged(area):
                self._show(topics.AREA.under(self._root, area.id), encode(message))
            case StateMessage():
                for door in message.doors:
                    self.put(DoorChanged(door))
                for camera in message.cameras:
                    self.put(CameraChanged(camera))
                for area in message.areas:
                    self.put(AreaChanged(area))
            case _:
                if (topic := _EVENTS.get(type(message))) is not None:
                    self.say(topic.under(self._root), encode(message))

    def say(self, topic: str, payload: str) -> None:
        """Publish something once, now or never."""
        if self._broker.fault is not None or len(self._events) >= _MOST_WAITING:
            self._lost += 1
            return
        self._events.append((topic, payload))
        self._waiting.set()

    def _show(self, topic: str, payload: str) -> None:
        if self._broker.fault is None and self._said.get(topic) != payload:
            self._said[topic] = self._states[topic] = payload
            self._waiting.set()

    async def _write(self) -> None:
        while True:
            await self._waiting.wait()
            self._waiting.clear()
            while self._states or self._events:
                await self._write_one()

    async def _write_one(self) -> None:
        is_state = bool(self._states)
        if is_state:
            topic = next(iter(self._states))
            payload = self._states.pop(topic)
        else:
            topic, payload = self._events.popleft()
        try:
            await self._broker.publish(topic, payload, retain=is_state, qos=1)
        except BrokerError as err:
            self._said.pop(topic, None)
            self._lost += not is_state
            _LOGGER.debug("Not published: %s", err)
