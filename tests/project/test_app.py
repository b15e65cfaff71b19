"""The app's folder keeps to the Supervisor's rules, and shows every option in every language."""

from __future__ import annotations

from collections.abc import Iterator
import json
from pathlib import Path
import re
import struct
import tomllib
from typing import Any

from homeassistant.util.yaml import parse_yaml
import pytest

from facegate import hardware_options, options
from facegate.app_options import engine_options
from facegate.settings import parse
from tests.project.tree import ROOT

APP = ROOT / "addon"
LANGUAGES = ("en", "zh-Hans")
# What the Supervisor knows and does not call deprecated, as far as an app like this may use it.
KNOWN = {
    "name", "version", "slug", "description", "url", "arch", "startup", "boot", "init", "stage",
    "homeassistant", "ingress", "ingress_port", "ingress_entry", "ingress_stream", "panel_icon",
    "panel_title", "panel_admin", "watchdog", "ports", "ports_description", "services", "discovery",
    "apparmor", "tmpfs", "map", "environment", "backup", "backup_exclude", "backup_pre",
    "backup_post", "options", "schema", "image", "timeout",
}  # fmt: skip
REQUIRED = {"name", "version", "slug", "description", "arch"}
# Of the kinds that the Supervisor has; a range of a text's length is broken there.
ELEMENT = re.compile(
    r"(?:bool|email|url|port|str|password"
    r"|int(?:\(\d*,\d*\))?|float(?:\(\d*\.?\d*,\d*\.?\d*\))?"
    r"|match\(.*\)|list\([^()]+\))\??"
)
CAMERA = {"id": "front", "url": "rtsp://127.0.0.1/stream"}


def document(path: Path) -> dict[str, Any]:
    found = parse_yaml(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def manifest() -> dict[str, Any]:
    return document(APP / "config.yaml")


def translation(language: str) -> dict[str, Any]:
    found: dict[str, Any] = document(APP / "translations" / f"{language}.yaml")["configuration"]
    return found


def fields(shape: object) -> dict[str, Any]:
    """Return the fields of one object of the schema, or of one entry of a list."""
    inner = shape[0] if isinstance(shape, list) else shape
    return inner if isinstance(inner, dict) else {}


def elements(shape: object) -> Iterator[str]:
    if isinstance(shape, dict):
        for inner in shape.values():
            yield from elements(inner)
    elif isinstance(shape, list):
        assert len(shape) == 1, "the Supervisor reads the first entry of a list only"
        yield from elements(shape[0])
    else:
        assert isinstance(shape, str), f"quote it: YAML reads {shape!r}"
        yield shape


def size_of(picture: Path) -> tuple[int, int]:
    head = picture.read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def test_the_manifest_holds_what_the_supervisor_needs_and_nothing_that_it_does_not_know() -> None:
    found = manifest()
    assert found.keys() >= REQUIRED
    assert found.keys() - KNOWN == set()
    assert found["slug"] == "facegate"
    assert set(found["arch"]) == {"aarch64", "amd64"}
    assert found["homeassistant"] == json.loads((ROOT / "hacs.json").read_text())["homeassistant"]
    assert re.fullmatch(r"https?://\[HOST\]:\[PORT:8099\]/health", found["watchdog"])
    # Docker's own init would run as root; the image has one that does not.
    assert found["init"] is False


def test_the_app_the_engine_and_the_image_have_one_version() -> None:
    engine = tomllib.loads((APP / "pyproject.toml").read_text())["project"]["version"]
    assert manifest()["version"] == engine
    assert f"ARG BUILD_VERSION={engine}\n" in (APP / "Dockerfile").read_text()
    assert f"## {engine}" in (APP / "CHANGELOG.md").read_text()


def test_the_security_rating_is_the_highest_that_an_app_with_ingress_has() -> None:
    found = manifest()
    rating = 5 + 2 * bool(found.get("ingress")) + (APP / "apparmor.txt").is_file()
    lowering = {
        "host_network", "host_pid", "host_ipc", "host_uts", "host_dbus", "privileged",
        "docker_api", "full_access", "hassio_role", "hassio_api", "kernel_modules", "devices",
        "homeassistant_api", "auth_api", "udev", "video", "audio", "gpio", "usb", "uart",
    }  # fmt: skip
    assert found.keys() & lowering == set()
    assert found["apparmor"] is True
    assert rating == 8


def test_the_apparmor_profile_is_one_and_named_like_the_app() -> None:
    text = (APP / "apparmor.txt").read_text()
    assert re.findall(r"^profile (\S+)", text, re.MULTILINE) == [manifest()["slug"]]
    written = re.findall(r"^\s*(/\S+) [a-z]*w[a-z]*,$", text, re.MULTILINE)
    places = ("/data/", "/tmp/", "/dev/")
    assert [path for path in written if not path.startswith(places)] == []


def test_every_element_of_the_schema_is_of_a_kind_that_the_supervisor_has() -> None:
    found = list(elements(manifest()["schema"]))
    assert [element for element in found if not ELEMENT.fullmatch(element)] == []


def test_what_the_supervisor_would_miss_has_a_default() -> None:
    found = manifest()
    must = {
        name
        for name, shape in found["schema"].items()
        if fields(shape) or not (isinstance(shape, str) and shape.endswith("?"))
    }
    # Objects within objects cannot be optional, so that each would have to be filled in.
    deep = [
        f"{name}.{inner}"
        for name, shape in found["schema"].items()
        for inner, kind in fields(shape).items()
        if fields(kind)
    ]
    assert found["options"].keys() == must
    assert deep == []


def test_the_options_that_the_app_comes_with_are_good_for_the_engine() -> None:
    settings = parse(engine_options(manifest()["options"]))
    assert [door.id for door in settings.doors] == ["front"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_option_has_a_name_in_every_language_and_no_other_has(language: str) -> None:
    schema, shown = manifest()["schema"], translation(language)
    assert shown.keys() == schema.keys()
    for name, shape in schema.items():
        assert shown[name]["name"].strip()
        inner = shown[name].get("fields", {})
        assert inner.keys() == fields(shape).keys(), name
        assert [key for key, text in inner.items() if not text["name"].strip()] == []


def test_every_option_is_in_the_documentation() -> None:
    text = (APP / "DOCS.md").read_text()
    names = {
        key for name, shape in manifest()["schema"].items() for key in (name, *fields(shape).keys())
    }
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []


def test_every_engine_option_of_a_relay_can_be_filled_in() -> None:
    door = manifest()["schema"]["doors"][0]
    nested = {"state"}
    wanted = {f"actuator_{key}" for key in map(str, hardware_options.ACTUATOR.schema)} - {
        f"actuator_{key}" for key in nested
    }
    wanted |= {f"actuator_state_{key}" for key in map(str, hardware_options.STATE.schema)}
    wanted |= {f"thermometer_{key}" for key in map(str, hardware_options.THERMOMETER.schema)}
    wanted |= {f"reader_{key}" for key in map(str, hardware_options.READER.schema)}
    assert wanted - door.keys() == set()


def test_every_choice_of_the_form_is_one_that_the_engine_takes() -> None:
    door = manifest()["schema"]["doors"][0]
    for field, shape in door.items():
        if not str(shape).startswith("list("):
            continue
        needs: dict[str, object] = {
            "actuator_topic": "relay", "actuator_switch": "relay",
            "actuator_state_topic": "relay/state", "thermometer_topic": "fever",
            "reader_topic": "card",
        }  # fmt: skip
        if field == "actuator_auth":
            needs |= {"actuator_username": "door", "actuator_secret": "secret"}
        for choice in shape.removesuffix("?").removeprefix("list(").removesuffix(")").split("|"):
            fully = needs | {field: choice}
            if choice == "http":
                fully |= {
                    f"actuator_{kind}_url": "http://relay/" for kind in ("on", "off", "state")
                }
                del fully["actuator_state_topic"]
            fully.setdefault("actuator_family", "mqtt")
            form = {"cameras": [CAMERA], "doors": [{"id": "front", **fully}]}
            options.checked(engine_options(form))


def test_a_backup_leaves_the_key_out() -> None:
    assert {"facegate/keys", "facegate/keys/*"} <= set(manifest()["backup_exclude"])
    assert manifest()["backup"] == "cold"


@pytest.mark.parametrize(("name", "size"), [("icon.png", (128, 128)), ("logo.png", (250, 100))])
def test_the_pictures_have_the_sizes_that_the_store_shows(name: str, size: tuple[int, int]) -> None:
    assert size_of(APP / name) == size


def test_the_repository_has_a_name() -> None:
    assert document(ROOT / "repository.yaml")["name"] == "FaceGate"


def test_the_image_is_pinned_hashed_and_ends_without_root() -> None:
    text = (APP / "Dockerfile").read_text()
    base = re.search(r"^ARG BASE=(\S+)$", text, re.MULTILINE)
    assert base
    assert re.fullmatch(r"\S+:\d+\.\d+-slim(@sha256:[0-9a-f]{64})?", base[1])
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${BASE}", "packages"}
    assert "--require-hashes" in text
    assert len(re.findall(r"^ENV .*\bORT_DISABLE_TELEMETRY=1\b", text, re.MULTILINE)) == 2
    assert not (APP / "build.yaml").exists()
    entry = (APP / "container" / "facegate").read_text()
    assert "setpriv --reuid facegate --regid facegate --clear-groups --no-new-privs" in entry
    assert entry.index("exec setpriv") < entry.index("exec /opt/facegate")
