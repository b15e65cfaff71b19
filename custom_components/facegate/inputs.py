"""Thermometers, exit buttons, doorbells and card readers: entities whose news the engine is told.

Only what happens now counts: what an entity shows at a start, when it comes back, or once more with
other attributes is of somebody before, or of nobody. Nothing waits for an engine that is away.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from datetime import timedelta
import logging
import math

from homeassistant.components.event import ATTR_EVENT_TYPE, EventDeviceClass
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import (
    ATTR_DEVICE_CLASS,
    ATTR_UNIT_OF_MEASUREMENT,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Platform,
    UnitOfTemperature,
)
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import TemperatureConverter

from .client import FaceGateClient
from .errors import ClientError
from .options import Options
from .protocol import DOORS_PATH, Direction, DoorAction
from .rest import resource

_LOGGER = logging.getLogger(__name__)

# What tells the moment of a press by its state, and a contact that is on while it is pressed.
PRESSED_DOMAINS = [Platform.EVENT, Platform.BUTTON, "input_button", Platform.BINARY_SENSOR]

# An entity that comes back shows the moment of its last press again.
FRESH = timedelta(seconds=5)
BOUNCE_S = 1.0
ATTR_CARD_NUMBER = "card_number"
# A reading that arrives later serves nobody who stands at the door.
TIMEOUT_S = 2.0

type Tell = Callable[[str, str, State], Coroutine[None, None, None]]


class Inputs:
    """What stands at the doors of one engine."""

    def __init__[Entry: ConfigEntry](
        self, hass: HomeAssistant, entry: Entry, client: FaceGateClient, options: Options
    ) -> None:
        self._hass = hass
        self._entry: ConfigEntry = entry
        self._client = client
        self._options = options
        self._measured: set[str] = set()
        self._pressed: dict[str, float] = {}
        self._untrack: CALLBACK_TYPE | None = None

    @callback
    def start(self) -> None:
        """Follow them from now on."""
        entities = {
            *self._options.thermometers.values(),
            *self._options.exit_buttons.values(),
            *self._options.doorbells.values(),
            *self._options.readers.values(),
        }
        self._measured = {
            entity_id
            for entity_id in self._options.thermometers.values()
            if (state := self._hass.states.get(entity_id)) is not None
            and _number(state) is not None
        }
        if entities:
            self._untrack = async_track_state_change_event(self._hass, entities, self._on_state)

    @callback
    def stop(self) -> None:
        """Follow them no longer."""
        if self._untrack is not None:
            self._untrack()
            self._untrack = None

    @callback
    def _on_state(self, event: Event[EventStateChangedData]) -> None:
        old, new = event.data["old_state"], event.data["new_state"]
        entity_id = event.data["entity_id"]
        measured = self._measures(entity_id, old, new)
        if new is None or old is None:
            return
        pressed = _is_press(old, new) and not self._bounces(entity_id, new)
        for door_id in self._at(self._options.thermometers, entity_id) if measured else ():
            self._spawn(self._take_temperature, door_id, entity_id, new)
        for door_id in self._at(self._options.exit_buttons, entity_id) if pressed else ():
            self._spawn(self._leave, door_id, entity_id, new)
        for door_id in self._at(self._options.doorbells, entity_id) if pressed else ():
            if _rings(new):
                self._spawn(self._ring, door_id, entity_id, new)
        if pressed and _card_number(new) is not None:
            for door_id in self._at(self._options.readers, entity_id):
                self._spawn(self._present, door_id, entity_id, new)

    def _at(self, entities: Mapping[str, str], entity_id: str) -> Iterator[str]:
        return (door_id for door_id, chosen in entities.items() if chosen == entity_id)

    def _measures(self, entity_id: str, old: State | None, new: State | None) -> bool:
        """Return whether a state is a new reading.

        The first value after a start or an absence may be one that was kept from before.
        """
        if new is None or new.state == STATE_UNAVAILABLE:
            self._measured.discard(entity_id)
            return False
        if _number(new) is None:
            return False
        known = entity_id in self._measured
        self._measured.add(entity_id)
        return known and old is not None and new.last_changed != old.last_changed

    def _bounces(self, entity_id: str, new: State) -> bool:
        """Return whether a press is the one before."""
        last = self._pressed.get(entity_id, -math.inf)
        self._pressed[entity_id] = new.last_updated_timestamp
        return new.last_updated_timestamp - last < BOUNCE_S

    def _spawn(self, tell: Tell, door_id: str, entity_id: str, state: State) -> None:
        self._entry.async_create_background_task(
            self._hass, self._tell(tell, door_id, entity_id, state), f"FaceGate {entity_id}"
        )

    async def _tell(self, tell: Tell, door_id: str, entity_id: str, state: State) -> None:
        try:
            await tell(door_id, entity_id, state)
        except ClientError as err:
            _LOGGER.warning("%s did not reach the door %s: %s", entity_id, door_id, err)

    async def _take_temperature(self, door_id: str, entity_id: str, state: State) -> None:
        value = _number(state)
        assert value is not None
        unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
        try:
            celsius = TemperatureConverter.convert(value, unit, UnitOfTemperature.CELSIUS)
        except HomeAssistantError:
            _LOGGER.warning("%s has no unit of temperature, so it is not read", entity_id)
            return
        age = (dt_util.utcnow() - state.last_changed).total_seconds()
        body = {"celsius": round(celsius, 2), "at": self._client.engine_time() - age}
        path = resource(DOORS_PATH, door_id, "temperature")
        await self._client.rest.request("POST", path, body, user=entity_id, timeout_s=TIMEOUT_S)

    async def _leave(self, door_id: str, entity_id: str, _state: State) -> None:
        await self._client.command_door(door_id, DoorAction.OPEN, entity_id, Direction.EXIT)

    async def _ring(self, door_id: str, entity_id: str, _state: State) -> None:
        if not self._client.connected:
            return
        path = resource(DOORS_PATH, door_id, "ring")
        await self._client.rest.request("POST", path, {}, user=entity_id, timeout_s=TIMEOUT_S)

    async def _present(self, door_id: str, entity_id: str, state: State) -> None:
        path = resource(DOORS_PATH, door_id, "credentials")
        body = {"card_number": _card_number(state)}
        await self._client.rest.request("POST", path, body, user=entity_id, timeout_s=TIMEOUT_S)


def _card_number(state: State) -> str | None:
    number = str(state.attributes.get(ATTR_CARD_NUMBER) or "").strip()
    return number or None


def _number(state: State) -> float | None:
    try:
        value = float(state.state)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _is_press(old: State, new: State) -> bool:
    if new.state == old.state:
        return False
    if new.domain == Platform.BINARY_SENSOR:
        return (old.state, new.state) == (STATE_OFF, STATE_ON)
    if old.state == STATE_UNAVAILABLE or new.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
        return False
    if "release" in str(new.attributes.get(ATTR_EVENT_TYPE, "")):
        return False
    # A button that was never pressed is unknown; the others tell the moment of their last press.
    at = dt_util.parse_datetime(new.state)
    if at is None or at.tzinfo is None:
        return False
    return abs(dt_util.utcnow() - at) <= FRESH


def _rings(state: State) -> bool:
    """Return whether a doorbell's event is its ring; it may tell of motion and packages too."""
    if state.attributes.get(ATTR_DEVICE_CLASS) != EventDeviceClass.DOORBELL:
        return True
    return state.attributes.get(ATTR_EVENT_TYPE) == "ring"
