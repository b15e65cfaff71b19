"""Choosing what drives the doors."""

from __future__ import annotations

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.facegate.const import DOMAIN
from custom_components.facegate.protocol import DoorStateName, DoorView
from tests.integration.hardware import BOLT, STRIKE, Bench
from tests.integration.home import Home
from tests.integration.real import RealEngine
from tests.integration.scripted import ScriptedEngine

CONTACT = "binary_sensor.contact"
BESIDE = ("thermometers", "exit_buttons", "doorbells", "readers")


def chosen(
    actuators: dict[str, str] | None = None,
    contacts: dict[str, str] | None = None,
    *,
    show_people: bool = False,
    **beside: dict[str, str],
) -> dict[str, Any]:
    """Return what the form sends."""
    return {
        "actuators": actuators or {},
        "contacts": contacts or {},
        **{name: beside.get(name, {}) for name in BESIDE},
        "show_people": show_people,
    }


stored = chosen


async def test_an_entity_is_chosen_for_a_door_and_drives_it_from_then_on(
    hass: HomeAssistant, home: Home, real: RealEngine, bench: Bench
) -> None:
    entry = await home.add(real)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert form["type"] is FlowResultType.FORM
    assert form["data_schema"] is not None
    schema = form["data_schema"].schema
    assert [str(key) for key in schema] == ["actuators", "contacts", *BESIDE, "show_people"]
    for name in ("actuators", "contacts", *BESIDE):
        assert [str(key) for key in schema[name].schema.schema] == ["Front door", "Yard gate"]
    result = await hass.config_entries.options.async_configure(
        form["flow_id"], chosen({"Front door": STRIKE})
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == stored({"front": STRIKE})
    await hass.async_block_till_done()
    await home.shows("lock", "lock", "locked")
    assert home.state("lock", "lock", "yard").state == "unavailable"
    await home.call("lock", "open", "lock")
    assert bench.strike.asked[0] == "on"


async def test_the_choice_is_shown_changed_and_taken_back(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    del bench
    entry = await home.add(scripted, {"front": STRIKE, "cellar": BOLT}, {"front": CONTACT})
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert form["data_schema"] is not None
    schema = form["data_schema"].schema
    for name, entity_id in (("actuators", STRIKE), ("contacts", CONTACT)):
        (key,) = schema[name].schema.schema
        assert key.description == {"suggested_value": entity_id}
    result = await hass.config_entries.options.async_configure(form["flow_id"], chosen())
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == stored()  # also of the door that is no more
    await hass.async_block_till_done()
    await scripted.status_of("front", available=False)


async def test_one_entity_cannot_drive_two_doors(
    hass: HomeAssistant, home: Home, real: RealEngine, bench: Bench
) -> None:
    del bench
    entry = await home.add(real)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    result = await hass.config_entries.options.async_configure(
        form["flow_id"], chosen({"Front door": STRIKE, "Yard gate": STRIKE})
    )
    assert result["errors"] == {"base": "entity_used_twice"}
    result = await hass.config_entries.options.async_configure(
        form["flow_id"], chosen({"Front door": STRIKE, "Yard gate": BOLT})
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == stored({"front": STRIKE, "yard": BOLT})


async def test_a_door_cannot_drive_itself_nor_anything_that_is_no_door_hardware(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    entry = await home.add(scripted)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    for entity_id in (home.entity_id("lock", "lock"), "light.porch"):
        with pytest.raises(InvalidData):
            await hass.config_entries.options.async_configure(
                form["flow_id"], chosen({"Front door": entity_id})
            )
    for contact in (home.entity_id("binary_sensor", "held_open"), STRIKE):
        with pytest.raises(InvalidData):
            await hass.config_entries.options.async_configure(
                form["flow_id"], chosen(contacts={"Front door": contact})
            )
    assert entry.options == stored()


async def test_contacts_and_people_are_chosen_too(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    scripted.answers["GET /api/v1/subjects"] = {"subjects": []}
    entry = await home.add(scripted)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    result = await hass.config_entries.options.async_configure(
        form["flow_id"], chosen(contacts={"Front door": CONTACT}, show_people=True)
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == stored(contacts={"front": CONTACT}, show_people=True)
    await hass.async_block_till_done()
    assert [request.line for request in scripted.requests] == ["GET /api/v1/subjects"]


async def test_what_stands_beside_a_door_is_chosen_among_what_can_be_it(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    registry = er.async_get(hass)
    body = registry.async_get_or_create(
        "sensor", "test", "body", original_device_class="temperature"
    ).entity_id
    hass.states.async_set(body, "36.5", {"device_class": "temperature"})
    beside = {
        "thermometers": {"Front door": body},
        "exit_buttons": {"Front door": "event.way_out"},
        "doorbells": {"Front door": "binary_sensor.bell"},
        "readers": {"Front door": "event.reader"},
    }
    entry = await home.add(scripted)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    for name, wrong in {
        "exit_buttons": "light.porch",
        "doorbells": "button.opener",
        "readers": "sensor.reader",
        "thermometers": home.entity_id("sensor", "temperature"),
    }.items():
        with pytest.raises(InvalidData):
            await hass.config_entries.options.async_configure(
                form["flow_id"], {**chosen(), name: {"Front door": wrong}}
            )
    result = await hass.config_entries.options.async_configure(
        form["flow_id"], {**chosen(), **beside}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        **stored(),
        **{name: {"front": beside[name]["Front door"]} for name in BESIDE},
    }
    await hass.async_block_till_done()
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert form["data_schema"] is not None
    for name in BESIDE:
        (key,) = form["data_schema"].schema[name].schema.schema
        assert key.description == {"suggested_value": beside[name]["Front door"]}
    selector = next(iter(form["data_schema"].schema["thermometers"].schema.schema.values()))
    assert selector.config["filter"] == [{"domain": ["sensor"], "device_class": ["temperature"]}]


async def test_doors_of_the_same_name_are_told_apart(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    del bench
    scripted.doors = (
        DoorView("north", "Gate", DoorStateName.LOCKED),
        DoorView("south", "Gate", DoorStateName.LOCKED),
    )
    entry = await home.add(scripted)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    await hass.config_entries.options.async_configure(
        form["flow_id"], chosen({"Gate (south)": STRIKE})
    )
    assert entry.options == stored({"south": STRIKE})


async def test_a_door_whose_relay_the_engine_drives_needs_no_entity(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    scripted.doors = (
        DoorView("front", "Front", DoorStateName.LOCKED),
        DoorView("back", "Back", DoorStateName.LOCKED, own_relay=True),
    )
    entry = await home.add(scripted)
    issues = ir.async_get(hass).issues
    assert (DOMAIN, f"{entry.entry_id}_no_entity_front") in issues
    assert (DOMAIN, f"{entry.entry_id}_no_entity_back") not in issues
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert form["data_schema"] is not None
    asked = {
        str(key): list(map(str, value.schema.schema))
        for key, value in form["data_schema"].schema.items()
        if str(key) != "show_people"
    }
    assert asked.pop("actuators") == ["Front"]
    assert set(map(tuple, asked.values())) == {("Front", "Back")}


async def test_an_entry_that_is_not_loaded_has_no_doors_to_show(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    await scripted.stop()
    entry = await home.add(scripted)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "not_loaded"
    await scripted.start()
