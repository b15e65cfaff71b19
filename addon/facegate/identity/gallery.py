"""The gallery: every reference template in one matrix, searched exactly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facegate.domain import Template, Vector


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject and the cosine (-1..1) of its nearest reference."""

    subject_id: str
    score: float


class Gallery:
    """Templates of one model; replaced as a whole, so that a search never sees half a change."""

    def __init__(self, model_id: str) -> None:
        self.model_id = model_id
        self._subjects: tuple[str, ...] = ()
        self._owner: NDArray[np.intp] = np.empty(0, np.intp)
        self._matrix: Vector = np.empty((0, 128), np.float32)

    def replace(self, templates: Iterable[Template]) -> None:
        """Hold exactly these templates; those of another model are left out."""
        mine = [template for template in templates if template.model_id == self.model_id]
        subjects = sorted({template.subject_id for template in mine})
        position = {subject: index for index, subject in enumerate(subjects)}
        self._matrix = np.array([template.embedding for template in mine], np.float32)
        self._matrix = self._matrix.reshape(len(mine), 128)
        self._owner = np.array([position[template.subject_id] for template in mine], np.intp)
        self._subjects = tuple(subjects)

    def search(self, embedding: Vector, most: int = 2) -> tuple[Candidate, ...]:
        """Return the nearest subjects of a unit-length embedding (128 values), best first."""
        if not self._subjects:
            return ()
        best = np.full(len(self._subjects), -1.0, np.float32)
        np.maximum.at(best, self._owner, self._matrix @ embedding)
        order = np.argsort(-best)[:most]
        return tuple(Candidate(self._subjects[index], float(best[index])) for index in order)
