"""Sensors on a real broker, before an engine that is real: what they tell, and what it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from facegate.domain import Image
from facegate.protocol import (
    AccessEvent,
    AlarmEvent,
    AlarmKind,
    CallAnswer,
    CallOpened,
    DoorChanged,
    SensorView,
)
from tests.broker import Mosquitto, mosquitto, needs_mosquitto
from tests.engine.mqtt.house import Outside, outside
from tests.engine.passage import A_LOOK, A_WAIT, Passage, options, passage, residents_scene
from tests.support import until

pytestmark = [pytest.mark.usefixtures("free_loop"), needs_mosquitto]

HEAT = "body/front"
FEVER = {
    "controls": {"liveness": "off", "temperature": "required"},
    "temperature_limit": 37.3,
    "thermometers": [{"topic": HEAT, "path": "person.celsius"}],
}


CARD = "0412"
READER = {"topic": "reader/front"}


async def with_a_card(front: Passage) -> None:
    """Enroll somebody who has a card."""
    subject_id = await front.enroll(["front"])
    body = {"kind": "card", "card_number": CARD}
    path = f"/api/v1/subjects/{subject_id}/credentials"
    async with front.site.session() as session, session.post(path, json=body) as response:
        assert response.status == 201, await response.text()


@pytest.fixture(scope="module")
def ann() -> list[Image]:
    return residents_scene()


@asynccontextmanager
async def house(
    monkeypatch: pytest.MonkeyPatch, folder: Path, **door: Any
) -> AsyncIterator[tuple[Passage, Outside]]:
    """Run an engine on a broker of its own, and a device that speaks there."""
    async with mosquitto(folder / "broker") as broker:
        chosen = options(**door) | {"mqtt": _mqtt(broker)}
        async with (
            passage(monkeypatch, folder / "data", chosen) as front,
            outside(broker) as device,
        ):
            await until(lambda: bool(device.on("facegate/status")))
            yield front, device


def _mqtt(broker: Mosquitto) -> dict[str, Any]:
    found = broker.settings()
    return {
        "host": found.host,
        "port": found.port,
        "username": found.username,
        "password": found.password,
    }


def celsius(value: float) -> str:
    return json.dumps({"person": {"celsius": value}})


def shown(front: Passage) -> tuple[SensorView, ...]:
    return front.site.site.board.state().doors[0].sensors


def temperature(front: Passage) -> float | None:
    return front.site.site.board.state().doors[0].temperature


async def measured(front: Passage, device: Outside, value: float) -> None:
    await device.say(HEAT, celsius(value))
    await until(lambda: temperature(front) == value)


async def test_a_fever_denies_with_its_value_in_the_receipt_the_alarm_and_the_door(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ann: list[Image]
) -> None:
    async with house(monkeypatch, tmp_path, **FEVER) as (front, device):
        await front.enroll(["front"])
        await front.show(ann[:2])
        await measured(front, device, 38.2)
        await front.show(ann[2:A_WAIT])
        (event,) = await front.events()
        (verdict,) = [found for found in event.verdicts if found.control == "temperature"]
        assert (event.granted, event.reason) == (False, "too_hot")
        assert (verdict.outcome, verdict.measured, verdict.limit) == ("fail", 38.2, 37.3)
        (alarm,) = front.client.all(AlarmEvent)
        assert (alarm.kind, alarm.detail) == (AlarmKind.FEVER, "38.2")
        assert temperature(front) == 38.2
        assert front.client.pulses == []


async def test_a_usual_temperature_lets_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ann: list[Image]
) -> None:
    async with house(monkeypatch, tmp_path, **FEVER) as (front, device):
        await front.enroll(["front"])
        await front.show(ann[:2])
        await measured(front, device, 36.6)
        await front.show(ann[2:A_LOOK])
        (event,) = await front.events()
        assert event.granted


async def test_a_reading_of_the_person_before_does_not_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ann: list[Image]
) -> None:
    async with house(monkeypatch, tmp_path, **FEVER) as (front, device):
        await front.enroll(["front"])
        await measured(front, device, 36.6)
        front.nobody(6)
        await front.show(ann[:A_WAIT])
        (event,) = await front.events()
        (verdict,) = [found for found in event.verdicts if found.control == "temperature"]
        assert not event.granted
        assert verdict.outcome == "unavailable"


async def test_a_reading_that_may_not_count_any_more_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chosen = FEVER | {"temperature_max_age_seconds": 20}
    async with house(monkeypatch, tmp_path, **chosen) as (front, device):
        await measured(front, device, 36.6)
        front.clock.passed += 19
        front.site.site.tick()
        assert temperature(front) == 36.6
        front.clock.passed += 2
        front.site.site.tick()
        assert temperature(front) is None
        await until(lambda: front.client.all(DoorChanged)[-1].door.temperature is None)


async def test_a_retained_reading_does_not_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with mosquitto(tmp_path / "broker") as broker, outside(broker) as device:
        await device.say(HEAT, celsius(36.6), retain=True)
        chosen = options(**FEVER) | {"mqtt": _mqtt(broker)}
        async with passage(monkeypatch, tmp_path / "data", chosen) as front:
            await until(lambda: bool(device.on("facegate/status")))
            await asyncio.sleep(0.3)
            assert temperature(front) is None


async def test_fahrenheit_and_an_offset_are_reckoned_and_nonsense_shows_on_the_sensor(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    thermometer = {"topic": HEAT, "unit": "f", "offset": 0.5}
    async with house(monkeypatch, tmp_path, thermometers=[thermometer]) as (front, device):
        await device.say(HEAT, "98.6")
        await until(lambda: temperature(front) == pytest.approx(37.5))
        assert [sensor.ok for sensor in shown(front)] == [True]
        await device.say(HEAT, "hot")
        await until(lambda: not shown(front)[0].ok)
        await device.say(HEAT, "451")
        await until(lambda: "no body temperature" in (shown(front)[0].reason or ""))
        assert temperature(front) == pytest.approx(37.5)
        await device.say(HEAT, b"9" * 10_000_000)
        await device.say(HEAT, "98.6")
        await until(lambda: shown(front)[0].ok)


async def test_an_exit_button_opens_once_however_it_bounces_and_retained_not_at_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with house(monkeypatch, tmp_path, exit_button={"topic": "rex/front"}) as (front, device):
        await device.say("rex/front", "ON")
        await device.say("rex/front", "OFF")
        await device.say("rex/front", "ON")
        await until(lambda: len(front.client.pulses) == 1)
        (event,) = await front.events()
        assert (event.granted, event.basis, event.direction) == (True, "exit_button", "exit")
        await asyncio.sleep(0.3)
        assert len(front.client.pulses) == 1


async def test_a_doorbell_rings_once_and_one_tap_lets_in_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with house(monkeypatch, tmp_path, doorbell={"topic": "bell/front"}) as (front, device):
        await device.say("bell/front", "ON")
        await device.say("bell/front", "OFF")
        await device.say("bell/front", "ON")
        await until(lambda: bool(front.client.all(CallOpened)))
        (ring,) = front.client.all(CallOpened)
        await front.client.answer(ring.call.id, CallAnswer.LET_IN)
        await until(lambda: len(front.client.pulses) == 1)
        assert len(front.client.all(CallOpened)) == 1


async def test_a_card_at_a_reader_opens_and_an_old_message_does_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with house(monkeypatch, tmp_path, readers=[READER]) as (front, device):
        await with_a_card(front)
        now = front.clock.now().timestamp()
        await device.say(READER["topic"], json.dumps({"card_number": CARD, "at": now - 30}))
        await until(lambda: any(not sensor.ok for sensor in shown(front)))
        await device.say(READER["topic"], "{not json")
        await device.say(READER["topic"], json.dumps({"card_number": "another"}))
        await until(lambda: len(front.client.all(AccessEvent)) == 1)
        assert front.client.pulses == []
        await device.say(READER["topic"], json.dumps({"card_number": CARD, "at": now}))
        await until(lambda: len(front.client.pulses) == 1)
        granted = [event for event in front.client.all(AccessEvent) if event.granted]
        assert [event.basis for event in granted] == ["card"]


async def test_what_the_broker_kept_opens_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with mosquitto(tmp_path / "broker") as broker, outside(broker) as device:
        door = {
            "readers": [READER],
            "exit_button": {"topic": "rex/front"},
            "doorbell": {"topic": "bell/front"},
        }
        chosen = options(**door) | {"mqtt": _mqtt(broker)}
        async with passage(monkeypatch, tmp_path / "data", chosen) as front:
            await with_a_card(front)
        await device.say(READER["topic"], json.dumps({"card_number": CARD}), retain=True)
        await device.say("rex/front", "ON", retain=True)
        await device.say("bell/front", "ON", retain=True)
        device.received.clear()
        async with passage(monkeypatch, tmp_path / "data", chosen) as front:
            await until(lambda: bool(device.on("facegate/status")))
            await until(lambda: bool(front.client.all(AlarmEvent)))
            assert {alarm.kind for alarm in front.client.all(AlarmEvent)} == {AlarmKind.MQTT}
            assert front.client.pulses == []
            assert await front.events() == []
            assert front.client.all(CallOpened) == []


async def test_a_contact_tells_of_a_forced_door_and_of_nothing_without_its_broker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    contact = {"contact": True, "contact_signal": {"topic": "reed/front", "on": "1", "off": "0"}}
    async with house(monkeypatch, tmp_path, **contact) as (front, device):
        board = front.site.site.board
        await device.say("reed/front", "0", retain=True)
        await until(lambda: board.is_open("front") is False)
        await device.say("reed/front", "1")
        await until(lambda: bool(front.client.all(AlarmEvent)))
        (alarm,) = front.client.all(AlarmEvent)
        assert (alarm.kind, alarm.door_id) == (AlarmKind.DOOR_FORCED, "front")
        await device.say("reed/front", "ajar")
        await until(lambda: board.is_open("front") is None)
        assert [sensor.ok for sensor in shown(front)] == [False]


async def test_a_thermometer_with_an_address_is_asked_and_its_last_reading_counts_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answers = ["36.1"]

    async def tell(_: web.Request) -> web.Response:
        return web.Response(text=answers[-1], status=200 if answers[-1] else 503)

    app = web.Application()
    app.router.add_get("/t", tell)
    async with TestServer(app) as server:
        thermometer = {"url": str(server.make_url("/t")), "every_seconds": 0.2}
        chosen = options(thermometers=[thermometer])
        async with passage(monkeypatch, tmp_path, chosen) as front:
            await until(lambda: bool(shown(front)) and shown(front)[0].ok)
            await asyncio.sleep(0.5)
            # It may be of whoever left an hour ago.
            assert temperature(front) is None
            answers.append("37.0")
            await until(lambda: temperature(front) == 37.0)
            answers.append("")
            await until(lambda: not shown(front)[0].ok)
            assert "503" in (shown(front)[0].reason or "")


async def test_without_a_broker_a_sensor_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chosen = options(readers=[READER])
    async with passage(monkeypatch, tmp_path, chosen) as front:
        (sensor,) = shown(front)
        assert not sensor.ok
        assert "no MQTT broker is configured" in (sensor.reason or "")
