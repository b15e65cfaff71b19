"""Options of brokers, relays, thermometers and readers: which there are, and what they become."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import voluptuous as vol

from facegate import values
from facegate.hardware import (
    DoorHardware,
    HttpAuth,
    HttpRelay,
    MqttRelay,
    MqttSettings,
    MqttState,
    Reader,
    RelayFamily,
    Signal,
    TemperatureUnit,
    Thermometer,
    TlsSettings,
)
from facegate.protocol import Direction

TLS = vol.Schema(
    {
        vol.Optional("ca"): values.file_path,
        vol.Optional("certificate"): values.file_path,
        vol.Optional("key"): values.file_path,
    }
)
MQTT = vol.Schema(
    {
        vol.Required("host"): values.host,
        vol.Optional("port"): values.whole(1, 65535),
        vol.Optional("topic", default="facegate"): values.topic,
        vol.Optional("username"): values.text(1, 200),
        vol.Optional("password"): values.text(1, 200),
        vol.Optional("tls"): TLS,
    }
)
STATE = vol.Schema(
    {
        vol.Required("topic"): values.topic,
        vol.Optional("path"): values.text(1, 200),
        vol.Optional("on", default="ON"): values.text(1, 200),
        vol.Optional("off", default="OFF"): values.text(1, 200),
    }
)
ACTUATOR = vol.Schema(
    {
        vol.Required("family"): values.one_of(RelayFamily),
        vol.Optional("topic"): values.topic,
        vol.Optional("channel"): values.whole(0, 32),
        vol.Optional("switch"): values.topic,
        vol.Optional("on", default="ON"): values.text(1, 200),
        vol.Optional("off", default="OFF"): values.text(1, 200),
        vol.Optional("state"): STATE,
        vol.Optional("self_timed", default=True): values.boolean,
        vol.Optional("shared", default=False): values.boolean,
        vol.Optional("on_url"): values.web_url,
        vol.Optional("off_url"): values.web_url,
        vol.Optional("state_url"): values.web_url,
        vol.Optional("state_path"): values.text(1, 200),
        vol.Optional("state_on", default="true"): values.text(1, 200),
        vol.Optional("method", default="GET"): vol.In(("GET", "POST")),
        vol.Optional("auth", default=HttpAuth.NONE.value): values.one_of(HttpAuth),
        vol.Optional("username"): values.text(1, 200),
        vol.Optional("secret"): values.text(1, 500),
    }
)
THERMOMETER = vol.Schema(
    {
        vol.Optional("direction", default=Direction.ENTRY.value): values.one_of(Direction),
        vol.Optional("topic"): values.topic,
        vol.Optional("url"): values.web_url,
        vol.Optional("path"): values.text(1, 200),
        vol.Optional("unit", default=TemperatureUnit.CELSIUS.value): values.one_of(TemperatureUnit),
        vol.Optional("offset", default=0): values.number(-5, 5),
        vol.Optional("every_seconds", default=1): values.number(0.2, 60),
    }
)
SIGNAL = STATE
READER = vol.Schema(
    {
        vol.Optional("direction", default=Direction.ENTRY.value): values.one_of(Direction),
        vol.Required("topic"): values.topic,
    }
)
DOOR: dict[vol.Marker, Any] = {
    vol.Optional("actuator", default={"family": RelayFamily.HOME_ASSISTANT.value}): ACTUATOR,
    vol.Optional("thermometers", default=list): values.each(THERMOMETER),
    vol.Optional("contact_signal"): SIGNAL,
    vol.Optional("exit_button"): SIGNAL,
    vol.Optional("doorbell"): SIGNAL,
    vol.Optional("readers", default=list): values.each(READER),
}
"""The options of a door that are about its hardware."""

OBJECTS = {
    ("mqtt",): MQTT,
    ("mqtt", "tls"): TLS,
    ("doors", "actuator"): ACTUATOR,
    ("doors", "actuator", "state"): STATE,
    ("doors", "thermometers"): THERMOMETER,
    ("doors", "contact_signal"): SIGNAL,
    ("doors", "exit_button"): SIGNAL,
    ("doors", "doorbell"): SIGNAL,
    ("doors", "readers"): READER,
}
"""The objects within options, by their path."""

_PLAIN_PORT, _TLS_PORT = 1883, 8883
_FIRST_CHANNEL = {RelayFamily.TASMOTA: 1}
# What each family cannot be spoken to without.
_NEEDS = {
    RelayFamily.SHELLY: ("topic",),
    RelayFamily.SHELLY_GEN1: ("topic",),
    RelayFamily.TASMOTA: ("topic",),
    RelayFamily.ESPHOME: ("topic", "switch"),
    RelayFamily.ZIGBEE2MQTT: ("topic",),
    RelayFamily.MQTT: ("topic", "state"),
    RelayFamily.HTTP: ("on_url", "off_url", "state_url"),
}


def contradictory(options: dict[str, Any]) -> Iterator[str]:
    """Yield what does not fit together, each with its path."""
    yield from _used_twice(options["doors"])
    for index, door in enumerate(options["doors"]):
        at = f"doors[{index}]"
        actuator = door["actuator"]
        for key in _NEEDS.get(actuator["family"], ()):
            if key not in actuator:
                yield f"{at}.actuator.{key}: required for the family {actuator['family'].value}"
        if actuator["family"] is RelayFamily.TASMOTA and actuator.get("channel") == 0:
            yield f"{at}.actuator.channel: Tasmota counts relays from 1"
        auth = actuator["auth"]
        if auth is not HttpAuth.NONE and "secret" not in actuator:
            yield f"{at}.actuator.secret: required for auth {auth.value}"
        if auth is HttpAuth.DIGEST and "username" not in actuator:
            yield f"{at}.actuator.username: required for auth {auth.value}"
        for place, thermometer in enumerate(door["thermometers"]):
            if ("topic" in thermometer) == ("url" in thermometer):
                yield f"{at}.thermometers[{place}]: expected either topic or url"
        if "contact_signal" in door and not door["contact"]:
            yield f"{at}.contact_signal: needs contact: true"


def _used_twice(doors: list[dict[str, Any]]) -> Iterator[str]:
    """Yield relays of two doors that do not know of each other: one would shut the other."""
    used: dict[tuple[object, ...], int] = {}
    for index, door in enumerate(doors):
        actuator = door["actuator"]
        if actuator["family"] is RelayFamily.HOME_ASSISTANT or actuator["shared"]:
            continue
        relay = tuple(
            actuator.get(key) for key in ("family", "topic", "channel", "switch", "on_url")
        )
        if relay in used:
            yield (
                f"doors[{index}].actuator: the same relay as doors[{used[relay]}]; give each its"
                " own, or set shared to true for both"
            )
        used.setdefault(relay, index)


def mqtt_settings(options: dict[str, Any]) -> MqttSettings:
    """Return the broker of checked options."""
    tls = options.get("tls")
    return MqttSettings(
        host=options["host"],
        port=options.get("port", _PLAIN_PORT if tls is None else _TLS_PORT),
        topic=options["topic"],
        username=options.get("username"),
        password=options.get("password"),
        tls=TlsSettings(**tls) if tls is not None else None,
    )


def door_hardware(door: dict[str, Any]) -> DoorHardware:
    """Return the hardware of a door of checked options."""
    return DoorHardware(
        relay=_relay(door["actuator"]),
        thermometers=tuple(
            Thermometer(
                direction=found["direction"],
                topic=found.get("topic"),
                url=found.get("url"),
                path=found.get("path"),
                unit=found["unit"],
                offset=found["offset"],
                every_s=found["every_seconds"],
            )
            for found in door["thermometers"]
        ),
        contact=_signal(door.get("contact_signal")),
        exit_button=_signal(door.get("exit_button")),
        doorbell=_signal(door.get("doorbell")),
        readers=tuple(Reader(found["direction"], found["topic"]) for found in door["readers"]),
    )


def _signal(options: dict[str, Any] | None) -> Signal | None:
    if options is None:
        return None
    return Signal(options["topic"], options.get("path"), options["on"], options["off"])


def _relay(options: dict[str, Any]) -> MqttRelay | HttpRelay | None:
    family = options["family"]
    if family is RelayFamily.HOME_ASSISTANT:
        return None
    if family is RelayFamily.HTTP:
        return HttpRelay(
            on_url=options["on_url"],
            off_url=options["off_url"],
            state_url=options["state_url"],
            state_path=options.get("state_path"),
            state_on=options["state_on"],
            method=options["method"],
            auth=options["auth"],
            username=options.get("username"),
            secret=options.get("secret"),
            shared=options["shared"],
        )
    state = options.get("state")
    return MqttRelay(
        family=family,
        topic=options["topic"],
        channel=options.get("channel", _FIRST_CHANNEL.get(family, 0)),
        switch=options.get("switch"),
        on=options["on"],
        off=options["off"],
        state=MqttState(state["topic"], state.get("path"), state["on"], state["off"])
        if state is not None
        else None,
        self_timed=options["self_timed"],
        shared=options["shared"],
    )
