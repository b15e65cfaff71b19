"""Options of one site, read from one JSON file into frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from facegate.domain import AccessPoint
from facegate.errors import SettingsError
from facegate.hardware import DoorHardware, MqttSettings
from facegate.hardware_options import door_hardware, mqtt_settings
from facegate.options import checked
from facegate.protocol import Direction
from facegate.register import (
    Area,
    ControlRule,
    DoorRules,
    Hours,
    LivenessRule,
    Role,
    Schedule,
    Window,
)
from facegate.verdicts import Control, Requirement


@dataclass(frozen=True, slots=True)
class HolidaySettings:
    """Whose public holidays the site keeps: codes of the ``holidays`` package."""

    country: str
    subdivision: str | None


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """The site: its clock, its holidays, the age in years from which one consents oneself."""

    name: str
    time_zone: ZoneInfo
    holidays: HolidaySettings | None
    consent_age: int


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """A stream (``url``) or, for trials and tests, a video file (``clip``).

    ``substream_url`` is the same view, small: it watches, and ``url`` is read when a face is there.
    """

    id: str
    name: str
    url: str | None
    substream_url: str | None
    clip: Path | None
    loop: bool
    paced: bool


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """A door, the cameras of its access points, and what it asks for.

    ``unit`` is the unit that calls at this door are for, None for the desk; ``contact`` says that
    a contact tells when it really opens, and longer than ``held_open_s`` open is an alarm.
    """

    id: str
    name: str
    entry_camera: str | None
    exit_camera: str | None
    pulse_s: float
    visitors: bool
    unit: str | None
    held_open_s: float
    contact: bool
    rules: DoorRules
    hardware: DoorHardware

    @property
    def camera_ids(self) -> tuple[str, ...]:
        """Return its cameras, entry first."""
        return tuple(camera for camera in (self.entry_camera, self.exit_camera) if camera)


@dataclass(frozen=True, slots=True)
class RecognitionSettings:
    """Limits of an identification: cosines in 0..1, probes of one track, size in pixels.

    ``fpir`` is the share of strangers' tracks that may be named, 0..1, from which the threshold
    follows; ``fixed_threshold`` is the manager's own, which then holds whatever its errors.
    """

    fpir: float
    fixed_threshold: float | None
    min_margin: float
    min_probes: int
    min_face_px: int


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """How long what is kept: hours of pictures, days of events and of templates no longer needed.

    Zero hours means that a picture is dropped once it has served.
    """

    visitor_pictures_h: float
    document_pictures_h: float
    events_d: int
    templates_d: int


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The folder that is looked at first for the files of models, if there is one."""

    folder: Path | None


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Where the API listens, and where the pages are for Home Assistant's ingress, if anywhere.

    On ``ingress_port`` only the address ``ingress_from``, the Supervisor's, is answered.
    """

    host: str
    port: int
    ingress_port: int | None = None
    ingress_from: str = "172.30.32.2"


@dataclass(frozen=True, slots=True)
class Settings:
    """One site; ``schedules`` are found by their ids, ``roles`` by the names of users."""

    site: SiteSettings
    schedules: Mapping[str, Schedule]
    areas: tuple[Area, ...]
    cameras: tuple[CameraSettings, ...]
    doors: tuple[DoorSettings, ...]
    recognition: RecognitionSettings
    retention: RetentionSettings
    models: ModelSettings
    api: ApiSettings
    mqtt: MqttSettings | None
    roles: Mapping[str, Role]

    def access_points(self, camera_id: str) -> tuple[AccessPoint, ...]:
        """Return the access points that a camera watches."""
        return tuple(
            AccessPoint(door.id, direction)
            for door in self.doors
            for direction, camera in (
                (Direction.ENTRY, door.entry_camera),
                (Direction.EXIT, door.exit_camera),
            )
            if camera == camera_id
        )


def load(path: Path) -> Settings:
    """Read the options file; raises ``SettingsError`` with every mistake in it."""
    try:
        raw = json.loads(path.read_bytes())
    except OSError as err:
        raise SettingsError((f"{path}: cannot be read: {err.strerror}",)) from err
    except (ValueError, RecursionError) as err:
        raise SettingsError((f"{path}: not JSON: {err}",)) from err
    if not isinstance(raw, dict):
        raise SettingsError((f"{path}: expected a JSON object with doors and cameras",))
    return parse(raw)


def parse(raw: Mapping[str, object]) -> Settings:
    """Check options and freeze them; raises ``SettingsError`` with every mistake in them."""
    options = checked(raw)
    return Settings(
        site=_site(options["site"]),
        schedules={schedule["id"]: _schedule(schedule) for schedule in options["schedules"]},
        areas=tuple(_area(area) for area in options["areas"]),
        cameras=tuple(_camera(camera) for camera in options["cameras"]),
        doors=tuple(_door(door) for door in options["doors"]),
        recognition=_recognition(options["recognition"]),
        retention=_retention(options["retention"]),
        models=ModelSettings(options["models"].get("folder")),
        api=ApiSettings(**options["api"]),
        mqtt=mqtt_settings(options["mqtt"]) if "mqtt" in options else None,
        roles={user["name"]: user["role"] for user in options["users"]},
    )


def _site(options: dict[str, Any]) -> SiteSettings:
    holidays = options.get("holidays")
    return SiteSettings(
        name=options["name"],
        time_zone=options["time_zone"],
        holidays=HolidaySettings(holidays["country"], holidays.get("subdivision"))
        if holidays
        else None,
        consent_age=options["consent_age"],
    )


def _hours(options: dict[str, Any]) -> Hours:
    return Hours(start=options["from"], end=options["to"])


def _schedule(options: dict[str, Any]) -> Schedule:
    return Schedule(
        id=options["id"],
        name=options.get("name", options["id"]),
        windows=tuple(
            Window(frozenset(window["days"]), _hours(window)) for window in options["windows"]
        ),
        on_holidays=options["on_holidays"],
        exceptions={
            exception["date"]: tuple(_hours(window) for window in exception["windows"])
            for exception in options["exceptions"]
        },
    )


def _area(options: dict[str, Any]) -> Area:
    return Area(
        id=options["id"],
        name=options.get("name", options["id"]),
        capacity=options.get("capacity"),
        passback=options["anti_passback"],
        reset_at=options.get("reset_at"),
    )


def _camera(options: dict[str, Any]) -> CameraSettings:
    return CameraSettings(
        id=options["id"],
        name=options.get("name", options["id"]),
        url=options.get("url"),
        substream_url=options.get("substream_url"),
        clip=options.get("clip"),
        loop=options["loop"],
        paced=options["paced"],
    )


def _door(options: dict[str, Any]) -> DoorSettings:
    return DoorSettings(
        id=options["id"],
        name=options.get("name", options["id"]),
        entry_camera=options.get("entry_camera"),
        exit_camera=options.get("exit_camera"),
        pulse_s=options["pulse_seconds"],
        visitors=options["visitors"],
        unit=options.get("unit"),
        held_open_s=options["held_open_seconds"],
        contact=options["contact"],
        rules=_door_rules(options),
        hardware=door_hardware(options),
    )


def _requirements(options: dict[str, Requirement]) -> dict[Control, Requirement]:
    return {Control(control): requirement for control, requirement in options.items()}


def _door_rules(options: dict[str, Any]) -> DoorRules:
    return DoorRules(
        door_id=options["id"],
        requirements={Control.LIVENESS: Requirement.REQUIRED, **_requirements(options["controls"])},
        rules=tuple(
            ControlRule(
                requirements=_requirements(rule["controls"]),
                direction=rule.get("direction"),
                schedule_id=rule.get("schedule"),
            )
            for rule in options["rules"]
        ),
        area_id=options.get("area"),
        temperature_limit=options["temperature_limit"],
        temperature_max_age_s=options["temperature_max_age_seconds"],
        mask_rule=options["mask"],
        document_threshold=options["document_threshold"],
        together_s=options["together_seconds"],
        free_schedule_id=options.get("free_schedule"),
        liveness=LivenessRule(**options["liveness"]),
    )


def _recognition(options: dict[str, Any]) -> RecognitionSettings:
    return RecognitionSettings(
        fpir=options["fpir"],
        fixed_threshold=options.get("threshold"),
        min_margin=options["margin"],
        min_probes=options["min_probes"],
        min_face_px=options["min_face_px"],
    )


def _retention(options: dict[str, Any]) -> RetentionSettings:
    return RetentionSettings(
        visitor_pictures_h=options["visitor_pictures_hours"],
        document_pictures_h=options["document_pictures_hours"],
        events_d=options["events_days"],
        templates_d=options["templates_days"],
    )
