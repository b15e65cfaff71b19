"""Presence: who is in which area, as far as passages tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from facegate.decision.claim import AreaFacts
from facegate.register import Area


@dataclass(frozen=True, slots=True)
class Coming:
    """A granted entry whose passage is still awaited; ``subject_id`` None for a visitor."""

    area_id: str
    subject_id: str | None


class Presence:
    """Subjects by area, and heads without a name.

    Areas may lie in each other: a subject is in each that it entered and has not left. Heads are
    counted by passages without a subject and by corrections, so they may be negative.
    """

    def __init__(self, areas: Iterable[Area]) -> None:
        self._areas = {area.id: area for area in areas}
        self._inside: dict[str, set[str]] = {area_id: set() for area_id in self._areas}
        self._heads: Counter[str] = Counter()
        self._coming: dict[str, Coming] = {}

    def restore(self, inside: Iterable[tuple[str, str]], heads: Mapping[str, int]) -> None:
        """Take over (subject, area) and heads of an earlier run; areas that are gone are not."""
        for subject_id, area_id in inside:
            if area_id in self._inside:
                self._inside[area_id].add(subject_id)
        self._heads.update({key: count for key, count in heads.items() if key in self._areas})

    @property
    def areas(self) -> tuple[Area, ...]:
        """Every area of the site."""
        return tuple(self._areas.values())

    def area(self, area_id: str) -> Area | None:
        """Return an area, or None."""
        return self._areas.get(area_id)

    def inside(self, area_id: str) -> frozenset[str]:
        """Return the subjects in an area."""
        return frozenset(self._inside[area_id])

    def heads(self, area_id: str) -> int:
        """Return how many more are in an area than have a name."""
        return self._heads[area_id]

    def occupancy(self, area_id: str) -> int:
        """Return how many people are in an area."""
        return max(0, len(self._inside[area_id]) + self._heads[area_id])

    def where(self, subject_id: str) -> str | None:
        """Return the area that a subject entered last and has not left."""
        found = [area_id for area_id, inside in self._inside.items() if subject_id in inside]
        return found[-1] if found else None

    def facts(self, area_id: str | None, subject_id: str | None) -> AreaFacts | None:
        """Return what an entry into an area is judged by, who is on the way in included."""
        if area_id is None or (area := self._areas.get(area_id)) is None:
            return None
        coming = [item for item in self._coming.values() if item.area_id == area_id]
        on_the_way = {item.subject_id for item in coming if item.subject_id is not None}
        unnamed = sum(item.subject_id is None for item in coming)
        inside = self._inside[area_id]
        occupancy = len(inside | on_the_way) + unnamed + self._heads[area_id]
        return AreaFacts(
            max(0, occupancy),
            area.capacity,
            area.passback,
            inside=subject_id is not None and subject_id in inside | on_the_way,
        )

    def expect(self, decision_id: str, area_id: str, subject_id: str | None) -> None:
        """Count a granted entry before its passage, so that two grants never share a place."""
        self._coming[decision_id] = Coming(area_id, subject_id)

    def settle(self, decision_id: str) -> None:
        """End the waiting for a granted entry: it came about, or came to nothing."""
        self._coming.pop(decision_id, None)

    def enter(self, area_id: str, subject_id: str | None) -> None:
        """Take note of an entry."""
        if subject_id is None:
            self._heads[area_id] += 1
        else:
            self._inside[area_id].add(subject_id)

    def leave(self, area_id: str, subject_id: str | None) -> None:
        """Take note of an exit; somebody who never entered by name was a head."""
        if subject_id is not None and subject_id in self._inside[area_id]:
            self._inside[area_id].discard(subject_id)
        elif self.occupancy(area_id) > 0:
            self._heads[area_id] -= 1

    def correct(self, area_id: str, count: int) -> None:
        """Set how many people are in an area; who is there by name stays."""
        self._heads[area_id] = count - len(self._inside[area_id])

    def reset(self, area_id: str, subject_id: str | None = None) -> None:
        """Forget that a subject is in an area, or that anybody is."""
        if subject_id is None:
            self._inside[area_id].clear()
            self._heads[area_id] = 0
        else:
            self._inside[area_id].discard(subject_id)

    def forget(self, subject_id: str) -> None:
        """Forget a subject everywhere; the place it takes stays taken until it leaves."""
        for area_id, inside in self._inside.items():
            if subject_id in inside:
                inside.discard(subject_id)
                self._heads[area_id] += 1
