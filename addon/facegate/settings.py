"""Options of one site, read from one JSON file into frozen values.

Every mistake is named with its path and what is accepted; unknown keys are refused, so that a
misspelled option never falls back to its default unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import json
from pathlib import Path
import re
from typing import Any
from urllib.parse import urlsplit

import voluptuous as vol

from facegate.domain import AccessPoint, Requirement
from facegate.errors import SettingsError
from facegate.protocol import Direction

_ID = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")
_SCHEMES = ("rtsp", "rtsps")
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """A stream (``url``) or, for trials and tests, a video file (``clip``)."""

    id: str
    name: str
    url: str | None
    clip: Path | None
    loop: bool
    paced: bool


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """A door, the cameras of its access points, and the controls it requires."""

    id: str
    name: str
    entry_camera: str | None
    exit_camera: str | None
    pulse_s: float
    liveness: Requirement
    visitors: bool

    @property
    def camera_ids(self) -> tuple[str, ...]:
        """Return its cameras, entry first."""
        return tuple(camera for camera in (self.entry_camera, self.exit_camera) if camera)


@dataclass(frozen=True, slots=True)
class RecognitionSettings:
    """Limits of an identification: cosines in 0..1, probes of one track, size in pixels."""

    threshold: float
    min_margin: float
    min_probes: int
    min_face_px: int


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Where the API listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Settings:
    """One site."""

    cameras: tuple[CameraSettings, ...]
    doors: tuple[DoorSettings, ...]
    recognition: RecognitionSettings
    api: ApiSettings

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


# --- validators: each says what is accepted ---------------------------------------------------


def _id(value: object) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise vol.Invalid(
            f"{_shown(value)} is not an id: use 1 to 40 lower-case letters, digits and underscores"
        )
    return value


def _name(value: object) -> str:
    longest = 80
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= longest:
        raise vol.Invalid(f"expected a name of 1 to {longest} characters")
    return value.strip()


def _stream_url(value: object) -> str:
    expected = "expected an address such as rtsp://user:password@192.168.1.20:554/stream1"
    if not isinstance(value, str):
        raise vol.Invalid(expected)
    try:
        parts = urlsplit(value)
        valid = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise vol.Invalid(expected)
    return value


def _path(value: object) -> Path:
    if not isinstance(value, str) or not value:
        raise vol.Invalid("expected the path of a video file")
    return Path(value)


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise vol.Invalid(f"{_shown(value)} is not one of true, false")
    return value


def _number(low: float, high: float) -> Callable[[object], float]:
    def check(value: object) -> float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:  # type: ignore[operator]
            raise vol.Invalid(f"{_shown(value)} is not a number from {low:g} to {high:g}")
        return float(value)  # type: ignore[arg-type]

    return check


def _whole(low: int, high: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if type(value) is not int or not low <= value <= high:
            raise vol.Invalid(f"{_shown(value)} is not a whole number from {low} to {high}")
        return value

    return check


def _requirement(value: object) -> Requirement:
    if not isinstance(value, str) or value not in list(Requirement):
        raise vol.Invalid(f"{_shown(value)} is not one of {', '.join(Requirement)}")
    return Requirement(value)


def _host(value: object) -> str:
    if not isinstance(value, str) or not value or any(char.isspace() for char in value):
        raise vol.Invalid("expected an address such as 127.0.0.1 or 0.0.0.0")
    return value


def _each(schema: vol.Schema) -> Callable[[object], list[Any]]:
    """Check every item of a list: voluptuous' own lists stop at the first that is wrong."""

    def check(value: object) -> list[Any]:
        if not isinstance(value, list):
            raise vol.Invalid("expected a list")
        checked, mistakes = [], []
        for index, item in enumerate(value):
            try:
                checked.append(schema(item))
            except vol.MultipleInvalid as err:
                err.prepend([index])
                mistakes += err.errors
        if mistakes:
            raise vol.MultipleInvalid(mistakes)
        return checked

    return check


_CAMERA = vol.Schema(
    {
        vol.Required("id"): _id,
        vol.Optional("name"): _name,
        vol.Optional("url"): _stream_url,
        vol.Optional("clip"): _path,
        vol.Optional("loop", default=True): _boolean,
        vol.Optional("paced", default=True): _boolean,
    }
)
_DOOR = vol.Schema(
    {
        vol.Required("id"): _id,
        vol.Optional("name"): _name,
        vol.Optional("entry_camera"): _id,
        vol.Optional("exit_camera"): _id,
        vol.Optional("pulse_seconds", default=3): _number(1, 30),
        vol.Optional("liveness", default="required"): _requirement,
        vol.Optional("visitors", default=True): _boolean,
    }
)
_RECOGNITION = vol.Schema(
    {
        vol.Optional("threshold", default=0.5): _number(0.3, 0.9),
        vol.Optional("margin", default=0.08): _number(0, 0.5),
        vol.Optional("min_probes", default=3): _whole(2, 10),
        vol.Optional("min_face_px", default=48): _whole(32, 400),
    }
)
_API = vol.Schema(
    {
        vol.Optional("host", default="127.0.0.1"): _host,
        vol.Optional("port", default=8099): _whole(1, 65535),
    }
)
_OPTIONS = vol.Schema(
    {
        vol.Optional("cameras", default=list): _each(_CAMERA),
        vol.Required("doors"): vol.All(
            vol.Length(min=1, msg="expected at least one door, each with an id"), _each(_DOOR)
        ),
        vol.Optional("recognition", default=dict): _RECOGNITION,
        vol.Optional("api", default=dict): _API,
    }
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
    try:
        options = _OPTIONS(dict(raw))
    except vol.MultipleInvalid as err:
        raise SettingsError(tuple(_sentence(mistake) for mistake in err.errors)) from err
    settings = Settings(
        cameras=tuple(_camera(camera) for camera in options["cameras"]),
        doors=tuple(_door(door) for door in options["doors"]),
        recognition=_recognition(options["recognition"]),
        api=ApiSettings(**options["api"]),
    )
    if mistakes := tuple(_cross_check(settings)):
        raise SettingsError(mistakes)
    return settings


def _camera(options: dict[str, Any]) -> CameraSettings:
    return CameraSettings(
        id=options["id"],
        name=options.get("name", options["id"]),
        url=options.get("url"),
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
        liveness=options["liveness"],
        visitors=options["visitors"],
    )


def _recognition(options: dict[str, Any]) -> RecognitionSettings:
    return RecognitionSettings(
        threshold=options["threshold"],
        min_margin=options["margin"],
        min_probes=options["min_probes"],
        min_face_px=options["min_face_px"],
    )


def _sentence(mistake: vol.Invalid) -> str:
    path = "".join(
        f"[{part}]" if isinstance(part, int) else f".{_key(str(part))}" for part in mistake.path
    ).lstrip(".")
    text = mistake.error_message
    if text == "extra keys not allowed":
        text = f"unknown option; {_known(mistake.path[:-1])}"
    elif text == "expected a dictionary":
        text = f"expected an object; {_known(mistake.path)}"
    elif text == "required key not provided":
        text = "required"
    return f"{path}: {text}"


def _shown(value: object) -> str:
    """Return a refused value for a message; an address in a wrong place may hold a password."""
    text = repr(value)
    return "(an address)" if "://" in text else text[:_SHOWN]


def _key(name: str) -> str:
    return name if _ID.fullmatch(name) else _shown(name)


def _known(within: list[object]) -> str:
    schemas = {"cameras": _CAMERA, "doors": _DOOR, "recognition": _RECOGNITION, "api": _API}
    schema = schemas[str(within[0])] if within else _OPTIONS
    return f"known: {', '.join(sorted(str(key) for key in schema.schema))}"


def _cross_check(settings: Settings) -> list[str]:
    mistakes = []
    known = [camera.id for camera in settings.cameras]
    for kind, ids in (("cameras", known), ("doors", [door.id for door in settings.doors])):
        mistakes += [
            f"{kind}[{index}].id: {item!r} is used twice"
            for index, item in enumerate(ids)
            if item in ids[:index]
        ]
    mistakes += [
        f"cameras[{index}]: expected either url or clip"
        for index, camera in enumerate(settings.cameras)
        if (camera.url is None) == (camera.clip is None)
    ]
    for index, door in enumerate(settings.doors):
        for key, camera in (("entry_camera", door.entry_camera), ("exit_camera", door.exit_camera)):
            if camera is not None and camera not in known:
                accepted = ", ".join(known) or "none is configured"
                mistakes.append(
                    f"doors[{index}].{key}: no camera has the id {camera!r}; cameras: {accepted}"
                )
        if door.entry_camera is not None and door.entry_camera == door.exit_camera:
            mistakes.append(f"doors[{index}].exit_camera: one camera cannot tell entry from exit")
    return mistakes
