"""Diagnostics can be handed to others."""

from __future__ import annotations

from dataclasses import replace
import json

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.components.diagnostics import (  # type: ignore[import-untyped]
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import (  # type: ignore[import-untyped]
    ClientSessionGenerator,
)

from tests.integration.home import Home
from tests.integration.real import RealEngine
from tests.support import until


async def test_diagnostics_hold_the_state_but_neither_secrets_nor_names_of_people(
    hass: HomeAssistant, home: Home, real: RealEngine, hass_client: ClientSessionGenerator
) -> None:
    entry = await home.add(real)
    await real.deny()
    await until(lambda: home.state("event", "access").state != "unknown")
    coordinator = home.coordinator
    access = replace(coordinator.data.accesses["front"], approver="Grace")
    coordinator.data = replace(coordinator.data, accesses={"front": access})
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert found["connected"] is True
    assert found["state"]["doors"]["front"]["state"] == "unavailable"
    assert found["state"]["accesses"]["front"]["reason"] == "flat_motion"
    text = json.dumps(found)
    for secret in (real.token, "127.0.0.1", "Ann", "Grace", "subject-1"):
        assert secret not in text
