"""How each sensor of a door does: shown, logged, and an alarm where a door needs it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
import logging

from facegate.domain import Broker, Clock
from facegate.protocol import AlarmKind, Direction, SensorView
from facegate.site.alarms import Alarms
from facegate.site.board import Board

_LOGGER = logging.getLogger(__name__)

ALARM_AFTER_S = 10.0
"""How long a sensor that its door needs is not well until that is an alarm: no hiccup is one."""

NEVER_HEARD = "nothing heard yet"
NO_BROKER = "there is no broker: set the option mqtt"


class Kind(StrEnum):
    """What a sensor is, as clients are told."""

    THERMOMETER = "thermometer"
    CONTACT = "contact"
    EXIT_BUTTON = "exit_button"
    DOORBELL = "doorbell"
    READER = "reader"


class Trouble(StrEnum):
    """What is wrong with a sensor, as it is counted."""

    MALFORMED = "malformed"
    IMPLAUSIBLE = "implausible"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


@dataclass(eq=False)
class Sensor:
    """One sensor and how it does; ``reason`` says what is wrong, None while nothing is.

    ``required`` tells that its door asks for what it tells; ``counted`` is how often it was in
    trouble since the start; ``quiet`` that its trouble is shown and is no alarm.
    """

    kind: Kind
    door_id: str
    direction: Direction | None
    by_broker: bool
    required: bool
    reason: str | None = None
    heard: bool = False
    quiet: bool = False
    counted: Counter[Trouble] = field(default_factory=Counter)
    since: float | None = None
    alarmed: bool = False

    def well(self) -> None:
        """Take note that it said what it should."""
        self.heard, self.reason = True, None

    def trouble(self, trouble: Trouble, reason: str, *, quiet: bool = False) -> None:
        """Take note of what is wrong; ``reason`` never holds anything about a person."""
        self.heard = self.heard or trouble is not Trouble.UNREACHABLE
        self.quiet = quiet
        self.counted[trouble] += 1
        count = self.counted[trouble]
        self.reason = reason if count == 1 else f"{reason} ({count} times since the start)"


class Health:
    """The sensors of a site; ``broker`` is None where none is set up."""

    def __init__(self, broker: Broker | None, board: Board, alarms: Alarms, clock: Clock) -> None:
        self._broker = broker
        self._board = board
        self._alarms = alarms
        self._clock = clock
        self._sensors: dict[str, list[Sensor]] = {}

    def add(self, sensor: Sensor) -> Sensor:
        """Look after a sensor."""
        self._sensors.setdefault(sensor.door_id, []).append(sensor)
        return sensor

    def look(self) -> None:
        """Show how every sensor does; to be called every second, and when one changed."""
        for door_id, sensors in self._sensors.items():
            for sensor in sensors:
                self._watch(sensor)
            self._board.show_sensors(door_id, tuple(self._view(sensor) for sensor in sensors))

    def _fault(self, sensor: Sensor) -> str | None:
        if sensor.by_broker and self._broker is None:
            return NO_BROKER
        if sensor.by_broker and self._broker is not None and self._broker.fault is not None:
            return f"the broker cannot be reached: {self._broker.fault}"
        if sensor.kind is Kind.CONTACT and not sensor.heard:
            return NEVER_HEARD
        return sensor.reason

    def _view(self, sensor: Sensor) -> SensorView:
        fault = self._fault(sensor)
        # Silence is no fault of what speaks only when somebody is there, but worth showing.
        reason = fault if fault is not None or sensor.heard else NEVER_HEARD
        return SensorView(sensor.kind, sensor.direction, ok=fault is None, reason=reason)

    def _watch(self, sensor: Sensor) -> None:
        """Log when a sensor goes bad and when it is well again; raise its alarm once."""
        fault, now = self._fault(sensor), self._clock.monotonic()
        if fault is None:
            if sensor.since is not None:
                _LOGGER.info("Door %s: its %s is well again", sensor.door_id, sensor.kind)
            sensor.since, sensor.alarmed = None, False
            return
        if sensor.since is None:
            sensor.since = now
            _LOGGER.warning("Door %s: its %s: %s", sensor.door_id, sensor.kind, fault)
        quiet = sensor.quiet and fault == sensor.reason
        lasts = now - sensor.since >= ALARM_AFTER_S
        if sensor.required and lasts and not sensor.alarmed and not quiet:
            sensor.alarmed = True
            detail = f"{sensor.kind}: {fault}"
            self._alarms.raise_(AlarmKind.SENSOR, sensor.door_id, detail=detail)
