"""A door as a lock, against a real engine and real entities."""

from __future__ import annotations

import asyncio
import time

from homeassistant.components.lock.const import LockState
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import (  # type: ignore[import-untyped]
    MockUser,
)

from custom_components.facegate.const import DOMAIN
from custom_components.facegate.options import Options
from custom_components.facegate.protocol import (
    DoorChanged,
    DoorCommand,
    DoorStateName,
    DoorView,
    ErrorCode,
    Result,
)
from tests.integration.hardware import STRIKE, Bench, JammedError
from tests.integration.home import Home
from tests.integration.real import RealEngine
from tests.integration.scripted import ScriptedEngine
from tests.support import until


async def test_a_door_without_an_entity_is_unavailable_and_repairs_say_so(
    home: Home, real: RealEngine
) -> None:
    entry = await home.add(real)
    await home.shows("lock", "lock", "unavailable")
    issues = ir.async_get(home.hass).issues
    assert (DOMAIN, f"{entry.entry_id}_no_entity_front") in issues
    assert (DOMAIN, f"{entry.entry_id}_no_entity_yard") in issues


async def test_choosing_an_entity_takes_the_repair_back(
    home: Home, real: RealEngine, bench: Bench
) -> None:
    del bench
    entry = await home.add(real)
    home.hass.config_entries.async_update_entry(entry, options=Options({"front": STRIKE}).stored())
    await home.hass.config_entries.async_reload(entry.entry_id)
    issues = ir.async_get(home.hass).issues
    assert (DOMAIN, f"{entry.entry_id}_no_entity_front") not in issues
    assert (DOMAIN, f"{entry.entry_id}_no_entity_yard") in issues
    await home.hass.config_entries.async_remove(entry.entry_id)
    assert not [key for key in ir.async_get(home.hass).issues if key[0] == DOMAIN]


async def test_open_pulses_the_entity_once_and_the_lock_shows_it(
    home: Home, real: RealEngine, bench: Bench
) -> None:
    await home.add(real, {"front": STRIKE})
    await home.shows("lock", "lock", LockState.LOCKED)
    await home.call("lock", "open", "lock")
    await home.shows("lock", "lock", LockState.UNLOCKED)
    assert bench.strike.is_on
    await home.shows("lock", "lock", LockState.LOCKED)
    assert not bench.strike.is_on
    assert bench.strike.asked == ["on", "off"]


async def test_unlock_holds_until_lock(home: Home, real: RealEngine, bench: Bench) -> None:
    await home.add(real, {"front": STRIKE})
    await home.shows("lock", "lock", LockState.LOCKED)
    await home.call("lock", "unlock", "lock")
    await home.shows("lock", "lock", LockState.UNLOCKED)
    await asyncio.sleep(1.2)  # longer than the door's pulse
    assert bench.strike.asked == ["on"]
    await home.call("lock", "lock", "lock")
    await home.shows("lock", "lock", LockState.LOCKED)
    assert bench.strike.asked == ["on", "off"]


async def test_unlock_takes_over_a_running_pulse_without_locking_in_between(
    home: Home, real: RealEngine, bench: Bench
) -> None:
    await home.add(real, {"front": STRIKE})
    await home.shows("lock", "lock", LockState.LOCKED)
    await home.call("lock", "open", "lock")
    await home.call("lock", "unlock", "lock")
    await asyncio.sleep(1.2)
    assert bench.strike.asked == ["on", "on"]
    assert home.state("lock", "lock").state == LockState.UNLOCKED


async def test_hardware_that_does_not_act_is_an_error_and_a_jammed_lock_with_its_fault(
    home: Home, real: RealEngine, bench: Bench
) -> None:
    await home.add(real, {"front": STRIKE})
    await home.shows("lock", "lock", LockState.LOCKED)
    bench.strike.broken = JammedError("the relay is stuck")
    with pytest.raises(HomeAssistantError) as caught:
        await home.call("lock", "open", "lock")
    assert caught.value.translation_key == "not_confirmed"
    state = await home.shows("lock", "lock", LockState.JAMMED)
    assert "the relay is stuck" in state.attributes["fault"]


async def test_the_user_who_asked_is_on_record(home: Home, real: RealEngine, bench: Bench) -> None:
    del bench
    user = MockUser(id="user-1", name="Grace", is_owner=True).add_to_hass(home.hass)
    await home.add(real, {"front": STRIKE})
    await home.shows("lock", "lock", LockState.LOCKED)
    await home.call("lock", "open", "lock", context=Context(user_id=user.id))
    event = home.state("event", "access")
    assert event.attributes["approver"] == "Grace"
    assert event.attributes["basis"] == "operator"


async def test_without_a_user_the_engine_is_told_of_none(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.answer = lambda message: (
        Result(message.id, ok=True) if isinstance(message, DoorCommand) else None
    )
    await home.add(scripted)
    await home.call("lock", "lock", "lock")
    assert [command.user for command in scripted.all(DoorCommand)] == [None]


@pytest.mark.parametrize(
    ("code", "kind", "key"),
    [
        (ErrorCode.CONFLICT, ServiceValidationError, "conflict"),
        (ErrorCode.NOT_FOUND, ServiceValidationError, "not_found"),
        (ErrorCode.INVALID, ServiceValidationError, "invalid"),
        (ErrorCode.EXPIRED, HomeAssistantError, "expired"),
        (ErrorCode.ACTUATOR_UNAVAILABLE, HomeAssistantError, "actuator_unavailable"),
        (ErrorCode.NOT_CONFIRMED, HomeAssistantError, "not_confirmed"),
        (ErrorCode.RECORDS_UNAVAILABLE, HomeAssistantError, "records_unavailable"),
        (ErrorCode.MODEL_UNAVAILABLE, HomeAssistantError, "model_unavailable"),
        (ErrorCode.CAMERA_UNAVAILABLE, HomeAssistantError, "command_failed"),
        ("a_code_of_tomorrow", HomeAssistantError, "command_failed"),
    ],
)
async def test_each_refusal_of_the_engine_has_a_text(
    home: Home, scripted: ScriptedEngine, code: str, kind: type[Exception], key: str
) -> None:
    scripted.answer = lambda message: (
        Result(message.id, ok=False, code=code, message="because")
        if isinstance(message, DoorCommand)
        else None
    )
    await home.add(scripted)
    with pytest.raises(HomeAssistantError) as caught:
        await home.call("lock", "open", "lock")
    assert type(caught.value) is kind
    assert caught.value.translation_key == key
    assert caught.value.translation_domain == DOMAIN


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (DoorStateName.LOCKED, LockState.LOCKED),
        (DoorStateName.UNLOCKING, LockState.UNLOCKING),
        (DoorStateName.UNLOCKED, LockState.UNLOCKED),
        (DoorStateName.RELOCKING, LockState.LOCKING),
        (DoorStateName.JAMMED, LockState.JAMMED),
        (DoorStateName.UNAVAILABLE, "unavailable"),
    ],
)
async def test_each_state_of_a_door_is_a_state_of_the_lock(
    home: Home, scripted: ScriptedEngine, name: DoorStateName, shown: str
) -> None:
    await home.add(scripted)
    await scripted.push(DoorChanged(DoorView("front", "Front door", name)))
    await home.shows("lock", "lock", shown)


async def test_a_door_is_a_device_behind_the_engine(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    entry = await home.add(scripted)
    devices = {
        device.name: device
        for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    }
    assert set(devices) == {"FaceGate", "Front door", "Porch"}
    engine = devices["FaceGate"]
    assert engine.entry_type is dr.DeviceEntryType.SERVICE
    assert engine.sw_version == "9.9.9"
    assert devices["Front door"].via_device_id == engine.id
    assert devices["Porch"].via_device_id == engine.id


async def test_doors_and_cameras_come_go_and_are_renamed(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    entry = await home.add(scripted)
    yard = DoorView("yard", "Yard gate", DoorStateName.UNLOCKED)
    await scripted.push(DoorChanged(yard))
    await home.hass.async_block_till_done()
    await until(lambda: len(hass.states.async_all("lock")) == 2)
    await home.shows("lock", "lock", LockState.UNLOCKED, "yard")

    scripted.doors, scripted.cameras = (DoorView("yard", "Gate", DoorStateName.LOCKED),), ()
    await scripted.drop()
    await until(lambda: scripted.connections == 2)
    await until(lambda: len(hass.states.async_all("lock")) == 1)
    await home.shows("lock", "lock", LockState.LOCKED, "yard")
    registry = dr.async_get(hass)
    devices = dr.async_entries_for_config_entry(registry, entry.entry_id)
    assert {device.name for device in devices} == {"FaceGate", "Gate"}

    scripted.doors = (*scripted.doors, DoorView("front", "Front door", DoorStateName.LOCKED))
    await scripted.drop()
    await until(lambda: len(hass.states.async_all("lock")) == 2)
    await home.shows("lock", "lock", LockState.LOCKED, "front")


async def test_an_engine_that_does_not_answer_is_an_error_in_time(
    home: Home, scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.facegate.client.COMMAND_TIMEOUT_S", 0.2)
    await home.add(scripted)
    began = time.monotonic()
    with pytest.raises(HomeAssistantError) as caught:
        await home.call("lock", "open", "lock")
    assert caught.value.translation_key == "command_timeout"
    assert time.monotonic() - began < 2


async def test_an_engine_lost_during_a_command_is_an_error_at_once(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    asking = home.hass.async_create_task(home.call("lock", "open", "lock"))
    await until(lambda: scripted.all(DoorCommand))
    await scripted.drop()
    with pytest.raises(HomeAssistantError) as caught:
        async with asyncio.timeout(2):
            await asking
    assert caught.value.translation_key == "cannot_connect"
