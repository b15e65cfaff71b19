"""The demo's second door: its relay, a simulated Shelly on a real broker, is the engine's own."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
import shutil
import time

from demo.program import Program, ProgramError, free_port
from demo.relays.devices import Shelly
from facegate.hardware import MqttSettings

BACK_DOOR_ID = "back"
TOPIC = "shellyplus1-backdoor"
PULSE_S = 2.0
# Debian installs it where only root's path leads.
BROKER = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
_START_LIMIT_S = 10.0


class BackDoor:
    """A broker and a relay on it; without Mosquitto there is no such door."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._parts = AsyncExitStack()
        self.relay = Shelly(topic=TOPIC)

    @property
    def there(self) -> bool:
        """Whether there is such a door on this machine."""
        return BROKER is not None

    @property
    def options(self) -> dict[str, object]:
        """The engine's option ``mqtt``."""
        return {"host": "127.0.0.1", "port": self._port}

    @property
    def door(self) -> dict[str, object]:
        """The engine's options of the door."""
        return {
            "id": BACK_DOOR_ID,
            "name": "Back door",
            "pulse_seconds": PULSE_S,
            "visitors": False,
            "actuator": {"family": "shelly", "topic": TOPIC},
        }

    async def start(self) -> None:
        """Start both; raises ``ProgramError``."""
        if BROKER is None:
            return
        settings = self._folder / "mosquitto.conf"
        settings.write_text(
            f"listener {self._port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n"
        )
        broker = Program("the broker", (BROKER, "-c", settings), self._folder / "mosquitto.log")
        self._parts.push_async_callback(broker.stop)
        await broker.start()
        await self._listening(broker)
        here = MqttSettings("127.0.0.1", self._port, "facegate")
        await self._parts.enter_async_context(self.relay.running(here))

    async def stop(self) -> None:
        """Stop both; idempotent."""
        await self._parts.aclose()

    async def _listening(self, broker: Program) -> None:
        deadline = time.monotonic() + _START_LIMIT_S
        while time.monotonic() < deadline:
            broker.check()
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
        raise ProgramError(f"the broker does not listen; its log is {broker.log}")
