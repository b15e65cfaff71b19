"""What the Supervisor's form holds, as the engine's options.

The form is flat where the engine's options are not: ``actuator_topic`` of a door is its
``actuator.topic``. What no form can hold (rules, exceptions) stands in a file of the app's own
configuration folder, named by ``options_file``, in the engine's own shape; both count together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import json
import os
from pathlib import Path

from facegate.errors import SettingsError
from facegate.hardware import RelayFamily
from facegate.settings import Settings, parse

CONFIG = Path("/config")
"""Where the Supervisor mounts the app's own configuration folder."""

_FILE = "options_file"
# Groups of a door's fields; those of a list make one entry of it.
_GROUPS = {
    "actuator_": "actuator",
    "liveness_": "liveness",
    "control_": "controls",
    "contact_signal_": "contact_signal",
    "exit_button_": "exit_button",
    "doorbell_": "doorbell",
}
_LISTS = {"thermometer_": "thermometers", "reader_": "readers"}
_STATE, _STATE_FIELDS = "state_", frozenset({"topic", "path", "on", "off"})
_HOURS = ("days", "from", "to")

# What a form holds of a group that nobody filled in: a switch that was tried, a choice left as is.
_IDLE: Mapping[str, Mapping[str, object]] = {
    "actuator": {
        "self_timed": True,
        "shared": False,
        "channel": 0,
        "method": "GET",
        "auth": "none",
    },
    "mqtt": {"topic": "facegate", "port": 1883, "tls": False},
}
_DESCRIBES = frozenset({"direction", "unit"})

type _Object = dict[str, object]


def load(path: Path, config: Path = CONFIG) -> Settings:
    """Read the Supervisor's options and the file they name; raises ``SettingsError``.

    Without ``site.time_zone`` the time zone is the environment's ``TZ``, which the Supervisor sets.
    """
    form = _read(path)
    name = form.pop(_FILE, None)
    more: _Object = {}
    if name not in (None, ""):
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(".json"):
            raise SettingsError((f"{_FILE}: expected the name of a file such as site.json",))
        more = _read(config / name)
    return parse(combine(form, more, os.environ.get("TZ") or None))


def combine(
    form: Mapping[str, object], more: Mapping[str, object], time_zone: str | None = None
) -> dict[str, object]:
    """Return the engine's options from a form and a file's options; raises ``SettingsError``.

    Doors, cameras and what else has an ``id`` are put together by it. What both say must be equal:
    neither goes before the other.
    """
    options = engine_options(form)
    mistakes = tuple(_merge(options, more, ""))
    if mistakes:
        raise SettingsError(mistakes)
    site = options.setdefault("site", {})
    if time_zone is not None and isinstance(site, dict):
        site.setdefault("time_zone", time_zone)
    return options


def engine_options(form: Mapping[str, object]) -> dict[str, object]:
    """Return the engine's options of a form; empty fields count as not filled in.

    What is of another kind than the form gives is left as it is, for the engine to refuse by name.
    """
    options = _filled(form)
    for kind, shape in (("doors", _door), ("schedules", _schedule)):
        found = options.get(kind)
        if isinstance(found, list):
            options[kind] = [shape(item) if isinstance(item, dict) else item for item in found]
    mqtt = options.get("mqtt")
    if isinstance(mqtt, dict) and _idle("mqtt", mqtt):
        del options["mqtt"]
    for kind, shape in (("site", _site), ("mqtt", _mqtt)):
        found = options.get(kind)
        if isinstance(found, dict):
            options[kind] = shape(found)
    return options


def _read(path: Path) -> _Object:
    try:
        found = json.loads(path.read_bytes())
    except OSError as err:
        raise SettingsError((f"{path}: cannot be read: {err.strerror}",)) from err
    except (ValueError, RecursionError) as err:
        raise SettingsError((f"{path}: not JSON: {err}",)) from err
    if not isinstance(found, dict):
        raise SettingsError((f"{path}: expected a JSON object",))
    return found


def _filled(found: Mapping[str, object]) -> _Object:
    """Return a copy without fields that are empty: null, an empty text, list or object."""
    copy: _Object = {}
    for key, raw in found.items():
        value = _of_value(raw)
        if value is not None and value not in ("", [], {}):
            copy[key] = value
    return copy


def _of_value(raw: object) -> object:
    if isinstance(raw, Mapping):
        return _filled(raw)
    if isinstance(raw, list):
        return [_of_value(item) for item in raw]
    return raw


def _take(fields: _Object, prefix: str) -> _Object:
    """Move the fields of a group out of the others."""
    names = [name for name in fields if name.startswith(prefix)]
    return {name.removeprefix(prefix): fields.pop(name) for name in names}


def _door(fields: _Object) -> _Object:
    # contact_signal_topic is no field of the contact: the longest prefix counts, as all differ.
    door = dict(fields)
    for prefix, name in _GROUPS.items():
        if (group := _take(door, prefix)) and not _idle(name, group):
            door[name] = _actuator(group) if name == "actuator" else group
    for prefix, name in _LISTS.items():
        if (group := _take(door, prefix)).keys() - _DESCRIBES:
            door[name] = [group]
    return door


def _idle(name: str, fields: _Object) -> bool:
    idle = _IDLE.get(name, {})
    return all(key in idle and idle[key] == value for key, value in fields.items())


def _actuator(fields: _Object) -> _Object:
    """Group what a broker tells of a relay; a relay with HTTP has such fields of its own."""
    if fields.get("family") == RelayFamily.HTTP.value:
        return fields
    state = {
        key: fields.pop(_STATE + key) for key in sorted(_STATE_FIELDS) if _STATE + key in fields
    }
    return fields | ({"state": state} if state else {})


def _schedule(fields: _Object) -> _Object:
    """Make the one window of a form the first of a schedule's windows."""
    schedule = dict(fields)
    window = {key: schedule.pop(key) for key in _HOURS if key in schedule}
    return schedule | ({"windows": [window]} if window else {})


def _site(fields: _Object) -> _Object:
    site = dict(fields)
    holidays = _take(site, "holidays_")
    return site | ({"holidays": holidays} if holidays else {})


def _mqtt(fields: _Object) -> _Object:
    mqtt = dict(fields)
    files = _take(mqtt, "tls_")
    if files or mqtt.pop("tls", False) is True:
        mqtt["tls"] = files
    return mqtt


def _merge(ours: _Object, theirs: Mapping[str, object], at: str) -> Iterator[str]:
    """Add a file's options to a form's; yields what both say differently."""
    for key, value in theirs.items():
        path = f"{at}.{key}" if at else key
        mine = ours.get(key)
        if key not in ours:
            ours[key] = value
        elif isinstance(mine, dict) and isinstance(value, dict):
            yield from _merge(mine, value, path)
        elif isinstance(mine, list) and isinstance(value, list) and _have_ids([*mine, *value]):
            yield from _merge_lists(mine, value, path)
        elif mine != value:
            yield f"{path}: the app's options and the file say differently; keep it in one of them"


def _have_ids(items: list[object]) -> bool:
    return all(isinstance(item, dict) and isinstance(item.get("id"), str) for item in items)


def _merge_lists(ours: list[_Object], theirs: list[_Object], at: str) -> Iterator[str]:
    known = {item["id"]: item for item in ours}
    for item in theirs:
        mine = known.get(item["id"])
        if mine is None:
            ours.append(item)
        else:
            yield from _merge(mine, item, f"{at}[{item['id']}]")
