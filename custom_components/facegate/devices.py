"""Devices: the engine, and behind it one for each door, camera, area and person shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .const import DOMAIN, MANUFACTURER
from .traces import erase_traces

type Identifier = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Names:
    """What there is of each kind: ids to names."""

    doors: Mapping[str, str]
    cameras: Mapping[str, str]
    areas: Mapping[str, str]
    subjects: Mapping[str, str]

    def devices(self, site_id: str) -> Iterator[tuple[Identifier, str, str]]:
        """Yield each device's identifier, name and model."""
        for key, name in self.doors.items():
            yield door_identifier(site_id, key), name, "Door"
        for key, name in self.cameras.items():
            yield camera_identifier(site_id, key), name, "Camera"
        for key, name in self.areas.items():
            yield area_identifier(site_id, key), name, "Area"
        for key, name in self.subjects.items():
            yield subject_identifier(site_id, key), name, "Person"


def door_identifier(site_id: str, door_id: str) -> Identifier:
    """Return a door's identifier in the device registry."""
    return (DOMAIN, f"{site_id}-door-{door_id}")


def camera_identifier(site_id: str, camera_id: str) -> Identifier:
    """Return a camera's identifier in the device registry."""
    return (DOMAIN, f"{site_id}-camera-{camera_id}")


def area_identifier(site_id: str, area_id: str) -> Identifier:
    """Return an area's identifier in the device registry."""
    return (DOMAIN, f"{site_id}-area-{area_id}")


def subject_identifier(site_id: str, subject_id: str) -> Identifier:
    """Return a person's identifier in the device registry."""
    return (DOMAIN, f"{site_id}-subject-{subject_id}")


@callback
def sync_devices[Entry: ConfigEntry](
    hass: HomeAssistant, entry: Entry, site_id: str, engine_version: str, names: Names
) -> None:
    """Create the devices there are, rename the renamed, and remove those that are gone.

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
    for identifier, name, model in names.devices(site_id):
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
    wanted = {subject_identifier(site_id, key) for key in names.subjects}
    erase_traces(
        hass,
        [device for device in _people(hass, entry, site_id) if not device.identifiers & wanted],
    )
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        if device.id not in present:
            registry.async_remove_device(device.id)


@callback
def forget_people[Entry: ConfigEntry](hass: HomeAssistant, entry: Entry, site_id: str) -> None:
    """Remove everybody who is shown, without a trace."""
    erase_traces(hass, _people(hass, entry, site_id))


def _people[Entry: ConfigEntry](
    hass: HomeAssistant, entry: Entry, site_id: str
) -> list[dr.DeviceEntry]:
    beginning = subject_identifier(site_id, "")[1]
    return [
        device
        for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
        if any(identifier[1].startswith(beginning) for identifier in device.identifiers)
    ]
