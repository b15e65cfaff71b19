"""Which options there are, how they fit together, and how a mistake in them is told.

Every mistake is named with its path and what is accepted; unknown keys are refused, so that a
misspelled option never falls back to its default unseen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import voluptuous as vol

from facegate import hardware_options, values
from facegate.errors import SettingsError
from facegate.protocol import Direction
from facegate.register import LivenessLevel, MaskRule, OnHolidays, Passback, Role
from facegate.verdicts import Control, Requirement

_CAMERA = vol.Schema(
    {
        vol.Required("id"): values.identifier,
        vol.Optional("name"): values.name,
        vol.Optional("url"): values.stream_url,
        vol.Optional("substream_url"): values.stream_url,
        vol.Optional("clip"): values.video_path,
        vol.Optional("loop", default=True): values.boolean,
        vol.Optional("paced", default=True): values.boolean,
    }
)
# The controls that a site chooses; the others always count.
_CONTROLS = vol.Schema(
    {
        vol.Optional(control.value): values.one_of(Requirement)
        for control in (
            Control.LIVENESS,
            Control.TEMPERATURE,
            Control.MASK,
            Control.DOCUMENT,
            Control.SECOND_CREDENTIAL,
            Control.TWO_PERSONS,
        )
    }
)
_RULE = vol.Schema(
    {
        vol.Optional("schedule"): values.identifier,
        vol.Optional("direction"): values.one_of(Direction),
        vol.Required("controls"): vol.All(
            _CONTROLS, vol.Length(min=1, msg="expected at least one control")
        ),
    }
)
_LIVENESS = vol.Schema(
    {
        vol.Optional("level", default=LivenessLevel.NORMAL.value): values.one_of(LivenessLevel),
        vol.Optional("model", default=True): values.boolean,
        vol.Optional("challenge", default=False): values.boolean,
    }
)
_DOOR = vol.Schema(
    {
        vol.Required("id"): values.identifier,
        vol.Optional("name"): values.name,
        vol.Optional("entry_camera"): values.identifier,
        vol.Optional("exit_camera"): values.identifier,
        vol.Optional("pulse_seconds", default=3): values.number(1, 30),
        vol.Optional("visitors", default=True): values.boolean,
        vol.Optional("area"): values.identifier,
        vol.Optional("unit"): values.name,
        vol.Optional("controls", default=dict): _CONTROLS,
        vol.Optional("liveness", default=dict): _LIVENESS,
        vol.Optional("rules", default=list): values.each(_RULE),
        vol.Optional("temperature_limit", default=37.5): values.number(34, 42),
        vol.Optional("temperature_max_age_seconds", default=30): values.number(1, 600),
        vol.Optional("mask", default=MaskRule.WORN.value): values.one_of(MaskRule),
        vol.Optional("document_threshold", default=0.4): values.number(0.2, 0.9),
        vol.Optional("together_seconds", default=15): values.number(1, 120),
        vol.Optional("free_schedule"): values.identifier,
        vol.Optional("held_open_seconds", default=30): values.number(5, 3600),
        vol.Optional("contact", default=False): values.boolean,
        **hardware_options.DOOR,
    }
)
_AREA = vol.Schema(
    {
        vol.Required("id"): values.identifier,
        vol.Optional("name"): values.name,
        vol.Optional("capacity"): values.whole(1, 1_000_000),
        vol.Optional("anti_passback", default=Passback.OFF.value): values.one_of(Passback),
        vol.Optional("reset_at"): values.begin_of_hours,
    }
)
_HOURS = vol.Schema(
    {
        vol.Required("from"): values.begin_of_hours,
        vol.Required("to"): values.end_of_hours,
    }
)
_WINDOW = _HOURS.extend(
    {
        vol.Required("days"): vol.All(
            vol.Length(min=1, msg=f"expected at least one of {', '.join(values.DAYS)}"),
            values.each(values.weekday),
        )
    }
)
_EXCEPTION = vol.Schema(
    {
        vol.Required("date"): values.day,
        vol.Required("windows"): values.each(_HOURS),
    }
)
_SCHEDULE = vol.Schema(
    {
        vol.Required("id"): values.identifier,
        vol.Optional("name"): values.name,
        vol.Required("windows"): values.each(_WINDOW),
        vol.Optional("on_holidays", default=OnHolidays.AS_USUAL.value): values.one_of(OnHolidays),
        vol.Optional("exceptions", default=list): values.each(_EXCEPTION),
    }
)
_HOLIDAYS = vol.Schema(
    {
        vol.Required("country"): values.country,
        vol.Optional("subdivision"): values.name,
    }
)
_SITE = vol.Schema(
    {
        vol.Optional("name", default="Site"): values.name,
        vol.Optional("time_zone", default="UTC"): values.time_zone,
        vol.Optional("holidays"): vol.All(_HOLIDAYS, values.known_subdivision),
        vol.Optional("consent_age", default=14): values.whole(0, 21),
    }
)
_RETENTION = vol.Schema(
    {
        vol.Optional("visitor_pictures_hours", default=24): values.number(0, 720),
        vol.Optional("document_pictures_hours", default=0): values.number(0, 720),
        vol.Optional("events_days", default=90): values.whole(1, 3650),
        vol.Optional("templates_days", default=7): values.whole(0, 3650),
    }
)
_RECOGNITION = vol.Schema(
    {
        vol.Optional("fpir", default=1e-4): values.number(1e-6, 1e-2),
        vol.Optional("threshold"): values.number(0.3, 0.9),
        vol.Optional("margin", default=0.08): values.number(0, 0.5),
        vol.Optional("min_probes", default=3): values.whole(2, 10),
        vol.Optional("min_face_px", default=48): values.whole(32, 400),
    }
)

_MODELS = vol.Schema({vol.Optional("folder"): values.folder_path})
_API = vol.Schema(
    {
        vol.Optional("host", default="127.0.0.1"): values.host,
        vol.Optional("port", default=8099): values.whole(1, 65535),
        vol.Optional("ingress_port"): values.whole(1, 65535),
        vol.Optional("ingress_from", default="172.30.32.2"): values.address,
    }
)
_USER = vol.Schema(
    {
        vol.Required("name"): values.name,
        vol.Required("role"): values.one_of(Role),
    }
)
_OPTIONS = vol.Schema(
    {
        vol.Optional("site", default=dict): _SITE,
        vol.Optional("schedules", default=list): values.each(_SCHEDULE),
        vol.Optional("areas", default=list): values.each(_AREA),
        vol.Optional("cameras", default=list): values.each(_CAMERA),
        vol.Required("doors"): vol.All(
            vol.Length(min=1, msg="expected at least one door, each with an id"),
            values.each(_DOOR),
        ),
        vol.Optional("recognition", default=dict): _RECOGNITION,
        vol.Optional("retention", default=dict): _RETENTION,
        vol.Optional("models", default=dict): _MODELS,
        vol.Optional("api", default=dict): _API,
        vol.Optional("mqtt"): hardware_options.MQTT,
        vol.Optional("users", default=list): values.each(_USER),
    }
)
# By the keys that lead to them.
_OBJECTS = {
    (): _OPTIONS,
    ("site",): _SITE,
    ("site", "holidays"): _HOLIDAYS,
    ("schedules",): _SCHEDULE,
    ("schedules", "windows"): _WINDOW,
    ("schedules", "exceptions"): _EXCEPTION,
    ("schedules", "exceptions", "windows"): _HOURS,
    ("areas",): _AREA,
    ("cameras",): _CAMERA,
    ("doors",): _DOOR,
    ("doors", "controls"): _CONTROLS,
    ("doors", "liveness"): _LIVENESS,
    ("doors", "rules"): _RULE,
    ("doors", "rules", "controls"): _CONTROLS,
    ("recognition",): _RECOGNITION,
    ("retention",): _RETENTION,
    ("models",): _MODELS,
    ("api",): _API,
    ("users",): _USER,
    **hardware_options.OBJECTS,
}


def checked(raw: Mapping[str, object]) -> dict[str, Any]:
    """Return the options with defaults filled in; raises ``SettingsError`` with every mistake."""
    try:
        options: dict[str, Any] = _OPTIONS(dict(raw))
    except vol.MultipleInvalid as err:
        raise SettingsError(tuple(_sentence(mistake) for mistake in err.errors)) from err
    if mistakes := (
        *_repeated(options),
        *_dangling(options),
        *_contradictory(options),
        *hardware_options.contradictory(options),
    ):
        raise SettingsError(mistakes)
    return options


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


def _key(name: str) -> str:
    return name if values.ID.fullmatch(name) else values.shown(name)


def _known(within: list[object]) -> str:
    schema = _OBJECTS[tuple(str(part) for part in within if not isinstance(part, int))]
    return f"known: {', '.join(sorted(str(key) for key in schema.schema))}"


def _ids(options: dict[str, Any], kind: str) -> list[str]:
    return [item["id"] for item in options[kind]]


def _repeated(options: dict[str, Any]) -> Iterator[str]:
    for kind in ("schedules", "areas", "cameras", "doors"):
        ids = _ids(options, kind)
        for index, item in enumerate(ids):
            if item in ids[:index]:
                yield f"{kind}[{index}].id: {item!r} is used twice"
    for index, schedule in enumerate(options["schedules"]):
        dates = [exception["date"] for exception in schedule["exceptions"]]
        for place, date in enumerate(dates):
            if date in dates[:place]:
                yield f"schedules[{index}].exceptions[{place}].date: {date} is used twice"


def _dangling(options: dict[str, Any]) -> Iterator[str]:
    for index, door in enumerate(options["doors"]):
        named = [
            ("entry_camera", "camera", door.get("entry_camera")),
            ("exit_camera", "camera", door.get("exit_camera")),
            ("area", "area", door.get("area")),
            ("free_schedule", "schedule", door.get("free_schedule")),
        ]
        named += [
            (f"rules[{place}].schedule", "schedule", rule.get("schedule"))
            for place, rule in enumerate(door["rules"])
        ]
        for key, noun, item in named:
            known = _ids(options, f"{noun}s")
            if item is not None and item not in known:
                accepted = ", ".join(known) or "none is configured"
                yield f"doors[{index}].{key}: no {noun} has the id {item!r}; {noun}s: {accepted}"


def _contradictory(options: dict[str, Any]) -> Iterator[str]:
    if options["api"].get("ingress_port") == options["api"]["port"]:
        yield "api.ingress_port: is the API's own port; take another"
    for index, schedule in enumerate(options["schedules"]):
        if schedule["on_holidays"] is OnHolidays.CLOSED and "holidays" not in options["site"]:
            yield f"schedules[{index}].on_holidays: 'closed' needs site.holidays with a country"
    for index, camera in enumerate(options["cameras"]):
        if ("url" in camera) == ("clip" in camera):
            yield f"cameras[{index}]: expected either url or clip"
        if "substream_url" in camera and "url" not in camera:
            yield f"cameras[{index}].substream_url: needs url, the large stream"
    for index, door in enumerate(options["doors"]):
        if "entry_camera" in door and door["entry_camera"] == door.get("exit_camera"):
            yield f"doors[{index}].exit_camera: one camera cannot tell entry from exit"
