"""A house with FaceGate's doors in the registries of a real Home Assistant, and phones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
import shutil
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (  # type: ignore[import-untyped]
    MockConfigEntry,
    async_mock_service,
)

from tests.support import until

FOLDER = Path(__file__).parents[2] / "blueprints" / "automation" / "facegate"
AUTOMATION = "automation.tested"
# Half past seven in the morning in Vienna, where the house is.
MORNING = "2026-03-02 06:30:00+00:00"


@dataclass(frozen=True, slots=True)
class Door:
    """The entities of one door, or of the site, that blueprints use."""

    access: str
    visitor: str
    passage: str
    alarm: str
    visitor_waiting: str
    visitor_picture: str


class House:
    """Home Assistant with what FaceGate shows, set as the integration sets it."""

    def __init__(self, hass: HomeAssistant, folder: Path) -> None:
        self.hass = hass
        hass.config.config_dir = str(folder)
        shutil.copytree(FOLDER, folder / "blueprints" / "automation" / "facegate")
        self.answers: list[ServiceCall] = async_mock_service(hass, "facegate", "answer_call")
        self.lockdowns: list[ServiceCall] = async_mock_service(hass, "facegate", "lockdown")
        self._entry = MockConfigEntry(domain="facegate", unique_id="site")
        self._entry.add_to_hass(hass)
        self._latest = datetime.min.replace(tzinfo=UTC)

    def door(self, name: str) -> Door:
        """Add the device of a door with its entities, none of which has told anything yet."""
        device = dr.async_get(self.hass).async_get_or_create(
            config_entry_id=self._entry.entry_id, identifiers={("facegate", name)}, name=name
        )

        def add(domain: str, key: str, state: str) -> str:
            entity = er.async_get(self.hass).async_get_or_create(
                domain,
                "facegate",
                f"{name}-{key}",
                suggested_object_id=f"{name}_{key}",
                device_id=device.id,
            )
            self.hass.states.async_set(entity.entity_id, state)
            return entity.entity_id

        add("image", "last_picture", "unknown")
        return Door(
            access=add("event", "access", "unknown"),
            visitor=add("event", "visitor", "unknown"),
            passage=add("event", "passage", "unknown"),
            alarm=add("event", "alarm", "unknown"),
            visitor_waiting=add("binary_sensor", "visitor_waiting", "off"),
            visitor_picture=add("image", "visitor_picture", "unknown"),
        )

    def phone(self, name: str, *, error: str | None = None) -> list[ServiceCall]:
        """Add a phone's notify action and return what it is sent."""
        failure = HomeAssistantError(error) if error is not None else None
        sent: list[ServiceCall] = async_mock_service(
            self.hass, "notify", name, raise_exception=failure
        )
        return sent

    async def automate(self, blueprint: str, **inputs: Any) -> None:
        """Make the automation of a blueprint."""
        used = {"path": f"facegate/{blueprint}.yaml", "input": inputs}
        config = {"automation": {"alias": "Tested", "use_blueprint": used}}
        assert await async_setup_component(self.hass, "automation", config)
        await self.hass.async_block_till_done()
        state = self.hass.states.get(AUTOMATION)
        assert state is not None
        assert state.state == "on", "Home Assistant does not accept the automation"

    def tell(self, entity_id: str, event_type: str, **attributes: Any) -> None:
        """Show a new event; two never happen in the same millisecond."""
        self._latest = max(dt_util.utcnow(), self._latest + timedelta(milliseconds=1))
        moment = self._latest.isoformat(timespec="milliseconds")
        self.hass.states.async_set(entity_id, moment, {"event_type": event_type, **attributes})

    def tell_at_once(self, entity_id: str, event_type: str, **attributes: Any) -> None:
        """Show another event of the same millisecond as the last."""
        moment = self._latest.isoformat(timespec="milliseconds")
        self.hass.states.async_set(entity_id, moment, {"event_type": event_type, **attributes})

    def lose_and_find(self, entity_id: str) -> None:
        """Show an entity as unavailable, then again as it was."""
        state = self.hass.states.get(entity_id)
        assert state is not None
        self.hass.states.async_set(entity_id, STATE_UNAVAILABLE)
        self.hass.states.async_set(entity_id, state.state, state.attributes)

    def restart(self, entity_id: str) -> None:
        """Show an entity as new, with the event that it restores."""
        state = self.hass.states.get(entity_id)
        assert state is not None
        self.hass.states.async_remove(entity_id)
        self.hass.states.async_set(entity_id, state.state, state.attributes)

    def rename(self, entity_id: str) -> None:
        """Give an entity another name."""
        state = self.hass.states.get(entity_id)
        assert state is not None
        attributes = {**state.attributes, "friendly_name": "Another name"}
        self.hass.states.async_set(entity_id, state.state, attributes)

    def forget(self, entity_id: str) -> None:
        """Remove an entity."""
        er.async_get(self.hass).async_remove(entity_id)
        self.hass.states.async_remove(entity_id)

    def refuse_answers(self, reason: str) -> None:
        """Let the engine refuse each answer to a call."""
        self.answers = async_mock_service(
            self.hass, "facegate", "answer_call", raise_exception=ServiceValidationError(reason)
        )

    async def settle(self) -> None:
        """Return when all is done that has begun; never while a run waits for an answer."""
        await self.hass.async_block_till_done()

    async def runs(self, count: int) -> None:
        """Return when this many runs of the automation are under way."""

        def look() -> bool:
            state = self.hass.states.get(AUTOMATION)
            return state is not None and state.attributes["current"] == count

        await until(look)


def messages(sent: list[ServiceCall]) -> list[str]:
    """Return the texts that a phone was sent."""
    return [call.data["message"] for call in sent]
