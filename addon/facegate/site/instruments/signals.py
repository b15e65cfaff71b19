"""Contacts and buttons: things with two states, each on a topic of the broker."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
import math

from facegate.domain import Broker, Clock, Delivery
from facegate.errors import InvalidError
from facegate.hardware import Signal
from facegate.protocol import ContactStatus
from facegate.site.bulletin import Bulletin
from facegate.site.contacts import Contacts
from facegate.site.instruments.health import Health, Sensor, Trouble
from facegate.site.instruments.payload import word_of

BOUNCE_S = 1.0
"""Within this time a button that is pressed again is the same press: contacts bounce."""


class ContactFeed:
    """A door's contact. It opens nothing, so that a retained state is as good as a new one."""

    def __init__(
        self,
        door_id: str,
        signal: Signal,
        sensor: Sensor,
        broker: Broker | None,
        contacts: Contacts,
        health: Health,
    ) -> None:
        self._door_id = door_id
        self._signal = signal
        self._sensor = sensor
        self._broker = broker
        self._contacts = contacts
        self._health = health

    def heard(self, delivery: Delivery) -> None:
        """Take what the contact says; a word that is neither of its two tells nothing."""
        try:
            word = word_of(delivery.payload, self._signal.path)
        except InvalidError as err:
            self._unknown(str(err))
            return
        if word not in (self._signal.on, self._signal.off):
            self._unknown("it said neither its word for open nor its word for shut")
            return
        self._sensor.well()
        self._contacts.changed(ContactStatus(self._door_id, word == self._signal.on))
        self._health.look()

    def connection_changed(self) -> None:
        """Know nothing once the broker is gone, until the contact is heard again."""
        if self._broker is not None and self._broker.fault is not None:
            self._sensor.heard = False
            self._contacts.changed(ContactStatus(self._door_id, None))

    def _unknown(self, reason: str) -> None:
        self._sensor.trouble(Trouble.MALFORMED, reason)
        self._contacts.changed(ContactStatus(self._door_id, None))
        self._health.look()


class Button:
    """Tells a press from everything else that a button says.

    A press is the way from released to pressed. A button that has never said that it was released,
    as those that only report clicks, is released again after ``BOUNCE_S``. What is retained is no
    press, and tells nothing of what the button does now.
    """

    def __init__(self, signal: Signal, clock: Clock) -> None:
        self._signal = signal
        self._clock = clock
        self._down = False
        self._says_released = False
        self._last = -math.inf

    def pressed(self, delivery: Delivery) -> bool:
        """Return whether a message is a press; raises ``InvalidError`` where it cannot be read."""
        if delivery.retained or not delivery.payload:
            return False
        word = word_of(delivery.payload, self._signal.path)
        if word != self._signal.on:
            self._says_released |= word == self._signal.off
            self._down = False
            return False
        now = self._clock.monotonic()
        held = self._down and self._says_released
        bounced = now - self._last < BOUNCE_S
        self._down, self._last = True, now
        return not held and not bounced


class ButtonFeed:
    """A button and what is done at each press of it, not oftener than each ``every_s``.

    While one press is still being done, another one counts for nothing.
    """

    def __init__(
        self,
        signal: Signal,
        sensor: Sensor,
        act: Callable[[], Coroutine[None, None, None]],
        every_s: float,
        bulletin: Bulletin,
        health: Health,
        clock: Clock,
    ) -> None:
        self._button = Button(signal, clock)
        self._sensor = sensor
        self._act = act
        self._every_s = every_s
        self._bulletin = bulletin
        self._health = health
        self._clock = clock
        self._acted = -math.inf
        self._busy = False

    def heard(self, delivery: Delivery) -> None:
        """Take what the button says."""
        try:
            pressed = self._button.pressed(delivery)
        except InvalidError as err:
            self._sensor.trouble(Trouble.MALFORMED, str(err))
            self._health.look()
            return
        if delivery.retained or not delivery.payload:
            return
        self._sensor.well()
        self._health.look()
        now = self._clock.monotonic()
        if not pressed or self._busy or now - self._acted < self._every_s:
            return
        self._acted, self._busy = now, True
        self._bulletin.spawn(self._do())

    async def _do(self) -> None:
        try:
            await self._act()
        finally:
            self._busy = False
