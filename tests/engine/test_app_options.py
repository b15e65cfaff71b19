"""What the Supervisor's form becomes, alone and together with the file that it names."""

from __future__ import annotations

from collections.abc import Mapping
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from facegate.app_options import combine, engine_options, load
from facegate.errors import SettingsError
from facegate.hardware import DoorHardware, HttpRelay, MqttRelay
from facegate.settings import DoorSettings, parse
from facegate.verdicts import Control, Requirement

CAMERA = {"id": "front", "url": "rtsp://127.0.0.1/stream"}


def form(door: Mapping[str, object] | None = None, **others: object) -> dict[str, object]:
    return {"cameras": [CAMERA], "doors": [{"id": "front", **(door or {})}], **others}


def door_of(fields: Mapping[str, object]) -> DoorSettings:
    return parse(engine_options(form(fields))).doors[0]


def refused(call: object) -> str:
    assert callable(call)
    with pytest.raises(SettingsError) as told:
        call()
    return str(told.value)


def test_fields_of_a_relay_on_mqtt_become_one_relay_with_its_state() -> None:
    relay = door_of(
        {
            "actuator_family": "mqtt",
            "actuator_topic": "gate/set",
            "actuator_state_topic": "gate/state",
            "actuator_state_on": "open",
        }
    ).hardware.relay
    assert isinstance(relay, MqttRelay)
    assert relay.topic == "gate/set"
    assert relay.state is not None
    assert (relay.state.topic, relay.state.on) == ("gate/state", "open")


def test_fields_of_a_relay_with_http_stay_its_own() -> None:
    relay = door_of(
        {
            "actuator_family": "http",
            "actuator_on_url": "http://relay/on",
            "actuator_off_url": "http://relay/off",
            "actuator_state_url": "http://relay/state",
            "actuator_state_path": "output",
            "actuator_state_on": "1",
        }
    ).hardware.relay
    assert isinstance(relay, HttpRelay)
    assert (relay.state_path, relay.state_on) == ("output", "1")


def test_contact_and_its_signal_are_two_things() -> None:
    door = door_of({"contact": True, "contact_signal_topic": "gate/contact"})
    assert door.contact
    assert door.hardware.contact is not None
    assert door.hardware.contact.topic == "gate/contact"


def test_thermometer_reader_controls_and_liveness_find_their_places() -> None:
    door = door_of(
        {
            "thermometer_topic": "fever",
            "reader_topic": "cards",
            "control_temperature": "required",
            "liveness_level": "high",
            "temperature_limit": 37.3,
        }
    )
    assert [thermometer.topic for thermometer in door.hardware.thermometers] == ["fever"]
    assert [reader.topic for reader in door.hardware.readers] == ["cards"]
    assert door.rules.requirements[Control.TEMPERATURE] is Requirement.REQUIRED
    assert door.rules.liveness.level == "high"
    assert door.rules.temperature_limit == 37.3


def test_empty_fields_count_as_not_filled_in() -> None:
    options = engine_options(
        form({"name": "", "area": None}, mqtt={"host": ""}, site={}, users=[], areas=[])
    )
    assert options == form()


def test_switches_that_were_tried_fill_in_nothing() -> None:
    tried = {
        "actuator_shared": False,
        "actuator_self_timed": True,
        "actuator_auth": "none",
        "thermometer_direction": "entry",
        "thermometer_unit": "c",
        "reader_direction": "exit",
    }
    settings = parse(engine_options(form(tried, mqtt={"tls": False, "topic": "facegate"})))
    assert settings.mqtt is None
    assert settings.doors[0].hardware == DoorHardware()
    told = refused(lambda: parse(engine_options(form({"actuator_topic": "x"}))))
    assert "doors[0].actuator.family" in told


def test_false_and_zero_are_values() -> None:
    settings = parse(
        engine_options(form({"visitors": False}, retention={"document_pictures_hours": 0}))
    )
    assert not settings.doors[0].visitors
    assert settings.retention.document_pictures_h == 0


def test_a_schedule_and_holidays_of_the_form_are_the_engines() -> None:
    settings = parse(
        engine_options(
            form(
                schedules=[
                    {
                        "id": "school",
                        "days": ["mon"],
                        "from": "07:15",
                        "to": "16:30",
                        "on_holidays": "closed",
                    }
                ],
                site={"holidays_country": "DE", "holidays_subdivision": "BY"},
            )
        )
    )
    assert len(settings.schedules["school"].windows) == 1
    assert settings.site.holidays is not None
    assert settings.site.holidays.subdivision == "BY"


@pytest.mark.parametrize(
    ("fields", "port"), [({"tls": True}, 8883), ({"tls_ca": "/config/ca.pem"}, 8883), ({}, 1883)]
)
def test_encryption_to_the_broker_is_one_switch_or_its_files(
    fields: dict[str, object], port: int
) -> None:
    mqtt = parse(engine_options(form(mqtt={"host": "broker", **fields}))).mqtt
    assert mqtt is not None
    assert mqtt.port == port
    assert (mqtt.tls is not None) == bool(fields)


def test_the_file_adds_to_the_door_of_the_same_id_and_brings_its_own() -> None:
    more = {
        "doors": [
            {"id": "front", "rules": [{"controls": {"mask": "required"}}]},
            {"id": "back", "name": "Back"},
        ]
    }
    settings = parse(combine(form({"name": "Front"}), more))
    assert [(door.id, door.name) for door in settings.doors] == [
        ("front", "Front"),
        ("back", "Back"),
    ]
    assert len(settings.doors[0].rules.rules) == 1


def test_what_form_and_file_say_differently_is_named() -> None:
    told = refused(
        lambda: combine(
            form({"pulse_seconds": 3}, users=[{"name": "a", "role": "viewer"}]),
            {
                "doors": [{"id": "front", "pulse_seconds": 4}],
                "users": [{"name": "a", "role": "manager"}],
            },
        )
    )
    assert "doors[front].pulse_seconds" in told
    assert "users" in told


def test_what_both_say_alike_is_no_mistake() -> None:
    options = combine(form({"pulse_seconds": 3}), {"doors": [{"id": "front", "pulse_seconds": 3}]})
    assert options == form({"pulse_seconds": 3}) | {"site": {}}


def test_the_time_zone_of_home_assistant_counts_where_none_is_chosen() -> None:
    zone = ZoneInfo("Europe/Berlin")
    assert parse(combine(form(), {}, zone.key)).site.time_zone == zone
    chosen = combine(form(site={"time_zone": "Asia/Shanghai"}), {}, zone.key)
    assert parse(chosen).site.time_zone == ZoneInfo("Asia/Shanghai")


def test_a_mistake_is_told_with_its_field() -> None:
    told = refused(lambda: parse(engine_options(form({"actuator_family": "shelly"}))))
    assert "doors[0].actuator.topic: required for the family shelly" in told


def write(folder: Path, name: str, found: object) -> Path:
    path = folder / name
    path.write_text(json.dumps(found))
    return path


def test_the_file_that_the_form_names_is_read(tmp_path: Path) -> None:
    write(tmp_path, "site.json", {"site": {"name": "School"}})
    options = write(tmp_path, "options.json", form(options_file="site.json"))
    assert load(options, tmp_path).site.name == "School"


@pytest.mark.parametrize("name", ["../site.json", "/etc/site.json", "site.yaml", 3])
def test_a_file_elsewhere_is_refused(tmp_path: Path, name: object) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    write(tmp_path, "site.json", {})
    options = write(tmp_path, "options.json", form(options_file=name))
    assert "options_file" in refused(lambda: load(options, folder))


def test_a_file_that_is_missing_or_no_json_is_named(tmp_path: Path) -> None:
    options = write(tmp_path, "options.json", form(options_file="site.json"))
    assert "site.json: cannot be read" in refused(lambda: load(options, tmp_path))
    (tmp_path / "site.json").write_text("doors:")
    assert "site.json: not JSON" in refused(lambda: load(options, tmp_path))
    (tmp_path / "site.json").write_text("[]")
    assert "site.json: expected a JSON object" in refused(lambda: load(options, tmp_path))
