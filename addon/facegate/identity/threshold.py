"""The threshold that a site needs: it rises with the gallery, so that strangers stay strangers.

A search compares a face with every template. At a false match rate FMR a comparison, a stranger
who is searched for ``attempts`` times is named with the probability

    FPIR = 1 - (1 - FMR) ** (attempts * (subjects + ANOTHER * (templates - subjects)))

A subject's further references resemble its first, so that each counts as ``ANOTHER`` part of a
comparison. The searches of one track resemble each other more: each adds a frame to the same mean,
and ``ATTEMPTS`` stands for all of them. The margin to the runner-up lowers the rate further, which
is not counted. ``training/calibration`` has the figures.

The threshold is supported while the rate it needs lies at most ``EXTRAPOLATED`` below what was
counted, and while it is not above ``CEILING``, beyond which too many of those who are enrolled
would not be recognized. Where it is not supported it stays at the last that is, and a face needs a
second credential.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from facegate.identity.calibration import Calibration
from facegate.identity.gallery import Candidate, Gallery

ATTEMPTS = 2
"""Independent searches that those of one track amount to: measured 1.8 at a rate of 1e-2."""

ANOTHER = 0.75
"""What another reference of a subject adds, in comparisons: measured 0.75 to 0.65, falling."""

FLOOR = 0.48
"""No threshold is lower, however few are enrolled: below it relatives are often alike."""

CEILING = 0.65
"""Of single frames of enrolled people, more than one in twenty scores below this."""

EXTRAPOLATED = 1e-3
"""How far below the counted rate the fit is believed: it may be off tenfold there."""


@dataclass(frozen=True, slots=True)
class SiteThreshold:
    """The score (a cosine) from which a face is named at a site, and what it is good for.

    ``fpir`` is the share of strangers' tracks that the manager allows to be named, 0..1;
    ``expected_fpir`` is what this threshold gives, ``fpir_bound`` its upper bound (95 %).
    ``fixed`` tells that the manager set the threshold; ``supported`` that the data support it, or
    that the manager answers for it.
    """

    threshold: float
    fpir: float
    expected_fpir: float
    fpir_bound: float
    supported: bool
    subjects: int
    templates: int
    fixed: bool = False


def site_threshold(
    calibration: Calibration,
    *,
    subjects: int,
    templates: int,
    fpir: float,
    attempts: int = ATTEMPTS,
    fixed: float | None = None,
) -> SiteThreshold:
    """Return the lowest threshold at which a stranger is named in at most ``fpir`` of the tracks.

    ``fixed`` is a threshold that holds whatever is expected of it.
    """
    comparisons = attempts * (subjects + ANOTHER * (templates - subjects))
    fmr = -math.expm1(math.log1p(-fpir) / max(1.0, comparisons))
    needed = max(calibration.score(fmr), FLOOR)
    highest = min(calibration.score(calibration.counted_fmr * EXTRAPOLATED), CEILING)
    threshold = fixed if fixed is not None else min(needed, highest)
    return SiteThreshold(
        threshold=threshold,
        fpir=fpir,
        expected_fpir=_fpir(calibration.fmr(threshold), comparisons),
        fpir_bound=_fpir(calibration.fmr_bound(threshold), comparisons),
        supported=fixed is not None or needed <= highest,
        subjects=subjects,
        templates=templates,
        fixed=fixed is not None,
    )


def _fpir(fmr: float, comparisons: float) -> float:
    return -math.expm1(comparisons * math.log1p(-fmr))


class Thresholds:
    """The threshold in force at a site, and who has a look-alike there.

    Both are computed anew when they are asked for after a change of the gallery. ``fpir`` and
    ``fixed`` are as in ``site_threshold``; ``min_margin`` is what a name needs before the
    runner-up.
    """

    def __init__(
        self,
        gallery: Gallery,
        calibration: Calibration,
        *,
        fpir: float,
        min_margin: float,
        fixed: float | None = None,
    ) -> None:
        self.gallery = gallery
        self.calibration = calibration
        self.min_margin = min_margin
        self._fpir = fpir
        self._fixed = fixed
        self._as_of = gallery.changes
        self._current = self._computed()
        self._nearest: dict[str, Candidate | None] = {}

    @property
    def current(self) -> SiteThreshold:
        """The threshold for the gallery as it is now."""
        self._follow()
        return self._current

    @property
    def alike(self) -> float:
        """The cosine from which references of two subjects are look-alikes.

        Whoever is as like its own reference as the threshold asks could then be as near to the
        other's as the margin forbids.
        """
        return self.current.threshold - self.min_margin

    def look_alike(self, subject_id: str) -> Candidate | None:
        """Return the nearest other subject, where that one is a look-alike."""
        self._follow()
        if subject_id not in self._nearest:
            references = self.gallery.references(subject_id)
            self._nearest[subject_id] = self.gallery.nearest_subject(references, subject_id)
        nearest = self._nearest[subject_id]
        return nearest if nearest is not None and nearest.score >= self.alike else None

    def _follow(self) -> None:
        if self._as_of != self.gallery.changes:
            self._as_of = self.gallery.changes
            self._current = self._computed()
            self._nearest.clear()

    def _computed(self) -> SiteThreshold:
        return site_threshold(
            self.calibration,
            subjects=self.gallery.subject_count,
            templates=len(self.gallery),
            fpir=self._fpir,
            fixed=self._fixed,
        )
