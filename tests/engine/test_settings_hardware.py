"""Options of the broker, relays, thermometers, buttons and readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from facegate.errors import SettingsError
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
from facegate.register import Role
from facegate.settings import parse


def door(**changes: Any) -> dict[str, Any]:
    return {"doors": [{"id": "front", **changes}]}


def hardware(**changes: Any) -> DoorHardware:
    return parse(door(**changes)).doors[0].hardware


def relay(**changes: Any) -> MqttRelay | HttpRelay | None:
    return hardware(actuator=changes).relay


def test_a_door_is_driven_by_home_assistant_unless_told() -> None:
    assert hardware() == DoorHardware()
    assert parse(door()).mqtt is None


def test_a_broker_has_the_port_that_goes_with_its_encryption() -> None:
    plain = parse({**door(), "mqtt": {"host": "broker"}}).mqtt
    assert plain == MqttSettings("broker", 1883, "facegate")
    tls = {"ca": "/ssl/ca.pem"}
    sealed = parse({**door(), "mqtt": {"host": "broker", "topic": "site/gate", "tls": tls}}).mqtt
    assert sealed == MqttSettings(
        "broker", 8883, "site/gate", tls=TlsSettings(ca=Path("/ssl/ca.pem"))
    )


def test_a_password_is_never_shown() -> None:
    found = parse({**door(), "mqtt": {"host": "h", "username": "gate", "password": "s3cret!"}})
    http = relay(
        family="http", on_url="http://u:s3cret!@r/on", off_url="http://r", state_url="http://r"
    )
    assert "s3cret!" not in repr(found)
    assert "s3cret!" not in repr(http)


def test_relays_of_each_family_are_read() -> None:
    assert relay(family="shelly", topic="shelly-1") == MqttRelay(RelayFamily.SHELLY, "shelly-1")
    assert relay(family="shelly", topic="s", shared=True) == MqttRelay(
        RelayFamily.SHELLY, "s", shared=True
    )
    # Tasmota counts its relays from 1.
    assert relay(family="tasmota", topic="gate") == MqttRelay(RelayFamily.TASMOTA, "gate", 1)
    assert relay(family="esphome", topic="node", switch="strike") == MqttRelay(
        RelayFamily.ESPHOME, "node", switch="strike"
    )
    state = {"topic": "gate/state", "path": "relay", "on": "1", "off": "0"}
    assert relay(family="mqtt", topic="gate/set", on="1", off="0", state=state) == MqttRelay(
        RelayFamily.MQTT,
        "gate/set",
        on="1",
        off="0",
        state=MqttState("gate/state", "relay", "1", "0"),
    )
    urls = {name: f"http://r/{name}" for name in ("on_url", "off_url", "state_url")}
    found = relay(family="http", **urls, auth="digest", username="u", secret="p", shared=True)
    assert found == HttpRelay(
        "http://r/on_url",
        "http://r/off_url",
        "http://r/state_url",
        state_path=None,
        state_on="true",
        method="GET",
        auth=HttpAuth.DIGEST,
        username="u",
        secret="p",
        shared=True,
    )


def test_two_doors_do_not_drive_one_relay_unaware_of_each_other() -> None:
    def doors(second: dict[str, Any], **both: Any) -> dict[str, Any]:
        first = {"family": "shelly", "topic": "shelly-1", **both}
        named = (("front", first), ("back", first | second))
        return {"doors": [{"id": door_id, "actuator": found} for door_id, found in named]}

    with pytest.raises(SettingsError) as caught:
        parse(doors({}))
    assert "doors[1].actuator: the same relay as doors[0]" in str(caught.value)
    assert len(parse(doors({"channel": 1})).doors) == 2
    assert len(parse(doors({}, shared=True)).doors) == 2


def test_sensors_and_readers_are_read() -> None:
    found = hardware(
        contact=True,
        thermometers=[{"topic": "t/1", "path": "temp", "unit": "f", "offset": -0.2}],
        contact_signal={"topic": "c/1", "on": "open", "off": "shut"},
        exit_button={"topic": "b/1"},
        readers=[{"topic": "r/1", "direction": "exit"}],
    )
    assert found == DoorHardware(
        thermometers=(
            Thermometer(
                Direction.ENTRY, "t/1", None, "temp", TemperatureUnit.FAHRENHEIT, -0.2, every_s=1
            ),
        ),
        contact=Signal("c/1", None, "open", "shut"),
        exit_button=Signal("b/1", None, "ON", "OFF"),
        readers=(Reader(Direction.EXIT, "r/1"),),
    )


def test_roles_are_found_by_the_users_names() -> None:
    users = [{"name": "ada", "role": "manager"}, {"name": "ben", "role": "viewer"}]
    assert parse({**door(), "users": users}).roles == {"ada": Role.MANAGER, "ben": Role.VIEWER}


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        (
            door(actuator={"family": "shelly"}),
            "doors[0].actuator.topic: required for the family shelly",
        ),
        (
            door(actuator={"family": "esphome", "topic": "node"}),
            "doors[0].actuator.switch: required for the family esphome",
        ),
        (
            door(actuator={"family": "tasmota", "topic": "gate", "channel": 0}),
            "doors[0].actuator.channel: Tasmota counts relays from 1",
        ),
        (
            door(actuator={"family": "shelly", "topic": "gate/#"}),
            "doors[0].actuator.topic: 'gate/#' is not a topic such as home/door/relay",
        ),
        (
            door(thermometers=[{"topic": "t", "url": "http://t"}]),
            "doors[0].thermometers[0]: expected either topic or url",
        ),
        (
            door(contact_signal={"topic": "c"}),
            "doors[0].contact_signal: needs contact: true",
        ),
        (
            {**door(), "mqtt": {"port": 1883}},
            "mqtt.host: required",
        ),
        (
            {**door(), "users": [{"name": "ada", "role": "owner"}]},
            "users[0].role: 'owner' is not one of viewer, operator, manager",
        ),
    ],
)
def test_a_mistake_is_named_with_its_path(options: dict[str, Any], mistake: str) -> None:
    with pytest.raises(SettingsError) as found:
        parse(options)
    assert mistake in found.value.mistakes


def test_a_secret_is_asked_for_where_a_relay_wants_one() -> None:
    urls = {name: f"http://r/{name}" for name in ("on_url", "off_url", "state_url")}
    with pytest.raises(SettingsError) as found:
        relay(family="http", **urls, auth="digest")
    assert found.value.mistakes == (
        "doors[0].actuator.secret: required for auth digest",
        "doors[0].actuator.username: required for auth digest",
    )
