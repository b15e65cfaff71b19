"""Labeled faces of real people, embedded once a run."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from facegate.domain import Vector
from facegate.face.picture import decode_picture
from tests.engine.face.real import vector_of

SETS = ("london", "azure_adults", "lisa_zoom", "lfw10")


@dataclass(frozen=True, slots=True, eq=False)
class LabeledFace:
    """The largest face of a picture, and whose it is."""

    set_name: str
    name: str
    embedding: Vector


@lru_cache
def labeled_faces(shared: Path) -> tuple[LabeledFace, ...]:
    """Return the faces of every picture that shows one person."""
    found = []
    for set_name in SETS:
        folder = shared / "fixtures" / set_name
        with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if not row["label"].startswith("MULTI:"):
                    picture = decode_picture((folder / row["path"]).read_bytes())
                    found.append(LabeledFace(set_name, row["label"], vector_of(picture)))
    return tuple(found)
