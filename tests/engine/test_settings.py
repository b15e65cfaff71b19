"""Options that cannot be used are refused, each mistake with its path and what is accepted."""

from __future__ import annotations

from copy import deepcopy
import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
import pytest

from facegate.domain import AccessPoint
from facegate.errors import SettingsError
from facegate.protocol import Direction
from facegate.settings import load, parse

PASSWORD = "hunter2"
URL = f"rtsp://admin:{PASSWORD}@192.0.2.7:554/stream1"
DOOR_KEYS = (
    "actuator, area, contact, contact_signal, controls, document_threshold, doorbell,"
    " entry_camera, exit_button, exit_camera, free_schedule, held_open_seconds, id, liveness,"
    " mask, name, pulse_seconds, readers, rules, temperature_limit, temperature_max_age_seconds,"
    " thermometers, together_seconds, unit, visitors"
)


def options(**changes: Any) -> dict[str, Any]:
    return {
        "cameras": [{"id": "porch", "url": URL}],
        "doors": [{"id": "front", "entry_camera": "porch"}],
        **changes,
    }


def mistakes(raw: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        parse(raw)
    return caught.value.mistakes


def camera(**changes: Any) -> dict[str, Any]:
    return options(cameras=[{"id": "porch", "url": URL, **changes}])


def door(**changes: Any) -> dict[str, Any]:
    return options(doors=[{"id": "front", "entry_camera": "porch", **changes}])


def test_what_is_left_out_has_a_safe_default() -> None:
    site = parse({"doors": [{"id": "front"}]})
    (front,) = site.doors
    assert front.name == "front"
    assert front.camera_ids == ()
    assert front.pulse_s == 3
    assert front.visitors
    assert site.cameras == ()
    assert site.api.host == "127.0.0.1"
    assert site.recognition.fpir == 1e-4
    assert site.recognition.fixed_threshold is None
    assert site.recognition.min_margin > 0
    assert site.recognition.min_probes >= 2


def test_a_camera_serves_the_access_points_that_name_it() -> None:
    site = parse(
        options(
            cameras=[{"id": "porch", "url": URL}, {"id": "hall", "clip": "hall.mp4"}],
            doors=[
                {"id": "front", "entry_camera": "porch", "exit_camera": "hall"},
                {"id": "side", "exit_camera": "hall"},
            ],
        )
    )
    assert site.access_points("porch") == (AccessPoint("front", Direction.ENTRY),)
    assert site.access_points("hall") == (
        AccessPoint("front", Direction.EXIT),
        AccessPoint("side", Direction.EXIT),
    )
    assert site.access_points("garage") == ()


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({}, "doors: required"),
        ({"doors": []}, "doors: expected at least one door, each with an id"),
        ({"doors": None}, "doors: expected at least one door, each with an id"),
        ({"doors": "front"}, "doors: expected a list"),
        (
            {"doors": ["front"]},
            f"doors[0]: expected an object; known: {DOOR_KEYS}",
        ),
        (
            options(camera=[]),
            (
                "camera: unknown option; known: api, areas, cameras, doors, models, mqtt,"
                " recognition, retention, schedules, site, users"
            ),
        ),
        (
            camera(password="x"),
            (
                "cameras[0].password: unknown option; known: clip, id, loop, name, paced,"
                " substream_url, url"
            ),
        ),
        (door(pulse=3), f"doors[0].pulse: unknown option; known: {DOOR_KEYS}"),
        (
            options(recognition={"treshold": 0.5}),
            (
                "recognition.treshold: unknown option; known: fpir, margin, min_face_px,"
                " min_probes, threshold"
            ),
        ),
        (
            options(api={"ip": ""}),
            "api.ip: unknown option; known: host, ingress_from, ingress_port, port",
        ),
        (
            options(recognition=[]),
            (
                "recognition: expected an object; known: fpir, margin, min_face_px, min_probes,"
                " threshold"
            ),
        ),
        (
            door(id="Front Door"),
            (
                "doors[0].id: 'Front Door' is not an id: use 1 to 40 lower-case letters, digits and"
                " underscores"
            ),
        ),
        (door(name=" "), "doors[0].name: expected a name of 1 to 80 characters"),
        (door(name="x" * 81), "doors[0].name: expected a name of 1 to 80 characters"),
        (door(pulse_seconds=0.5), "doors[0].pulse_seconds: 0.5 is not a number from 1 to 30"),
        (door(pulse_seconds="3"), "doors[0].pulse_seconds: '3' is not a number from 1 to 30"),
        (door(pulse_seconds=True), "doors[0].pulse_seconds: True is not a number from 1 to 30"),
        (
            door(pulse_seconds=float("nan")),
            "doors[0].pulse_seconds: nan is not a number from 1 to 30",
        ),
        (door(visitors="yes"), "doors[0].visitors: 'yes' is not one of true, false"),
        (
            door(entry_camera="garage"),
            "doors[0].entry_camera: no camera has the id 'garage'; cameras: porch",
        ),
        (
            options(cameras=[]),
            "doors[0].entry_camera: no camera has the id 'porch'; cameras: none is configured",
        ),
        (
            door(exit_camera="porch"),
            "doors[0].exit_camera: one camera cannot tell entry from exit",
        ),
        (
            options(doors=[{"id": "front"}, {"id": "front"}]),
            "doors[1].id: 'front' is used twice",
        ),
        (
            options(cameras=[{"id": "porch", "url": URL}, {"id": "porch", "url": URL}]),
            "cameras[1].id: 'porch' is used twice",
        ),
        (options(cameras=[{"id": "porch"}]), "cameras[0]: expected either url or clip"),
        (camera(clip="a.mp4"), "cameras[0]: expected either url or clip"),
        (camera(paced=1), "cameras[0].paced: 1 is not one of true, false"),
        (
            options(recognition={"threshold": 0.1}),
            "recognition.threshold: 0.1 is not a number from 0.3 to 0.9",
        ),
        (
            options(recognition={"fpir": 0.5}),
            "recognition.fpir: 0.5 is not a number from 1e-06 to 0.01",
        ),
        (
            options(recognition={"min_probes": 2.5}),
            "recognition.min_probes: 2.5 is not a whole number from 2 to 10",
        ),
        (
            options(api={"port": 70000}),
            "api.port: 70000 is not a whole number from 1 to 65535",
        ),
        (options(api={"host": ""}), "api.host: expected an address such as 127.0.0.1 or 0.0.0.0"),
    ],
)
def test_a_mistake_is_named_with_its_path_and_what_is_accepted(
    raw: dict[str, Any], told: str
) -> None:
    assert mistakes(raw) == (told,)


@pytest.mark.parametrize(
    "url",
    [
        f"http://admin:{PASSWORD}@192.0.2.7/",
        f"rtsp://admin:{PASSWORD}@",
        f"rtsp://admin:{PASSWORD}@host:port/",
        f"rtsp://admin:{PASSWORD}@192.0.2.7:0/",
        f"rtsp://admin:{PASSWORD}@[::1/",
        f"admin:{PASSWORD}@192.0.2.7",
        "",
        5,
        None,
    ],
)
def test_an_address_that_is_none_is_refused_with_an_example_and_not_shown(url: object) -> None:
    (told,) = mistakes(camera(url=url))
    assert told == (
        "cameras[0].url: expected an address such as rtsp://user:password@192.168.1.20:554/stream1"
    )


@pytest.mark.parametrize(
    "raw",
    [
        camera(id=URL),
        camera(paced=URL),
        camera(loop=[URL]),
        camera(name=URL * 3),
        camera(**{URL: True}),
        door(id=URL),
        door(entry_camera=URL),
        door(exit_camera=URL),
        door(controls={"liveness": URL}),
        door(pulse_seconds=URL),
        options(recognition={"threshold": URL, "min_probes": URL}),
        options(api={"port": URL, "host": f"{URL} "}),
        options(**{URL: {}}),
        options(cameras=[URL]),
        options(cameras=URL),
    ],
)
def test_a_password_in_a_wrong_place_is_not_told(raw: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(raw)
    assert caught.value.mistakes
    assert PASSWORD not in str(caught.value)


def test_several_mistakes_are_told_at_once() -> None:
    found = mistakes(
        {
            "cameras": [{"id": "porch", "url": "x"}, {"id": "!"}],
            "doors": [{"id": "front", "controls": {"liveness": "maybe"}}],
            "api": {"port": "y"},
            "extra": 1,
        }
    )
    assert {told.partition(":")[0] for told in found} == {
        "cameras[0].url",
        "cameras[1].id",
        "doors[0].controls.liveness",
        "api.port",
        "extra",
    }


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not JSON: Expecting value"),
        (b"{", "not JSON: Expecting property name"),
        (b"\xff\xfe\x00", "not JSON"),
        pytest.param(b"[" * 200_000, "not JSON", id="nested"),
        (b"[]", "expected a JSON object with doors and cameras"),
        (b"null", "expected a JSON object with doors and cameras"),
        (b"doors: []", "not JSON"),
    ],
)
def test_a_file_that_holds_no_options_is_refused_by_its_name(
    tmp_path: Path, content: bytes, told: str
) -> None:
    file = tmp_path / "options.json"
    file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load(file)
    (mistake,) = caught.value.mistakes
    assert mistake.startswith(f"{file}: ")
    assert told in mistake


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file or directory"):
        load(tmp_path / "options.json")


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_a_file_is_read_as_its_options(tmp_path: Path) -> None:
    file = tmp_path / "options.json"
    file.write_text(json.dumps(options()))
    assert load(file) == parse(options())


# Every object that options may hold, and one of each.
WHOLE: dict[str, Any] = {
    "site": {"holidays": {"country": "DE", "subdivision": "BY"}},
    "schedules": [
        {
            "id": "office",
            "windows": [{"days": ["mon"], "from": "07:30", "to": "16:00"}],
            "exceptions": [{"date": "2026-12-24", "windows": [{"from": "08:00", "to": "12:00"}]}],
        }
    ],
    "areas": [{"id": "hall"}],
    "cameras": [{"id": "porch", "url": URL}],
    "doors": [
        {
            "id": "front",
            "entry_camera": "porch",
            "area": "hall",
            "controls": {"mask": "required"},
            "rules": [{"schedule": "office", "controls": {"liveness": "off"}}],
        }
    ],
    "recognition": {"threshold": 0.6},
    "retention": {"events_days": 30},
    "api": {"port": 8100},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(part: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the way to every value in options, and to one unknown key in every object."""
    if isinstance(part, dict):
        inner = [place for key, value in part.items() for place in places(value, (*path, key))]
        return [path, (*path, "unknown"), *inner]
    if isinstance(part, list):
        items = enumerate(part)
        return [path, *(place for at, value in items for place in places(value, (*path, at)))]
    return [path]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([place for place in places(WHOLE) if place]), JSON)
def test_whatever_an_option_holds_it_is_read_or_refused_by_its_path(
    place: tuple[str | int, ...], content: Any
) -> None:
    raw = deepcopy(WHOLE)
    part: Any = raw
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = content
    try:
        site = parse(raw)
    except SettingsError as err:
        (first, *_) = err.mistakes
        # What a door refers to may be missing for it.
        assert first.startswith((str(place[0]), "doors[0]"))
    else:
        assert place[-1] != "unknown"
        assert site.doors
