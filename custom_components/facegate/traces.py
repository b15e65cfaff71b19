"""Forgetting a person: what Home Assistant keeps of devices and entities that are gone.

The registries remember what was removed so that it can come back as it was, and the recorder
remembers what it showed. Of a person who was erased neither may.
"""

from __future__ import annotations

from collections.abc import Collection

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er

RECORDER = "recorder"


@callback
def erase_traces(hass: HomeAssistant, devices: Collection[dr.DeviceEntry]) -> None:
    """Remove devices with their entities, and all that was kept of them."""
    entities, registry = er.async_get(hass), dr.async_get(hass)
    shown: list[str] = []
    for device in devices:
        for entity in er.async_entries_for_device(
            entities, device.id, include_disabled_entities=True
        ):
            shown.append(entity.entity_id)
            entities.async_remove(entity.entity_id)
            entities.deleted_entities.pop((entity.domain, entity.platform, entity.unique_id), None)
        registry.async_remove_device(device.id)
        registry.deleted_devices.pop(device.id, None)
    if devices:
        entities.async_schedule_save()
        registry.async_schedule_save()
    if shown:
        _purge_history(hass, shown)


def _purge_history(hass: HomeAssistant, entity_ids: list[str]) -> None:
    if hass.services.has_service(RECORDER, "purge_entities"):
        hass.async_create_task(
            hass.services.async_call(
                RECORDER, "purge_entities", {"entity_id": entity_ids, "keep_days": 0}
            )
        )
