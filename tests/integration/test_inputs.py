"""What stands at a door in Home Assistant: its news reach the engine, and nothing that is old."""

from __future__ import annotations

import asyncio
from datetime import timedelta
import re
import time
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.facegate import inputs
from custom_components.facegate.protocol import (
    Direction,
    DoorAction,
    DoorCommand,
    ErrorCode,
    Result,
)
from tests.integration.hardware import STRIKE, Bench
from tests.integration.home import Home
from tests.integration.real import RealEngine
from tests.integration.scripted import ScriptedEngine, refused
from tests.support import until

BODY = "sensor.body"
EXIT = "event.way_out"
BELL = "event.bell"
REED = "binary_sensor.way_out"
TEMPERATURE = "POST /api/v1/doors/front/temperature"
RING = "POST /api/v1/doors/front/ring"
CARD = "POST /api/v1/doors/front/credentials"
READER = "event.reader"
CELSIUS = {"unit_of_measurement": "°C", "device_class": "temperature"}


@pytest.fixture(autouse=True)
def _no_bounce(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test press quicker than people do; one test sets it back."""
    monkeypatch.setattr(inputs, "BOUNCE_S", 0.0)


@pytest.fixture
def engine(scripted: ScriptedEngine) -> ScriptedEngine:
    """Give an engine that takes everything."""
    scripted.answers = {TEMPERATURE: {}, RING: {}, CARD: {}}
    scripted.answer = lambda message: (
        Result(message.id, ok=True) if isinstance(message, DoorCommand) else None
    )
    return scripted


async def settled(hass: HomeAssistant) -> None:
    """Return when all that came of what happened is done."""
    await hass.async_block_till_done()
    await until(lambda: not any(_tells(task) for task in asyncio.all_tasks()))


def _tells(task: asyncio.Task[Any]) -> bool:
    return re.match(r"FaceGate \w+\.", task.get_name()) is not None


def readings(engine: ScriptedEngine) -> list[float]:
    return [asked.json["celsius"] for asked in engine.requests if asked.line == TEMPERATURE]


def openings(engine: ScriptedEngine) -> list[DoorCommand]:
    return [message for message in engine.received if isinstance(message, DoorCommand)]


def rings(engine: ScriptedEngine) -> int:
    return sum(asked.line == RING for asked in engine.requests)


def pressed(hass: HomeAssistant, entity_id: str, kind: str = "press", **attributes: str) -> None:
    """Have an event or a button tell of a press now."""
    now = dt_util.utcnow().isoformat()
    hass.states.async_set(entity_id, now, {"event_type": kind, **attributes})


# --- thermometers -----------------------------------------------------------------------------


async def test_each_new_reading_is_told_with_its_moment_and_its_sensor(
    hass: HomeAssistant, home: Home, engine: ScriptedEngine
) -> None:
    engine.clock_offset = 1000.0
    hass.states.async_set(BODY, "36.4", CELSIUS)
    await home.add(engine, thermometers={"front": BODY, "cellar": "sensor.other"})
    hass.states.async_set(BODY, "38.2", CELSIUS)
    await settled(hass)
    (asked,) = [asked for asked in engine.requests if asked.line == TEMPERATURE]
    assert asked.json["celsius"] == 38.2
    assert asked.user == BODY
    assert abs(asked.json["at"] - (time.time() + 1000)) < 30


async def test_fahrenheit_is_told_in_celsius_and_what_has_no_unit_is_not_told(
    hass: HomeAssistant, home: Home, engine: ScriptedEngine
) -> None:
    fahrenheit = {"unit_of_measurement": "°F"}
    hass.states.async_set(BODY, "97.0", fahrenheit)
    await home.add(engine, thermometers={"front": BODY})
    hass.states.async_set(BODY, "100.76", fahrenheit)
    await settled(hass)
    assert readings(engine) == [38.2]
    for attributes in ({}, {"unit_of_measurement": "%"}):
        hass.states.async_set(BODY, "36.9", attributes)
        hass.states.async_set(BODY, "36.8", attributes)
        await settled(hass)
    assert readings(engine) == [38.2]


async def test_what_is_no_new_reading_is_not_told(
    hass: HomeAssistant, home: Home, engine: ScriptedEngine
) -> None:
    await home.add(engine, thermometers={"front": BODY})
    for state in (
        "36.1",  # the first that is seen: restored, or kept by a broker
        "unavailable",
        "36.2",  # come back
        "unknown",
    ):
        hass.states.async_set(BODY, state, CELSIUS)
    hass.states.async_set(BODY, "unknown", {**CELSIUS, "battery": 80})
    await settled(hass)
    assert readings(engine) == []
    hass.states.async_set(BODY, "unavailable", CELSIUS)
    hass.states.async_set(BODY, "unknown", CELSIUS)
    hass.states.async_set(BODY, "36.3", CELSIUS)  # the first after an absence
    hass.states.async_set(BODY, "36.3", {**CELSIUS, "battery": 79})
    hass.states.async_set(BODY, "nan", CELSIUS)
    hass.states.async_set(BODY, "error", CELSIUS)
    hass.states.async_remove(BODY)
    hass.states.async_set(BODY, "36.4", CELSIUS)
    await settled(hass)
    assert readings(engine) == []
    hass.states.async_set(BODY, "36.5", CELSIUS)
    hass.states.async_set(BODY, "unknown", CELSIUS)  # as thermometers that forget
    hass.states.async_set(BODY, "36.5", CELSIUS)
    hass.states.async_set(BODY, "36.5", CELSIUS)  # reported once more: nobody knows of whom
    hass.states.async_set(BODY, "36.5", CELSIUS, force_update=True)  # said to be new
    await settled(hass)
    assert readings(engine) == [36.5, 36.5, 36.5]


async def test_what_the_engine_refuses_or_misses_is_not_told_again(
    hass: HomeAssistant, home: Home, engine: ScriptedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    hass.states.async_set(BODY, "36.4", CELSIUS)
    await home.add(engine, thermometers={"front": BODY}, exit_buttons={"front": EXIT})
    engine.answers[TEMPERATURE] = refused(ErrorCode.INVALID, status=400)
    hass.states.async_set(BODY, "21.0", CELSIUS)
    await settled(hass)
    assert "sensor.body did not reach the door front" in caplog.text
    assert len(readings(engine)) == 1
    hass.states.async_set(EXIT, "unknown")
    await engine.stop()
    await until(lambda: not home.coordinator.client.connected)
    hass.states.async_set(BODY, "36.9", CELSIUS)
    pressed(hass, EXIT)
    await settled(hass)
    await engine.start()
    await until(lambda: home.coordinator.client.connected)
    await settled(hass)
    assert len(readings(engine)) == 1
    assert openings(engine) == []


# --- exit buttons -----------------------------------------------------------------------------


async def test_a_press_of_the_exit_button_opens_the_way_out_in_its_name(
    hass: HomeAssistant, home: Home, engine: ScriptedEngine
) -> None:
    hass.states.async_set(EXIT, "unknown")
    await home.add(engine, exit_buttons={"front": EXIT})
    pressed(hass, EXIT)
    await settled(hass)
    (command,) = openings(engine)
    assert (command.door_id, command.action) == ("front", DoorAction.OPEN)
    assert (command.direction, command.user) == (Direction.EXIT, EXIT)


@pytest.mark.parametrize("entity_id", ["button.way_out", "input_button.way_out", EXIT])
async def test_what_a_button_shows_again_is_no_press(
    hass: HomeAssistant, home: Home, engine: ScriptedEngine, entity_id: str
) -> None:
    old = (dt_util.utcnow() - timedelta(seconds=30)).isoformat()
    await home.add(engine, exit_buttons={"front": entity_id})
    pressed(hass, entity_id)  # restored at a start
    hass.states.async_set(entity_id, "unavailable")
    pressed(hass, entity_id)  # come back
    hass.states.async_set(entity_id, "unknown")
    hass.states.async_set(entity_id, old)
    pressed(hass, entity_id, "long_release")
    hass.states.async_set(entity_id, "not a moment")
    hass.states.async_set(entity_id, "2026-11-01T08:00:00")
    await settled(hass)
    assert openings(engine) == []
    pressed(hass, entity_id)
    shown = hass.states.get(entity_id)
    assert shown is not None
    hass.states.async_set(entity_id, shown.state, {"icon": "mdi:door"})
    await settled(hass)
    assert len(openings(engine)) == 1


async def test_a_button_with_two_states_opens_when_it_goes_from_off_to_on(
    hass: HomeAssistant, home: Home, engine: ScriptedEngine
) -> None:
    await home.add(engine, exit_buttons={"front": REED})
    for state in ("on", "unavailable", "on", "unknown", "on"):
        hass.states.async_set(REED, state)
    await settled(hass)
    assert openings(engine) == []
    for state in ("off", "on", "off"):
        hass.states.async_set(REED, state)
    await settled(hass)
    assert len(openings(engine)) == 1


async def test_a_button_that_bounces_is_pressed_once(
    hass: HomeAssistant, home: Home, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "BOUNCE_S", 60.0)
    hass.states.async_set(REED, "off")
    await home.add(engine, exit_buttons={"front": REED})
    for state in ("on", "off", "on", "off", "on"):
        hass.states.async_set(REED, state)
    await settled(hass)
    assert len(openings(engine)) == 1


async def test_nothing_is_told_once_the_integration_is_unloaded(
    hass: HomeAssistant, home: Home, engine: ScriptedEngine
) -> None:
    hass.states.async_set(REED, "off")
    hass.states.async_set(BODY, "36.1", CELSIUS)
    await home.add(engine, exit_buttons={"front": REED}, thermometers={"front": BODY})
    await home.unload()
    hass.states.async_set(REED, "on")
    hass.states.async_set(BODY, "36.2", CELSIUS)
    await settled(hass)
    assert openings(engine) == []
    assert readings(engine) == []


async def test_a_real_engine_opens_the_way_out_and_records_the_button(
    hass: HomeAssistant, home: Home, real: RealEngine, bench: Bench
) -> None:
    hass.states.async_set(REED, "off")
    await home.add(real, {"front": STRIKE}, exit_buttons={"front": REED})
    await home.shows("lock", "lock", "locked")
    hass.states.async_set(REED, "on")
    await until(lambda: bench.strike.asked == ["on", "off"])
    told = await home.shows("sensor", "last_decision", "granted")
    assert told.attributes["direction"] == "exit"
    assert told.attributes["approver"] == REED


# --- doorbells --------------------------------------------------------------------------------


async def test_a_doorbell_rings_and_its_other_events_do_not(
    hass: HomeAssistant, home: Home, engine: ScriptedEngine
) -> None:
    hass.states.async_set(BELL, "unknown")
    await home.add(engine, doorbells={"front": BELL})
    pressed(hass, BELL, "motion", device_class="doorbell")
    await settled(hass)
    assert rings(engine) == 0
    pressed(hass, BELL, "ring", device_class="doorbell")
    await settled(hass)
    assert rings(engine) == 1
    assert engine.requests[-1].user == BELL


async def test_who_presses_the_doorbell_has_a_call_with_a_real_engine_and_only_one(
    hass: HomeAssistant, home: Home, real: RealEngine
) -> None:
    hass.states.async_set(REED, "off")
    await home.add(real, doorbells={"front": REED})
    for state in ("on", "off", "on"):
        hass.states.async_set(REED, state)
        await settled(hass)
    await home.shows("binary_sensor", "visitor_waiting", "on")
    assert [call.door_id for call in real.site.board.state().calls] == ["front"]


async def test_a_bell_at_a_door_that_the_engine_does_not_know_is_told(
    hass: HomeAssistant, home: Home, real: RealEngine, caplog: pytest.LogCaptureFixture
) -> None:
    hass.states.async_set(REED, "off")
    await home.add(real, doorbells={"cellar": REED})
    hass.states.async_set(REED, "on")
    await settled(hass)
    assert "binary_sensor.way_out did not reach the door cellar" in caplog.text
    assert real.site.board.state().calls == ()


# --- card readers -----------------------------------------------------------------------------


async def test_a_card_that_is_read_is_presented_once_at_its_door(
    hass: HomeAssistant, home: Home, engine: ScriptedEngine
) -> None:
    pressed(hass, READER, "scan", card_number="0411")  # before
    await home.add(engine, readers={"front": READER})
    pressed(hass, READER, "scan", card_number="0412")
    pressed(hass, READER, "scan")
    hass.states.async_set(READER, "unavailable")
    pressed(hass, READER, "scan", card_number="0413")  # come back
    await settled(hass)
    (asked,) = [asked for asked in engine.requests if asked.line == CARD]
    assert asked.json == {"card_number": "0412"}
    assert asked.user == READER
