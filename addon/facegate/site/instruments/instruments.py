"""The instruments of a site: each of its doors' sensors, joined to what it tells."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

import aiohttp

from facegate.background import Background
from facegate.domain import AccessPoint, Broker, Clock, Delivery
from facegate.hardware import Reader, Signal, Thermometer
from facegate.protocol import Direction
from facegate.settings import DoorSettings, Settings
from facegate.site.alarms import Alarms
from facegate.site.board import Board
from facegate.site.bulletin import Bulletin
from facegate.site.contacts import Contacts
from facegate.site.instruments.health import Health, Kind, Sensor
from facegate.site.instruments.readers import ReaderFeed
from facegate.site.instruments.signals import BOUNCE_S, ButtonFeed, ContactFeed
from facegate.site.instruments.thermometers import TemperatureFeed
from facegate.site.presenting import Presenting
from facegate.site.visitors import Visitors
from facegate.verdicts import Control, Requirement
from facegate.vision import Vision

RING_S = 10.0
"""A doorbell that is pressed again within this time does not ring again."""
PICTURE_S = 10.0
"""How old a door's picture may be to be shown for whoever presses its doorbell."""


class Instruments:
    """The sensors of every door; ``broker`` is None where none is set up.

    To be started before the broker is, and closed before the site.
    """

    def __init__(
        self,
        settings: Settings,
        broker: Broker | None,
        presenting: Presenting,
        contacts: Contacts,
        visitors: Visitors,
        board: Board,
        alarms: Alarms,
        bulletin: Bulletin,
        vision: Vision | None,
        clock: Clock,
    ) -> None:
        self._doors = settings.doors
        self._broker = broker
        self._presenting = presenting
        self._contacts = contacts
        self._visitors = visitors
        self._board = board
        self._alarms = alarms
        self._bulletin = bulletin
        self._vision = vision
        self._clock = clock
        self._health = Health(broker, board, alarms, clock)
        self._asking = Background()
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Listen to what comes on topics, and begin to ask thermometers with an address."""
        for door in self._doors:
            hardware = door.hardware
            for thermometer in hardware.thermometers:
                self._add_thermometer(door, thermometer)
            if hardware.contact is not None:
                self._add_contact(door, hardware.contact)
            if hardware.exit_button is not None:
                self._add_button(
                    door, Kind.EXIT_BUTTON, hardware.exit_button, self._leave(door.id), BOUNCE_S
                )
            if hardware.doorbell is not None:
                self._add_button(
                    door, Kind.DOORBELL, hardware.doorbell, self._ring(door.id), RING_S
                )
            for reader in hardware.readers:
                self._add_reader(door, reader)
        if self._broker is not None:
            self._broker.watch(self._health.look)
        self._health.look()

    def look(self) -> None:
        """Look after the sensors' health; to be called every second."""
        self._health.look()

    async def close(self) -> None:
        """Ask no thermometer any more."""
        await self._asking.cancel()
        if self._session is not None:
            await self._session.close()

    # --- what each sensor is joined to ----------------------------------------------------------

    def _add_thermometer(self, door: DoorSettings, thermometer: Thermometer) -> None:
        point = AccessPoint(door.id, thermometer.direction)
        sensor = self._sensor(
            door,
            Kind.THERMOMETER,
            thermometer.direction,
            by_broker=thermometer.topic is not None,
            required=_asks_for_temperature(door, thermometer.direction),
        )
        feed = TemperatureFeed(point, thermometer, sensor, self._presenting, self._health)
        if thermometer.topic is not None:
            self._subscribe(thermometer.topic, feed.heard)
            return
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._asking.spawn(feed.ask(self._session))

    def _add_contact(self, door: DoorSettings, signal: Signal) -> None:
        sensor = self._sensor(door, Kind.CONTACT, None, by_broker=True, required=True)
        feed = ContactFeed(door.id, signal, sensor, self._broker, self._contacts, self._health)
        self._subscribe(signal.topic, feed.heard)
        if self._broker is not None:
            self._broker.watch(feed.connection_changed)

    def _add_button(
        self,
        door: DoorSettings,
        kind: Kind,
        signal: Signal,
        act: Callable[[], Coroutine[None, None, None]],
        every_s: float,
    ) -> None:
        sensor = self._sensor(door, kind, None, by_broker=True)
        feed = ButtonFeed(signal, sensor, act, every_s, self._bulletin, self._health, self._clock)
        self._subscribe(signal.topic, feed.heard)

    def _add_reader(self, door: DoorSettings, reader: Reader) -> None:
        sensor = self._sensor(door, Kind.READER, reader.direction, by_broker=True)
        feed = ReaderFeed(
            AccessPoint(door.id, reader.direction),
            reader,
            sensor,
            self._presenting,
            self._vision,
            self._alarms,
            self._bulletin,
            self._health,
            self._clock,
        )
        self._subscribe(reader.topic, feed.heard)

    # --- what buttons do ------------------------------------------------------------------------

    def _leave(self, door_id: str) -> Callable[[], Coroutine[None, None, None]]:
        async def leave() -> None:
            await self._presenting.press_exit(door_id)

        return leave

    def _ring(self, door_id: str) -> Callable[[], Coroutine[None, None, None]]:
        async def ring() -> None:
            picture = self._board.fresh_picture(door_id, PICTURE_S)
            await self._visitors.press(AccessPoint(door_id, Direction.ENTRY), picture or b"")

        return ring

    # --- parts ----------------------------------------------------------------------------------

    def _subscribe(self, topic: str, listener: Callable[[Delivery], None]) -> None:
        if self._broker is not None:
            self._broker.subscribe(topic, listener)

    def _sensor(
        self,
        door: DoorSettings,
        kind: Kind,
        direction: Direction | None,
        *,
        by_broker: bool,
        required: bool = False,
    ) -> Sensor:
        return self._health.add(Sensor(kind, door.id, direction, by_broker, required))


def _asks_for_temperature(door: DoorSettings, direction: Direction) -> bool:
    """Return whether a door ever requires a body temperature in a direction."""
    rules = door.rules
    asked = [rules.requirements] if direction is Direction.ENTRY else []
    asked += [rule.requirements for rule in rules.rules if rule.direction in (None, direction)]
    return any(found.get(Control.TEMPERATURE) is Requirement.REQUIRED for found in asked)
