"""The doors' contacts: the Home Assistant entities that show whether a door stands open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers.event import async_track_state_change_event

from .client import FaceGateClient
from .protocol import ContactStatus

_OPEN = {STATE_ON: True, STATE_OFF: False}


class Contacts:
    """All contacts of one engine; ``entities`` maps a door's id to its binary sensor."""

    def __init__(
        self, hass: HomeAssistant, client: FaceGateClient, entities: Mapping[str, str]
    ) -> None:
        self._hass = hass
        self._client = client
        self._entities = entities
        self._told: dict[str, ContactStatus] = {}
        self._untrack: CALLBACK_TYPE | None = None

    @callback
    def announce(self, door_ids: Iterable[str]) -> None:
        """Tell the engine what the contacts of its doors show, and from now on each change."""
        self._told = {}
        for door_id in sorted(self._entities.keys() & set(door_ids)):
            self._tell(door_id)
        if self._untrack is None and self._entities:
            self._untrack = async_track_state_change_event(
                self._hass, set(self._entities.values()), self._on_state
            )

    @callback
    def stop(self) -> None:
        """Follow them no longer."""
        if self._untrack is not None:
            self._untrack()
            self._untrack = None

    @callback
    def _on_state(self, event: Event[EventStateChangedData]) -> None:
        for door_id, told in list(self._told.items()):
            if self._entities[door_id] == event.data["entity_id"] and self._status(door_id) != told:
                self._tell(door_id)

    def _tell(self, door_id: str) -> None:
        self._told[door_id] = self._status(door_id)
        self._client.post(self._told[door_id])

    def _status(self, door_id: str) -> ContactStatus:
        state = self._hass.states.get(self._entities[door_id])
        return ContactStatus(door_id, _OPEN.get(state.state) if state is not None else None)
