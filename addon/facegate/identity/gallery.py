"""The gallery: every reference template in one matrix, searched exactly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facegate.domain import Template, Vector

_VALUES = 128
_ROOM = 64


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject and the cosine (-1..1) of its nearest reference."""

    subject_id: str
    score: float


class Gallery:
    """Templates of one model. A subject is changed as a whole, between two searches."""

    def __init__(self, model_id: str) -> None:
        self.model_id = model_id
        self._matrix: Vector = np.zeros((_ROOM, _VALUES), np.float32)
        self._owner: NDArray[np.intp] = np.zeros(_ROOM, np.intp)
        self._used = 0
        # Places of subjects in the scores; None where nobody has one.
        self._subjects: list[str | None] = []
        self._free: list[int] = []
        self._rows: dict[str, set[int]] = {}

    @property
    def subjects(self) -> frozenset[str]:
        """Who can be found."""
        return frozenset(self._rows)

    def replace(self, templates: Iterable[Template]) -> None:
        """Hold exactly these templates; those of another model are left out."""
        by_subject: dict[str, list[Template]] = {}
        for template in templates:
            by_subject.setdefault(template.subject_id, []).append(template)
        for subject_id in self.subjects:
            self.remove(subject_id)
        for subject_id, held in by_subject.items():
            self.put(subject_id, held)

    def put(self, subject_id: str, templates: Iterable[Template]) -> None:
        """Hold exactly these templates of a subject; takes no longer for others that are held."""
        self.remove(subject_id)
        mine = [template for template in templates if template.model_id == self.model_id]
        if not mine:
            return
        end = self._used + len(mine)
        if end > len(self._matrix):
            room = max(2 * len(self._matrix), end)
            self._matrix = _grown(self._matrix, room)
            self._owner = _grown(self._owner, room)
        slot = self._free.pop() if self._free else len(self._subjects)
        if slot == len(self._subjects):
            self._subjects.append(None)
        self._subjects[slot] = subject_id
        self._matrix[self._used : end] = [template.embedding for template in mine]
        self._owner[self._used : end] = slot
        self._rows[subject_id] = set(range(self._used, end))
        self._used = end

    def remove(self, subject_id: str) -> None:
        """Hold nothing of a subject any more; its values are overwritten."""
        if not (rows := self._rows.pop(subject_id, None)):
            return
        slot = int(self._owner[min(rows)])
        self._subjects[slot] = None
        self._free.append(slot)
        # From the last on, so that a row that moves into the gap is never itself to be removed.
        for row in sorted(rows, reverse=True):
            self._used -= 1
            if row != self._used:
                self._matrix[row] = self._matrix[self._used]
                self._owner[row] = self._owner[self._used]
                mover = self._rows[self._subjects[self._owner[row]] or ""]
                mover.remove(self._used)
                mover.add(row)
            self._matrix[self._used] = 0

    def search(self, embedding: Vector, most: int = 2) -> tuple[Candidate, ...]:
        """Return the nearest subjects of a unit-length embedding (128 values), best first."""
        best = np.full(len(self._subjects), -np.inf, np.float32)
        np.maximum.at(best, self._owner[: self._used], self._matrix[: self._used] @ embedding)
        order = np.argsort(-best)[:most]
        return tuple(
            Candidate(subject_id, max(-1.0, float(best[index])))
            for index in order
            if (subject_id := self._subjects[index]) is not None
        )


def _grown[T: np.generic](array: NDArray[T], rows: int) -> NDArray[T]:
    grown = np.zeros((rows, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown
