"""From a track's probes to an identification."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facegate.domain import Identification, Probe, Vector
from facegate.identity.gallery import Gallery

NOBODY = -1.0
"""The score where there is nobody to compare with: the lowest that a cosine can be."""


def fuse(probes: Sequence[Probe]) -> Vector:
    """Return the unit-length mean of the probes' embeddings (128 values).

    Averaging before the search lets single blurred frames weigh little: their embeddings
    scatter, while those of good frames agree.
    """
    mean = np.mean([probe.embedding for probe in probes], axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


def identify(
    probes: Sequence[Probe],
    gallery: Gallery,
    *,
    threshold: float,
    min_margin: float,
    min_probes: int,
) -> Identification:
    """Search the gallery with a track's probes.

    A subject is named only with at least ``min_probes`` probes, a score of at least
    ``threshold`` and at least ``min_margin`` before the runner-up.
    """
    nearest = gallery.search(fuse(probes)) if probes else ()
    score = nearest[0].score if nearest else NOBODY
    runner_up = nearest[1].score if len(nearest) > 1 else NOBODY
    candidate = nearest[0].subject_id if nearest else None
    named = len(probes) >= min_probes and score >= threshold and score - runner_up >= min_margin
    return Identification(
        subject_id=candidate if named else None,
        candidate_id=candidate,
        score=score,
        runner_up=runner_up,
        probes=len(probes),
        threshold=threshold,
        min_margin=min_margin,
        min_probes=min_probes,
    )
