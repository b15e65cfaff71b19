"""The threshold follows the site, and says where the data do not carry it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facegate.domain import Template
from facegate.face.weights import SFACE
from facegate.identity.calibration import calibration_of
from facegate.identity.evidence import identify
from facegate.identity.gallery import Gallery
from facegate.identity.threshold import (
    ATTEMPTS,
    CEILING,
    FLOOR,
    SiteThreshold,
    Thresholds,
    site_threshold,
)
from tests.engine.face.real import face_at, probe_of
from tests.engine.identity.labeled import LabeledFace, labeled_faces
from tests.engine.identity.test_gallery import direction, scattered, template

SFACE_CALIBRATION = calibration_of(SFACE.id)
MARGIN = 0.08


def site(people: int, fpir: float = 1e-4, fixed: float | None = None) -> SiteThreshold:
    return site_threshold(
        SFACE_CALIBRATION, subjects=people, templates=3 * people, fpir=fpir, fixed=fixed
    )


def thresholds(gallery: Gallery, fixed: float | None = None) -> Thresholds:
    calibration = replace(SFACE_CALIBRATION, model_id=gallery.model_id)
    return Thresholds(gallery, calibration, fpir=1e-4, min_margin=MARGIN, fixed=fixed)


def test_the_threshold_rises_with_the_people_and_with_what_the_manager_asks() -> None:
    by_people = [site(people).threshold for people in (1, 10, 50, 150)]
    assert by_people == sorted(set(by_people))
    by_rate = [site(50, fpir).threshold for fpir in (1e-2, 1e-3, 1e-4)]
    assert by_rate == sorted(set(by_rate))


@pytest.mark.parametrize("people", [1, 10, 50, 150])
def test_a_stranger_is_expected_to_be_named_no_more_often_than_the_manager_allows(
    people: int,
) -> None:
    found = site(people)
    missed = (1 - SFACE_CALIBRATION.fmr(found.threshold)) ** (2.5 * people * ATTEMPTS)
    assert found.supported
    assert found.expected_fpir == pytest.approx(1 - missed, rel=1e-4)
    assert found.expected_fpir == pytest.approx(1e-4, rel=1e-3)
    assert found.expected_fpir < found.fpir_bound < 1e-3
    assert FLOOR < found.threshold < CEILING


def test_no_threshold_is_under_the_floor_however_few_there_are() -> None:
    found = site(1, fpir=1e-2)
    assert found.threshold == FLOOR
    assert found.expected_fpir < 1e-2
    nobody = site(0)
    assert (nobody.threshold, nobody.expected_fpir, nobody.supported) == (FLOOR, 0, True)


def test_a_site_for_which_the_data_do_not_suffice_is_told_so_and_keeps_the_last_that_is() -> None:
    found = site(2000)
    assert not found.supported
    assert found.expected_fpir > found.fpir
    assert found.threshold == site(20_000).threshold <= CEILING
    needed = SFACE_CALIBRATION.fmr(found.threshold)
    assert needed == pytest.approx(SFACE_CALIBRATION.counted_fmr / 1000, rel=1e-3)
    assert site(1000, fpir=1e-3).supported


def test_another_reference_adds_less_than_another_person() -> None:
    def of(subjects: int, templates: int) -> float:
        return site_threshold(
            SFACE_CALIBRATION, subjects=subjects, templates=templates, fpir=1e-4
        ).threshold

    assert of(30, 30) < of(30, 60) < of(60, 60)


def test_a_threshold_of_the_managers_holds_whatever_is_expected_of_it() -> None:
    found = site(2000, fixed=0.5)
    assert (found.threshold, found.fixed, found.supported) == (0.5, True, True)
    assert found.expected_fpir > 0.1


def test_the_threshold_follows_every_change_of_the_gallery() -> None:
    gallery = Gallery(SFACE.id)
    followed = thresholds(gallery)
    assert followed.current.templates == 0
    vectors = scattered(30)
    for person in range(10):
        gallery.put(
            f"s{person}",
            [Template("", "", SFACE.id, vector) for vector in vectors[3 * person : 3 * person + 3]],
        )
    assert followed.current == site(10)
    gallery.remove("s0")
    assert followed.current == site(9)


def test_two_who_are_nearer_than_the_margin_can_hold_are_look_alikes() -> None:
    gallery = Gallery("sface")
    gallery.replace([template("ann", 0), template("bea", 1.0), template("cid", 2.5)])
    followed = thresholds(gallery)
    assert followed.alike == followed.current.threshold - MARGIN
    alike = followed.look_alike("ann")
    assert alike is not None
    assert alike.subject_id == "bea"
    assert alike.score == pytest.approx(np.cos(1.0))
    assert followed.look_alike("cid") is None
    gallery.remove("bea")
    assert followed.look_alike("ann") is None
    assert followed.look_alike("nobody") is None


@pytest.mark.parametrize("half", [0, 1])
def test_of_real_people_no_stranger_is_named_and_few_who_are_enrolled_are_missed(
    shared: Path, half: int
) -> None:
    faces = labeled_faces(shared)
    count = Counter(face.name for face in faces)
    enrolled = {name for name in sorted(count)[half::2] if count[name] > 1}
    held: defaultdict[str, list[Template]] = defaultdict(list)
    probes: list[LabeledFace] = []
    for face in faces:
        if face.name in enrolled and len(held[face.name]) < min(3, count[face.name] - 1):
            held[face.name].append(Template("", face.name, SFACE.id, face.embedding))
        else:
            probes.append(face)
    gallery = Gallery(SFACE.id)
    gallery.replace(each for templates in held.values() for each in templates)
    threshold = thresholds(gallery).current.threshold
    missed: defaultdict[str, list[bool]] = defaultdict(list)
    for face in probes:
        found = identify(
            [probe_of(face_at(100, 100), face.embedding, 0)],
            gallery,
            threshold=threshold,
            min_margin=MARGIN,
            min_probes=1,
        )
        if face.name in enrolled:
            missed[face.set_name].append(found.subject_id != face.name)
        else:
            assert found.subject_id is None
    for set_name, each in missed.items():
        assert np.mean(each) < (0.05 if set_name == "lfw10" else 0.02)


def test_a_direction_is_its_own_look_alike_only_for_another_subject() -> None:
    gallery = Gallery("sface")
    gallery.replace([template("ann", 0), template("ann", 0.01)])
    assert thresholds(gallery).look_alike("ann") is None
    gallery.put("twin", [Template("", "twin", "sface", direction(0))])
    assert thresholds(gallery).look_alike("ann") is not None
