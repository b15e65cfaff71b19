"""What a benchmark found: figures with their targets, as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib import metadata
import json
import os
from pathlib import Path
import platform

from facegate import __version__

_PARTS = ("av", "numpy", "onnxruntime", "opencv-python-headless")
_THOUSAND = 1000


class Bound(StrEnum):
    """On which side of a target a figure should lie."""

    AT_LEAST = ">="
    AT_MOST = "<="


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure is held against."""

    bound: Bound
    value: float

    def met(self, value: float) -> bool:
        """Return whether a figure reaches the target."""
        return value >= self.value if self.bound is Bound.AT_LEAST else value <= self.value


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value; ``unit`` is empty for ratios and counts."""

    name: str
    value: float
    unit: str = ""
    target: Target | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        return self.target.met(self.value) if self.target else None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text and numbers under column names."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One benchmark: what it compared (``tables``), its figures, and what one must know of them."""

    title: str
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it was measured."""

    cpu: str
    cores: int
    system: str


@dataclass(frozen=True, slots=True)
class Report:
    """Sections that one command measured on one machine."""

    command: str
    sections: tuple[Section, ...]
    date: str
    machine: Machine
    versions: dict[str, str]


def report(command: str, sections: tuple[Section, ...]) -> Report:
    """Return a report of now and here."""
    date = datetime.now(UTC).isoformat(timespec="seconds")
    return Report(command, sections, date, machine(), versions())


def machine() -> Machine:
    """Return this machine: its processor's name, how many cores this process may use."""
    return Machine(
        _processor(), len(os.sched_getaffinity(0)), f"{platform.system()} {platform.machine()}"
    )


def versions() -> dict[str, str]:
    """Return the versions of what computes here."""
    found = {"facegate": __version__, "python": platform.python_version()}
    return found | {part: metadata.version(part) for part in _PARTS}


def as_json(found: Report) -> str:
    """Return a report as JSON; every figure says whether it met its target."""
    content = asdict(found)
    for section, shown in zip(found.sections, content["sections"], strict=True):
        for figure, told in zip(section.figures, shown["figures"], strict=True):
            told["met"] = figure.met
    return json.dumps(content, indent=2) + "\n"


def as_markdown(found: Report) -> str:
    """Return a report as Markdown for people."""
    told = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    where = f"{found.machine.cpu}, {found.machine.cores} cores, {found.machine.system}"
    lines = [f"{found.date}, {where}; {told}", "", f"`{found.command}`"]
    for section in found.sections:
        lines += ["", f"### {section.title}", ""]
        for table in section.tables:
            lines += [*_rows(table.columns, table.rows), ""]
        if section.figures:
            rows = [_shown(figure) for figure in section.figures]
            lines += [*_rows(("figure", "value", "target", "met"), rows), ""]
        lines += [f"- {note}" for note in section.notes]
    return "\n".join(lines).rstrip() + "\n"


def _shown(figure: Figure) -> tuple[str, ...]:
    target = figure.target
    unit = f" {figure.unit}" if figure.unit else ""
    return (
        figure.name,
        f"{_number(figure.value)}{unit}",
        f"{target.bound} {_number(target.value)}{unit}" if target else "",
        {True: "yes", False: "**no**", None: ""}[figure.met],
    )


def _rows(columns: Sequence[str], rows: Sequence[Sequence[str | float | None]]) -> list[str]:
    return [
        f"| {' | '.join(columns)} |",
        f"|{'---|' * len(columns)}",
        *(f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows),
    ]


def _cell(cell: str | float | None) -> str:
    if cell is None:
        return "-"
    return cell if isinstance(cell, str) else _number(cell)


def _number(value: float) -> str:
    """Return a number with the digits that mean something: about three."""
    if value == round(value) or abs(value) >= _THOUSAND:
        return f"{value:.0f}"
    # A cosine near 1 differs in its last digits only.
    return f"{value:.6f}" if 0.999 < value < 1 else f"{value:.3g}"  # noqa: PLR2004


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()
