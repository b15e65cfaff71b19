"""A site on a real broker, a client that commands it, and another that drives its doors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import json
from pathlib import Path
from typing import Any

from aiomqtt import Client as MqttClient
from aiomqtt import ProtocolVersion

from facegate.api.mqtt import SCAN_S, MqttApi
from facegate.broker import MqttBroker
from facegate.protocol import AlarmEvent, AlarmKind
from facegate.site.alarms import Alarms
from tests.broker import DEVICE, PASSWORD, Mosquitto
from tests.engine.site.gated import Gated, gated
from tests.support import until

COMMAND, RESULT = "facegate/door/front/command", "facegate/door/front/result"


@dataclass
class Outside:
    """A client at the broker, and all that it was given."""

    client: MqttClient
    received: list[tuple[str, bytes, bool]] = field(default_factory=list)

    async def say(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        await self.client.publish(topic, payload, qos=1, retain=retain)

    def on(self, topic: str) -> list[bytes]:
        return [payload for name, payload, _ in self.received if name == topic]

    def results(self, topic: str = RESULT) -> list[dict[str, Any]]:
        return [json.loads(payload) for payload in self.on(topic)]


@asynccontextmanager
async def outside(
    broker: Mosquitto, user: str = DEVICE, also: tuple[str, ...] = ()
) -> AsyncIterator[Outside]:
    """Be at the broker and hear all of FaceGate's topics, and ``also`` these."""
    async with MqttClient(
        "127.0.0.1",
        broker.port,
        username=user,
        password=PASSWORD,
        protocol=ProtocolVersion.V5,
    ) as client:
        found = Outside(client)

        async def read() -> None:
            async for message in client.messages:
                payload = message.payload
                found.received.append((message.topic.value, payload, bool(message.retain)))

        await client.subscribe([(topic, 1) for topic in ("facegate/#", *also)])
        reading = asyncio.create_task(read())
        try:
            yield found
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


@dataclass
class House:
    """The site, and the engine's connection."""

    gate: Gated
    broker: MqttBroker

    def order(self, command_id: str = "command-1", life_s: float = 5, **more: Any) -> str:
        at = self.gate.clock.now().timestamp() + life_s
        return json.dumps(
            {"command_id": command_id, "action": "open", "expires_at": at, "user": "hall", **more}
        )

    async def connected(self) -> None:
        """Return when it is connected and has looked for retained commands."""
        await until(lambda: self.broker.fault is None)
        await asyncio.sleep(SCAN_S + 0.1)

    async def grants(self) -> list[dict[str, Any]]:
        return [e for e in await self.gate.events("access") if e["body"]["granted"]]

    async def check(self, pulses: int) -> None:
        """Check that these pulses were given and that each had its own grant on record."""
        assert len(self.gate.client.pulses) == pulses
        assert len(await self.grants()) >= pulses

    def told(self) -> list[str]:
        """Return the details of the alarms that were told."""
        alarms = self.gate.client.all(AlarmEvent)
        return [alarm.detail or "" for alarm in alarms if alarm.kind is AlarmKind.MQTT]


@asynccontextmanager
async def house(broker: Mosquitto, data: Path) -> AsyncIterator[House]:
    """Run an engine on a broker; it started long enough ago to take commands."""
    async with gated(data) as gate:
        site, settings = gate.engine.site, broker.settings()
        connection = MqttBroker(settings, gate.clock)
        alarms = Alarms(site.store, site.bulletin, gate.clock)
        api = MqttApi(settings, connection, site, alarms, gate.clock)
        gate.clock.passed += 11
        await api.start()
        await connection.start()
        try:
            yield House(gate, connection)
        finally:
            await api.close()
            await connection.close()
