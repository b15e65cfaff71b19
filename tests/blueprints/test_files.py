"""What every blueprint file promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import re
from typing import Any

from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import validate_selector
from homeassistant.util.yaml import load_yaml_dict
import pytest

from facegate.protocol import AlarmKind, Direction
from facegate.register import SubjectKind
from tests.blueprints.house import FOLDER, House

# Whatever else is called would be neither FaceGate's nor a phone's.
ACTIONS = {"facegate.answer_call", "facegate.lockdown", "notify.{{ repeat.item }}"}
EVENTS = {"ring"} | {kind.value for kind in AlarmKind} | {way.value for way in Direction}

NAMES = [path.stem for path in sorted(FOLDER.glob("*.yaml"))]
EACH = pytest.mark.parametrize("name", NAMES)


async def loaded(hass: HomeAssistant, name: str) -> Blueprint:
    """Load a blueprint as Home Assistant does when an automation uses it."""
    blueprints = async_get_blueprints(hass)
    blueprint: Blueprint = await blueprints.async_get_blueprint(f"facegate/{name}.yaml")
    return blueprint


def called(steps: Any) -> Iterator[str]:
    """Yield the actions that steps call, branches included, data not."""
    if isinstance(steps, list):
        for step in steps:
            yield from called(step)
    elif isinstance(steps, dict):
        if "action" in steps:
            yield steps["action"]
        for key, value in steps.items():
            if key not in {"data", "event_data", "variables"}:
                yield from called(value)


def sample(selector: dict[str, Any]) -> Any:
    """Return what somebody might fill in."""
    ((kind, config),) = selector.items()
    if kind == "entity":
        domain = config["filter"][0]["domain"][0]
        return [f"{domain}.any"] if config["multiple"] else f"{domain}.any"
    assert kind == "text", f"a required input of the kind {kind}"
    return ["mobile_app_ann"]


def test_every_blueprint_is_here() -> None:
    assert set(NAMES) == {
        "approval_expiring",
        "door_held_or_forced",
        "duress_alert",
        "fever_or_mask_alert",
        "lockdown_on_alarm",
        "parent_notice",
        "visitor_call",
    }


@EACH
async def test_home_assistant_accepts_a_blueprint_and_its_automation(
    house: House, name: str
) -> None:
    blueprint = await loaded(house.hass, name)
    assert blueprint.validate() is None
    assert blueprint.domain == "automation"
    assert blueprint.metadata["homeassistant"]["min_version"] == "2025.4.0"
    required = {
        key: sample(validate_selector(value["selector"]))
        for key, value in blueprint.inputs.items()
        if "default" not in value
    }
    await house.automate(name, **required)


@EACH
async def test_a_blueprint_calls_only_actions_that_exist(house: House, name: str) -> None:
    data = (await loaded(house.hass, name)).data
    actions = set(called(data["actions"]))
    assert actions
    assert actions <= ACTIONS


@EACH
async def test_each_input_is_named_used_and_chosen_with_a_selector(house: House, name: str) -> None:
    blueprint = await loaded(house.hass, name)
    text = (FOLDER / f"{name}.yaml").read_text()
    for key, value in blueprint.inputs.items():
        assert value["name"]
        assert validate_selector(value["selector"])
        assert f"!input {key}\n" in text


@EACH
async def test_entities_of_facegate_are_offered_and_no_others(house: House, name: str) -> None:
    for key, value in (await loaded(house.hass, name)).inputs.items():
        if "entity" in value["selector"] and key != "panels":
            assert value["selector"]["entity"]["filter"][0]["integration"] == "facegate"


@EACH
def test_a_blueprint_waits_for_events_that_facegate_has(name: str) -> None:
    text = (FOLDER / f"{name}.yaml").read_text()
    named = set(re.findall(r"event_type'\) (?:==|in) \[?((?:'\w+'(?:, )?)+)", text))
    kinds = set(re.findall(r"'(\w+)'", " ".join(named)))
    assert kinds <= EVENTS
    data = load_yaml_dict(str(FOLDER / f"{name}.yaml"))
    offered = data["blueprint"]["input"].get("kinds")
    if offered is not None:
        values = {option["value"] for option in offered["selector"]["select"]["options"]}
        known = {kind.value for kind in SubjectKind} if name == "parent_notice" else EVENTS
        assert values <= known


def test_the_documentation_names_every_blueprint() -> None:
    text = (Path(__file__).parents[2] / "docs" / "blueprints.md").read_text()
    assert [name for name in NAMES if f"`{name}`" not in text] == []
