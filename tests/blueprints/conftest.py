"""A real Home Assistant that has the blueprints."""

from __future__ import annotations

from pathlib import Path

from homeassistant.core import HomeAssistant
import pytest

from tests.blueprints.house import Door, House


@pytest.fixture
async def house(hass: HomeAssistant, tmp_path: Path) -> House:
    """Home Assistant with FaceGate's devices and the blueprints in a folder of its own."""
    await hass.config.async_set_time_zone("Europe/Vienna")
    return House(hass, tmp_path)


@pytest.fixture
def front(house: House) -> Door:
    """The front door."""
    return house.door("Front door")
