"""One simulated relay a family that is reached by MQTT."""

from __future__ import annotations

from dataclasses import dataclass
import json

from demo.relays.mqtt import MqttDevice
from facegate.hardware import MqttRelay, MqttState, RelayFamily

SECONDS_FROM = 112
"""From this PulseTime on Tasmota counts seconds, after 100."""


@dataclass
class Shelly(MqttDevice):
    """Gen2 and later: JSON calls, answered on the caller's own topic."""

    @property
    def settings(self) -> MqttRelay:
        """How FaceGate is told of it."""
        return MqttRelay(RelayFamily.SHELLY, self.topic)

    @property
    def commands(self) -> tuple[str, ...]:
        """Where it takes commands."""
        return (f"{self.topic}/rpc",)

    @property
    def will(self) -> tuple[str, str, str]:
        """Where it says that it is there."""
        return f"{self.topic}/online", "true", "false"

    async def obey(self, topic: str, payload: str) -> None:  # noqa: ARG002  it has one
        """Answer a call."""
        call = json.loads(payload)
        params = call["params"]
        if call["method"] == "Switch.Set":
            result: dict[str, object] = {"was_on": self.on}
            await self.switch(on=params["on"], for_s=params.get("toggle_after"))
        else:
            result = {"id": 0, "source": "MQTT", "output": self.on}
        answer = {"id": call["id"], "src": self.topic, "dst": call["src"], "result": result}
        if params["id"] != 0:
            del answer["result"]
            answer["error"] = {"code": -105, "message": f"id {params['id']} not found"}
        if not self.habits.mute:
            await self.say(f"{call['src']}/rpc", json.dumps(answer))

    async def tell(self) -> None:
        """Tell its status."""
        status = {"id": 0, "source": "MQTT", "output": self.on, "temperature": {"tC": 41.2}}
        await self.say(f"{self.topic}/status/switch:0", json.dumps(status))


@dataclass
class ShellyGen1(MqttDevice):
    """The first generation; ``auto_off_s`` is set in its own pages."""

    auto_off_s: float | None = None

    @property
    def settings(self) -> MqttRelay:
        """How FaceGate is told of it."""
        return MqttRelay(RelayFamily.SHELLY_GEN1, self.topic)

    @property
    def commands(self) -> tuple[str, ...]:
        """Where it takes commands."""
        return f"shellies/{self.topic}/relay/0/command", f"shellies/{self.topic}/command"

    @property
    def will(self) -> tuple[str, str, str]:
        """Where it says that it is there."""
        return f"shellies/{self.topic}/online", "true", "false"

    async def obey(self, topic: str, payload: str) -> None:
        """Switch, or tell everything anew."""
        if topic.endswith("/relay/0/command"):
            await self.switch(on=payload == "on", for_s=self.auto_off_s)
        elif payload == "update" and not self.habits.mute:
            await self.tell()

    async def tell(self) -> None:
        """Tell its state, which it has the broker keep."""
        word = "on" if self.on else "off"
        await self.say(f"shellies/{self.topic}/relay/0", word, retain=True)


@dataclass
class Tasmota(MqttDevice):
    """One relay; PulseTime stays until it is set again."""

    pulse_time: int = 0

    @property
    def settings(self) -> MqttRelay:
        """How FaceGate is told of it."""
        return MqttRelay(RelayFamily.TASMOTA, self.topic, channel=1)

    @property
    def commands(self) -> tuple[str, ...]:
        """Where it takes commands."""
        return (f"cmnd/{self.topic}/+",)

    @property
    def will(self) -> tuple[str, str, str]:
        """Where it says that it is there."""
        return f"tele/{self.topic}/LWT", "Online", "Offline"

    async def obey(self, topic: str, payload: str) -> None:
        """Set its timer, switch, or tell its state."""
        if topic.endswith("PulseTime1"):
            self.pulse_time = int(payload)
        elif not payload:
            await self._say()
        else:
            tenths = self.pulse_time < SECONDS_FROM
            seconds = self.pulse_time / 10 if tenths else self.pulse_time - 100
            await self.switch(on=payload == "ON", for_s=seconds or None)

    async def tell(self) -> None:
        """Tell its state."""
        await self.say(f"stat/{self.topic}/POWER", "ON" if self.on else "OFF")


@dataclass
class EspHome(MqttDevice):
    """A switch ``relay``; it tells changes only, and has the broker keep its state."""

    tells_changes_only: bool = True

    @property
    def settings(self) -> MqttRelay:
        """How FaceGate is told of it."""
        return MqttRelay(RelayFamily.ESPHOME, self.topic, switch="relay")

    @property
    def commands(self) -> tuple[str, ...]:
        """Where it takes commands."""
        return (f"{self.topic}/switch/relay/command",)

    @property
    def will(self) -> tuple[str, str, str]:
        """Where it says that it is there."""
        return f"{self.topic}/status", "online", "offline"

    async def obey(self, topic: str, payload: str) -> None:  # noqa: ARG002  it has one
        """Switch."""
        await self.switch(on=payload == "ON")

    async def tell(self) -> None:
        """Tell its state."""
        state = f"{self.topic}/switch/relay/state"
        await self.say(state, "ON" if self.on else "OFF", retain=True)

    async def arrived(self) -> None:
        """Tell its state to whoever missed it."""
        await self.tell()


@dataclass
class Zigbee(MqttDevice):
    """A plug behind Zigbee2MQTT, with availability switched on there."""

    @property
    def settings(self) -> MqttRelay:
        """How FaceGate is told of it."""
        return MqttRelay(RelayFamily.ZIGBEE2MQTT, self.topic)

    @property
    def commands(self) -> tuple[str, ...]:
        """Where it takes commands."""
        return f"{self.topic}/set", f"{self.topic}/get"

    @property
    def will(self) -> tuple[str, str, str]:
        """Where it says that it is there."""
        away, there = json.dumps({"state": "offline"}), json.dumps({"state": "online"})
        return f"{self.topic}/availability", there, away

    async def obey(self, topic: str, payload: str) -> None:
        """Switch, or tell its state."""
        asked = json.loads(payload)
        if topic.endswith("/get"):
            await self._say()
        else:
            await self.switch(on=asked["state"] == "ON", for_s=asked.get("on_time"))

    async def tell(self) -> None:
        """Tell its state."""
        state = {"state": "ON" if self.on else "OFF", "linkquality": 120}
        await self.say(self.topic, json.dumps(state))


@dataclass
class Generic(MqttDevice):
    """A relay of one's own making; ``pulse_s`` is what its own timer is set to."""

    pulse_s: float | None = None
    tells_changes_only: bool = True

    @property
    def settings(self) -> MqttRelay:
        """How FaceGate is told of it."""
        state = MqttState(f"{self.topic}/state", "relay.closed", "true", "false")
        return MqttRelay(
            RelayFamily.MQTT,
            f"{self.topic}/set",
            on="1",
            off="0",
            state=state,
            self_timed=self.pulse_s is not None,
        )

    @property
    def commands(self) -> tuple[str, ...]:
        """Where it takes commands."""
        return (f"{self.topic}/set",)

    async def obey(self, topic: str, payload: str) -> None:  # noqa: ARG002  it has one
        """Switch."""
        await self.switch(on=payload == "1", for_s=self.pulse_s)

    async def tell(self) -> None:
        """Tell its state."""
        await self.say(f"{self.topic}/state", json.dumps({"relay": {"closed": self.on}}))
