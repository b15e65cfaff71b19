"""Evidence that others than the camera bring to an access point, and who stands ready there.

Moments are monotonic seconds. Nothing here outlives its use: what served one passage does not
serve another.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from facegate.decision.claim import Measured
from facegate.domain import AccessPoint, Vector
from facegate.register import CredentialKind, DoorRules
from facegate.verdicts import Reason

DOCUMENT_LIFE_S = 60.0
UNSEEN_LIFE_S = 3.0
"""How long a temperature counts for somebody of whom no camera tells since when they stand there.

A card or a PIN does not tell when its holder came, so a reading may be of the person before. Nobody
clears the place before a thermometer, steps up and has a card read or a PIN judged in three
seconds by accident; whoever takes longer than that between thermometer and reader is measured
again.
"""

MASK_LIMIT = 0.5
"""Share of the classifier's certainty from which a mask is taken to be worn, 0..1."""


@dataclass(slots=True)
class _Reading:
    value: float
    taken: float
    used: bool = False

    def held(self, limit: float, life_s: float, since: float | None, now: float) -> Measured:
        """Return it for somebody who stands there ``since``; it counts once."""
        if self.used:
            return Measured(None, limit, Reason.NO_READING)
        if now - self.taken > life_s or (since is not None and self.taken < since):
            return Measured(self.value, limit, Reason.STALE_READING)
        return Measured(self.value, limit)


@dataclass(frozen=True, slots=True, eq=False)
class _Document:
    embedding: Vector
    shown: float


@dataclass(frozen=True, slots=True)
class _Ready:
    at: float
    partner: str | None = None


@dataclass(slots=True)
class _Place:
    reading: _Reading | None = None
    document: _Document | None = None
    mask: _Reading | None = None
    seen: dict[tuple[str, CredentialKind], float] = field(default_factory=dict)
    ready: dict[str, _Ready] = field(default_factory=dict)


class Evidence:
    """What is known at each access point of those who stand there."""

    def __init__(self) -> None:
        self._places: dict[AccessPoint, _Place] = {}

    # --- what was measured ----------------------------------------------------------------------

    def take_temperature(self, point: AccessPoint, celsius: float, taken: float) -> None:
        """Take a reading of whoever stands there."""
        self._place(point).reading = _Reading(celsius, taken)

    def temperature(
        self, point: AccessPoint, rules: DoorRules, since: float | None, now: float
    ) -> Measured | None:
        """Return the reading for somebody who stands there ``since``; None without a thermometer.

        It counts once, for ``temperature_max_age_s``, and only if it was taken while they stood
        there, without any tolerance: a frame is stamped no later than it arrived and a reading no
        earlier than it was taken, and a face is seen before it is near enough to be measured.
        Where nobody knows ``since`` when, it counts for ``UNSEEN_LIFE_S`` at most.
        """
        if (reading := self._place(point).reading) is None:
            return None
        life_s = rules.temperature_max_age_s
        if since is None:
            life_s = min(life_s, UNSEEN_LIFE_S)
        return reading.held(rules.temperature_limit, life_s, since, now)

    def show_document(self, point: AccessPoint, embedding: Vector, now: float) -> None:
        """Hold the face of a document (128 values of unit length) for whoever stands there."""
        self._place(point).document = _Document(embedding, now)

    def document(
        self, point: AccessPoint, rules: DoorRules, face: Vector | None, now: float
    ) -> Measured:
        """Return how much a live face is like the document's: a cosine."""
        document, limit = self._place(point).document, rules.document_threshold
        if document is None or now - document.shown > DOCUMENT_LIFE_S or face is None:
            return Measured(None, limit, Reason.NO_DOCUMENT)
        return Measured(float(np.dot(document.embedding, face)), limit)

    def see_mask(self, point: AccessPoint, worn: float, now: float) -> None:
        """Note how certainly (0..1) the face that stands there wears a mask."""
        self._place(point).mask = _Reading(worn, now)

    def mask(
        self, point: AccessPoint, rules: DoorRules, since: float | None, now: float
    ) -> Measured | None:
        """Return the newest sight of a mask; None without a classifier.

        It counts once, for ``together_s``, and only if whoever stands there ``since`` wore it.
        """
        if (sight := self._place(point).mask) is None:
            return None
        return sight.held(MASK_LIMIT, rules.together_s, since, now)

    # --- who stands there -----------------------------------------------------------------------

    def presented(
        self, point: AccessPoint, subject_id: str, kind: CredentialKind, now: float
    ) -> None:
        """Note that a subject presented a credential that holds."""
        self._place(point).seen[subject_id, kind] = now

    def seconded(
        self, point: AccessPoint, subject_id: str, kind: CredentialKind, now: float, within: float
    ) -> bool:
        """Return whether the subject presented a credential of another kind just now."""
        seen = self._place(point).seen
        return any(
            who == subject_id and other is not kind and now - at <= within
            for (who, other), at in seen.items()
        )

    def ready(self, point: AccessPoint, subject_id: str, now: float) -> None:
        """Note that a subject may pass as soon as a second person may."""
        self._place(point).ready[subject_id] = _Ready(now)

    def companion(
        self, point: AccessPoint, subject_id: str, now: float, within: float
    ) -> str | None:
        """Return another subject who stands ready and goes with nobody else."""
        for other, ready in self._place(point).ready.items():
            free = ready.partner in (None, subject_id)
            if other != subject_id and free and now - ready.at <= within:
                return other
        return None

    def passed(
        self, point: AccessPoint, subject_id: str | None, companion: str | None, now: float
    ) -> None:
        """Use up what a grant rested on. A companion may follow this subject, nobody else may."""
        place = self._place(point)
        for reading in (place.reading, place.mask):
            if reading is not None:
                reading.used = True
        place.document = None
        if subject_id is None:
            return
        place.seen = {key: at for key, at in place.seen.items() if key[0] != subject_id}
        place.ready.pop(subject_id, None)
        if companion is None:
            return
        first = place.ready.pop(companion, None)
        if first is None or first.partner != subject_id:
            # The companion may follow on this one's readiness, once.
            place.ready[subject_id] = _Ready(now, partner=companion)

    def clear(self, now: float, life_s: float) -> None:
        """Drop what has become too old to count: documents' faces are not kept."""
        for place in self._places.values():
            if place.document is not None and now - place.document.shown > DOCUMENT_LIFE_S:
                place.document = None
            place.seen = {key: at for key, at in place.seen.items() if now - at <= life_s}
            place.ready = {key: r for key, r in place.ready.items() if now - r.at <= life_s}

    def _place(self, point: AccessPoint) -> _Place:
        return self._places.setdefault(point, _Place())
