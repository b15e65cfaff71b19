"""What is wrong with the engine's models is a repair until it is mended."""

from __future__ import annotations

from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.facegate.const import DOMAIN
from custom_components.facegate.protocol import ModelFaultView, ModelProblem, StateMessage
from tests.integration.home import Home
from tests.integration.scripted import DOOR, ScriptedEngine
from tests.support import until

DETECTOR, EMBEDDER = "yunet-2023mar", "sface-2021dec"


def state(*faults: ModelFaultView) -> StateMessage:
    return StateMessage((DOOR,), (), (), model_faults=faults)


def shown(home: Home) -> dict[str, str]:
    """Return the kind of every repair of a model, by the model."""
    assert home.entry is not None
    prefix = f"{home.entry.entry_id}_model_"
    return {
        issue_id.removeprefix(prefix): issue.translation_key or ""
        for (domain, issue_id), issue in ir.async_get(home.hass).issues.items()
        if domain == DOMAIN and issue_id.startswith(prefix)
    }


async def see(home: Home, expected: dict[str, str]) -> None:
    await until(lambda: shown(home) == expected)


@pytest.mark.parametrize("problem", ModelProblem)
async def test_a_model_that_does_not_serve_is_a_repair_until_it_does(
    home: Home, scripted: ScriptedEngine, problem: ModelProblem
) -> None:
    await home.add(scripted)
    assert shown(home) == {}
    await scripted.push(state(ModelFaultView(DETECTOR, "detector", problem)))
    await see(home, {DETECTOR: f"model_{problem}"})
    await scripted.push(state())
    await see(home, {})


async def test_each_model_has_a_repair_of_its_own(home: Home, scripted: ScriptedEngine) -> None:
    await home.add(scripted)
    faults = [
        ModelFaultView(DETECTOR, "detector", ModelProblem.ALTERED),
        ModelFaultView(EMBEDDER, "embedder", ModelProblem.MISSING),
    ]
    await scripted.push(state(*faults))
    await see(home, {DETECTOR: "model_altered", EMBEDDER: "model_missing"})
    await scripted.push(state(faults[1]))
    await see(home, {EMBEDDER: "model_missing"})


async def test_a_repair_follows_what_is_wrong(home: Home, scripted: ScriptedEngine) -> None:
    await home.add(scripted)
    await scripted.push(state(ModelFaultView(DETECTOR, "detector", ModelProblem.MISSING)))
    await see(home, {DETECTOR: "model_missing"})
    await scripted.push(state(ModelFaultView(DETECTOR, "detector", ModelProblem.ALTERED)))
    await see(home, {DETECTOR: "model_altered"})


async def test_a_model_that_was_never_there_stops_only_what_asks_for_it(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    fault = ModelFaultView("minifasnet-v2", "liveness", ModelProblem.MISSING, stops_faces=False)
    await scripted.push(state(fault))
    await see(home, {"minifasnet-v2": "model_not_installed"})
    await home.unload()
