"""FaceGate in Home Assistant."""

from __future__ import annotations

from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HassJob, HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from . import issues
from .actuator import Actuators
from .client import FaceGateClient
from .connection import Address
from .const import PLATFORMS
from .coordinator import FaceGateConfigEntry, FaceGateCoordinator


async def async_setup_entry(hass: HomeAssistant, entry: FaceGateConfigEntry) -> bool:
    """Connect to the engine and show what it knows."""
    client = FaceGateClient(
        async_get_clientsession(hass),
        Address(entry.data[CONF_HOST], entry.data[CONF_PORT], entry.data[CONF_TOKEN]),
        entry.unique_id,
    )
    actuators = Actuators(hass, client, entry.options)
    coordinator = FaceGateCoordinator(hass, entry, client, actuators)
    entry.async_on_unload(coordinator.stop)
    await coordinator.async_config_entry_first_refresh()
    entry.runtime_data = coordinator
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    coordinator.start()
    # Before other integrations stop, so that the entities that end a pulse still answer.
    entry.async_on_unload(hass.async_add_shutdown_job(HassJob(coordinator.stop)))
    return True


async def async_unload_entry(hass: HomeAssistant, entry: FaceGateConfigEntry) -> bool:
    """End running pulses and leave the engine."""
    await entry.runtime_data.stop()
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: FaceGateConfigEntry) -> None:
    """Take back what repairs say of the engine."""
    issues.clear(hass, entry)
