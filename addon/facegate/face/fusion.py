"""Liveness of a track: what the pictures show and how the head moved, judged together.

Pictures (``attack``): the mean over the newest views that tell, at least three. Motion
(``liveness``): a head that turns shows its relief, a flat picture does not. What a level asks for
is in ``LEVELS``: a mean that is enough by itself, and a lower one that is enough for a head that
was seen to turn. At every level a face that moved like a flat picture fails, whatever the
pictures show.

With a challenge the person is asked to turn the head, and only what is seen after that counts.
Without the models motion alone decides.

The limits were chosen by BPCER and by what gets past them; docs/liveness.md has the tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from facegate.domain import LivenessEvidence
from facegate.register import LivenessLevel, LivenessRule
from facegate.verdicts import Outcome, Reason

MIN_VIEWS = 3
"""Views that must tell before the mean counts."""

MOST_VIEWS = 8
"""So many of the newest make the mean."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Means (0..1) that a level asks for.

    ``alone`` passes by itself, None where motion is always asked for; a head that was seen to turn
    passes with ``turned``; under that a face fails.
    """

    alone: float | None
    turned: float


LEVELS = {
    LivenessLevel.LOW: Limits(alone=0.7, turned=0.5),
    LivenessLevel.NORMAL: Limits(alone=0.85, turned=0.7),
    LivenessLevel.HIGH: Limits(alone=None, turned=0.85),
}


def fuse(
    rule: LivenessRule,
    motion: LivenessEvidence,
    views: Sequence[float] | None,
    *,
    answered: bool,
) -> LivenessEvidence:
    """Return whether a track is a person, by a door's rule.

    ``motion`` is what ``liveness.assess`` found, ``views`` what each view that tells showed
    (0..1, the oldest first), None without the models; ``answered`` tells that the head turned
    after the challenge. The evidence carries the figures of what decided.
    """
    found = motion
    if rule.model:
        found = _pictures(LEVELS[rule.level], views)
        if found.outcome is Outcome.PASS:
            found = _confirmed(LEVELS[rule.level], found, motion)
    if found.outcome is Outcome.PASS and rule.challenge and not answered:
        return replace(motion, outcome=Outcome.UNAVAILABLE, reason=Reason.TURN_YOUR_HEAD)
    return found


def _pictures(limits: Limits, views: Sequence[float] | None) -> LivenessEvidence:
    """Return whether the pictures show a person, if the head turns as well."""
    if views is None:
        return LivenessEvidence(Outcome.UNAVAILABLE, 0.0, limits.turned, Reason.NO_LIVENESS_MODEL)
    newest = views[-MOST_VIEWS:]
    mean = sum(newest) / len(newest) if newest else 0.0
    if len(newest) < MIN_VIEWS:
        return LivenessEvidence(Outcome.UNAVAILABLE, mean, limits.turned, Reason.TOO_FEW_VIEWS)
    if not mean >= limits.turned:
        return LivenessEvidence(Outcome.FAIL, mean, limits.turned, Reason.LOOKS_LIKE_A_PICTURE)
    return LivenessEvidence(Outcome.PASS, mean, limits.turned, Reason.OK)


def _confirmed(
    limits: Limits, pictures: LivenessEvidence, motion: LivenessEvidence
) -> LivenessEvidence:
    """Return what motion makes of pictures that show a person."""
    if motion.outcome is Outcome.FAIL:
        return replace(motion, reason=Reason.FLAT_MOTION)
    if limits.alone is not None and pictures.measured >= limits.alone:
        return replace(pictures, limit=limits.alone)
    if motion.outcome is Outcome.PASS:
        return pictures
    return replace(motion, reason=Reason.TOO_LITTLE_MOTION)
