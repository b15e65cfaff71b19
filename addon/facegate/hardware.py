"""The hardware at the doors that is reached without Home Assistant: what there may be of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from facegate.protocol import Direction


class RelayFamily(StrEnum):
    """Whose relay holds a door shut, and so how one speaks to it."""

    HOME_ASSISTANT = "home_assistant"
    SHELLY = "shelly"
    SHELLY_GEN1 = "shelly_gen1"
    TASMOTA = "tasmota"
    ESPHOME = "esphome"
    ZIGBEE2MQTT = "zigbee2mqtt"
    MQTT = "mqtt"
    HTTP = "http"


class HttpAuth(StrEnum):
    """How one signs in at a relay with HTTP."""

    NONE = "none"
    BEARER = "bearer"
    DIGEST = "digest"


class TemperatureUnit(StrEnum):
    """What a thermometer counts in."""

    CELSIUS = "c"
    FAHRENHEIT = "f"


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Encryption to the broker: the authority's certificate, and the client's own, as files.

    Without ``ca`` the system's authorities are trusted.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """The broker; every topic of FaceGate's own is below ``topic``."""

    host: str
    port: int
    topic: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: TlsSettings | None = None


@dataclass(frozen=True, slots=True)
class MqttState:
    """Where a generic relay tells what it is: a topic, where in its JSON, and the two words."""

    topic: str
    path: str | None
    on: str
    off: str


@dataclass(frozen=True, slots=True)
class MqttRelay:
    """A relay on the broker.

    ``topic`` is the device's own, as its family writes it; ``channel`` counts relays as the family
    does (0 for Shelly, 1 for Tasmota); ``switch`` is the id of an ESPHome switch. ``on``, ``off``
    and ``state`` are for the generic family, whose ``topic`` takes the commands. The family
    ``mqtt`` ends its pulse by itself where ``self_timed`` is set, else it is switched off.
    ``shared`` tells that others may switch it too.
    """

    family: RelayFamily
    topic: str
    channel: int = 0
    switch: str | None = None
    on: str = "ON"
    off: str = "OFF"
    state: MqttState | None = None
    self_timed: bool = True
    shared: bool = False


@dataclass(frozen=True, slots=True)
class HttpRelay:
    """A relay with a web server.

    ``on_url`` starts a pulse that the relay times itself where it holds ``{seconds}``, and
    otherwise switches on; ``state_url`` answers JSON (``state_path``, dotted) or plain text that is
    ``state_on`` while the relay is on. ``shared`` tells that others may switch it too.
    """

    on_url: str = field(repr=False)
    off_url: str = field(repr=False)
    state_url: str = field(repr=False)
    state_path: str | None
    state_on: str
    method: str
    auth: HttpAuth
    username: str | None = None
    secret: str | None = field(default=None, repr=False)
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Thermometer:
    """A body thermometer at one access point: a topic, or an address that is asked.

    ``path`` is dotted into JSON, None for a plain number; ``offset`` in degrees Celsius is added.
    """

    direction: Direction
    topic: str | None
    url: str | None = field(repr=False)
    path: str | None
    unit: TemperatureUnit
    offset: float
    every_s: float


@dataclass(frozen=True, slots=True)
class Signal:
    """Something with two states on a topic: ``on`` is what it says when it is pressed or open."""

    topic: str
    path: str | None
    on: str
    off: str


@dataclass(frozen=True, slots=True)
class Reader:
    """A card, keypad or document reader at one access point, which sends JSON to a topic."""

    direction: Direction
    topic: str


@dataclass(frozen=True, slots=True)
class DoorHardware:
    """What stands at one door beside what Home Assistant drives."""

    relay: MqttRelay | HttpRelay | None = None
    thermometers: tuple[Thermometer, ...] = ()
    contact: Signal | None = None
    exit_button: Signal | None = None
    doorbell: Signal | None = None
    readers: tuple[Reader, ...] = ()
