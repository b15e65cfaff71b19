"""The actions: what the office arranges, and what somebody at a door asks for."""

from __future__ import annotations

from functools import partial

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from custom_components.facegate.const import DOMAIN

from .areas import AREAS
from .base import CONFIG_ENTRY, Action, run
from .consents import CONSENTS
from .discretion import discreet
from .doors import DOORS
from .groups import GROUPS
from .imports import IMPORTS
from .people import PEOPLE
from .placement import PLACEMENT
from .records import RECORDS
from .visitors import VISITORS

ACTIONS: tuple[Action, ...] = (
    *PEOPLE, *CONSENTS, *IMPORTS, *GROUPS, *VISITORS, *DOORS, *PLACEMENT, *AREAS, *RECORDS,
)  # fmt: skip


@callback
def register(hass: HomeAssistant) -> None:
    """Offer every action."""
    for action in ACTIONS:
        hass.services.async_register(
            DOMAIN,
            action.name,
            partial(run, hass, action),
            discreet({vol.Optional(CONFIG_ENTRY): cv.string, **action.fields}),
            action.response,
        )
