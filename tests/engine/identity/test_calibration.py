"""What is known of a model's impostor scores, held against faces that had no part in it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from facegate.errors import ModelError
from facegate.face.weights import SFACE
from facegate.identity.calibration import calibration_of
from tests.engine.identity.labeled import labeled_faces

SFACE_CALIBRATION = calibration_of(SFACE.id)


def test_a_model_without_a_calibration_is_named() -> None:
    with pytest.raises(ModelError, match="arcface has no calibration"):
        calibration_of("arcface")


def test_the_higher_the_score_the_rarer_it_is_among_strangers() -> None:
    rates = [SFACE_CALIBRATION.fmr(score) for score in np.arange(0.0, 0.8, 0.005).tolist()]
    assert all(lower > higher for lower, higher in pairwise(rates))
    assert 0.3 < rates[0] < 1


def test_the_bound_is_never_below_the_rate_where_thresholds_lie() -> None:
    for score in np.arange(0.35, 0.8, 0.01).tolist():
        assert SFACE_CALIBRATION.fmr_bound(score) > SFACE_CALIBRATION.fmr(score)


@pytest.mark.parametrize("rate", [1e-2, 1e-4, 3e-7])
def test_a_score_for_a_rate_has_that_rate(rate: float) -> None:
    assert SFACE_CALIBRATION.fmr(SFACE_CALIBRATION.score(rate)) == pytest.approx(rate, rel=1e-6)


@pytest.mark.parametrize("rate", [0.0, 1e-300, 1e-14])
def test_a_rate_beyond_all_that_was_fitted_takes_the_highest_score(rate: float) -> None:
    assert SFACE_CALIBRATION.score(rate) == 1.0


def test_the_counted_rate_rests_on_ten_pairs() -> None:
    counted = SFACE_CALIBRATION.counted_fmr * SFACE_CALIBRATION.pairs
    assert counted == pytest.approx(10, rel=0.01)


def test_other_people_are_mistaken_for_each_other_no_more_often_than_calibrated(
    shared: Path,
) -> None:
    faces = labeled_faces(shared)
    vectors = np.array([face.embedding for face in faces])
    names = np.array([face.name for face in faces])
    first, second = np.triu_indices(len(faces), 1)
    scores = (vectors @ vectors.T)[first, second][names[first] != names[second]]
    assert len(scores) > 15_000
    for score in (0.35, 0.37, 0.40, 0.45):
        assert np.mean(scores > score) <= SFACE_CALIBRATION.fmr(score)
    # Far from so strict that it says nothing of them.
    assert np.mean(scores > 0.30) > SFACE_CALIBRATION.fmr(0.30) / 2
