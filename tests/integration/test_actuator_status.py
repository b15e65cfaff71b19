"""Whether a door can be driven, and what its entity shows, as the engine is told of it."""

from __future__ import annotations

from homeassistant.const import EVENT_CALL_SERVICE
from homeassistant.core import Event
from pytest_homeassistant_custom_component.common import (  # type: ignore[import-untyped]
    async_capture_events,
)

from custom_components.facegate.protocol import (
    ActuatorAction,
    ActuatorStatus,
    DoorStateName,
    DoorView,
)
from tests.integration.hardware import GATE, OPENER, STRIKE, Bench
from tests.integration.home import Home
from tests.integration.scripted import DOOR, ScriptedEngine
from tests.support import until

YARD = DoorView("yard", "Yard gate", DoorStateName.LOCKED)
PULSE = ActuatorAction.PULSE


async def test_the_engine_is_told_which_doors_can_be_driven(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    del bench
    scripted.doors = (DOOR, YARD)
    await home.add(scripted, {"front": STRIKE})
    front = await scripted.status_of("front", available=True)
    assert front.reason is None
    assert front.unlocked is False
    yard = await scripted.status_of("yard", available=False)
    assert "no entity is chosen" in (yard.reason or "")
    assert yard.unlocked is None


async def test_an_entity_that_comes_and_goes_is_told_of(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": STRIKE})
    await scripted.status_of("front", available=True)
    bench.strike.lose()
    lost = await scripted.status_of("front", available=False)
    assert lost.reason == "switch.strike is unavailable in Home Assistant"
    await scripted.command(PULSE)
    assert (await scripted.actuated())[0].error == lost.reason
    bench.strike.return_()
    await scripted.status_of("front", available=True)
    home.hass.states.async_remove(STRIKE)
    gone = await scripted.status_of("front", available=False)
    assert "does not exist" in (gone.reason or "")
    assert bench.strike.asked == []


async def test_what_the_entity_shows_is_told_at_each_change(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": GATE})
    await scripted.status_of("front", available=True)
    await bench.gate.async_open_cover()
    await until(lambda: scripted.all(ActuatorStatus)[-1].unlocked is True)
    await bench.gate.async_close_cover()  # still closing: not yet shut
    assert scripted.all(ActuatorStatus)[-1].unlocked is True
    home.hass.states.async_set(GATE, "closed")
    await until(lambda: scripted.all(ActuatorStatus)[-1].unlocked is False)


async def test_a_button_that_was_never_pressed_can_be_driven_and_shows_nothing(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": OPENER})
    assert home.hass.states.is_state(OPENER, "unknown")
    assert (await scripted.status_of("front", available=True)).unlocked is None
    bench.opener.lose()
    await scripted.status_of("front", available=False)


async def test_an_entity_of_another_kind_is_not_driven(
    home: Home, scripted: ScriptedEngine
) -> None:
    home.hass.states.async_set("light.porch", "off")
    called: list[Event] = async_capture_events(home.hass, EVENT_CALL_SERVICE)
    await home.add(scripted, {"front": "light.porch"})
    status = await scripted.status_of("front", available=False)
    assert "is not one of button, cover, lock, switch" in (status.reason or "")
    await scripted.command(PULSE)
    assert not (await scripted.actuated())[0].ok
    assert called == []


async def test_doors_are_offered_again_after_a_reconnection(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": STRIKE})
    await scripted.status_of("front", available=True)
    scripted.received.clear()
    await scripted.drop()
    await scripted.status_of("front", available=True)
    assert bench.strike.asked == []
