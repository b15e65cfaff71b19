"""Devices: the engine, and behind it a device for each door and each camera."""

from __future__ import annotations

from collections.abc import Mapping

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .const import DOMAIN, MANUFACTURER


def door_identifier(site_id: str, door_id: str) -> tuple[str, str]:
    """Return a door's identifier in the device registry."""
    return (DOMAIN, f"{site_id}-door-{door_id}")


def camera_identifier(site_id: str, camera_id: str) -> tuple[str, str]:
    """Return a camera's identifier in the device registry."""
    return (DOMAIN, f"{site_id}-camera-{camera_id}")


@callback
def sync_devices[Entry: ConfigEntry](
    hass: HomeAssistant,
    entry: Entry,
    site_id: str,
    engine_version: str,
    doors: Mapping[str, str],
    cameras: Mapping[str, str],
) -> None:
    """Create the devices there are, rename the renamed, and remove those that are gone.

    ``doors`` and ``cameras`` map ids to names.
    The engine is linked through the registry, not through ``DeviceInfo``: its ``via_device`` is
    ``via_device_id`` from Home Assistant 2026.8 on.
    """
    registry = dr.async_get(hass)
    engine = registry.async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, site_id)},
        entry_type=dr.DeviceEntryType.SERVICE,
        manufacturer=MANUFACTURER,
        model="Engine",
        name=entry.title,
        sw_version=engine_version,
    )
    present = {engine.id}
    wanted = [(door_identifier(site_id, key), name, "Door") for key, name in doors.items()]
    wanted += [(camera_identifier(site_id, key), name, "Camera") for key, name in cameras.items()]
    for identifier, name, model in wanted:
        device = registry.async_get_or_create(
            config_entry_id=entry.entry_id,
            identifiers={identifier},
            manufacturer=MANUFACTURER,
            model=model,
            name=name,
        )
        if device.via_device_id != engine.id:
            registry.async_update_device(device.id, via_device_id=engine.id)
        present.add(device.id)
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        if device.id not in present:
            registry.async_remove_device(device.id)
