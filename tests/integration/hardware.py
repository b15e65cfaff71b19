"""Hardware that other integrations bring into Home Assistant: real entities of a test platform."""

from __future__ import annotations

import asyncio
from typing import Any

from homeassistant.components.button import ButtonEntity
from homeassistant.components.cover import CoverEntity, CoverEntityFeature
from homeassistant.components.lock import LockEntity, LockEntityFeature
from homeassistant.components.switch import SwitchEntity
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity import Entity
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import (  # type: ignore[import-untyped]
    setup_test_component_platform,
)

STRIKE = "switch.strike"
BOLT = "lock.bolt"
LATCH = "lock.latch"
GATE = "cover.gate"
OPENER = "button.opener"


class Hardware(Entity):
    """Remembers what it was asked, and does it unless told otherwise."""

    _attr_should_poll = False

    def __init__(self, name: str) -> None:
        self._attr_name = name
        self._attr_unique_id = name
        self.asked: list[str] = []
        self.contexts: list[Context | None] = []
        self.broken: Exception | None = None
        self.dead = False
        self.slow_s = 0.0

    async def ask(self, what: str) -> bool:
        """Return whether to do it."""
        self.asked.append(what)
        self.contexts.append(self._context)
        if self.slow_s:
            await asyncio.sleep(self.slow_s)
        if self.broken is not None:
            raise self.broken
        return not self.dead

    def lose(self) -> None:
        """Go away, as a device does whose radio is out of reach."""
        self._attr_available = False
        self.async_write_ha_state()

    def return_(self) -> None:
        """Come back."""
        self._attr_available = True
        self.async_write_ha_state()


class Strike(Hardware, SwitchEntity):
    """An electric strike on a relay."""

    _attr_is_on = False

    def show(self, *, on: bool) -> None:
        """Show a state without having been asked."""
        self._attr_is_on = on
        self.async_write_ha_state()

    async def async_turn_on(self, **_kwargs: Any) -> None:
        if await self.ask("on"):
            self._attr_is_on = True
            self.async_write_ha_state()

    async def async_turn_off(self, **_kwargs: Any) -> None:
        if await self.ask("off"):
            self._attr_is_on = False
            self.async_write_ha_state()


class Bolt(Hardware, LockEntity):
    """A motor lock without a latch."""

    _attr_is_locked = True

    async def async_unlock(self, **_kwargs: Any) -> None:
        if await self.ask("unlock"):
            self._attr_is_locked = False
            self.async_write_ha_state()

    async def async_lock(self, **_kwargs: Any) -> None:
        if await self.ask("lock"):
            self._attr_is_locked, self._attr_is_open = True, False
            self.async_write_ha_state()


class Latch(Bolt):
    """A motor lock that pulls the latch."""

    _attr_supported_features = LockEntityFeature.OPEN

    async def async_open(self, **_kwargs: Any) -> None:
        if await self.ask("open"):
            self._attr_is_locked, self._attr_is_open = False, True
            self.async_write_ha_state()


class Gate(Hardware, CoverEntity):
    """A sliding gate that takes its time."""

    _attr_supported_features = CoverEntityFeature.OPEN | CoverEntityFeature.CLOSE
    _attr_is_closed = True
    _attr_is_opening = False
    _attr_is_closing = False

    async def async_open_cover(self, **_kwargs: Any) -> None:
        if await self.ask("open"):
            self._attr_is_closed, self._attr_is_opening = False, True
            self._attr_is_closing = False
            self.async_write_ha_state()

    async def async_close_cover(self, **_kwargs: Any) -> None:
        if await self.ask("close"):
            self._attr_is_opening, self._attr_is_closing = False, True
            self.async_write_ha_state()


class Opener(Hardware, ButtonEntity):
    """A door opener that times its own pulse."""

    async def async_press(self) -> None:
        await self.ask("press")


class Bench:
    """One of each, in Home Assistant."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self.strike = Strike("strike")
        self.bolt = Bolt("bolt")
        self.latch = Latch("latch")
        self.gate = Gate("gate")
        self.opener = Opener("opener")

    async def install(self) -> None:
        """Add every entity."""
        for domain, entities in {
            "switch": [self.strike],
            "lock": [self.bolt, self.latch],
            "cover": [self.gate],
            "button": [self.opener],
        }.items():
            setup_test_component_platform(self._hass, domain, entities)
            assert await async_setup_component(self._hass, domain, {domain: {"platform": "test"}})
        await self._hass.async_block_till_done()


class JammedError(HomeAssistantError):
    """What broken hardware raises."""
