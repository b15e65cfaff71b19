"""Doors driven through entities: in order, beside each other, and whatever ends in between."""

from __future__ import annotations

from homeassistant.core import HomeAssistant

from custom_components.facegate.protocol import (
    Actuated,
    ActuatorAction,
    ActuatorPhase,
    DoorStateName,
    DoorView,
)
from tests.integration.hardware import (
    BOLT,
    STRIKE,
    Bench,
)
from tests.integration.home import Home
from tests.integration.scripted import DOOR, ScriptedEngine, told
from tests.support import until

YARD = DoorView("yard", "Yard gate", DoorStateName.LOCKED)
ON, OFF = ActuatorPhase.ON, ActuatorPhase.OFF
PULSE, HOLD, RELEASE = ActuatorAction.PULSE, ActuatorAction.HOLD, ActuatorAction.RELEASE


async def test_doors_do_not_wait_for_each_other(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    del bench
    scripted.doors = (DOOR, YARD)
    await home.add(scripted, {"front": STRIKE, "yard": BOLT})
    await scripted.command(PULSE, "front", pulse_s=1)
    await scripted.command(PULSE, "yard", door_id="yard", pulse_s=0.05)
    answers = await scripted.actuated(3)
    assert ("yard", OFF, True) in told(answers)
    assert ("front", OFF, True) not in told(answers)


async def test_a_release_ends_a_running_pulse_at_once(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": STRIKE})
    await scripted.command(PULSE, "pulse", pulse_s=20)
    await scripted.actuated(1)
    await scripted.command(RELEASE, "release")
    assert told(await scripted.actuated(2)) == [("pulse", ON, True), ("release", ON, True)]
    assert bench.strike.asked == ["on", "off"]


async def test_an_order_that_is_refused_does_not_leave_the_pulse_it_took_over_open(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": STRIKE})
    await scripted.command(PULSE, "pulse", pulse_s=20)
    await scripted.actuated(1)
    await scripted.command(HOLD, "stale", life_s=-1)
    assert told(await scripted.actuated(2))[1:] == [("stale", ON, False)]
    await until(lambda: bench.strike.asked == ["on", "off"])
    assert not bench.strike.is_on


async def test_a_pulse_ends_although_the_engine_is_lost(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": STRIKE})
    await scripted.command(PULSE, pulse_s=0.5)
    await scripted.actuated(1)
    await scripted.stop()
    assert bench.strike.is_on
    await until(lambda: not bench.strike.is_on, timeout_s=2)
    assert bench.strike.asked == ["on", "off"]


async def test_unloading_ends_a_pulse_at_once_and_tells_the_engine(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": STRIKE})
    await scripted.command(PULSE, pulse_s=20)
    await scripted.actuated(1)
    await home.unload()
    assert bench.strike.asked == ["on", "off"]
    assert told(scripted.all(Actuated)) == [("command-1", ON, True), ("command-1", OFF, True)]


async def test_unloading_leaves_a_held_door_as_it_is(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": STRIKE})
    await scripted.command(HOLD)
    await scripted.actuated(1)
    await home.unload()
    assert bench.strike.asked == ["on"]


async def test_orders_that_wait_when_the_integration_is_unloaded_open_nothing(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": STRIKE})
    bench.strike.slow_s = 0.3
    await scripted.command(PULSE, "first", pulse_s=20)
    await until(lambda: bench.strike.asked == ["on"])
    await scripted.command(PULSE, "second", pulse_s=20)
    await until(lambda: "second" in home.coordinator.actuators._answers)
    await home.unload()
    assert bench.strike.asked == ["on", "off"]
    assert not bench.strike.is_on


async def test_stopping_home_assistant_ends_a_pulse_and_tells_the_engine(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": STRIKE})
    await scripted.command(PULSE, pulse_s=20)
    await scripted.actuated(1)
    await hass.async_stop(force=True)
    assert bench.strike.asked == ["on", "off"]
    assert told(scripted.all(Actuated)) == [("command-1", ON, True), ("command-1", OFF, True)]


async def test_a_door_that_is_gone_is_no_longer_driven(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    scripted.doors = (DOOR, YARD)
    await home.add(scripted, {"front": STRIKE, "yard": BOLT})
    await scripted.command(PULSE, pulse_s=20)
    await scripted.actuated(1)
    scripted.doors = (YARD,)
    await scripted.drop()
    await until(lambda: bench.strike.asked == ["on", "off"])
    await until(lambda: scripted.socket is not None)
    await scripted.command(PULSE, "later")
    await until(lambda: ("later", ON, False) in told(scripted.all(Actuated)))
    assert bench.strike.asked == ["on", "off"]
