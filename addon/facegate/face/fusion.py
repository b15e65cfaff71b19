"""Liveness of a track: what the pictures show and how the head moved, judged together.

Pictures (``attack``): the mean over the newest views that tell, at least three. Motion
(``liveness``): a head that turns shows its relief, a flat picture does not. A door's rule says how
they count:

- ``low``: the mean reaches a low limit.
- ``normal``: the mean reaches a higher one.
- ``high``: the mean reaches the highest, and the head was seen to turn.
- At every level a face that moved like a flat picture fails, whatever the pictures show.
- With a challenge the person is asked to turn the head, and only what is seen after that counts.
- Without the models motion alone decides, as strictly as ``high`` takes it.

The limits are chosen by BPCER, the share of people whose views do not reach them at a given
moment: none of 419, 0.5 % and 10 %; docs/liveness.md has the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from facegate.domain import LivenessEvidence, Outcome, Reason
from facegate.register import LivenessLevel, LivenessRule

MIN_VIEWS = 3
"""Views that must tell before the mean counts."""

MOST_VIEWS = 8
"""So many of the newest make the mean."""

LIMITS = {LivenessLevel.LOW: 0.5, LivenessLevel.NORMAL: 0.7, LivenessLevel.HIGH: 0.85}
"""The mean that a level asks for, 0..1."""


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
    found = _pictures(rule.level, views) if rule.model else motion
    if found.outcome is not Outcome.PASS:
        return found
    if motion.outcome is Outcome.FAIL:
        return replace(motion, reason=Reason.FLAT_MOTION)
    if rule.level is LivenessLevel.HIGH and motion.outcome is not Outcome.PASS:
        return replace(motion, reason=Reason.TOO_LITTLE_MOTION)
    if rule.challenge and not answered:
        return LivenessEvidence(
            Outcome.UNAVAILABLE, motion.measured, motion.limit, Reason.TURN_YOUR_HEAD
        )
    return found


def _pictures(level: LivenessLevel, views: Sequence[float] | None) -> LivenessEvidence:
    limit = LIMITS[level]
    if views is None:
        return LivenessEvidence(Outcome.UNAVAILABLE, 0.0, limit, Reason.NO_LIVENESS_MODEL)
    newest = views[-MOST_VIEWS:]
    mean = sum(newest) / len(newest) if newest else 0.0
    if len(newest) < MIN_VIEWS:
        return LivenessEvidence(Outcome.UNAVAILABLE, mean, limit, Reason.TOO_FEW_VIEWS)
    if mean < limit:
        return LivenessEvidence(Outcome.FAIL, mean, limit, Reason.LOOKS_LIKE_A_PICTURE)
    return LivenessEvidence(Outcome.PASS, mean, limit, Reason.OK)
