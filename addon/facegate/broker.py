"""The MQTT broker: one connection, made anew whenever it breaks, over which nothing is replayed.

Each connection has a client object of its own, begins clean and leaves nothing at the broker: what
was asked while there was none has failed, and what the broker holds for somebody else is not ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
import logging
import random
import socket
import ssl

from aiomqtt import Client, Message, MqttError, ProtocolVersion, Will
from paho.mqtt.subscribeoptions import SubscribeOptions

from facegate.broker_packets import REFUSED, connecting, expiring, explain, number
from facegate.broker_tls import tls_context
from facegate.domain import Clock, Delivery
from facegate.errors import BrokerError
from facegate.hardware import MqttSettings

_LOGGER = logging.getLogger(__name__)

STATUS, ONLINE, OFFLINE = "status", "online", "offline"
"""The topic below ``MqttSettings.topic`` that tells whether the engine is there, and its words."""
MAX_PAYLOAD_BYTES = 1024 * 1024

FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 30.0
STABLE_S = 60.0
"""How long a connection must have held for the next attempt to be as quick as the first."""

# What a topic, its length and a message's properties take, beside the payload.
_ENVELOPE_BYTES = 128 * 1024
_KEEP_ALIVE_S = 10
_ANSWER_S = 5.0
# The network gives up what the broker did not take by then: later, a command would be an old one.
_UNSENT_MS = 2000
_MOST_WAITING = 1000

type Listener = Callable[[Delivery], None]


@dataclass(slots=True)
class _Subscription:
    """Who listens to a topic or filter; ``as_published`` tells retained ones also while live."""

    as_published: bool
    listeners: list[Listener] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Session:
    client: Client
    lost: asyncio.Future[None]


class MqttBroker:
    """A ``domain.Broker`` over MQTT 5."""

    def __init__(self, settings: MqttSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._subscriptions: dict[str, _Subscription] = {}
        self._watchers: list[Callable[[], None]] = []
        self._session: _Session | None = None
        self._stopping = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        self._fault: str | None = "the MQTT broker has not been reached yet"

    @property
    def fault(self) -> str | None:
        """Why there is no connection now, or None."""
        return self._fault

    def subscribe(self, topic: str, listener: Listener, *, as_published: bool = False) -> None:
        """Have ``listener`` called on the event loop with what comes on a topic or filter.

        It lasts over reconnections. To be called before the broker is started. With
        ``as_published``, ``Delivery.retained`` is also set where the broker was asked to keep a
        message that comes at once, and what this connection publishes does not come back.
        """
        found = self._subscriptions.setdefault(topic, _Subscription(as_published))
        found.as_published = found.as_published or as_published
        found.listeners.append(listener)

    def watch(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called on the event loop when the connection came or went."""
        self._watchers.append(listener)

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

        ``expiry_s`` is after how long the broker gives it to nobody any more: in whole seconds,
        rounded down, but at least one. Returns with ``qos`` 1 once the broker has it.
        """
        session = self._session
        if session is None:
            raise BrokerError(f"nothing was sent to {topic}: {self._fault}")
        properties = expiring(topic, expiry_s) if expiry_s is not None else None
        sending = session.client.publish(topic, payload, qos, retain, properties)
        try:
            await _unless(session.lost, sending)
        except (MqttError, OSError, ValueError) as err:
            raise BrokerError(f"the MQTT broker did not take a message to {topic}: {err}") from err

    async def take_away(self, topic: str) -> None:
        """Have the broker keep nothing on a topic; where it cannot be told, that is logged."""
        try:
            await self.publish(topic, b"", retain=True, qos=1)
        except BrokerError as err:
            _LOGGER.warning("A retained command could not be taken from the broker: %s", err)

    async def start(self) -> None:
        """Begin to connect; returns at once, ``fault`` and ``watch`` tell how it goes."""
        self._work = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Say goodbye and stop; what is being connected to is waited for, for seconds."""
        self._stopping.set()
        if self._work is not None:
            await self._work

    async def _run(self) -> None:
        retry_s = FIRST_RETRY_S
        while not self._stopping.is_set():
            since = self._clock.monotonic()
            try:
                await self._connection()
                why, wrong_rights = "the connection was closed", False
            except BrokerError as err:
                why, wrong_rights = str(err), False
            except (MqttError, OSError, ValueError) as err:
                why, wrong_rights = explain(err, self._settings.username)
                tls = self._settings.tls
                if tls is not None and tls.certificate is None and not wrong_rights:
                    # Since TLS 1.3 a broker refuses a client after both have agreed to speak.
                    why += "; if the broker asks for a certificate, set mqtt.tls.certificate"
            except Exception as err:
                _LOGGER.exception("The connection to the MQTT broker failed")
                why, wrong_rights = repr(err), False
            held_s = self._clock.monotonic() - since
            self._lost(why)
            retry_s = FIRST_RETRY_S if held_s >= STABLE_S else retry_s
            wait_s = LONGEST_RETRY_S if wrong_rights else retry_s
            with suppress(TimeoutError):
                # Spread, so that a broker that comes back is not met by everybody at once.
                async with asyncio.timeout(wait_s * random.uniform(0.5, 1)):  # noqa: S311
                    await self._stopping.wait()
            retry_s = min(2 * retry_s, LONGEST_RETRY_S)

    async def _connection(self) -> None:
        """Connect, listen, and return when told to stop; raises when the connection breaks."""
        tls = self._settings.tls
        context = await asyncio.to_thread(tls_context, tls) if tls is not None else None
        async with self._client(context) as client:
            await self._listen_to_all(client)
            session = _Session(client, asyncio.get_running_loop().create_future())
            await client.publish(self._status_topic, ONLINE, qos=1, retain=True)
            self._found(session)
            reading = asyncio.create_task(self._read(client))
            stopping = asyncio.create_task(self._stopping.wait())
            try:
                await asyncio.wait((reading, stopping), return_when=asyncio.FIRST_COMPLETED)
                if reading.done():
                    reading.result()
                else:
                    await client.publish(self._status_topic, OFFLINE, qos=1, retain=True)
            finally:
                for task in (reading, stopping):
                    task.cancel()
                await asyncio.gather(reading, stopping, return_exceptions=True)

    def _client(self, context: ssl.SSLContext | None) -> Client:
        settings = self._settings
        return Client(
            settings.host,
            settings.port,
            username=settings.username,
            password=settings.password,
            protocol=ProtocolVersion.V5,
            clean_start=True,
            properties=connecting(MAX_PAYLOAD_BYTES + _ENVELOPE_BYTES),
            will=Will(self._status_topic, OFFLINE, qos=1, retain=True),
            keepalive=_KEEP_ALIVE_S,
            timeout=_ANSWER_S,
            tls_context=context,
            max_queued_incoming_messages=_MOST_WAITING,
            socket_options=((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNSENT_MS),),
        )

    async def _listen_to_all(self, client: Client) -> None:
        if not self._subscriptions:
            return
        topics = list(self._subscriptions)
        options = (self._subscriptions[topic].as_published for topic in topics)
        asked = [
            (topic, SubscribeOptions(qos=1, noLocal=published, retainAsPublished=published))
            for topic, published in zip(topics, options, strict=True)
        ]
        for topic, code in zip(topics, await client.subscribe(asked), strict=True):
            if number(code) >= REFUSED:
                _LOGGER.error(
                    "The MQTT broker does not let %s read %s: %s; add it to the broker's rights",
                    self._settings.username or "anybody",
                    topic,
                    code,
                )

    async def _read(self, client: Client) -> None:
        async for message in client.messages:
            self._hand_on(message)

    def _hand_on(self, message: Message) -> None:
        payload = message.payload
        if len(payload) > MAX_PAYLOAD_BYTES:
            _LOGGER.warning("A message on %s is too large and was dropped", message.topic)
            return
        delivery = Delivery(message.topic.value, payload, bool(message.retain))
        for topic, subscription in self._subscriptions.items():
            if message.topic.matches(topic):
                for listener in subscription.listeners:
                    _call(listener, delivery)

    def _found(self, session: _Session) -> None:
        self._session, self._fault = session, None
        _LOGGER.info("Connected to the MQTT broker %s", self._address)
        self._tell()

    def _lost(self, why: str) -> None:
        fault = f"the MQTT broker {self._address} is not connected: {why}"
        # Only once: an attempt every half a minute would fill the log with what is known.
        if fault != self._fault and not self._stopping.is_set():
            _LOGGER.warning("%s", fault)
        session, self._session, self._fault = self._session, None, fault
        if session is not None:
            session.lost.set_result(None)
            self._tell()

    def _tell(self) -> None:
        for watcher in self._watchers:
            _call(watcher)

    @property
    def _status_topic(self) -> str:
        return f"{self._settings.topic}/{STATUS}"

    @property
    def _address(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"


def _call[*A](listener: Callable[[*A], None], *arguments: *A) -> None:
    try:
        listener(*arguments)
    except Exception:
        _LOGGER.exception("A message of the MQTT broker could not be handled")


async def _unless(lost: asyncio.Future[None], sending: Coroutine[None, None, None]) -> None:
    """Await ``sending``, but not beyond the connection; raises ``MqttError`` where that is lost."""
    task = asyncio.create_task(sending)
    try:
        await asyncio.wait((task, lost), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise MqttError("the connection was lost")
        task.result()
    finally:
        task.cancel()
