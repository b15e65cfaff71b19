"""Labeled folders and presentations for tests."""

from __future__ import annotations

from collections.abc import Iterable
import csv
import hashlib
from pathlib import Path

import numpy as np

from facegate.domain import Probe, Vector
from facegate.evaluation.conditions import Condition
from facegate.evaluation.identification import Enrolled, Rules, Search, searches
from facegate.evaluation.labels import COLUMNS, Sample
from facegate.evaluation.looking import Presentation
from tests.engine.face.real import face_at

RULES = Rules(0.5, "as given", 1e-4, 0.08, 3, 3)


def write_set(folder: Path, files: Iterable[tuple[str, str, bytes]], note: str = "") -> Path:
    """Write a labeled folder of (path, label, content) and return it."""
    rows = []
    for path, label, content in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
        rows.append((path, label, hashlib.sha256(content).hexdigest(), note))
    write_listing(folder, rows)
    return folder


def write_listing(
    folder: Path, rows: Iterable[Iterable[str]], head: Iterable[str] = COLUMNS
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])


def sample(
    label: str, row: int = 2, name: str = "set", kind: str = "png", note: str = ""
) -> Sample:
    notes = tuple(note.split(";")) if note else ()
    return Sample(name, Path(f"{name}/{row}.{kind}"), row, label, notes)


def turned(degrees: float, person: int = 0) -> Vector:
    """A unit vector at an angle to the person's own; people are at right angles."""
    vector = np.zeros(128, np.float32)
    vector[2 * person] = np.cos(np.radians(degrees))
    vector[2 * person + 1] = np.sin(np.radians(degrees))
    return vector


def probe(embedding: Vector, *, height: float = 120, quality: float = 1.0) -> Probe:
    return Probe(0, 0.0, face_at(200, 200, height), embedding, quality=quality)


def shown(
    each: Sample, *faces: Vector, condition: Condition = Condition.AS_GIVEN, height: float = 120
) -> Presentation:
    """A picture in which these faces were found."""
    return Presentation(each, condition, tuple((probe(face, height=height),) for face in faces))


def searched(*presentations: Presentation, rules: Rules = RULES) -> tuple[Search, ...]:
    """Every search of presentations whose own samples are the gallery."""
    return searches(presentations, Enrolled(presentations, "m", rules.references), rules)
