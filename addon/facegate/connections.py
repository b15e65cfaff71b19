"""What reaches the hardware at the doors: cameras, the broker, actuators and sensors."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from facegate.api.mqtt import MqttApi
from facegate.broker import MqttBroker
from facegate.camera.clip import ClipCamera
from facegate.camera.pair import PairedCamera
from facegate.camera.stream import RtspCamera
from facegate.domain import Actuator, Broker, Camera, CameraStatus, Clock
from facegate.door.homeassistant import HomeAssistantActuator
from facegate.door.http_relay import HttpRelayActuator
from facegate.door.mqtt_relay import MqttRelayActuator
from facegate.door.relay import GRACE_S
from facegate.door.stray import Stray
from facegate.errors import BrokerError, SettingsError
from facegate.hardware import HttpRelay
from facegate.latency import Stage
from facegate.protocol import AlarmKind
from facegate.settings import CameraSettings, DoorSettings, Settings
from facegate.site import Site
from facegate.site.instruments import Instruments
from facegate.site.modes import OPEN_MODES
from facegate.vision import Vision

_NO_BROKER = "no MQTT broker is configured: set mqtt.host, or add a broker to Home Assistant"


class Connections:
    """The broker, the actuators and the sensors of a site, connected from ``start`` on.

    ``homeassistant`` are the actuators of the doors that Home Assistant drives.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._instruments: Instruments | None = None
        self._api: MqttApi | None = None
        self.mqtt = MqttBroker(settings.mqtt, clock) if settings.mqtt is not None else None
        self.broker: Broker = self.mqtt or _NoBroker()
        self.homeassistant: dict[str, HomeAssistantActuator] = {}
        self._relays: dict[str, MqttRelayActuator | HttpRelayActuator] = {}
        self._site: Site | None = None
        topic = settings.mqtt.topic if settings.mqtt is not None else None
        for door in settings.doors:
            relay = self._relay(door, topic, clock)
            if relay is None:
                self.homeassistant[door.id] = HomeAssistantActuator(door.id)
            else:
                self._relays[door.id] = relay

    @property
    def actuators(self) -> Mapping[str, Actuator]:
        """What holds each door shut, by the door's id."""
        return {**self.homeassistant, **self._relays}

    async def start(self, site: Site, vision: Vision | None) -> None:
        """Connect a site whose doors are these actuators."""
        self._site = site
        self._instruments = Instruments(
            self._settings,
            self.broker,
            site.presenting,
            site.contacts,
            site.visitors,
            site.board,
            site.alarms,
            site.bulletin,
            vision,
            self._clock,
        )
        await self._instruments.start()
        for relay in self._relays.values():
            if isinstance(relay, HttpRelayActuator):
                await relay.start()
        if self.mqtt is None or self._settings.mqtt is None:
            return
        self._api = MqttApi(self._settings.mqtt, self.mqtt, site, site.alarms, self._clock)
        await self._api.start()
        # Last of all: everybody who listens has said so.
        await self.mqtt.start()

    def look(self) -> None:
        """Look after the sensors; to be called every second."""
        if self._instruments is not None:
            self._instruments.look()

    async def close(self, site: Site) -> None:
        """Take no more orders, close the site, end what must not stay open, and disconnect."""
        if self._instruments is not None:
            await self._instruments.close()
        if self._api is not None:
            await self._api.close()
        await site.close()
        await asyncio.gather(*(relay.close() for relay in self._relays.values()))
        if self.mqtt is not None:
            await self.mqtt.close()

    def _relay(
        self, door: DoorSettings, topic: str | None, clock: Clock
    ) -> MqttRelayActuator | HttpRelayActuator | None:
        def moved() -> None:
            if self._site is not None:
                self._site.actuator_moved(door.id)

        def alarm(kind: AlarmKind, detail: str | None = None) -> None:
            if self._site is not None:
                self._site.alarms.raise_(kind, door.id, detail=detail)

        def wanted() -> bool:
            return self._site is not None and self._site.gate.mode(door.id) in OPEN_MODES

        relay = door.hardware.relay
        if relay is None:
            return None
        longest_s = door.pulse_s + GRACE_S
        stray = (
            None
            if relay.shared
            else Stray(longest_s, clock, lambda: alarm(AlarmKind.DOOR_UNLOCKED), wanted)
        )
        if isinstance(relay, HttpRelay):
            return HttpRelayActuator(relay, clock, door.id, moved, stray)
        own = {} if topic is None else {"own_topic": topic}
        return MqttRelayActuator(
            relay,
            self.broker,
            clock,
            door.id,
            moved,
            stray,
            lambda detail: alarm(AlarmKind.MQTT, detail),
            **own,
        )


def open_camera(settings: CameraSettings, clock: Clock, site: Site) -> Camera:
    """Return a camera, to be followed; what it does is shown on the site's board."""

    def changed(status: CameraStatus) -> None:
        site.board.camera_changed(settings.id, status)

    def decoded(seconds: float) -> None:
        site.latencies.observe(Stage.DECODE, seconds)

    if settings.url is not None and settings.substream_url is not None:
        return PairedCamera(
            settings.id,
            settings.url,
            settings.substream_url,
            clock,
            on_status=changed,
            on_decoded=decoded,
        )
    if settings.url is not None:
        return RtspCamera(settings.id, settings.url, clock, on_status=changed, on_decoded=decoded)
    if settings.clip is not None:
        return ClipCamera(
            settings.id,
            settings.clip,
            clock,
            paced=settings.paced,
            loop=settings.loop,
            on_status=changed,
        )
    raise SettingsError((f"camera {settings.id}: expected either url or clip",))


class _NoBroker:
    """Stands where there is no broker, so that what needs one says so."""

    @property
    def fault(self) -> str | None:
        return _NO_BROKER

    def subscribe(self, *_: object, **__: object) -> None:
        """Hear nothing."""

    def watch(self, *_: object) -> None:
        """Notice nothing: it never comes."""

    async def take_away(self, *_: object) -> None:
        """Keep nothing, as ever."""

    async def publish(self, topic: str, *_: object, **__: object) -> None:
        raise BrokerError(f"nothing was sent to {topic}: {_NO_BROKER}")
