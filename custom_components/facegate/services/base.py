"""What all actions share: on which engine, by whom, and whether that user may."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import entity_registry as er
from homeassistant.util.json import JsonObjectType

from custom_components.facegate.const import DOMAIN
from custom_components.facegate.coordinator import FaceGateConfigEntry, FaceGateCoordinator
from custom_components.facegate.entity import translated_errors, user_of
from custom_components.facegate.rest import REQUEST_TIMEOUT_S, Body

CONFIG_ENTRY = "config_entry_id"

type Fields = Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One action that was called. ``user`` is None for an automation, which may do everything."""

    hass: HomeAssistant
    coordinator: FaceGateCoordinator
    data: Mapping[str, Any]
    user: User | None

    @property
    def user_name(self) -> str | None:
        """Who asks, for the engine's records."""
        return self.user.name if self.user is not None else None

    @property
    def is_admin(self) -> bool:
        """Whether everything is allowed."""
        return self.user is None or self.user.is_admin

    async def ask(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        *,
        query: Mapping[str, str] | None = None,
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> JsonObjectType:
        """Ask the engine; raises what Home Assistant shows."""
        with translated_errors():
            return await self.coordinator.client.rest.request(
                method, path, body, query=query, user=self.user_name, timeout_s=timeout_s
            )

    def given(self, *names: str) -> dict[str, Any]:
        """Return those of these fields that were given."""
        return {name: self.data[name] for name in names if name in self.data}

    def door(self, named: str) -> str:
        """Return the id of a door that is named by it or by its lock."""
        return self._find(named, self.coordinator.data.doors, Platform.LOCK, "lock")

    def controlled_door(self, named: str) -> str:
        """Return a door's id; raises ``Unauthorized`` unless the user may control its lock."""
        door_id = self.door(named)
        if not self.controls(door_id):
            raise Unauthorized(user_id=self._user_id, permission=POLICY_CONTROL)
        return door_id

    def controls(self, door_id: str) -> bool:
        """Return whether the user may control a door's lock."""
        return self._may(POLICY_CONTROL, Platform.LOCK, f"{door_id}-lock")

    def area(self, named: str, policy: str) -> str:
        """Return the id of an area that is named by it or by its occupancy sensor.

        Raises ``Unauthorized`` unless the user may do this with the sensor.
        """
        area_id = self._find(named, self.coordinator.data.areas, Platform.SENSOR, "occupancy")
        if not self.may_area(area_id, policy):
            raise Unauthorized(user_id=self._user_id, permission=policy)
        return area_id

    def may_area(self, area_id: str, policy: str) -> bool:
        """Return whether the user may do this with an area's occupancy sensor."""
        return self._may(policy, Platform.SENSOR, f"{area_id}-occupancy")

    def require_entity(self, entity_id: str, policy: str) -> None:
        """Raise ``Unauthorized`` unless the user may do this with an entity."""
        if self.user is not None and not self.user.permissions.check_entity(entity_id, policy):
            raise Unauthorized(user_id=self._user_id, entity_id=entity_id, permission=policy)

    @property
    def _user_id(self) -> str | None:
        return self.user.id if self.user is not None else None

    def _may(self, policy: str, platform: Platform, key: str) -> bool:
        if self.user is None:
            return True
        entity_id = self._entity_id(platform, key)
        return entity_id is not None and self.user.permissions.check_entity(entity_id, policy)

    def _entity_id(self, platform: Platform, key: str) -> str | None:
        unique_id = f"{self.coordinator.site_id}-{key}"
        return er.async_get(self.hass).async_get_entity_id(platform, DOMAIN, unique_id)

    def _find(self, named: str, known: Mapping[str, object], platform: Platform, key: str) -> str:
        for found in known:
            if named == found or named == self._entity_id(platform, f"{found}-{key}"):
                return found
        raise refusal(f"no_{key}", name=named)


type Handler = Callable[[Call], Awaitable[JsonObjectType]]


@dataclass(frozen=True, slots=True)
class Action:
    """One action; where it is not for administrators only, ``handler`` checks the user itself."""

    name: str
    handler: Handler
    fields: Fields
    admin: bool = True
    response: SupportsResponse = SupportsResponse.OPTIONAL


async def run(hass: HomeAssistant, action: Action, service: ServiceCall) -> JsonObjectType:
    """Run an action that was called."""
    user = await user_of(hass, service.context)
    if service.context.user_id is not None and user is None:
        raise Unauthorized(context=service.context)
    if action.admin and user is not None and not user.is_admin:
        raise Unauthorized(context=service.context)
    entry = _entry(hass, service.data.get(CONFIG_ENTRY))
    return await action.handler(Call(hass, entry.runtime_data, service.data, user))


def refusal(key: str, **placeholders: str) -> ServiceValidationError:
    """Return an error of who called the action, with its text."""
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders
    )


def _entry(hass: HomeAssistant, entry_id: str | None) -> FaceGateConfigEntry:
    entries: list[FaceGateConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    if entry_id is not None:
        entries = [entry for entry in entries if entry.entry_id == entry_id]
    if not entries:
        raise refusal("no_engine")
    if len(entries) > 1:
        raise refusal("several_engines")
    if entries[0].state is not ConfigEntryState.LOADED:
        raise refusal("engine_not_loaded", title=entries[0].title)
    return entries[0]
