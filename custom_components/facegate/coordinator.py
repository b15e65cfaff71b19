"""What is known of the engine, as it pushes it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
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
from .contacts import Contacts
from .devices import Names, sync_devices
from .errors import ClientError, InvalidAuthError
from .inputs import Inputs
from .options import Options
from .people import People, read_people
from .protocol import Actuate, PeopleChanged
from .state import FaceGateState, SubjectState

_LOGGER = logging.getLogger(__name__)
type FaceGateConfigEntry = ConfigEntry[FaceGateCoordinator]


class FaceGateCoordinator(DataUpdateCoordinator[FaceGateState]):
    """Holds the state of one engine, and says when the engine is lost and found."""

    config_entry: FaceGateConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: FaceGateConfigEntry,
        client: FaceGateClient,
        options: Options,
    ) -> None:
        super().__init__(hass, _LOGGER, config_entry=entry, name=DOMAIN, update_interval=None)
        self.client = client
        self.actuators = Actuators(hass, client, options.actuators)
        self.contacts = Contacts(hass, client, options.contacts)
        self.inputs = Inputs(hass, entry, client, options)
        self.people = People(client.rest, self._on_people) if options.show_people else None
        self._connection: Connection | None = None
        self._runner: asyncio.Task[None] | None = None
        self._devices: tuple[str, Names] | None = None
        self._doors: dict[str, str] | None = None

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
            people = await read_people(self.client.rest) if self.people is not None else ()
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
        state = FaceGateState(connection.welcome.engine_version)
        state = state.with_snapshot(connection.state).with_subjects(people)
        self._sync_devices(state)
        return state

    @callback
    def start(self) -> None:
        """Serve the first connection, once entities are there to be told."""
        assert self._connection is not None
        self._announce(self.data)
        self.inputs.start()
        if self.people is not None:
            self.config_entry.async_create_background_task(
                self.hass, self.people.run(), "FaceGate people"
            )
        self._runner = self.config_entry.async_create_background_task(
            self.hass, self.client.run(self._connection, self), "FaceGate connection"
        )

    async def stop(self) -> None:
        """End running pulses, tell the engine of it, and leave."""
        self.contacts.stop()
        self.inputs.stop()
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
        self._announce(state)
        if self.people is not None:
            self.people.changed()

    @callback
    def on_push(self, message: Push) -> None:
        """Take over one message of the engine."""
        if isinstance(message, Actuate):
            self.actuators.actuate(message)
            return
        if isinstance(message, PeopleChanged):
            if message.erased is not None:
                self.async_set_updated_data(self.data.without(message.erased))
            if message.need_photos is not None:
                self.data = replace(self.data, need_photos=message.need_photos)
                issues.show_people(self.hass, self.config_entry, message.need_photos)
            if self.people is not None:
                self.people.changed()
            return
        before, state = self.data, self.data.with_push(message)
        self._sync_devices(state)
        self.async_set_updated_data(state)
        if state.doors.keys() != before.doors.keys():
            self._announce(state)

    @callback
    def _on_people(self, subjects: tuple[SubjectState, ...]) -> None:
        state = self.data.with_subjects(subjects)
        self._sync_devices(state)
        if self.last_update_success:
            self.async_set_updated_data(state)
        else:  # lost meanwhile: to be shown when the engine is found
            self.data = state

    def _announce(self, state: FaceGateState) -> None:
        self.actuators.announce(state.doors)
        self.contacts.announce(state.doors)

    def _sync_devices(self, state: FaceGateState) -> None:
        names = Names(
            {door.id: door.name for door in state.doors.values()},
            {camera.id: camera.name for camera in state.cameras.values()},
            {area.id: area.name for area in state.areas.values()},
            {subject.id: subject.name for subject in state.subjects.values()},
        )
        if (state.engine_version, names) != self._devices:
            self._devices = (state.engine_version, names)
            sync_devices(self.hass, self.config_entry, self.site_id, state.engine_version, names)
        driven = {door.id: door.name for door in state.doors.values() if not door.own_relay}
        if driven != self._doors:
            self._doors = driven
            issues.show_doors(self.hass, self.config_entry, driven)
        issues.show_people(self.hass, self.config_entry, state.need_photos)
        issues.show_models(self.hass, self.config_entry, state.model_faults)
