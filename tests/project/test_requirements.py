"""The compiled requirements stay in step with the declared ranges, and name no place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
import re
import tomllib

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
import pytest

from tests.project.tree import ROOT

DEVELOPMENT = ROOT / "requirements" / "dev.txt"
SHIPPED = ROOT / "addon" / "requirements.txt"
BUILD = ROOT / "requirements" / "build.txt"
PEERS = tuple(sorted((ROOT / "requirements").glob("peer-*.txt")))
COMPILED = (DEVELOPMENT, BUILD, SHIPPED, *PEERS)
# One Python for each Home Assistant that is tested; the engine runs on both.
PYTHONS = ("3.13.0", "3.14.2")
HOME_ASSISTANTS = {"3.13.0": "2025.4.", "3.14.2": "2026.10."}


@dataclass(frozen=True)
class Pin:
    """One package of a compiled file."""

    name: str
    version: str
    marker: Marker | None
    hashes: tuple[str, ...]


def pins(path: Path) -> Iterator[Pin]:
    """Yield what a compiled file pins; a line that is none of its kinds fails the test."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    for line in text.splitlines():
        found = re.fullmatch(
            r"(?P<name>[A-Za-z0-9._-]+)(\[[a-z0-9,-]+\])?==(?P<version>\S+)"
            r"(\s*;\s*(?P<marker>.*?))?(?P<hashes>(\s+--hash=sha256:[0-9a-f]{64})*)\s*",
            line,
        )
        assert found, f"{path.name}: not a pinned package: {line[:120]}"
        marker = found["marker"]
        yield Pin(
            canonicalize_name(found["name"]),
            found["version"],
            Marker(marker) if marker else None,
            tuple(found["hashes"].split()),
        )


def environment(python: str) -> dict[str, str]:
    return {"python_full_version": python, "python_version": python.rpartition(".")[0]}


def applies(marker: Marker | None, python: str) -> bool:
    return marker is None or marker.evaluate(environment(python))


def declared(path: Path, *, group: str | None = None) -> list[Requirement]:
    data = tomllib.loads(path.read_text())
    texts = data["dependency-groups"][group] if group else data["project"]["dependencies"]
    return [Requirement(text) for text in texts]


def out_of_step(requirements: list[Requirement], path: Path, python: str) -> list[str]:
    """Return what is declared for a Python but not pinned once, within its range."""
    chosen = {
        requirement.name: [
            pin.version
            for pin in pins(path)
            if pin.name == canonicalize_name(requirement.name) and applies(pin.marker, python)
        ]
        for requirement in requirements
    }
    return [
        f"{requirement} is pinned as {chosen[requirement.name]}"
        for requirement in requirements
        if applies(requirement.marker, python)
        and not (
            len(chosen[requirement.name]) == 1
            and requirement.specifier.contains(chosen[requirement.name][0], prereleases=True)
        )
    ]


@pytest.mark.parametrize("python", PYTHONS)
def test_the_development_pins_are_in_step_with_both_declarations(python: str) -> None:
    requirements = [
        *declared(ROOT / "pyproject.toml", group="dev"),
        *declared(ROOT / "addon" / "pyproject.toml"),
    ]
    assert out_of_step(requirements, DEVELOPMENT, python) == [], "run scripts/compile-requirements"


@pytest.mark.parametrize("python", PYTHONS)
def test_the_shipped_pins_are_in_step_with_the_engine(python: str) -> None:
    requirements = declared(ROOT / "addon" / "pyproject.toml")
    assert out_of_step(requirements, SHIPPED, python) == [], "run scripts/compile-requirements"


@pytest.mark.parametrize("python", PYTHONS)
def test_the_build_pins_are_in_step_with_what_builds(python: str) -> None:
    declaration = tomllib.loads((ROOT / "addon" / "pyproject.toml").read_text())
    requirements = [
        *declared(ROOT / "pyproject.toml", group="build"),
        *map(Requirement, declaration["build-system"]["requires"]),
    ]
    assert out_of_step(requirements, BUILD, python) == [], "run scripts/compile-requirements"


@pytest.mark.parametrize("path", PEERS, ids=lambda path: path.name)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_peers_pins_are_in_step_with_their_groups(path: Path, python: str) -> None:
    requirements = declared(ROOT / "pyproject.toml", group=path.stem)
    assert out_of_step(requirements, path, python) == [], "run scripts/compile-requirements"


@pytest.mark.parametrize("path", COMPILED, ids=lambda path: path.name)
def test_every_pinned_package_has_hashes(path: Path) -> None:
    found = list(pins(path))
    assert found
    assert [pin.name for pin in found if not pin.hashes] == []


@pytest.mark.parametrize("path", COMPILED, ids=lambda path: path.name)
@pytest.mark.parametrize("python", PYTHONS)
def test_no_package_is_pinned_twice_for_one_machine(path: Path, python: str) -> None:
    names = [
        pin.name
        for pin in pins(path)
        if pin.marker is None or "platform" not in str(pin.marker)
        if applies(pin.marker, python)
    ]
    assert sorted({name for name in names if names.count(name) > 1}) == []


@pytest.mark.parametrize("path", COMPILED, ids=lambda path: path.name)
def test_compiled_requirements_name_no_index_and_no_host(path: Path) -> None:
    found = re.findall(
        r"^.*(?:://|--(?:extra-)?index|--find-links| @ ).*$", path.read_text(), re.MULTILINE
    )
    assert found == []


@pytest.mark.parametrize("python", PYTHONS)
def test_each_python_gets_its_home_assistant(python: str) -> None:
    versions = [
        pin.version
        for pin in pins(DEVELOPMENT)
        if pin.name == "homeassistant" and applies(pin.marker, python)
    ]
    assert len(versions) == 1
    assert versions[0].startswith(HOME_ASSISTANTS[python])


def test_no_lock_file_that_names_hosts_is_kept() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"uv.lock", "pylock*.toml"} <= set(ignored)
