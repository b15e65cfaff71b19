"""A name needs probes, a score and a margin, all three."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from facegate.domain import Identification, Probe, Vector
from facegate.face.weights import SFACE
from facegate.identity.calibration import calibration_of
from facegate.identity.evidence import NOBODY, Identifier, fuse, identify
from facegate.identity.gallery import Gallery
from facegate.identity.threshold import Thresholds
from tests.engine.face.real import face_at, probe_of
from tests.engine.identity.test_gallery import MODEL, direction, gallery, template

START = datetime(2026, 11, 1, tzinfo=UTC)


def probes(*angles: float) -> list[Probe]:
    return [
        probe_of(face_at(100, 100), direction(angle), float(second))
        for second, angle in enumerate(angles)
    ]


def look(filled: Gallery, seen: list[Probe]) -> Identification:
    return identify(seen, filled, threshold=0.5, min_margin=0.1, min_probes=3)


TWO = gallery([template("ann", 0), template("ben", 1.2)])


def test_a_face_with_enough_of_everything_is_named() -> None:
    found = look(TWO, probes(0, 0, 0))
    assert found.subject_id == found.candidate_id == "ann"
    assert found.score == pytest.approx(1)
    assert found.runner_up == pytest.approx(np.cos(1.2))
    assert found.margin == pytest.approx(1 - np.cos(1.2))
    assert (found.probes, found.threshold, found.min_margin, found.min_probes) == (3, 0.5, 0.1, 3)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(probes(0, 0), id="too few probes"),
        pytest.param(probes(-1.1, -1.1, -1.1), id="too low a score"),
        pytest.param(probes(0.6, 0.6, 0.6), id="too small a margin"),
    ],
)
def test_one_thing_missing_leaves_a_candidate_and_no_name(seen: list[Probe]) -> None:
    found = look(TWO, seen)
    assert found.subject_id is None
    assert found.candidate_id == "ann"


@pytest.mark.parametrize("filled", [Gallery(MODEL), gallery([template("ann", 0, "arcface")])])
def test_where_nobody_is_enrolled_there_is_no_candidate(filled: Gallery) -> None:
    found = look(filled, probes(0, 0, 0))
    assert found.subject_id is None
    assert found.candidate_id is None
    assert (found.score, found.runner_up) == (NOBODY, NOBODY)


def test_a_face_that_was_never_probed_is_nobody() -> None:
    found = look(TWO, [])
    assert (found.subject_id, found.candidate_id, found.probes) == (None, None, 0)


def test_the_only_one_enrolled_is_not_named_by_being_alone() -> None:
    alone = gallery([template("ann", 0)])
    assert look(alone, probes(1.3, 1.3, 1.3)).subject_id is None
    assert look(alone, probes(0.3, 0.3, 0.3)).subject_id == "ann"


def test_frames_that_agree_outweigh_one_that_does_not() -> None:
    found = look(TWO, probes(0, 0, 0, 0, 1.2))
    assert found.subject_id == "ann"


def weighed(angle: float, quality: float) -> Probe:
    return replace(probes(angle)[0], quality=quality)


def test_a_good_frame_outweighs_several_bad_ones() -> None:
    mixed = [weighed(0, 1.0), *(weighed(1.2, 0.1) for _ in range(3))]
    assert float(fuse(mixed) @ direction(0)) > np.cos(0.35)
    assert look(TWO, mixed).subject_id == "ann"


def test_where_no_frame_is_of_any_quality_all_count_alike() -> None:
    assert fuse([weighed(0, 0.0), weighed(0.5, 0.0)]) == pytest.approx(fuse(probes(0, 0.5)))


def identifier(filled: Gallery, fpir: float = 1e-4) -> Identifier:
    calibration = replace(calibration_of(SFACE.id), model_id=MODEL)
    thresholds = Thresholds(filled, calibration, fpir=fpir, min_margin=0.08)
    return Identifier(filled, thresholds, min_probes=3)


def test_a_track_is_named_at_the_threshold_of_the_site_as_it_is_now() -> None:
    filled = gallery([template("ann", 0), template("ben", 1.4)])
    who = identifier(filled)
    before = who.identify(probes(0, 0, 0))
    assert (before.subject_id, before.step_up, before.look_alike) == ("ann", False, None)
    filled.put("cid", [template("cid", 2.8 + step / 100) for step in range(8)])
    after = who.identify(probes(0, 0, 0))
    assert after.subject_id == "ann"
    assert after.threshold > before.threshold
    assert who.identify(probes(0, 0)).subject_id is None


def test_whoever_has_a_look_alike_needs_a_second_credential_and_others_do_not() -> None:
    who = identifier(gallery([template("ann", 0), template("bea", 1.0), template("cid", 2.8)]))
    found = who.identify(probes(-0.2, -0.2, -0.2))
    assert (found.subject_id, found.step_up) == ("ann", True)
    assert found.look_alike == pytest.approx(np.cos(1.0))
    assert not who.identify(probes(2.8, 2.8, 2.8)).step_up


def test_where_the_data_do_not_carry_the_threshold_everybody_needs_a_second_credential() -> None:
    found = identifier(gallery([template("ann", 0), template("ben", 1.4)]), 1e-9)
    named = found.identify(probes(0, 0, 0))
    assert (named.subject_id, named.step_up, named.look_alike) == ("ann", True, None)


def test_who_is_not_named_needs_no_second_credential() -> None:
    who = identifier(gallery([template("ann", 0), template("bea", 0.1)]))
    assert not who.identify(probes(0, 0, 0)).step_up


def test_a_fusion_has_unit_length_even_where_probes_cancel_out() -> None:
    fused: Vector = fuse(probes(0, 0.5))
    assert float(np.linalg.norm(fused)) == pytest.approx(1)
    assert np.isfinite(fuse(probes(0, np.pi))).all()
