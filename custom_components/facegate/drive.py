"""How a Home Assistant entity holds a door shut or lets it open, and how it shows that it did."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from homeassistant.components.button.const import SERVICE_PRESS
from homeassistant.components.cover import CoverState
from homeassistant.components.lock import LockEntityFeature
from homeassistant.components.lock.const import LockState
from homeassistant.const import (
    ATTR_ENTITY_ID,
    ATTR_SUPPORTED_FEATURES,
    SERVICE_CLOSE_COVER,
    SERVICE_LOCK,
    SERVICE_OPEN,
    SERVICE_OPEN_COVER,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    SERVICE_UNLOCK,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Platform,
)
from homeassistant.core import (
    Context,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
    split_entity_id,
)
from homeassistant.helpers.event import async_track_state_change_event

# The engine waits 2 s for an opening. What shuts late is still waited for, and never given up.
OPEN_TIMEOUT_S = 1.5
SHUT_TIMEOUT_S = 8.0


class DriveError(Exception):
    """The entity could not be driven; the text tells an operator why."""


@dataclass(frozen=True, slots=True)
class Step:
    """A service, and the states that show that it acted; None where no state shows it."""

    service: str
    states: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Drive:
    """The services that open for a moment, open to stay, and shut; None where there is none."""

    pulse: Step
    hold: Step | None
    off: Step | None


_UNLOCKED = frozenset({LockState.UNLOCKED, LockState.UNLOCKING, LockState.OPEN, LockState.OPENING})
_SWITCH_ON = Step(SERVICE_TURN_ON, frozenset({STATE_ON}))
_LOCK_OPEN = Step(SERVICE_OPEN, _UNLOCKED)
_LOCK_UNLOCK = Step(SERVICE_UNLOCK, _UNLOCKED)
_LOCK_LOCK = Step(SERVICE_LOCK, frozenset({LockState.LOCKED, LockState.LOCKING}))
_COVER_OPEN = Step(SERVICE_OPEN_COVER, frozenset({CoverState.OPEN, CoverState.OPENING}))

_DRIVES: dict[str, Drive] = {
    Platform.BUTTON: Drive(Step(SERVICE_PRESS, None), None, None),
    Platform.COVER: Drive(
        _COVER_OPEN,
        _COVER_OPEN,
        Step(SERVICE_CLOSE_COVER, frozenset({CoverState.CLOSED, CoverState.CLOSING})),
    ),
    Platform.LOCK: Drive(_LOCK_UNLOCK, _LOCK_UNLOCK, _LOCK_LOCK),
    Platform.SWITCH: Drive(_SWITCH_ON, _SWITCH_ON, Step(SERVICE_TURN_OFF, frozenset({STATE_OFF}))),
}
_LATCH = Drive(_LOCK_OPEN, _LOCK_UNLOCK, _LOCK_LOCK)

DOMAINS = sorted(_DRIVES)

_SHUT: dict[str, str] = {
    Platform.COVER: CoverState.CLOSED,
    Platform.LOCK: LockState.LOCKED,
    Platform.SWITCH: STATE_OFF,
}


def drive_for(hass: HomeAssistant, entity_id: str) -> Drive:
    """Return how to drive an entity of one of ``DOMAINS``; a lock with a latch opens it."""
    domain, _ = split_entity_id(entity_id)
    if domain == Platform.LOCK and (state := hass.states.get(entity_id)) is not None:
        features = state.attributes.get(ATTR_SUPPORTED_FEATURES) or 0
        if features & LockEntityFeature.OPEN:
            return _LATCH
    return _DRIVES[domain]


def unavailable_reason(hass: HomeAssistant, entity_id: str | None) -> str | None:
    """Return why the entity cannot be driven now, or None."""
    if entity_id is None:
        return "no entity is chosen for this door in Home Assistant"
    domain, _ = split_entity_id(entity_id)
    if domain not in _DRIVES:
        return f"{entity_id} is not one of {', '.join(DOMAINS)}"
    if (state := hass.states.get(entity_id)) is None:
        return f"{entity_id} does not exist in Home Assistant"
    # A button that was never pressed is unknown, and fit to be pressed.
    unfit = {STATE_UNAVAILABLE} if domain == Platform.BUTTON else {STATE_UNAVAILABLE, STATE_UNKNOWN}
    return f"{entity_id} is {state.state} in Home Assistant" if state.state in unfit else None


def is_unlocked(hass: HomeAssistant, entity_id: str | None) -> bool | None:
    """Return whether the entity shows that it lets pass, None where it cannot tell."""
    if entity_id is None or unavailable_reason(hass, entity_id) is not None:
        return None
    domain, _ = split_entity_id(entity_id)
    state = hass.states.get(entity_id)
    if state is None or domain not in _SHUT:
        return None
    return state.state != _SHUT[domain]


async def perform(
    hass: HomeAssistant, entity_id: str, step: Step, context: Context, timeout_s: float
) -> None:
    """Call the service and wait until the entity shows that it acted; raises ``DriveError``."""
    domain, _ = split_entity_id(entity_id)
    service = f"{domain}.{step.service}"
    try:
        async with asyncio.timeout(timeout_s):
            await hass.services.async_call(
                domain,
                step.service,
                {ATTR_ENTITY_ID: entity_id},
                blocking=True,
                context=context,
            )
            if step.states is not None:
                await _shown(hass, entity_id, step.states)
    except TimeoutError as err:
        state = hass.states.get(entity_id)
        raise DriveError(
            f"{entity_id} is still {state.state if state else 'missing'}"
            f" {timeout_s:g} s after {service}"
        ) from err
    except Exception as err:  # the service is another integration's code
        reason = str(err) or type(err).__name__
        raise DriveError(f"{service} failed for {entity_id}: {reason}") from err


async def _shown(hass: HomeAssistant, entity_id: str, states: frozenset[str]) -> None:
    shown = asyncio.Event()

    @callback
    def look(_event: Event[EventStateChangedData] | None = None) -> None:
        if (state := hass.states.get(entity_id)) is not None and state.state in states:
            shown.set()

    stop = async_track_state_change_event(hass, entity_id, look)
    try:
        look()
        await shown.wait()
    finally:
        stop()
