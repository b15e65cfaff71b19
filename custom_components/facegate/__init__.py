"""FaceGate in Home Assistant."""

from __future__ import annotations

from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HassJob, HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.typing import ConfigType

from . import issues
from .client import FaceGateClient
from .connection import Address
from .const import DOMAIN, PLATFORMS
from .coordinator import FaceGateConfigEntry, FaceGateCoordinator
from .devices import forget_people
from .options import Options
from .services import register

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    """Offer the actions, whether or not an engine is there."""
    register(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: FaceGateConfigEntry) -> bool:
    """Connect to the engine and show what it knows."""
    client = FaceGateClient(
        async_get_clientsession(hass),
        Address(entry.data[CONF_HOST], entry.data[CONF_PORT], entry.data[CONF_TOKEN]),
        entry.unique_id,
    )
    coordinator = FaceGateCoordinator(hass, entry, client, Options.read(entry.options))
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
    """Take back what repairs say of the engine, and leave no trace of people."""
    issues.clear(hass, entry)
    forget_people(hass, entry, entry.unique_id or entry.entry_id)
