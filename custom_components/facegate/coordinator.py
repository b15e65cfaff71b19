"""What is known of the engine, as it pushes it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from . import issues
from .actuator import Actuators
from .client import FaceGateClient, Push
from .connection import Connection
from .const import DOMAIN
from .devices import sync_devices
from .errors import ClientError, InvalidAuthError
from .protocol import (
    AccessEvent,
    Actuate,
    CallClosed,
    CallOpened,
    CallView,
    CameraChanged,
    CameraView,
    DoorChanged,
    DoorView,
    StateMessage,
)

_LOGGER = logging.getLogger(__name__)
type FaceGateConfigEntry = ConfigEntry[FaceGateCoordinator]


@dataclass(frozen=True, slots=True)
class FaceGateState:
    """Everything that entities show.

    ``accesses`` and ``rings`` hold, per door, the last that arrived while this integration
    listened; a reconnection neither adds to them nor repeats them.
    """

    engine_version: str
    doors: Mapping[str, DoorView]
    cameras: Mapping[str, CameraView]
    calls: Mapping[str, CallView]
    accesses: Mapping[str, AccessEvent] = field(default_factory=dict)
    rings: Mapping[str, CallView] = field(default_factory=dict)

    def call_at(self, door_id: str) -> CallView | None:
        """Return the newest open call at a door."""
        calls = [call for call in self.calls.values() if call.door_id == door_id]
        return max(calls, key=lambda call: call.opened_at, default=None)

    def with_snapshot(self, message: StateMessage) -> FaceGateState:
        """Return this with the engine's whole state in place of what was known."""
        return replace(
            self,
            doors={door.id: door for door in message.doors},
            cameras={camera.id: camera for camera in message.cameras},
            calls={call.id: call for call in message.calls},
        )

    def with_push(
        self,
        message: StateMessage | DoorChanged | CameraChanged | CallOpened | CallClosed | AccessEvent,
    ) -> FaceGateState:
        """Return this after one message."""
        match message:
            case StateMessage():
                return self.with_snapshot(message)
            case DoorChanged(door):
                return replace(self, doors={**self.doors, door.id: door})
            case CameraChanged(camera):
                return replace(self, cameras={**self.cameras, camera.id: camera})
            case CallOpened(call):
                rings = self.rings if call.id in self.calls else {**self.rings, call.door_id: call}
                return replace(self, calls={**self.calls, call.id: call}, rings=rings)
            case CallClosed(call_id):
                calls = {key: call for key, call in self.calls.items() if key != call_id}
                return replace(self, calls=calls)
            case AccessEvent():
                return replace(self, accesses={**self.accesses, message.door_id: message})


class FaceGateCoordinator(DataUpdateCoordinator[FaceGateState]):
    """Holds the state of one engine, and says when the engine is lost and found."""

    config_entry: FaceGateConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: FaceGateConfigEntry,
        client: FaceGateClient,
        actuators: Actuators,
    ) -> None:
        super().__init__(hass, _LOGGER, config_entry=entry, name=DOMAIN, update_interval=None)
        self.client = client
        self.actuators = actuators
        self._connection: Connection | None = None
        self._runner: asyncio.Task[None] | None = None
        self._devices: tuple[object, ...] = ()

    @property
    def site_id(self) -> str:
        """The engine's site, which begins every id in Home Assistant's registries."""
        return self.config_entry.unique_id or self.config_entry.entry_id

    async def _async_update_data(self) -> FaceGateState:
        """Connect for the first time; later there is nothing to fetch, all is pushed."""
        if self.data is not None:
            if self.client.connected:
                return self.data
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="cannot_connect",
                translation_placeholders={"message": str(self.last_exception)},
            )
        try:
            connection = await self.client.connect()
        except ClientError as err:
            issues.show_error(self.hass, self.config_entry, err)
            kind = ConfigEntryAuthFailed if isinstance(err, InvalidAuthError) else UpdateFailed
            raise kind(
                translation_domain=DOMAIN,
                translation_key=err.translation_key,
                translation_placeholders={"message": str(err)},
            ) from err
        self._connection = connection
        issues.show_connected(self.hass, self.config_entry)
        state = FaceGateState(connection.welcome.engine_version, {}, {}, {})
        state = state.with_snapshot(connection.state)
        self._sync_devices(state)
        return state

    @callback
    def start(self) -> None:
        """Serve the first connection, once entities are there to be told."""
        assert self._connection is not None
        self.actuators.announce(self.data.doors)
        self._runner = self.config_entry.async_create_background_task(
            self.hass, self.client.run(self._connection, self), "FaceGate connection"
        )

    async def stop(self) -> None:
        """End running pulses, tell the engine of it, and leave."""
        await self.actuators.stop()
        await self.client.flush()
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
        await self.client.disconnect()

    @callback
    def on_lost(self, error: ClientError) -> None:
        """Make entities unavailable, and say so once."""
        self.last_exception = error
        issues.show_error(self.hass, self.config_entry, error)
        if isinstance(error, InvalidAuthError):
            self.config_entry.async_start_reauth(self.hass)
        if self.last_update_success:
            _LOGGER.warning("Lost the FaceGate engine: %s", error)
            self.last_update_success = False
            self.async_update_listeners()

    @callback
    def on_found(self, connection: Connection) -> None:
        """Show the engine's state again."""
        _LOGGER.info("Found the FaceGate engine again")
        issues.show_connected(self.hass, self.config_entry)
        version = connection.welcome.engine_version
        state = replace(self.data, engine_version=version).with_snapshot(connection.state)
        self._sync_devices(state)
        self.async_set_updated_data(state)
        self.actuators.announce(state.doors)

    @callback
    def on_push(self, message: Push) -> None:
        """Take over one message of the engine."""
        if isinstance(message, Actuate):
            self.actuators.actuate(message)
            return
        before, state = self.data, self.data.with_push(message)
        self._sync_devices(state)
        self.async_set_updated_data(state)
        if state.doors.keys() != before.doors.keys():
            self.actuators.announce(state.doors)

    def _sync_devices(self, state: FaceGateState) -> None:
        doors = {door.id: door.name for door in state.doors.values()}
        cameras = {camera.id: camera.name for camera in state.cameras.values()}
        devices = (state.engine_version, doors, cameras)
        if devices != self._devices:
            self._devices = devices
            sync_devices(self.hass, self.config_entry, self.site_id, *devices)
            issues.show_doors(self.hass, self.config_entry, doors)
