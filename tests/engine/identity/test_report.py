"""The site report names whom the faces enrolled cannot tell apart, and which reference is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facegate.domain import Template
from facegate.face.weights import SFACE
from facegate.identity.calibration import calibration_of
from facegate.identity.report import MOST_LISTED, SiteReport, site_report
from facegate.identity.threshold import site_threshold
from tests.engine.identity.test_gallery import MODEL, scattered, template

SFACE_CALIBRATION = replace(calibration_of(SFACE.id), model_id=MODEL)


def report(templates: list[Template], strangers: int = 100) -> SiteReport:
    subjects = len({each.subject_id for each in templates})
    threshold = site_threshold(
        SFACE_CALIBRATION, subjects=subjects, templates=len(templates), fpir=1e-4
    )
    return site_report(templates, SFACE_CALIBRATION, threshold, 0.5, strangers)


def test_the_nearest_pairs_come_first_each_once() -> None:
    found = report(
        [template("ann", 0), template("ann", 0.2), template("bea", 0.9), template("cid", 2.2)]
    )
    assert [(pair.first, pair.second) for pair in found.nearest] == [("ann", "bea"), ("bea", "cid")]
    assert found.nearest[0].score == pytest.approx(np.cos(0.7))
    assert found.look_alikes == ("ann", "bea")


def test_a_reference_unlike_the_others_of_its_subject_comes_first() -> None:
    found = report(
        [template("ann", 0), template("ann", 0.1), template("ann", 1.3), template("bea", 3)]
    )
    assert [outlier.template_id for outlier in found.outliers] == ["ann1.3", "ann0", "ann0.1"]
    assert found.outliers[0].score == pytest.approx(np.cos(1.2))


def test_what_a_year_brings_follows_from_the_strangers_of_a_day() -> None:
    found = report([template("ann", 0), template("bea", 1)], strangers=100)
    assert found.false_accepts_a_year == pytest.approx(36_500 * found.threshold.expected_fpir)
    assert found.false_accepts_a_year == pytest.approx(3.65, rel=1e-2)
    assert found.false_accepts_a_year < found.false_accepts_a_year_bound
    assert report([template("ann", 0)], strangers=0).false_accepts_a_year == 0


def test_references_of_another_model_are_named_and_compared_with_nothing() -> None:
    found = report([template("ann", 0), template("bea", 0, "arcface"), template("bea", 2)])
    assert found.other_models == ("bea",)
    assert found.compared == 2
    assert found.nearest[0].score == pytest.approx(np.cos(2))


def test_a_site_without_anybody_has_a_report_too() -> None:
    found = report([])
    assert (found.compared, found.nearest, found.outliers, found.look_alikes) == (0, (), (), ())


def test_many_references_are_compared_exactly_and_the_worst_are_listed() -> None:
    vectors = scattered(1300)
    templates = [
        Template(str(index), f"s{index // 2}", MODEL, vector)
        for index, vector in enumerate(vectors)
    ]
    found = report(templates)
    cosines = vectors @ vectors.T
    owners = np.arange(len(vectors)) // 2
    cosines[owners[:, None] == owners] = -1
    assert len(found.nearest) == MOST_LISTED
    assert found.nearest[0].score == pytest.approx(float(cosines.max()), abs=1e-6)
    own = [float(vectors[index] @ vectors[index + 1]) for index in range(0, len(vectors), 2)]
    assert found.outliers[0].score == pytest.approx(min(own), abs=1e-6)
