"""Diagnostics, without secrets and without names of people."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_HOST, CONF_TOKEN
from homeassistant.core import HomeAssistant

from .coordinator import FaceGateConfigEntry

TO_REDACT = {
    CONF_HOST,
    CONF_TOKEN,
    "approver",
    "detail",
    "name",
    "notify",
    "subject_id",
    "subject_name",
    "unit",
}


async def async_get_config_entry_diagnostics(
    _hass: HomeAssistant, entry: FaceGateConfigEntry
) -> dict[str, Any]:
    """Return what helps to see what is wrong."""
    coordinator = entry.runtime_data
    error, state = coordinator.last_exception, coordinator.data
    return async_redact_data(
        {
            "data": dict(entry.data),
            "options": dict(entry.options),
            "connected": coordinator.client.connected,
            # Its text may name the host.
            "last_error": type(error).__name__ if error is not None else None,
            "state": {
                **asdict(replace(state, subjects={}, erased=frozenset())),
                "subjects": len(state.subjects),
                "erased": len(state.erased),
            },
        },
        TO_REDACT,
    )
