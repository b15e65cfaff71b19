"""How each family of relays is spoken to over MQTT: topics, payloads, and how its words are read.

A dialect is pure data. None of them holds a command that toggles: who repeats it, or reads it
late, would turn a closing into an opening.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
import json

from facegate.door.words import json_object, scalar_at
from facegate.errors import SettingsError
from facegate.hardware import MqttRelay, RelayFamily

SHELLY_AT = "shellies/"
# Tasmota counts PulseTime in tenths of a second to 111, and from 112 on in seconds after 100.
_TENTHS_TO_S, _SECONDS_FROM = 11.1, 100


@dataclass(frozen=True, slots=True)
class Message:
    """One message to a relay."""

    topic: str
    payload: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a relay said: whether it is on, whether it is online, or why it refused."""

    on: bool | None = None
    online: bool | None = None
    refusal: str | None = None


type Read = Callable[[str], Report]
"""Reads a payload; raises ``ValueError`` for one that is none of the family's."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One relay's language.

    ``listen`` has a reader a topic. ``pulse`` returns the messages of a pulse of so many seconds
    that the device ends by itself, None where it cannot; ``on`` is without a timer, None where the
    device ends every opening. ``ask`` has it tell its state; without, it only tells changes.
    ``presumed`` means that it may have said nothing before it is first commanded.
    """

    listen: Mapping[str, Read]
    on: tuple[Message, ...] | None
    off: tuple[Message, ...]
    pulse: Callable[[float], tuple[Message, ...]] | None = None
    ask: tuple[Message, ...] = ()
    presumed: bool = False

    @property
    def commands(self) -> frozenset[str]:
        """The topics on which the relay is told something."""
        pulse = self.pulse(1) if self.pulse is not None else ()
        return frozenset(
            message.topic for message in (*(self.on or ()), *self.off, *pulse, *self.ask)
        )


def dialect(relay: MqttRelay, reply_topic: str) -> Dialect:
    """Return how a relay is spoken to; raises ``SettingsError``.

    ``reply_topic`` is a topic of our own, below which a Shelly answers.
    """
    match relay.family:
        case RelayFamily.SHELLY:
            return _shelly(relay, reply_topic)
        case RelayFamily.SHELLY_GEN1:
            return _shelly_gen1(relay)
        case RelayFamily.TASMOTA:
            return _tasmota(relay)
        case RelayFamily.ESPHOME:
            return _esphome(relay)
        case RelayFamily.ZIGBEE2MQTT:
            return _zigbee2mqtt(relay)
        case RelayFamily.MQTT:
            return _generic(relay)
        case RelayFamily.HOME_ASSISTANT | RelayFamily.HTTP:
            raise SettingsError((f"actuator.family: {relay.family.value} is not reached by MQTT",))


def _shelly(relay: MqttRelay, reply_topic: str) -> Dialect:
    def call(method: str, **params: object) -> Message:
        frame = {"id": 1, "src": reply_topic, "method": method}
        return Message(
            f"{relay.topic}/rpc", json.dumps({**frame, "params": {"id": relay.channel, **params}})
        )

    def status(payload: str) -> Report:
        return Report(on=_boolean(json_object(payload), "output"))

    def answer(payload: str) -> Report:
        frame = json_object(payload)
        if isinstance(error := frame.get("error"), dict):
            return Report(refusal=str(error.get("message"))[:200])
        result = frame.get("result")
        if isinstance(result, dict) and result.get("id") == relay.channel:
            return Report(on=_boolean(result, "output"))
        return Report()  # the answer to Switch.Set, which tells what was before

    return Dialect(
        listen={
            f"{relay.topic}/status/switch:{relay.channel}": status,
            f"{reply_topic}/rpc": answer,
            f"{relay.topic}/online": partial(_online, words=("true", "false")),
        },
        on=(call("Switch.Set", on=True),),
        off=(call("Switch.Set", on=False),),
        pulse=lambda seconds: (call("Switch.Set", on=True, toggle_after=seconds),),
        ask=(call("Switch.GetStatus"),),
    )


def _shelly_gen1(relay: MqttRelay) -> Dialect:
    # By MQTT it takes no time; its auto_off is set in the device and ends what we cannot.
    base = SHELLY_AT + relay.topic.removeprefix(SHELLY_AT)
    state = f"{base}/relay/{relay.channel}"
    return Dialect(
        listen={
            state: partial(_state, words=("on", "off"), others=("overpower",)),
            f"{base}/online": partial(_online, words=("true", "false")),
        },
        on=(Message(f"{state}/command", "on"),),
        off=(Message(f"{state}/command", "off"),),
        ask=(Message(f"{base}/command", "update"),),
    )


def _tasmota(relay: MqttRelay) -> Dialect:
    if relay.channel < 1:
        # POWER0 is every relay of the device.
        raise SettingsError(("actuator.channel: Tasmota counts relays from 1",))
    number = relay.channel
    command = f"cmnd/{relay.topic}/POWER{number}"
    timer = f"cmnd/{relay.topic}/PulseTime{number}"
    read = partial(_state, words=("ON", "OFF"))
    listen: dict[str, Read] = {
        f"stat/{relay.topic}/POWER{number}": read,
        f"tele/{relay.topic}/LWT": partial(_online, words=("Online", "Offline")),
    }
    if number == 1:
        listen[f"stat/{relay.topic}/POWER"] = read  # of a device with one relay
    return Dialect(
        listen=listen,
        on=(Message(timer, "0"), Message(command, "ON")),
        off=(Message(command, "OFF"),),
        pulse=lambda seconds: (Message(timer, str(_pulse_time(seconds))), Message(command, "ON")),
        ask=(Message(command, ""),),
    )


def _esphome(relay: MqttRelay) -> Dialect:
    if relay.switch is None:
        raise SettingsError(("actuator.switch: required for the family esphome",))
    base = f"{relay.topic}/switch/{relay.switch}"
    return Dialect(
        listen={
            f"{base}/state": partial(_state, words=("ON", "OFF")),
            f"{relay.topic}/status": partial(_online, words=("online", "offline")),
        },
        on=(Message(f"{base}/command", "ON"),),
        off=(Message(f"{base}/command", "OFF"),),
    )


def _zigbee2mqtt(relay: MqttRelay) -> Dialect:
    key = f"state_l{relay.channel}" if relay.channel else "state"

    def order(**asked: object) -> Message:
        return Message(f"{relay.topic}/set", json.dumps(asked))

    def state(payload: str) -> Report:
        told = json_object(payload)
        # A device tells its other values too, such as the strength of its signal, without a state.
        return _state(str(told[key]), words=("ON", "OFF")) if key in told else Report()

    def availability(payload: str) -> Report:
        word = json_object(payload).get("state") if payload.startswith("{") else payload
        return _online(str(word), words=("online", "offline"))

    return Dialect(
        listen={relay.topic: state, f"{relay.topic}/availability": availability},
        on=(order(**{key: "ON"}),),
        off=(order(**{key: "OFF"}),),
        pulse=lambda seconds: (order(**{key: "ON", "on_time": seconds, "off_wait_time": 0}),),
        ask=(Message(f"{relay.topic}/get", json.dumps({key: ""})),),
    )


def _generic(relay: MqttRelay) -> Dialect:
    if relay.state is None:
        raise SettingsError(("actuator.state: required for the family mqtt",))
    told = relay.state

    def state(payload: str) -> Report:
        word = payload if told.path is None else scalar_at(payload, told.path)
        return _state(word, words=(told.on, told.off))

    on = (Message(relay.topic, relay.on),)
    return Dialect(
        listen={told.topic: state},
        on=None if relay.self_timed else on,
        off=(Message(relay.topic, relay.off),),
        pulse=(lambda _: on) if relay.self_timed else None,
        presumed=True,
    )


def _pulse_time(seconds: float) -> int:
    if seconds <= _TENTHS_TO_S:
        return max(1, round(seconds * 10))
    return max(112, round(seconds) + _SECONDS_FROM)


def _state(payload: str, words: tuple[str, str], others: tuple[str, ...] = ()) -> Report:
    if payload == words[0]:
        return Report(on=True)
    if payload == words[1] or payload in others:
        return Report(on=False)
    raise ValueError(f"expected {words[0]} or {words[1]}")


def _online(payload: str, words: tuple[str, str]) -> Report:
    if payload not in words:
        raise ValueError(f"expected {words[0]} or {words[1]}")
    return Report(online=payload == words[0])


def _boolean(told: Mapping[str, object], key: str) -> bool:
    if not isinstance(value := told.get(key), bool):
        raise ValueError(f"expected true or false as {key}")  # noqa: TRY004  of what is read
    return value
