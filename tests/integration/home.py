"""Home Assistant as tests see it: entries, entities by what they are, and services."""

from __future__ import annotations

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import Context, HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import (  # type: ignore[import-untyped]
    MockConfigEntry,
    MockUser,
)

from custom_components.facegate.const import DOMAIN
from custom_components.facegate.coordinator import FaceGateCoordinator
from custom_components.facegate.options import Options
from tests.integration.real import RealEngine
from tests.integration.scripted import ScriptedEngine
from tests.support import until


class Home:
    """One Home Assistant with one FaceGate entry."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.hass = hass
        self.entry: MockConfigEntry | None = None

    async def add(
        self,
        engine: RealEngine | ScriptedEngine,
        actuators: dict[str, str] | None = None,
        contacts: dict[str, str] | None = None,
        *,
        show_people: bool = False,
        **beside: dict[str, str],
    ) -> MockConfigEntry:
        """Set up an entry for an engine, with what stands beside its doors; return it."""
        self.entry = MockConfigEntry(
            domain=DOMAIN,
            title="FaceGate",
            unique_id=engine.site_id,
            data={CONF_HOST: "127.0.0.1", CONF_PORT: engine.port, CONF_TOKEN: engine.token},
            options=Options(actuators or {}, contacts or {}, show_people, **beside).stored(),
        )
        self.entry.add_to_hass(self.hass)
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done()
        return self.entry

    async def unload(self) -> None:
        """Unload what is loaded, retries included."""
        for entry in self.hass.config_entries.async_entries(DOMAIN):
            if entry.state in (ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY):
                await self.hass.config_entries.async_unload(entry.entry_id)
        await self.hass.async_block_till_done()

    @property
    def coordinator(self) -> FaceGateCoordinator:
        assert self.entry is not None
        coordinator: FaceGateCoordinator = self.entry.runtime_data
        return coordinator

    def entity_id(self, platform: str, key: str, owner: str = "front") -> str:
        """Return the id of the entity of a door, a camera, an area, a person, or of none."""
        assert self.entry is not None
        unique_id = "-".join(filter(None, (self.entry.unique_id, owner, key)))
        found = er.async_get(self.hass).async_get_entity_id(platform, DOMAIN, unique_id)
        assert found is not None, f"no {platform} has the unique id {unique_id}"
        return found

    def state(self, platform: str, key: str, owner: str = "front") -> State:
        """Return an entity's state."""
        found = self.hass.states.get(self.entity_id(platform, key, owner))
        assert found is not None
        return found

    async def shows(self, platform: str, key: str, state: str, owner: str = "front") -> State:
        """Return an entity's state, once it is this one."""

        def look() -> State | None:
            found = self.state(platform, key, owner)
            return found if found.state == state else None

        return await until(look)

    async def call(
        self,
        platform: str,
        service: str,
        key: str,
        owner: str = "front",
        context: Context | None = None,
        **fields: Any,
    ) -> None:
        """Call a service on one of the integration's entities and wait for it."""
        data: dict[str, Any] = {"entity_id": self.entity_id(platform, key, owner), **fields}
        await self.hass.services.async_call(platform, service, data, blocking=True, context=context)

    async def act(self, action: str, context: Context | None = None, **fields: Any) -> Any:
        """Call one of the integration's actions and return its answer."""
        return await self.hass.services.async_call(
            DOMAIN, action, fields, blocking=True, return_response=True, context=context
        )

    async def user(self, name: str, policy: dict[str, Any] | None = None) -> Context:
        """Return the context of a new user: an administrator, unless limited by a policy."""
        user = MockUser(name=name, is_owner=policy is None).add_to_hass(self.hass)
        if policy is not None:
            user.mock_policy(policy)
        return Context(user_id=user.id)
