"""A simulated relay that is a client of a real broker."""

from __future__ import annotations

from abc import abstractmethod
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import aiomqtt

from demo.relays.relay import Relay
from facegate.hardware import MqttRelay, MqttSettings


@dataclass
class MqttDevice(Relay):
    """A relay on the broker; ``topic`` is its own."""

    topic: str = "relay"
    _client: aiomqtt.Client | None = field(default=None, repr=False)
    _link: asyncio.Task[None] | None = field(default=None, repr=False)
    _there: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    @abstractmethod
    def settings(self) -> MqttRelay:
        """How FaceGate is told of it."""

    @property
    @abstractmethod
    def commands(self) -> tuple[str, ...]:
        """The topics that it takes commands on."""

    @property
    def will(self) -> tuple[str, str, str] | None:
        """Where it says that it is there, and the words for there and away."""
        return None

    @abstractmethod
    async def obey(self, topic: str, payload: str) -> None:
        """Do what a command says."""

    @asynccontextmanager
    async def running(self, broker: MqttSettings) -> AsyncIterator[None]:
        """Be on a broker for as long as the block, whatever happens to the connection."""
        await self.online(broker)
        try:
            yield
        finally:
            await self.offline()
            self.stop()

    async def online(self, broker: MqttSettings) -> None:
        """Come, and stay."""
        self._there.clear()
        self._link = asyncio.create_task(self._stay(broker))
        await self._there.wait()

    async def offline(self) -> None:
        """Go away, as with the power cut: the broker says so in its stead."""
        if self._link is not None:
            self._link.cancel()
            with suppress(asyncio.CancelledError):
                await self._link
            self._link = None

    async def say(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Publish; what cannot be said is lost, as with hardware."""
        if self._client is not None:
            with suppress(aiomqtt.MqttError):
                await self._client.publish(topic, payload, retain=retain)

    async def _stay(self, broker: MqttSettings) -> None:
        while True:
            with suppress(aiomqtt.MqttError):
                await self._session(broker)
            await asyncio.sleep(0.1)

    async def _session(self, broker: MqttSettings) -> None:
        will = self.will
        async with aiomqtt.Client(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            will=aiomqtt.Will(will[0], will[2], retain=True) if will else None,
        ) as client:
            try:
                for topic in self.commands:
                    await client.subscribe(topic)
                self._client = client
                if will:
                    await self.say(will[0], will[1], retain=True)
                await self.arrived()
                self._there.set()
                async for message in client.messages:
                    payload = message.payload
                    text = payload.decode()
                    self.heard.append((message.topic.value, text))
                    await self.act(self._try(message.topic.value, text))
            except asyncio.CancelledError:
                if will:
                    await self.say(will[0], will[2], retain=True)
                raise
            finally:
                self._client = None

    async def _try(self, topic: str, payload: str) -> None:
        # As hardware does with what it cannot read.
        with suppress(ValueError, KeyError, TypeError):
            await self.obey(topic, payload)

    async def arrived(self) -> None:
        """Tell what this family tells when it comes."""
