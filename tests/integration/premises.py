"""A site of two doors, an area and a visitor, as actions need it."""

from __future__ import annotations

from homeassistant.core import Context

from custom_components.facegate.protocol import DoorStateName, DoorView
from tests.integration.home import Home
from tests.integration.scripted import DOOR, HALL, ScriptedEngine, call_view

YARD = DoorView("yard", "Yard gate", DoorStateName.LOCKED)
FRONT_PASS = {"id": "pass-1", "name": "Ben", "door_ids": ["front"]}
BOTH_PASS = {"id": "pass-2", "name": "Cleo", "door_ids": ["front", "yard"]}
FRONT = "/api/v1/doors/front"
HALL_NOW = {"id": "hall", "name": "Hall", "occupancy": 2, "capacity": 10, "subjects": ["subject-1"]}


async def add_site(home: Home, scripted: ScriptedEngine) -> ScriptedEngine:
    """Add it to Home Assistant."""
    scripted.doors, scripted.areas, scripted.calls = (DOOR, YARD), (HALL,), (call_view(),)
    await home.add(scripted)
    return scripted


async def guard(home: Home) -> Context:
    """Return who controls the front door and nothing else."""
    return await home.user(
        "Guard", {"entities": {"entity_ids": {home.entity_id("lock", "lock"): True}}}
    )
