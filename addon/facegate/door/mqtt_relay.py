"""A relay on the MQTT broker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import logging

from facegate.domain import Broker, Clock, Delivery
from facegate.door.families import Message, Report, dialect
from facegate.door.relay import CONFIRM_S, LIFE_S, Order, RelayActuator
from facegate.door.stray import Seldom, Stray
from facegate.door.words import text
from facegate.errors import ActuatorError, BrokerError
from facegate.hardware import MqttRelay

ASK_EVERY_S = 10.0
"""How often a relay that does not answer is asked again."""

_LOGGER = logging.getLogger(__name__)


class MqttRelayActuator(RelayActuator):
    """One door's relay on the broker; to be made before the broker is started.

    A command that the broker keeps, as it would give the relay whenever that comes, is taken away;
    ``on_kept`` is told of it, once in a while.
    ``own_topic`` is FaceGate's topic on the broker: a Shelly answers below it.
    """

    def __init__(
        self,
        relay: MqttRelay,
        broker: Broker,
        clock: Clock,
        door_id: str,
        on_change: Callable[[], None],
        stray: Stray | None,
        on_kept: Callable[[str], None],
        own_topic: str = "facegate",
    ) -> None:
        self._dialect = dialect(relay, f"{own_topic}/relays/{door_id}")
        super().__init__(
            f"the relay {relay.topic}",
            door_id,
            clock,
            on_change,
            stray,
            timed=self._dialect.pulse is not None,
            holds=self._dialect.on is not None,
            answers=bool(self._dialect.ask),
        )
        self._topic = relay.topic
        self._broker = broker
        self._online: bool | None = None
        self._known = False
        self._silent = False
        self._heard = asyncio.Event()
        self._enquiring = False
        self._unreadable = False
        for topic in self._dialect.listen:
            broker.subscribe(topic, self._delivered)
        self._on_kept, self._seldom = on_kept, Seldom(clock)
        for topic in self._dialect.commands - self._dialect.listen.keys():
            broker.subscribe(topic, self._overheard, as_published=True)
        broker.watch(self._connection_changed)

    @property
    def unavailable_reason(self) -> str | None:
        """Why it cannot be used now, or None."""
        if (fault := self._broker.fault) is not None:
            return fault
        if self._online is False:
            return f"{self.name} is offline; check its power and its network"
        if self._silent:
            return f"{self.name} does not answer; check its power and its network"
        if not self._known and not self._dialect.presumed:
            return (
                f"nothing was heard of {self.name}; check the topic of the actuator,"
                " and that the device is connected to the broker"
            )
        return None

    async def _send(self, order: Order, pulse_s: float, life_s: float) -> None:
        if order is Order.PULSE and self._dialect.pulse is not None:
            messages = self._dialect.pulse(pulse_s)
        elif order is Order.OFF:
            messages = self._dialect.off
        else:
            messages = self._dialect.on or ()
        await self._publish(messages, life_s)

    async def _ask(self) -> None:
        await self._publish(self._dialect.ask, LIFE_S)

    async def _publish(self, messages: tuple[Message, ...], life_s: float) -> None:
        try:
            for message in messages:
                await self._broker.publish(message.topic, message.payload, expiry_s=life_s)
        except BrokerError as err:
            raise ActuatorError(f"{self.name} cannot be reached: {err}") from err

    def _delivered(self, delivery: Delivery) -> None:
        try:
            report = self._dialect.listen[delivery.topic](text(delivery.payload))
        except (KeyError, ValueError) as err:
            if not self._unreadable:
                self._unreadable = True
                _LOGGER.warning(
                    "Door %s: ignored a message on %s: %s", self.door_id, delivery.topic, err
                )
            return
        self._unreadable = False
        before = self.unavailable_reason
        self._take(report, fresh=not delivery.retained)
        if self.unavailable_reason != before:
            self._on_change()

    def _overheard(self, delivery: Delivery) -> None:
        if not delivery.retained or not delivery.payload:
            return
        self._spawn(self._broker.take_away(delivery.topic))
        if self._seldom.due():
            self._on_kept(f"{delivery.topic}: a retained command was taken from the broker")

    def _take(self, report: Report, *, fresh: bool) -> None:
        if report.online is False:
            self._online = False
            self._forget()
            return
        if report.online:
            came, self._online = not self._online, True
            self._known = True
            if came and self._on is None:
                self._enquire()
        if report.refusal is not None:
            self._refused(report.refusal)
        if report.on is not None:
            if fresh:
                self._known = True
                self._silent = False
                self._heard.set()
            self._hear(on=report.on, fresh=fresh)

    def _connection_changed(self) -> None:
        if self._broker.fault is not None:
            self._online, self._known, self._silent = None, False, False
            self._forget()
        else:
            self._enquire()
        self._on_change()

    def _unconfirmed(self) -> None:
        self._enquire()

    def _enquire(self) -> None:
        if self._dialect.ask and not self._enquiring:
            self._enquiring = True
            self._spawn(self._ask_until_heard())

    async def _ask_until_heard(self) -> None:
        """Ask until the relay answers; asking moves nothing."""
        try:
            while self._broker.fault is None and self._online is not False:
                self._heard.clear()
                try:
                    async with asyncio.timeout(CONFIRM_S):
                        await self._ask()
                        await self._heard.wait()
                except TimeoutError:
                    if not self._silent:
                        self._silent = True
                        self._on_change()
                    await asyncio.sleep(ASK_EVERY_S)
                else:
                    return
        except ActuatorError as err:
            _LOGGER.debug("Door %s: %s", self.door_id, err)  # the connection went: watched
        finally:
            self._enquiring = False
