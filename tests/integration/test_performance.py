"""How fast the engine is, among its diagnostics."""

from __future__ import annotations

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from custom_components.facegate.protocol import LatencyView, PerformanceChanged
from custom_components.facegate.sensor import STAGES
from facegate.latency import Stage
from tests.integration.home import Home
from tests.integration.scripted import ScriptedEngine

UNLOCK = "arrival_to_unlock_p95"


def test_every_stage_of_the_engine_has_a_sensor() -> None:
    assert tuple(Stage) == STAGES


async def test_how_fast_a_door_opens_is_shown_and_follows_the_engine(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.latencies = (LatencyView("arrival_to_unlock", 12, 310.5, 455.25),)
    await home.add(scripted)
    shown = home.state("sensor", UNLOCK, "")
    assert shown.state == "455.25"
    assert shown.attributes["unit_of_measurement"] == "ms"
    assert shown.attributes["device_class"] == "duration"
    assert shown.attributes["state_class"] == "measurement"
    assert (shown.attributes["median"], shown.attributes["count"]) == (310.5, 12)
    await scripted.push(PerformanceChanged((LatencyView("arrival_to_unlock", 13, 300, 400),)))
    await home.shows("sensor", UNLOCK, "400.0", "")


async def test_a_door_that_never_opened_has_no_figure(home: Home, scripted: ScriptedEngine) -> None:
    await home.add(scripted)
    shown = home.state("sensor", UNLOCK, "")
    assert shown.state == "unknown"
    assert "median" not in shown.attributes


async def test_a_stage_of_a_newer_engine_is_passed_over(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.latencies = (
        LatencyView("thought_reading", 1, 1, 1),
        LatencyView("arrival_to_unlock", 1, 2, 3),
    )
    await home.add(scripted)
    assert home.state("sensor", UNLOCK, "").state == "3.0"


async def test_only_the_way_to_the_open_door_is_enabled_and_all_are_diagnostics_of_the_engine(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    registry = er.async_get(hass)
    entries = {
        stage: registry.entities[home.entity_id("sensor", f"{stage}_p95", "")] for stage in STAGES
    }
    enabled = [stage for stage, entry in entries.items() if not entry.disabled]
    assert enabled == ["arrival_to_unlock"]
    assert {entry.entity_category for entry in entries.values()} == {"diagnostic"}
    event = registry.entities[home.entity_id("event", "alarm", "")]
    assert {entry.device_id for entry in entries.values()} == {event.device_id}
