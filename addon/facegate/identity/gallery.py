"""The gallery: every reference template, searched exactly.

The vectors stand in blocks of fixed size, so that growing copies nothing: 100,000 templates are
51.2 MB of vectors and a few MB for whose they are. A search goes through every row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facegate.domain import Template, Vector

_VALUES = 128
_BLOCK = 4096
_NOBODY = -1


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject and the cosine (-1..1) of its nearest reference."""

    subject_id: str
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Rows of references and the slots of those whose they are."""

    vectors: Vector
    owners: NDArray[np.int32]


class Gallery:
    """Templates of one model. A subject is changed as a whole, between two searches.

    For one thread: nothing is locked.
    """

    def __init__(self, model_id: str) -> None:
        self.model_id = model_id
        self._blocks: list[_Block] = []
        self._used = 0
        # Slots stand for subjects in the blocks; None where nobody has one. They are looked up by
        # going through: an index of 100,000 would take 8 MB and save a millisecond a change.
        self._subjects: list[str | None] = []
        self._free: list[int] = []
        self._changes = 0

    def __len__(self) -> int:
        """Return how many templates are held."""
        return self._used

    @property
    def subjects(self) -> frozenset[str]:
        """Who can be found."""
        return frozenset(subject for subject in self._subjects if subject is not None)

    @property
    def subject_count(self) -> int:
        """How many can be found."""
        return len(self._subjects) - len(self._free)

    @property
    def changes(self) -> int:
        """A number that grows with every change; what was computed at one holds until the next."""
        return self._changes

    # --- changing -----------------------------------------------------------------------------

    def replace(self, templates: Iterable[Template]) -> None:
        """Hold exactly these templates; those of another model are left out."""
        for block in self._blocks:
            block.vectors.fill(0)
        self._blocks, self._used = [], 0
        self._subjects, self._free = [], []
        self._changes += 1
        slots: dict[str, int] = {}
        for template in templates:
            if template.model_id == self.model_id:
                if (slot := slots.get(template.subject_id)) is None:
                    slot = slots[template.subject_id] = self._take_slot(template.subject_id)
                self._add(slot, template.embedding)

    def put(self, subject_id: str, templates: Iterable[Template]) -> None:
        """Hold exactly these templates of a subject; those of another model are left out."""
        self.remove(subject_id)
        self._changes += 1
        usable = [template for template in templates if template.model_id == self.model_id]
        slot = self._take_slot(subject_id) if usable else _NOBODY
        for template in usable:
            self._add(slot, template.embedding)

    def remove(self, subject_id: str) -> None:
        """Hold nothing of a subject any more; its values are overwritten."""
        if (slot := self._slot(subject_id)) is None:
            return
        self._changes += 1
        self._subjects[slot] = None
        self._free.append(slot)
        # From the last on, so that a row that moves into the gap is never itself to be removed.
        for row in reversed(self._rows(slot)):
            self._used -= 1
            block, place = self._place(row)
            last, end = self._place(self._used)
            block.vectors[place] = last.vectors[end]
            block.owners[place] = last.owners[end]
            last.vectors[end] = 0
            last.owners[end] = _NOBODY
        del self._blocks[-(-self._used // _BLOCK) :]

    # --- looking ------------------------------------------------------------------------------

    def search(self, embedding: Vector, most: int = 2) -> tuple[Candidate, ...]:
        """Return the nearest subjects of a unit-length embedding (128 values), best first.

        Each stands there once, with its nearest reference. It takes one thread, as the engine has
        BLAS set to, and is as fast as memory can be read.
        """
        best: dict[int, float] = {}
        floor = -np.inf
        room = np.empty(_BLOCK, np.float32)
        for vectors, owners in self._filled():
            scores = room[: len(vectors)]
            np.dot(vectors, embedding, out=scores)
            # Each round takes one subject of the block, so that there are few rounds.
            while (score := float(scores[row := int(scores.argmax())])) > floor:
                slot = int(owners[row])
                best[slot] = max(score, best.get(slot, -np.inf))
                scores[owners == slot] = -np.inf
                if len(best) > most:
                    del best[min(best, key=best.__getitem__)]
                floor = min(best.values()) if len(best) == most else -np.inf
        nearest = sorted(best.items(), key=lambda item: -item[1])
        return tuple(
            Candidate(subject_id, max(-1.0, score))
            for slot, score in nearest
            if (subject_id := self._subjects[slot]) is not None
        )

    def nearest_subject(
        self, embeddings: Iterable[Vector], exclude: str | None = None
    ) -> Candidate | None:
        """Return the subject nearest to any of these unit-length embeddings (128 values each).

        ``exclude`` is whoever they are of; None is returned where nobody else is held.
        """
        found = (
            candidate
            for embedding in embeddings
            for candidate in self.search(embedding)
            if candidate.subject_id != exclude
        )
        return max(found, key=lambda candidate: candidate.score, default=None)

    def references(self, subject_id: str) -> Vector:
        """Return the references of a subject, shape (references, 128); none of somebody unknown."""
        slot = self._slot(subject_id)
        rows = [] if slot is None else self._rows(slot)
        found = np.empty((len(rows), _VALUES), np.float32)
        for index, row in enumerate(rows):
            block, place = self._place(row)
            found[index] = block.vectors[place]
        return found

    # --- parts --------------------------------------------------------------------------------

    def _slot(self, subject_id: str) -> int | None:
        try:
            return self._subjects.index(subject_id)
        except ValueError:
            return None

    def _take_slot(self, subject_id: str) -> int:
        if self._free:
            slot = self._free.pop()
            self._subjects[slot] = subject_id
            return slot
        self._subjects.append(subject_id)
        return len(self._subjects) - 1

    def _add(self, slot: int, embedding: Vector) -> None:
        if self._used == len(self._blocks) * _BLOCK:
            vectors = np.zeros((_BLOCK, _VALUES), np.float32)
            self._blocks.append(_Block(vectors, np.full(_BLOCK, _NOBODY, np.int32)))
        block, place = self._place(self._used)
        block.vectors[place] = embedding
        block.owners[place] = slot
        self._used += 1

    def _place(self, row: int) -> tuple[_Block, int]:
        return self._blocks[row // _BLOCK], row % _BLOCK

    def _rows(self, slot: int) -> list[int]:
        """Return the rows of a slot, the first one first."""
        return [
            index * _BLOCK + int(place)
            for index, block in enumerate(self._blocks)
            for place in np.flatnonzero(block.owners == slot)
        ]

    def _filled(self) -> Iterator[tuple[Vector, NDArray[np.int32]]]:
        for index, block in enumerate(self._blocks):
            rows = min(_BLOCK, self._used - index * _BLOCK)
            yield block.vectors[:rows], block.owners[:rows]
