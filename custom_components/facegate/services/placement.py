"""The action that tests how a door's camera hangs."""

from __future__ import annotations

import asyncio

from homeassistant.core import SupportsResponse
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from custom_components.facegate.protocol import DOORS_PATH
from custom_components.facegate.rest import resource

from .base import Action, Call
from .values import DIRECTION

DEFAULT_S = 30
SHORTEST_S, LONGEST_S = 5, 120
_DONE = "done"
# The engine's clock and this one need not agree to the last.
_SPARE_S = 0.1


async def _test_placement(call: Call) -> JsonObjectType:
    """Start a test, and return what it found once its time is over."""
    path = resource(DOORS_PATH, call.controlled_door(call.data["door"]), "placement")
    result = await call.ask("POST", path, call.given("direction", "seconds"))
    while result.get("state") != _DONE:
        await asyncio.sleep(_remaining_s(result) + _SPARE_S)
        result = await call.ask("GET", path, query=call.given("direction"))
    return result


def _remaining_s(result: JsonObjectType) -> float:
    """Return how long the engine says that a test goes on, within what a test may last."""
    told = result.get("remaining_s")
    return min(max(told, 0.0), LONGEST_S) if isinstance(told, (int, float)) else 1.0


PLACEMENT = (
    Action(
        "test_camera_placement",
        _test_placement,
        {
            vol.Required("door"): cv.string,
            vol.Optional("direction"): DIRECTION,
            vol.Optional("seconds", default=DEFAULT_S): vol.All(
                vol.Coerce(int), vol.Range(min=SHORTEST_S, max=LONGEST_S)
            ),
        },
        admin=False,
        response=SupportsResponse.ONLY,
    ),
)
